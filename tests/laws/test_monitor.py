"""The monitor of any model: the two methods of the book, measured on outputs whose errors are known."""

import json
import warnings
from collections import namedtuple
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from fpbook.filtering import cutoffs, low_frequency_part, low_frequency_ratio
from fpbook.monitor import FrequencyMonitor
from fpbook.networks import MLP
from fpbook.spectra import nudft, peaks, relative_error
from fpbook.training import column, mean_squared_error, train

n = 40
x = 2 * np.pi * np.arange(n) / n
y = np.sin(x) + 2 * np.cos(5 * x)
rng = np.random.default_rng(0)


def test_at_frequencies_it_is_the_relative_error_of_the_spectrum():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    outputs = rng.normal(size=(3, n))
    for step, h in zip((0, 10, 30), outputs):
        monitor(step, h)
    np.testing.assert_array_equal(monitor.step, [0, 10, 30])
    np.testing.assert_allclose(monitor.error, relative_error(nudft(x, outputs, [1, 5]), nudft(x, y, [1, 5])))


def test_each_frequency_is_measured_alone():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    monitor(0, 0.75 * np.sin(x) - 2 * np.cos(5 * x) + np.sin(9 * x))
    np.testing.assert_allclose(monitor.error, [[0.25, 2.0]])


def test_several_outputs_are_one_vector():
    labels, outputs = np.column_stack([y, 3 * y]), np.column_stack([y, 0 * y])
    monitor = FrequencyMonitor(x, labels, k=[1, 5])
    monitor(0, outputs)
    np.testing.assert_allclose(monitor.error, np.sqrt([[0.9, 0.9]]))


def test_on_either_side_of_a_cut_off_it_is_the_filtering_method():
    points, labels, output = rng.normal(size=(30, 3)), rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    monitor = FrequencyMonitor(points, labels, delta=0.5)
    for h in (0 * labels, labels, 0.25 * labels, output):
        monitor(0, h)
    labels, output = labels - labels.mean(0), output - output.mean(0)
    low, learned = low_frequency_part(points, labels, 0.5), low_frequency_part(points, output, 0.5)
    high = labels - low
    expected = [np.linalg.norm(learned - low) / np.linalg.norm(low)]
    expected.append(np.linalg.norm(output - learned - high) / np.linalg.norm(high))
    np.testing.assert_allclose(monitor.error, [[1, 1], [0, 0], [0.75, 0.75], expected], atol=1e-12)


def test_a_slow_and_a_fast_wave_are_told_apart():
    grid = np.linspace(-6, 6, 601)
    monitor = FrequencyMonitor(grid, np.sin(grid) + np.sin(12 * grid), delta=0.05)
    monitor(0, np.sin(grid))
    low, high = monitor.error[0]
    assert low < 0.1 and high > 0.9


def test_a_network_is_watched_as_the_pages_do_it(device):
    torch.manual_seed(0)
    net, inputs = MLP([1, 30, 1]).to(device), column(x, device)
    labels = column(y, device)
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    history = {"h": [net(inputs).detach().cpu().numpy()[:, 0]]}
    monitor(0, net(inputs))
    train(
        net, lambda net: mean_squared_error(net, inputs, labels), steps=20, optimizer=partial(torch.optim.Adam, lr=0.01)
    )
    history["h"].append(net(inputs).detach().cpu().numpy()[:, 0])
    monitor(20, net(inputs))
    np.testing.assert_allclose(monitor.error, relative_error(nudft(x, history["h"], [1, 5]), nudft(x, y, [1, 5])))
    assert (monitor.error[0] != monitor.error[1]).all()


# What users hold: each right value is known in closed form


@pytest.mark.parametrize("points", [200, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_on_scattered_points_waves_do_not_leak_into_each_other(points, seed):
    at = np.random.default_rng(seed).uniform(-np.pi, np.pi, points)
    monitor = FrequencyMonitor(at, np.sin(at) + 0.05 * np.sin(20 * at), k=[1, 20])
    monitor(0, np.sin(at))
    monitor(1, 0.05 * np.sin(20 * at))
    np.testing.assert_allclose(monitor.error, [[0, 1], [1, 0]], atol=1e-9)


def test_a_small_wave_that_is_absent_is_not_called_fitted_and_validate_finds_what_the_sum_says():
    at = np.random.default_rng(0).uniform(-np.pi, np.pi, 1000)
    labels = np.sin(20 * at) + 0.001 * np.sin(at)
    monitor, summed = FrequencyMonitor(at, labels, k=[1, 20]), FrequencyMonitor(at, labels, k=[1, 20], method="dft")
    for one in (monitor, summed):
        one(0, np.sin(20 * at))
    assert monitor.error[0, 0] == pytest.approx(1) and summed.error[0, 0] < 0.5
    checked, leaking = monitor.validate(), summed.validate()
    waves = slice(0, 6)  # the last row is noise, which is in all waves
    np.testing.assert_allclose(checked["reported"][waves], checked["expected"][waves], atol=1e-6)
    assert max(checked["others"][waves]) < 1e-6
    assert max(leaking["others"][waves]) > 0.5  # k = 20 absent reads as an error at k = 1
    assert "20 absent" in str(leaking)


def test_validate_ends_with_noise_of_a_tenth_of_the_labels():
    at = 2 * np.pi * np.arange(1000) / 1000
    for scale in (1, 30):
        checked = FrequencyMonitor(at, scale * (np.sin(3 * at) + np.cos(9 * at)), bands=[6]).validate()
        assert len(checked["planted"]) == 5 and "noise" in checked["planted"][-1] and checked["expected"][-1] == 0
        low, high = checked["reported"][-1], checked["others"][-1]  # of two bands with half of the energy each
        assert low < high and (low**2 + high**2) / 2 == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("columns", [1, 2, 16])
def test_the_noise_of_validate_is_a_tenth_of_the_labels_however_many_columns_they_have(columns):
    at = 2 * np.pi * np.arange(1000) / 1000
    labels = np.tile((np.sin(3 * at) + np.cos(9 * at))[:, None], columns)
    checked = FrequencyMonitor(at, labels, bands=[6]).validate()
    assert (checked["reported"][-1] ** 2 + checked["others"][-1] ** 2) / 2 == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("wave", [np.cos, lambda phase: np.exp(1j * phase)])
@pytest.mark.parametrize("method", ["lstsq", "dft"])
def test_a_wave_has_the_share_of_its_squared_amplitude_whatever_the_scale(method, wave):
    for scale in (0.1, 1, 30):
        monitor = FrequencyMonitor(x, scale * (wave(x) + 2 * wave(5 * x) + 2 * wave(9 * x)), k=[1, 5], method=method)
        np.testing.assert_allclose(monitor.share, [1 / 9, 4 / 9])
        assert "hold 0.556 of the labels' energy" in str(monitor)


@pytest.mark.parametrize("scale", [0.1, 30])
def test_below_a_cut_off_is_the_share_that_the_filtering_method_gives(scale):
    points, labels = rng.normal(size=(30, 3)), scale * rng.normal(size=30)
    ratio = low_frequency_ratio(points, labels - labels.mean(), [0.5])
    np.testing.assert_allclose(FrequencyMonitor(points, labels, delta=0.5).share[:1], ratio)


@pytest.mark.parametrize("how", [{"k": [3]}, {"delta": 0.1}, {"bands": [2.0]}])
def test_a_mean_hides_nothing_and_is_told_apart(how):
    at = np.random.default_rng(0).uniform(-np.pi, np.pi, 40)
    monitor = FrequencyMonitor(at, 10 + np.sin(3 * at), **how)
    for output in (0 * at + 10, 9 + np.sin(3 * at), 10 + 0.5 * np.sin(3 * at)):
        monitor(0, output)
    np.testing.assert_allclose(monitor.error.T, np.tile([1, 0, 0.5], (monitor.error.shape[1], 1)), atol=1e-9)
    wave = np.sin(3 * at)
    assert monitor.offset[1] == pytest.approx(1 / wave.std())


@pytest.mark.parametrize(("offset", "part"), [(1e5, 0.5), (1e6, 0.5), (1e7, 0.0178)])
def test_a_detail_on_a_large_offset_keeps_its_digits(offset, part):
    at, detail = np.arange(4096) / 4096, (-1.0) ** np.arange(4096)
    monitor = FrequencyMonitor(at, offset + detail, delta=1e-4)
    monitor(0, offset + part * detail)
    np.testing.assert_allclose(monitor.error, [[1 - part, 1 - part]], atol=1e-4)
    np.testing.assert_allclose(low_frequency_part(at, offset + detail, 1e3), offset, atol=1e-3)  # float32 has 0.6 here


def test_labels_of_any_shape_are_one_vector_a_point():
    labels = np.stack([np.sin(x), np.cos(2 * x)], 1)
    for shape in ((n, 2), (n, 1, 2), (n, 2, 1)):
        monitor = FrequencyMonitor(x, labels.reshape(shape), k=[1, 2])
        monitor(0, (labels * [1, 0.293]).reshape(shape))
        np.testing.assert_allclose(monitor.error, [[0, 0.707]], atol=1e-12)
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    monitor(0, y[:, None])
    np.testing.assert_allclose(monitor.error, [[0, 0]], atol=1e-12)


@pytest.mark.parametrize("points", [2 * np.pi * np.arange(4) / 4, np.random.default_rng(0).uniform(0, 6, 30)])
def test_complex_waves_turn_in_one_direction(points):
    monitor = FrequencyMonitor(points, np.exp(1j * points), k=[1])
    monitor(0, np.exp(-1j * points))
    monitor(1, 0.5j * np.exp(1j * points))
    expected = 1 if len(points) == 4 else abs(monitor.error[0, 0])  # where they are orthogonal
    np.testing.assert_allclose(monitor.error[:, 0], [expected, np.sqrt(1.25)])
    both = FrequencyMonitor(points, np.exp(1j * points) + np.exp(-1j * points), k=[1, -1])
    both(0, np.exp(1j * points))
    np.testing.assert_allclose(both.error, [[0, 1]], atol=1e-9)


@pytest.mark.parametrize("how", [dict(delta=[0.1, 1.0]), dict(bands=[2.5, 5]), dict(bands=[2.5], memory=1)], ids=str)
@pytest.mark.parametrize("points", [x, np.random.default_rng(0).uniform(0, 6, 30)], ids=["grid", "scattered"])
def test_on_filters_and_bands_a_complex_label_is_its_two_parts_as_columns(points, how):
    labels = np.exp(1j * points) + (2 - 1j) * np.cos(4 * points) + 0.5j * np.sin(7 * points)
    output = 0.7 * labels + 0.1j * np.cos(points)
    one, two = (FrequencyMonitor(points, parts, **how) for parts in (labels, np.stack([labels.real, labels.imag], 1)))
    one(0, output)
    two(0, np.stack([output.real, output.imag], 1))
    np.testing.assert_allclose(one.error, two.error)
    np.testing.assert_allclose(one.share, two.share)


@pytest.mark.parametrize("method", ["lstsq", "dft"])
@pytest.mark.parametrize("labels, k", [
    (3 * np.cos(x) + 4 * np.sin(5 * x), [1]), (3j * np.exp(1j * x) + 4 * np.exp(-5j * x), [1]),
    (np.stack([3 * np.sin(x), 4j * np.cos(5 * x)], 1), [1, -1]),
], ids=["real", "complex", "two columns"])  # fmt: skip
def test_the_text_tells_how_much_of_the_labels_the_given_waves_hold(method, labels, k):
    monitor = FrequencyMonitor(x, labels, k=k, method=method)
    assert "these waves hold 0.36 of the labels' energy" in str(monitor)
    assert monitor.share.sum() == pytest.approx(0.36)


@pytest.mark.parametrize("kind", [list, np.array, tuple])
def test_several_filters_are_a_pair_of_columns_each(kind):
    labels = np.sin(x) + np.sin(4 * x)
    both = FrequencyMonitor(x, labels, delta=kind([0.05, 5.0]))
    both(0, np.sin(x))
    for place, delta in enumerate([0.05, 5.0]):
        alone = FrequencyMonitor(x, labels, delta=delta)
        alone(0, np.sin(x))
        np.testing.assert_allclose(both.error[0, 2 * place : 2 * place + 2], alone.error[0])
    assert len(set(both.names)) == 4


def test_frequencies_may_count_cycles():
    t, cycles = np.arange(200) / 200, np.arange(5, 51, 5)
    waves = np.sin(2 * np.pi * np.outer(t, cycles) + cycles)
    monitor = FrequencyMonitor(t, waves.sum(1), k=cycles, period=1)
    monitor(0, waves[:, :2].sum(1))
    np.testing.assert_allclose(monitor.error[0], [0, 0, *[1] * 8], atol=1e-9)
    assert monitor.names[0] == "5 cycles"
    with pytest.warns(UserWarning, match="less than one period of k=5 .*period="):
        FrequencyMonitor(t, waves.sum(1), k=cycles)
    with pytest.raises(ValueError, match="Nyquist frequency .* 3.142"):
        FrequencyMonitor(np.arange(360.0), np.sin(np.radians(3 * np.arange(360))), k=[3, 30])
    degrees = FrequencyMonitor(np.arange(360.0), np.sin(np.radians(3 * np.arange(360))), k=[3], period=360)
    assert degrees(0, np.zeros(360)) == {"3 cycles": pytest.approx(1)}
    hours, day = np.arange(240), np.sin(2 * np.pi * np.arange(240) / 24)
    with pytest.raises(
        ValueError, match=r"13 cycles is above the Nyquist frequency .*, 12 cycles .* told from 11;"
    ) as refused:
        FrequencyMonitor(hours, day, k=[13], period=24)
    assert "rad" not in str(refused.value)  # one unit in one message
    both = np.stack(np.meshgrid(np.arange(24), np.arange(0, 3, 0.5), indexing="ij"), -1).reshape(-1, 2)
    with pytest.raises(ValueError, match="Nyquist frequency .*, 3 cycles .* told from 2;"):  # per axis its own period
        FrequencyMonitor(both, np.sin(2 * np.pi * both[:, 0] / 24), k=[[1, 4]], period=[24, 3])


def test_one_wave_in_the_plane_is_given_as_its_vector_and_several_as_rows():
    plane = np.random.default_rng(0).uniform(-np.pi, np.pi, (200, 2))
    labels = np.sin(plane @ [1, 2]) + np.cos(plane @ [3, -1])
    output = 0.25 * np.sin(plane @ [1, 2]) + 0.5 * np.cos(plane @ [3, -1])
    both, first = FrequencyMonitor(plane, labels, k=[[1, 2], [3, -1]]), FrequencyMonitor(plane, labels, k=[1, 2])
    assert both.names == ["k=(1, 2)", "k=(3, -1)"] and first.names == both.names[:1]
    both(0, output)
    np.testing.assert_allclose(both.error, [[0.75, 0.5]])
    alone = FrequencyMonitor(plane, labels, k=[[1, 2]])
    for one in (first, alone):
        one(0, output)
    np.testing.assert_array_equal(first.error, alone.error)


def test_waves_that_are_one_on_these_points_are_named():
    four = np.arange(4) * np.pi / 2
    with pytest.raises(ValueError, match="k=5 is above the Nyquist frequency .*cannot be told from 1"):
        FrequencyMonitor(four, np.sin(four), k=[1, 5])
    at = np.random.default_rng(0).uniform(0, 1, 50)
    with pytest.raises(ValueError, match="k=20 and k=20.001 cannot be told apart"):
        FrequencyMonitor(at, np.sin(20 * at), k=[7, 20, 20.001])
    with (
        pytest.warns(UserWarning, match="less than one period"),
        pytest.raises(ValueError, match="the mean and k=0.01"),
    ):
        FrequencyMonitor(at, np.sin(20 * at), k=[0.01, 20])
    with pytest.raises(ValueError, match="k=3 and k=-3"):
        FrequencyMonitor(x, np.sin(3 * x), k=[3, -3])
    with pytest.raises(ValueError, match="need at least 21 points, not 12"):
        FrequencyMonitor(at[:12], np.sin(20 * at[:12]), k=7 * np.arange(1, 11))


def test_waves_that_are_close_are_marked_with_what_noise_does_to_them():
    at = np.random.default_rng(0).uniform(0, 2 * np.pi, 400)
    monitor = FrequencyMonitor(at, np.sin(4 * at) + np.sin(4.1 * at) + np.sin(9 * at), k=[4, 4.1, 9])
    np.testing.assert_array_equal(monitor.resolved, [False, False, True])
    assert "close to another wave" in str(monitor)


@pytest.mark.parametrize("how", [{"k": np.arange(1, 9)}, {"delta": 0.01}, {"bands": [4.5, 8.5]}])
def test_fields_in_a_batch_are_columns_or_axis_one(how):
    m, at, modes = 40, x, np.arange(1, 9)
    parts = rng.normal(size=(m, 8))
    fields, output = parts @ np.sin(np.outer(modes, at)), (parts * [*[1] * 7, 0.1]) @ np.sin(np.outer(modes, at))
    turned, rows = FrequencyMonitor(at, fields.T, axis=0, **how), FrequencyMonitor(at, fields, axis=1, **how)
    turned(0, output.T)
    rows(0, output)
    np.testing.assert_allclose(turned.error, rows.error)
    if "k" in how:
        np.testing.assert_allclose(rows.error[0], [*[0] * 7, 0.9], atol=1e-9)
    if "bands" in how:
        np.testing.assert_array_equal(np.isnan(rows.error[0]), [False, False, True])
        assert "no: the labels have nothing there" in str(rows)
    for ambiguous in (fields, fields[..., None], np.stack([fields, fields], 2)):
        with pytest.raises(ValueError, match="two axes as long as x; say which .* axis=0 if rows are points, axis=1"):
            FrequencyMonitor(at, ambiguous, **how)
    with pytest.raises(ValueError, match="axis=1"):
        FrequencyMonitor(at, fields[:7], **how)


def test_bands_share_out_all_of_the_error_on_a_grid_of_any_order():
    axis = np.arange(16) / 16
    pixels = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)[rng.permutation(256)]
    wave = lambda a, b: np.cos(2 * np.pi * (a * pixels[:, 0] + b * pixels[:, 1]) + a)  # noqa: E731
    labels = wave(1, 1) + wave(3, -2) + 2 * wave(6, 5) + 7
    monitor = FrequencyMonitor(pixels, labels, bands=[2.5, 5], period=1)
    monitor(0, wave(1, 1) + 0.75 * wave(3, -2) + 3 * wave(6, 5))
    np.testing.assert_allclose(monitor.error, [[0, 0.25, 0.5]], atol=1e-12)
    np.testing.assert_allclose(monitor.share, [1 / 6, 1 / 6, 4 / 6])
    noise = rng.normal(size=256)
    monitor(1, noise)
    difference = noise - noise.mean() - labels + labels.mean()
    total = np.sum((monitor.error[1] ** 2) * monitor.share)
    assert total == pytest.approx((difference**2).sum() / ((labels - labels.mean()) ** 2).sum())
    checked = monitor.validate()
    np.testing.assert_allclose(checked["reported"][:-1], checked["expected"][:-1])
    with pytest.raises(ValueError, match="no frequency of this grid"):
        FrequencyMonitor(pixels, labels, bands=[2.5, 500], period=1)


def test_rows_that_are_missing_are_left_out_and_a_diverged_output_is_recorded():
    labels = np.ma.masked_array(np.r_[y[:-1], 1e20], mask=np.arange(n) == n - 1)
    gone = np.r_[np.nan, y[1:]]
    for given in (labels, gone, np.where(np.arange(n) == 3, np.nan, y)):
        monitor = FrequencyMonitor(x, given, k=[1, 5])
        monitor(0, np.sin(x) + np.cos(5 * x))
        monitor(1, np.full(n, np.nan))
        monitor(2, torch.full((n,), 1e9).half())  # overflows
        monitor(3, np.where(np.isnan(np.ma.filled(given, np.nan)), np.nan, y))
        np.testing.assert_allclose(monitor.error, [[0, 0.5], [np.nan] * 2, [np.nan] * 2, [0, 0]], atol=1e-9)
        assert "1 without coordinates or labels left out" in str(monitor)
        assert monitor.fitted(0.2)["stays below"] == [3, 3]


def test_a_perfect_classifier_is_perfect_however_labels_are_centred():
    classes = np.arange(60) % 3
    one_hot, at = np.eye(3)[classes], rng.normal(size=(60, 4)) + 2 * np.eye(3, 4)[classes]
    for labels in (one_hot, one_hot - one_hot.mean(0)):
        monitor = FrequencyMonitor(at, labels, delta=1.0)
        monitor(0, one_hot)
        np.testing.assert_allclose(monitor.error, [[0, 0]], atol=1e-12)
        with pytest.warns(UserWarning, match="one-hot and the output holds no probabilities"):
            monitor(1, 5 * rng.normal(size=(60, 3)))
        logits = torch.tensor(40 * one_hot + rng.normal(size=(60, 1)))
        monitor(2, SimpleNamespace(logits=logits))
        monitor(3, [SimpleNamespace(logits=batch) for batch in logits.split(20)])
        np.testing.assert_allclose(monitor.error[2:], [[0, 0], [0, 0]], atol=1e-12)
        decided = FrequencyMonitor(at, labels, delta=1.0, softmax=True)
        decided(0, logits)
        np.testing.assert_allclose(decided.error, [[0, 0]], atol=1e-12)
    with pytest.warns(UserWarning, match="if they name classes, give one-hot"):
        by_number = FrequencyMonitor(at, classes, delta=1.0)
    with pytest.raises(ValueError, match="class numbers must be one-hot"):
        by_number(0, one_hot)


@pytest.mark.parametrize("kind", ["one-hot", "centred one-hot", "0 and 1", "tokens"])
def test_logits_are_told_from_probabilities_even_where_their_sums_are_those_of_probabilities(kind):
    classes = np.arange(60) % 3
    hot, at = np.eye(3)[classes], rng.normal(size=(60, 4))
    others = {"centred one-hot": hot - hot.mean(0), "0 and 1": hot[:, 1], "tokens": np.stack([hot, hot], 1)}
    labels = others.get(kind, hot)
    level = labels.mean() if kind != "centred one-hot" else 0
    for output, fine in [(labels, True), (0.9 * labels + 0.1 * level, True), (40 * (labels - level) + level, False)]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            FrequencyMonitor(at, labels, delta=1.0)(0, output)
        name = {"tokens": "0 and 1"}.get(kind, kind)
        assert [str(one.message).startswith(f"labels are {name} and the output holds no probabilities")
                for one in caught] == [True] * (not fine)  # fmt: skip


@pytest.mark.parametrize("below, fine", [(0.009, True), (0.011, False)])
def test_where_labels_are_one_hot_a_probability_is_not_below_zero_and_where_they_are_centred_it_may_be(below, fine):
    hot, at = np.eye(3)[np.arange(60) % 3], rng.normal(size=(60, 4))
    for labels, allowed in ((hot, fine), (hot - hot.mean(0), True)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            FrequencyMonitor(at, labels, delta=1.0)(0, hot + below * np.array([-1, -1, 2]))
        assert bool(caught) != allowed


@pytest.mark.parametrize("memory", [2**30, 1])  # kernels that are kept, or computed at each call
@pytest.mark.parametrize("shift", [1e8, [3e3, -3e3, 9]], ids=str)
def test_where_the_origin_lies_changes_no_filter(shift, memory):
    own = np.random.default_rng(0)
    at = np.round(own.normal(size=(60, 3)) * 2**20) / 2**20  # so that a shifted point is the same point
    labels = np.sin(3 * at[:, 0])
    found = []
    for points in (at, at + np.array(shift)):
        monitor = FrequencyMonitor(points, labels, delta=[0.1, 1.0], memory=memory)
        monitor(0, 0.5 * labels + 0.1 * at[:, 1])
        found.append(monitor.error)
    np.testing.assert_allclose(*found, rtol=1e-11)


def test_numbers_that_name_no_classes_are_taken_as_they_are_though_a_0_and_a_1_are_among_them():
    own = np.random.default_rng(0)
    at, labels = own.normal(size=(60, 4)), 3 * own.normal(size=60)
    labels[:2] = 0, 1
    monitor = FrequencyMonitor(at, labels, delta=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monitor(0, 5 * labels)
    monitor(1, SimpleNamespace(logits=torch.tensor(labels)))
    np.testing.assert_allclose(monitor.error, [[4, 4], [0, 0]], atol=1e-12)


def test_a_softmax_is_taken_over_classes_alone_and_of_one_column_it_is_the_sigmoid():
    two, at = np.arange(60) % 2, rng.normal(size=(60, 4))
    logits = rng.normal(size=(60, 1))
    monitor, by_hand = FrequencyMonitor(at, two, delta=1.0, softmax=True), FrequencyMonitor(at, two, delta=1.0)
    assert monitor(0, logits) == pytest.approx(by_hand(0, 1 / (1 + np.exp(-logits[:, 0]))))
    assert monitor(1, 2000.0 * (two - 0.5)) == pytest.approx(dict.fromkeys(monitor.names, 0))
    tokens = np.eye(5)[rng.integers(0, 5, (60, 2))]
    with pytest.raises(ValueError, match=r"softmax=True needs labels of shape \(60, classes\), not \(60, 2, 5\)"):
        FrequencyMonitor(at, tokens, delta=1.0, softmax=True)


def test_a_feature_that_alone_makes_all_distances_is_named():
    features = rng.normal(size=(60, 3)) * [1, 1e4, 1]
    for how in ({}, {"delta": 1e8}, {"bands": [1e-4]}):
        with pytest.warns(UserWarning, match="column 1 of x makes more than 99.9 %") as caught:
            FrequencyMonitor(features, features[:, 0], **how)
        assert caught[0].filename == __file__


def test_steps_that_go_back_are_named_and_recorded():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    monitor(10, y)
    with pytest.warns(UserWarning, match="step 0 comes after step 10.*through all epochs"):
        monitor(0, 0 * y)
    np.testing.assert_array_equal(monitor.step, [10, 0])


def test_what_is_below_the_noise_in_the_labels_is_marked():
    at = 2 * np.pi * np.arange(400) / 400
    noisy = np.sin(at) + 0.3 * np.random.default_rng(0).normal(size=400)
    monitor = FrequencyMonitor(at, noisy, k=[1, 7, 23])
    np.testing.assert_array_equal(monitor.resolved, [True, False, False])
    monitor(0, noisy)
    assert monitor.table()[""] == ["", "not resolved", "not resolved"]
    assert monitor.floor[0] == pytest.approx(2 * 0.3 / np.sqrt(400), rel=0.1)  # sigma / sqrt(n), relative to 1/2
    assert FrequencyMonitor(at, noisy).names[0].startswith("k=") and len(FrequencyMonitor(at, noisy).names) == 1


def test_the_text_says_which_waves_are_below_the_noise_in_the_labels():
    at = 2 * np.pi * np.arange(400) / 400
    monitor = FrequencyMonitor(at, np.sin(at) + 0.3 * np.random.default_rng(0).normal(size=400), k=[1, 7, 23])
    rows = str(monitor).splitlines()[2:5]
    assert [row.split()[0] for row in rows] == monitor.names
    assert [row.endswith("no: below the noise floor") for row in rows] == (~monitor.resolved).tolist()
    assert [row.endswith("yes") for row in rows] == monitor.resolved.tolist() == [True, False, False]


def test_what_other_frequencies_of_the_error_leak_is_said():
    at = np.random.default_rng(1).uniform(-np.pi, np.pi, 300)
    errors, leaks = [], []
    for seed in range(30):
        other = np.random.default_rng(seed).normal(size=300)
        monitor = FrequencyMonitor(at, np.sin(at), k=[1])
        monitor(0, np.sin(at) + other)
        errors.append(monitor.error[0, 0])
        leaks.append(monitor.leak[0, 0])
    assert np.mean(leaks) == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.3)


# What it chooses


def test_it_chooses_waves_on_a_line_and_a_grid_and_a_filter_elsewhere():
    at = np.random.default_rng(0).uniform(-3, 3, 150)
    assert FrequencyMonitor(at, np.sin(2 * at) + 0.2 * np.cos(11 * at) + 3).names == ["k=2", "k=11"]
    assert FrequencyMonitor(at, np.sin(2 * at), period=np.pi).names == ["1 cycle"]
    axis = np.arange(12)
    pixels = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    monitor = FrequencyMonitor(pixels, np.cos(2 * np.pi * (pixels @ [1, 2]) / 12), period=12)
    assert monitor.names == ["(1, 2) cycles"]
    cloud = rng.normal(size=(80, 5))
    monitor = FrequencyMonitor(cloud, np.sin(cloud[:, 0]))
    low, high = monitor.names
    assert low.startswith("below k0=") and high.startswith("above k0=")
    assert float(low.partition("k0=")[2]) == pytest.approx(cutoffs(cloud, np.sin(cloud[:, 0]), [0.5])[0], rel=0.01)
    assert cutoffs(cloud, np.sin(cloud[:, 0])).shape == (1,)
    kept = low_frequency_ratio(
        cloud,
        np.sin(cloud[:, 0]) - np.sin(cloud[:, 0]).mean(),
        1 / cutoffs(cloud, np.sin(cloud[:, 0]), [0.3, 0.5]) ** 2,
    )
    np.testing.assert_allclose(kept, [0.3, 0.5], atol=0.01)
    with pytest.raises(ValueError, match="no wave in the labels stands above"):
        FrequencyMonitor(x, np.random.default_rng(3).normal(size=n))


@pytest.mark.parametrize("n", [600, 4200])
def test_kept_kernels_and_those_computed_at_each_call_agree(n):
    single = n > 4096  # of so many points they are kept in half the memory, which costs digits
    cloud, labels, output = rng.normal(size=(n, 3)), rng.normal(size=(n, 2)), rng.normal(size=(n, 2))
    kept, streamed = (FrequencyMonitor(cloud, labels, delta=[0.1, 1.0], memory=m) for m in (2**30, 1))
    kept(0, output)
    streamed(0, output)
    np.testing.assert_allclose(kept.error, streamed.error, rtol=1e-5 if single else 1e-10)
    assert (abs(kept.error / streamed.error - 1).max() > 1e-11) == single
    with pytest.raises(ValueError, match="take more than memory"):
        FrequencyMonitor(x, y, k=[1, 5], memory=1)


# In the loop


def test_watch_measures_in_evaluation_mode_and_leaves_the_model_as_it_was():
    net = torch.nn.Sequential(
        torch.nn.Linear(1, 20), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(20), torch.nn.Linear(20, 1)
    )
    net[2].eval()
    inputs = column(x)
    monitor, by_hand = FrequencyMonitor(x, y, k=[1, 5], every=10), FrequencyMonitor(x, y, k=[1, 5])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = monitor.watch(0, net, inputs, batch_size=7)
    assert [module.training for module in net] == [True, True, False, True] and net.training
    assert all((value == before[name]).all() for name, value in net.state_dict().items())
    assert monitor.watch(0, net, inputs) is None and monitor.watch(5, net, inputs) is None
    assert list(monitor.step) == [0]
    net.eval()
    assert by_hand(0, net(inputs)) == pytest.approx(found, rel=1e-5)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, column(y)), batch_size=16)
    assert monitor.watch(10, net, loader) == pytest.approx(found, rel=1e-5)
    named = [{"input": inputs[:9], "labels": None}, {"input": inputs[9:]}]
    assert monitor.watch(20, net, named) == pytest.approx(found, rel=1e-5)
    with pytest.raises(ValueError, match="shuffle=False"):
        monitor.watch(30, net, torch.utils.data.DataLoader(loader.dataset, shuffle=True))
    assert FrequencyMonitor(x, y, k=[1, 5]).watch(0, lambda values: values * 0, inputs) == pytest.approx(
        {"k=1": 1, "k=5": 1}
    )


def test_of_a_parallel_model_the_one_inside_is_measured_so_that_no_other_process_is_waited_for():
    net, called = torch.nn.Linear(1, 1), []
    parallel = torch.nn.DataParallel(net)
    parallel.register_forward_pre_hook(lambda *_: called.append("parallel"))
    net.register_forward_pre_hook(lambda *_: called.append("inside"))
    FrequencyMonitor(x, y, k=[1]).watch(0, parallel, column(x))
    assert called == ["inside"]


def test_only_an_output_with_an_axis_more_than_the_labels_is_told_of_one_hot_labels():
    for labels, output, told in ((y, y[:-1], False), (y, np.stack([y, y], 1), True), (y[:, None], y[:-1], False)):
        with pytest.raises(ValueError, match="shape of the labels") as error:
            FrequencyMonitor(x, labels, k=[1])(0, output)
        assert ("must be one-hot" in str(error.value)) == told


def test_a_model_that_fails_gets_its_mode_back():
    net = torch.nn.Linear(3, 1).train()
    with pytest.raises(RuntimeError):
        FrequencyMonitor(x, y, k=[1]).watch(0, net, column(x))
    assert net.training


def test_when_each_was_fitted_and_the_table_of_it():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    for step, (one, five) in enumerate([(1, 1), (0.1, 0.8), (0.5, 0.1), (0.1, 0.3)]):
        monitor(10 * step, (1 - one) * np.sin(x) + 2 * (1 - five) * np.cos(5 * x))
    assert monitor.fitted(0.2) == {"name": ["k=1", "k=5"], "first below": [10, 20], "stays below": [30, np.inf]}
    table = monitor.table(0.2)
    np.testing.assert_allclose(table["share"], [0.2, 0.8])
    np.testing.assert_allclose(table["error"], [0.1, 0.3])
    lines = str(table).splitlines()
    assert len(lines) == 3 and lines[0].split()[:3] == ["name", "share", "error"]
    assert "" not in table  # no column of remarks where all are resolved


def test_a_monitor_is_saved_with_a_checkpoint_and_goes_on(tmp_path):
    first, resumed = FrequencyMonitor(x, y, k=[1, 5]), FrequencyMonitor(x, y, k=[1, 5])
    first(0, 0 * y)
    first(1, y * np.nan)
    torch.save({"monitor": first.state_dict()}, tmp_path / "checkpoint.pt")
    resumed.load_state_dict(torch.load(tmp_path / "checkpoint.pt")["monitor"])  # weights only, as by default
    resumed(2, y)
    np.testing.assert_allclose(resumed.error, [[1, 1], [np.nan] * 2, [0, 0]], atol=1e-12)
    json.loads(json.dumps(resumed.to_dict()))
    assert resumed.to_dict()["step"] == [0, 1, 2] and "3 measurements" in repr(resumed)
    state = first.state_dict()
    cut = [{"rows": state["rows"][:1]}, {"step": state["step"][:1]}, {"rows": [row[:-1] for row in state["rows"]]}]
    for other, changed in [(FrequencyMonitor(x, y, k=[1]), {}), (FrequencyMonitor(x, 2 * y, delta=0.1), {})] + [
        (FrequencyMonitor(x, y, k=[1, 5]), change) for change in [*cut, {"names": ["k=1", "k=4"]}]
    ]:
        with pytest.raises(ValueError, match="this state is of a monitor"):
            other.load_state_dict(state | changed)
        assert not len(other.step)


def test_it_draws_curves_and_the_map_of_frequency_and_step():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    with pytest.raises(ValueError, match="nothing was measured"):
        monitor.plot()
    for step in (0, 5, 20):
        monitor(step, step / 20 * y)
    figure, (left, right) = plt.subplots(1, 2)
    assert monitor.plot(left) is left and len(left.lines) == 2
    monitor.plot(right, heat=True)
    np.testing.assert_allclose(np.ravel(right.collections[0].get_array()), monitor.error.T.ravel())
    plt.close(figure)


@pytest.mark.parametrize("steps", [[3], [0, 5, 20]])
def test_a_drawing_says_what_it_shows_and_is_dotted_where_nothing_is_resolved(steps):
    noisy = np.sin(x) + 0.5 * np.random.default_rng(0).normal(size=n)
    monitor = FrequencyMonitor(x, noisy, k=[1, 7])
    for step in steps:
        monitor(step, 0.1 * step * noisy)
    assert monitor.resolved.tolist() == [True, False]
    figure, (left, right) = plt.subplots(1, 2)
    monitor.plot(left)
    monitor.plot(right, heat=True)
    assert (left.get_xlabel(), left.get_ylabel()) == ("step", "relative error")
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["k=1", "k=7, not resolved"]
    assert [line.get_linestyle() for line in left.lines] == ["-", ":"]
    assert len({tuple(line.get_color()) for line in left.lines}) == 2
    for line, curve in zip(left.lines, monitor.error.T):
        np.testing.assert_array_equal(line.get_xydata().T, [steps, curve])
    (heat,), bar = right.collections, figure.axes[-1]
    assert heat.get_clim() == (0, 1) and bar.get_ylabel() == "relative error" and right.get_xlabel() == "step"
    assert [text.get_text() for text in right.get_yticklabels()] == monitor.names
    np.testing.assert_array_equal(right.get_yticks(), [0.5, 1.5])
    np.testing.assert_array_equal(heat.get_coordinates()[0, :, 0], [3, 4] if len(steps) == 1 else [0, 5, 20, 35])
    plt.close(figure)


def test_what_is_handed_in_or_out_is_no_part_of_the_monitor():
    points, labels, output = x.copy(), y.copy(), 0.5 * y
    monitor = FrequencyMonitor(points, labels, k=[1, 5])
    monitor(0, output)
    known, state = monitor.error.copy(), monitor.state_dict()
    later = FrequencyMonitor(x, y, k=[1, 5])
    later.load_state_dict(state)
    for held in (points, labels, output, monitor.error, monitor.step, monitor.leak, monitor.offset):
        held[...] = 7
    handed = [*state["rows"], *state.values(), *monitor.to_dict().values(), monitor.names, *monitor.fitted().values()]
    for held in handed:
        held[:] = [7] * len(held)
    monitor(1, 0.5 * y)
    for one in (monitor, later):
        assert one.names == ["k=1", "k=5"]
        np.testing.assert_array_equal(one.error[:1], known)
        assert one.step[0] == 0
    np.testing.assert_allclose(monitor.error[1:], known)


# What a caller would notice of each line of the monitor


def test_without_centring_the_mean_is_a_part_of_labels_and_outputs():
    labels = np.stack([3 + np.sin(x), 1 + np.cos(2 * x)], 1)
    about, whole = (FrequencyMonitor(x, labels, k=[1, 2], centre=centre) for centre in (True, False))
    for monitor, energy in ((about, 1.0), (whole, 11.0)):  # of both columns together, a point
        monitor(0, labels + [0.6, -0.8])
        np.testing.assert_allclose(monitor.share, [0.5 / energy, 0.5 / energy])
        np.testing.assert_allclose(monitor.offset, [1 / np.sqrt(energy)])
        np.testing.assert_allclose(monitor.error, [[0, 0]], atol=1e-12)
    level, wave = (FrequencyMonitor(x, 3 + np.sin(5 * x), delta=1.0, centre=centre) for centre in (False, True))
    for monitor in (level, wave):
        monitor(0, 1 + np.sin(5 * x))
    np.testing.assert_allclose([level.error[0, 0], level.offset[0]], [2 / 3, 2 / np.sqrt(9.5)], atol=1e-3)
    np.testing.assert_allclose(wave.error, [[0, 0]], atol=1e-12)


@pytest.mark.parametrize("missing", [0, 7])
def test_a_point_without_a_coordinate_is_left_out_as_one_without_a_label_is(missing):
    plane = np.random.default_rng(0).uniform(-np.pi, np.pi, (60, 2))
    labels, gone = np.sin(plane @ [1, 2]), np.arange(60) == missing
    known = FrequencyMonitor(plane[~gone], labels[~gone], k=[1, 2])
    known(0, 0.3 * labels[~gone])
    plane[missing, 1] = np.nan
    monitor = FrequencyMonitor(plane, labels, k=[1, 2])
    monitor(0, np.where(gone, np.inf, 0.3 * labels))  # what the model gives there does not matter
    np.testing.assert_array_equal(monitor.error, known.error)
    np.testing.assert_array_equal(monitor.kept, ~gone)
    assert len(monitor.x) == 59 and repr(monitor).startswith("FrequencyMonitor(59 points, k=(1, 2);")


@pytest.mark.parametrize("level", [1e-3, 1.0, -1e6])
def test_what_rounding_leaves_of_constant_labels_is_not_learned_but_a_small_wave_is(level):
    for size, taken in ((1e-14, False), (1e-10, True)):
        labels = level * (1 + size * (-1.0) ** np.arange(n) + size * np.sin(x))
        if taken:
            assert FrequencyMonitor(x, labels, k=[1])(0, np.full(n, level))["k=1"] == pytest.approx(1, abs=1e-3)
        else:
            with pytest.raises(ValueError, match="labels are constant"):
                FrequencyMonitor(x, labels, k=[1])


@pytest.mark.parametrize("centre", [True, False])
def test_bands_of_scattered_points_are_differences_of_filters(centre):
    points, labels = rng.normal(size=(50, 4)), 2 + rng.normal(size=50)
    output = rng.normal(size=50)
    monitor = FrequencyMonitor(points, labels, bands=[0.5, 2], period=np.pi, centre=centre)
    assert monitor.names == ["|k|<0.5", "0.5<=|k|<2", "|k|>=2"]
    monitor(0, output)
    labels, output = (v - v.mean() if centre else v for v in (labels, output))
    edges = 2 * np.array([0.5, 2])  # in radians
    parts = [np.diff([0 * v, *low_frequency_part(points, v, 1 / edges**2), v], axis=0) for v in (labels, output)]
    size = np.linalg.norm(parts[0], axis=1)
    np.testing.assert_allclose(monitor.error[0], np.linalg.norm(parts[1] - parts[0], axis=1) / size)
    np.testing.assert_allclose(monitor.share, size**2 / (labels**2).sum())
    np.testing.assert_array_equal(monitor.leak, np.zeros((1, 3)))


@pytest.mark.parametrize(("how", "names"), [
    ({"delta": [4.0, 0.01]}, ["below k0=0.5", "above k0=0.5", "below k0=10", "above k0=10"]),
    ({"bands": 2.5}, ["|k|<2.5", "|k|>=2.5"]),
    ({"bands": [2, 3.25, 9]}, ["|k|<2", "2<=|k|<3.25", "3.25<=|k|<9", "|k|>=9"]),
    ({"k": [1, 5], "period": 2 * np.pi}, ["1 cycle", "5 cycles"]),
    ({"k": [1.23456, 5.67891]}, ["k=1.235", "k=5.679"]),
    ({"k": [4.99991, 4.99996, 12], "method": "dft"}, ["k=4.99991", "k=4.99996", "k=12"]),
])  # fmt: skip
def test_each_part_has_a_name(how, names):
    monitor = FrequencyMonitor(x, y + np.sin(12 * x), **how)
    assert monitor.names == names and list(monitor(0, y)) == names


def test_a_band_without_labels_cannot_be_judged_and_neither_can_noise_of_too_few_points():
    monitor = FrequencyMonitor(x, y, bands=[3.5, 8.5])
    np.testing.assert_array_equal(monitor.resolved, [True, True, False])
    np.testing.assert_array_equal(np.isnan(monitor(0, y)["|k|>=8.5"]), True)
    assert [line.split("  ")[-1].strip() for line in str(monitor).splitlines()[2:]] == [
        "yes", "yes", "no: the labels have nothing there"]  # fmt: skip
    three = FrequencyMonitor([0.0, 2.5, 4.0], [1.0, -1.0, 0.5], k=[1])
    assert np.isnan(three.floor[0]) and three.resolved[0]
    assert "yes, but noise is not known: too few points" in str(three)


def test_each_way_to_measure_says_what_it_is():
    cloud = rng.normal(size=(30, 4))
    for monitor, kind in [
        (FrequencyMonitor(x, y, k=[1, 5]), "40 points, waves by least squares"),
        (FrequencyMonitor(x, y, k=[1, 5], method="dft"), "40 points, waves by the DFT, one by one"),
        (FrequencyMonitor(x, y, bands=[3]), "40 points, bands by the FFT"),
        (FrequencyMonitor(cloud, cloud[:, 0], delta=1.0), "30 points, Gaussian filter"),
        (FrequencyMonitor(cloud, cloud[:, 0], bands=[1.0]), "30 points, Gaussian filter"),
    ]:
        text, waves = str(monitor), "waves" in kind
        assert text.splitlines()[0] == kind and ("floor" in text, "these waves hold" in text) == (waves, waves)
        monitor(0, 0 * monitor.x[:, 0])
        leak = ["leak"] if waves else []
        assert [*monitor.table()][:-1] == ["name", "share", "error", *leak, "first below"]


def test_the_dft_is_taken_on_any_points_without_a_check():
    four = np.arange(4) * np.pi / 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FrequencyMonitor(four, np.sin(four), k=[1, 5, 0.1], method="dft")


@pytest.mark.parametrize(("k", "refused"), [(20, False), (-20, False), (20.5, True), (-20.5, True)])
def test_the_nyquist_frequency_itself_is_measured_and_what_lies_above_it_refused(k, refused):
    labels = np.cos(20 * x) + np.sin(x)
    if not refused:
        assert FrequencyMonitor(x, labels, k=[k])(0, np.sin(x)) == {f"k={k}": pytest.approx(1)}
        return
    with pytest.raises(ValueError, match=rf"k={k} is above .*, 20 rad per unit of x .* spacing 0.1571.* from 19.5;"):
        FrequencyMonitor(x, labels, k=[k])


@pytest.mark.parametrize("period", [None, 2 * np.pi])
def test_less_than_nine_tenths_of_a_period_is_named(period):
    labels = np.sin(0.8 * x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FrequencyMonitor(x, labels, k=[0.91], period=period)
    with pytest.warns(UserWarning, match="less than one period of .*0.89.* fits into") as caught:
        FrequencyMonitor(x, labels, k=[0.89], period=period)
    assert ("give period=" in str(caught[0].message)) == (period is None)
    with pytest.warns(UserWarning, match="less than one period of k=0.5, k=-0.7 fits into"):
        FrequencyMonitor(x, labels, k=[0.5, 3, -0.7])


def test_a_warning_points_to_the_line_of_the_caller_and_comes_once():
    classes, hot, at = np.arange(60) % 3, np.eye(3)[np.arange(60) % 3], rng.normal(size=(60, 4))
    by_class = FrequencyMonitor(at, hot, delta=1.0)
    again = FrequencyMonitor(at, hot, delta=1.0, softmax=False)
    last = FrequencyMonitor(x, y, k=[1])
    last(3, y)
    calls = [
        (lambda: FrequencyMonitor(x, np.sin(x), k=[0.5]), "less than one period"),
        (lambda: FrequencyMonitor(at, classes, delta=1.0), "if they name classes"),
        (lambda: FrequencyMonitor(at * [1, 1, 1, 1e4], hot, delta=1e8), "more than 99.9 %"),
        (lambda: by_class(0, 9 * hot), "no probabilities"),
        (lambda: by_class(1, 9 * hot), None),
        (lambda: again(0, 9 * hot), None),
        (lambda: last(3, y), None),  # a step may come twice
        (lambda: last(2, y), "step 2 comes after step 3"),
        (lambda: FrequencyMonitor(at * [1, 1, 1, 1e4], at[:, 3], k=[[1, 1, 1, 0]]), None),  # distances do not matter
    ]
    for call, words in calls:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert [words] == [words for one in caught if words in str(one.message)] if words else not caught
        assert all(one.filename == __file__ for one in caught)


def test_logits_are_those_of_a_model_that_says_so_unless_the_caller_says_otherwise():
    hot, at = np.eye(3)[np.arange(60) % 3], rng.normal(size=(60, 4))
    logits = torch.tensor(rng.normal(size=(60, 3)))
    likely = FrequencyMonitor(at, hot, delta=1.0)(0, torch.softmax(logits, 1))
    plain = FrequencyMonitor(at, hot, delta=1.0, softmax=False)(0, logits)
    both = namedtuple("Output", "logits hidden")(logits, None)  # a tuple, as transformers give them
    assert FrequencyMonitor(at, hot, delta=1.0)(0, both) == pytest.approx(likely)
    assert FrequencyMonitor(at, hot, delta=1.0)(0, [both]) == pytest.approx(likely)
    assert FrequencyMonitor(at, hot, delta=1.0, softmax=False)(0, both) == plain != pytest.approx(likely)
    assert FrequencyMonitor(at, hot[:, None], delta=1.0, softmax=True)(0, logits[:, None]) == pytest.approx(likely)
    assert FrequencyMonitor(at, hot.T, delta=1.0, softmax=True, axis=1)(0, logits.T) == pytest.approx(likely)
    single = dict(k=[1], method="dft", centre=False, softmax=True)
    one = FrequencyMonitor([0.0], [[1.0, 0, 0]], **single)
    assert one(0, [[np.log(2), 0, 0]]) == {"k=1": pytest.approx(np.sqrt(0.25 + 2 / 16))}
    with pytest.raises(ValueError, match=r"softmax=True needs labels of shape \(1, classes\), not \(1, 2, 2\)"):
        FrequencyMonitor([0.0], [[[1.0, 0], [0, 1]]], **single)


def test_what_a_model_is_called_with():
    inputs, calls = column(x), []

    def model(rows, scale=1.0):
        calls.append((len(rows), torch.is_grad_enabled(), scale))
        return rows

    monitor = FrequencyMonitor(x, y, k=[1, 5], every=3)
    assert monitor.watch(1, model, inputs) is None and monitor.watch(4, model, inputs) is None and not calls
    monitor.watch(3, model, inputs)
    monitor.watch(3, model, inputs)  # measured already
    monitor.watch(6, model, inputs, batch_size=16)
    monitor.watch(9, model, [{"rows": inputs, "scale": 2.0, "labels": None}])
    monitor.watch(12, model, [(inputs[:30], None), [inputs[30:]]])
    assert calls == [(40, False, 1.0), (16, False, 1.0), (16, False, 1.0), (8, False, 1.0), (40, False, 2.0)] + [
        (30, False, 1.0), (10, False, 1.0)]  # fmt: skip
    assert torch.is_grad_enabled() and monitor.step.tolist() == [3, 6, 9, 12]
    np.testing.assert_array_equal(monitor.error, monitor.error[:1].repeat(4, 0))


def test_before_the_first_measurement_all_columns_are_empty():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    assert monitor.step.shape == monitor.offset.shape == (0,) and monitor.error.shape == monitor.leak.shape == (0, 2)
    assert monitor.to_dict() == {"step": [], "k=1": [], "k=5": []}


@pytest.mark.parametrize(("floor", "resolved"), [(0.33, True), (0.34, False), (0.45, False)])
def test_an_error_is_relied_on_up_to_a_noise_floor_of_a_third(floor, resolved):
    other = floor * np.sqrt((n - 3) / 2) * np.cos(9 * x)  # which is taken for noise, with n - 3 degrees of freedom
    monitor = FrequencyMonitor(x, np.sin(x) + other, k=[1])
    assert monitor.floor == pytest.approx([floor]) and monitor.resolved == [resolved]
    assert str(monitor).splitlines()[2].endswith("yes" if resolved else "no: below the noise floor")


def test_a_step_of_any_kind_is_stored_as_a_number():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    for step in (3, np.int64(4), np.float32(5), torch.tensor(6)):
        monitor(step, y)
    assert json.loads(json.dumps(monitor.state_dict()))["step"] == monitor.step.tolist() == [3, 4, 5, 6]


def test_without_axes_it_draws_on_the_current_ones():
    monitor = FrequencyMonitor(x, y, k=[1, 5])
    monitor(0, y)
    figure, ax = plt.subplots()
    assert monitor.plot() is ax and len(ax.lines) == 2
    plt.close(figure)


def test_what_is_chosen_where_there_are_no_real_waves_on_a_line_or_grid():
    waves = np.exp(3j * x) + 0.2
    real = np.stack([waves.real, waves.imag], 1)
    (k0,) = cutoffs(x, real)
    assert FrequencyMonitor(x, waves).names == [f"below k0={k0:.3g}", f"above k0={k0:.3g}"]
    four = np.array([0.0, 1, 2.5, 7])
    (k0,) = cutoffs(four, [1, -1, 1, 0.5])
    assert FrequencyMonitor(four, [1, -1, 1, 0.5]).names == [f"below k0={k0:.3g}", f"above k0={k0:.3g}"]


def test_validate_has_a_row_for_each_part_of_each_kind():
    waves = FrequencyMonitor(x, y, k=[1, 5]).validate()
    assert [*waves["planted"]] == [f"k={k} {how}" for k in (1, 5) for how in ("absent", "halved", "shifted")] + [
        "noise of a tenth"]  # fmt: skip
    assert waves["expected"] == [1, 0.5, np.sqrt(2)] * 2 + [0]
    cloud = rng.normal(size=(60, 3))
    monitor = FrequencyMonitor(cloud, 5 + np.sin(4 * cloud[:, 0]), delta=1.0)
    filters = monitor.validate()
    assert filters["expected"] == [1, 0.5, 1, 0.5, 0] and not len(monitor.step)  # nothing is recorded
    assert max(filters["others"][:4]) > 0  # the parts overlap


@pytest.mark.parametrize("how", [
    dict(k=[[1, 1], [3, -2]]), dict(k=[[1, 1], [3, -2]], method="dft"), dict(bands=[2.5])
], ids=["lstsq", "dft", "bands"])  # fmt: skip
@pytest.mark.parametrize("mix", [
    [[1.0], [1.0]], [[1.0, 0.5, -2.0], [1.0, 2.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]], [[1.0, 1j], [2j, 1.0 - 1j]],
], ids=["one column", "three columns", "a wave a column", "complex"])  # fmt: skip
def test_a_planted_error_is_reported_in_its_part_and_in_no_other(how, mix):
    axis = np.arange(16) / 16
    pixels = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)[rng.permutation(256)]
    phase, mix = 2 * np.pi * pixels @ np.array([[1, 3], [1, -2]]), np.array(mix)
    waves = np.exp(1j * phase) if np.iscomplexobj(mix) else np.cos(phase + 0.4)
    report = FrequencyMonitor(pixels, waves @ mix + 3, period=1, **how).validate()
    np.testing.assert_allclose(report["reported"][:-1], report["expected"][:-1])
    np.testing.assert_allclose(report["others"][:-1], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: FrequencyMonitor(x, y, k=[1], delta=1.0), "one of k, bands and delta"),
        (lambda: FrequencyMonitor(x, y, k=[1], bands=1.0), "one of k, bands and delta"),
        (lambda: FrequencyMonitor(x, y, bands=[1], delta=1.0), "one of k, bands and delta"),
        (lambda: FrequencyMonitor(x, y, k=[3, 1]), "nothing at k=3"),
        (lambda: FrequencyMonitor(x, y, k=3), r"k must have shape \(n,\) or \(n, d\)"),
        (lambda: FrequencyMonitor(x, y, delta=0.0), "delta must be"),
        (lambda: FrequencyMonitor(x, y, delta=np.nan), "delta has values that are not finite"),
        (lambda: FrequencyMonitor(x, y, k=[1], period=0), "period must be positive"),
        (lambda: FrequencyMonitor(x, y, delta=0.1, period=360), "delta is a variance in units of x squared"),
        (lambda: FrequencyMonitor(0 * x, y, delta=0.1), "all points are the same"),
        (lambda: FrequencyMonitor(0 * x, y), "all points are the same"),
        (lambda: FrequencyMonitor(x, y, bands=[3, 2]), "positive and increasing"),
        (lambda: FrequencyMonitor(x, y, k=[1], method="fft"), "'lstsq' or 'dft'"),
        (lambda: FrequencyMonitor(x, y[:3], k=[1]), "y must have shape"),
        (lambda: FrequencyMonitor(x, y * 0 + 3, k=[1]), "labels are constant"),
        (lambda: FrequencyMonitor(x, y * np.nan, k=[1]), "nothing is left"),
        (lambda: FrequencyMonitor(x, np.where(y > 2, np.inf, y), k=[1]), "infinite"),
        (lambda: FrequencyMonitor(np.zeros((4, 10, 2)), np.zeros((4, 10)), k=[[1, 1]]), r"reshape\(-1, 2\) for a grid"),
        (lambda: FrequencyMonitor(np.zeros((n, 1, 4, 4)), y, delta=1.0), r"reshape\(40, -1\) for images"),
        (lambda: FrequencyMonitor(np.stack([x, x], 1), y, k=[1]), r"shape \(m, 2\)"),
        (lambda: FrequencyMonitor(x, y, k=[1])(0, y[:-1]), "shape of the labels"),
        (lambda: FrequencyMonitor(x, y, k=[1])(0, y[None]), "shape of the labels"),
        (lambda: FrequencyMonitor(x, np.stack([y, y], 1), k=[1])(0, np.stack([y, y])), "shape of the labels"),
        (lambda: FrequencyMonitor(x, y, k=[1])(0, y * 1j), "complex and the labels are real"),
        (lambda: FrequencyMonitor(x, y, k=[1]).fitted(), "nothing was measured"),
        (lambda: FrequencyMonitor(np.where(x > 3, np.inf, x), y, k=[1]), "infinite"),
        (lambda: FrequencyMonitor(x[:1], y[:1, None], k=[1]), "labels are constant"),
        (lambda: FrequencyMonitor(np.exp(1j * x), y, k=[1]), "x is complex"),
        (lambda: FrequencyMonitor(x, y, k=[]), "k is empty"),
        (lambda: FrequencyMonitor(x, y, delta=0.1, method="dft"), "needs frequencies k"),
        (lambda: FrequencyMonitor(x, 3.0, k=[1]), "y is empty or a single number"),
        (lambda: FrequencyMonitor(x, y, bands=[2], period=[1, 2]), "the period is one number"),
        (lambda: FrequencyMonitor(x, np.zeros(n), k=[1], centre=False), "labels are constant"),
        (lambda: peaks(np.zeros((9, 2)), np.zeros(9)), "points on a line"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()
