"""The filtering method: its closed forms, and the fast kernels against the formula on hard point sets and any grid."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.utils._python_dispatch import TorchDispatchMode

from fpbook.filtering import (
    equidistant_cutoff,
    low_frequency_part,
    low_frequency_ratio,
    neighbour_correlation,
    neighbour_disagreement,
    ratio_density,
    share_cutoff,
    unit_distance,
)

GEOMETRIC = 1 / (0.01 * 2 ** (np.arange(32) / 4))


def direct(x, y, delta, at=slice(None)):
    """The formula by differences, one cut-off at a time, at some of the points or at all: (m, points, c)."""
    square = np.array([((x - point) ** 2).sum(1) for point in x[at]])
    means = []
    for one in delta:
        kernel = np.exp(-square / (2 * one))
        means.append(kernel @ y / kernel.sum(1, keepdims=True))
    return np.array(means)


def data(n, d, c=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(n, c))


@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025])
def test_work_in_blocks_of_any_side_meets_at_their_edges(n):
    x, y = data(n, 5)
    delta = GEOMETRIC[::4]
    np.testing.assert_allclose(low_frequency_part(x, y, delta), direct(x, y, delta), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n, d, rtol", [(600, 1, 1e-10), (600, 20, 1e-10), (600, 784, 1e-10), (4100, 20, 1e-4)])
def test_the_ratio_agrees_with_the_formula(n, d, rtol):
    """From 4,096 points on kernels are in single precision."""
    x, y = data(n, d)
    y = np.sign(x[:, :3]) if d > 1 else np.sin(3 * x)
    delta = (GEOMETRIC if n < 4096 else GEOMETRIC[3::4] / 2) * (d / 8 if d > 1 else 0.01)
    exact = (direct(x, y - y.mean(0), delta) ** 2).sum((1, 2)) / ((y - y.mean(0)) ** 2).sum()
    assert exact.min() < 0.2 and exact.max() > 0.9  # the grid spans the whole range
    np.testing.assert_allclose(low_frequency_ratio(x, y - y.mean(0), delta), exact, rtol=rtol)


def test_a_long_chain_does_not_lose_its_accuracy():
    """Twenty-four doublings of 1/delta: without new exponentials the float32 error would be doubled as often."""
    delta = 2.0 ** -np.arange(-12, 12)
    for n, error in ((300, 1e-9), (4100, 1e-4)):
        x, y = data(n, 4)
        exact, found = direct(x, y, delta, at=slice(0, 200)), low_frequency_part(x, y, delta)[:, :200]
        assert abs(found - exact).max() < error * abs(exact).max()


@pytest.mark.parametrize(
    "delta",
    [
        np.array([1.0, 0.9, 0.33, 0.1]),
        np.array([0.1, 3.0, 0.2, 0.1, 1.5]),
        np.linspace(0.1, 2, 7),
        np.array([0.5]),
        np.array([1.0, 0.5003, 0.24999, 0.125 + 1e-8]),
    ],
    ids=["no chain", "unordered, with a repeat", "linear", "one", "nearly a chain"],
)
def test_any_grid(delta):
    x, y = data(600, 3)
    np.testing.assert_allclose(low_frequency_part(x, y, delta), direct(x, y, delta), rtol=1e-10, atol=1e-13)


class Exponentials(TorchDispatchMode):
    """Counts the numbers whose exponential is taken."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket.__name__.strip("_") == "exp":
            self.count += args[0].numel()
        return function(*args, **(kwargs or {}))


def test_a_geometric_grid_costs_an_eighth_of_the_exponentials_of_any_other():
    (x, y), counts = data(100, 2), []
    for delta in (GEOMETRIC, np.linspace(0.1, 2, len(GEOMETRIC))):
        with Exponentials() as exponentials:
            low_frequency_part(x, y, delta)
        counts.append(exponentials.count)
    assert 0 < 8 * counts[0] <= counts[1]


@pytest.mark.parametrize("each, rtol", [(150, 1e-6), (1025, 1e-4)])
@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-8])
def test_tight_clusters_far_apart_keep_their_inner_distances(spread, each, rtol):
    """The inner product forgets distances below 1e-8 of the norms; the filter must not."""
    rng = np.random.default_rng(0)
    centres = 2.0 ** rng.integers(
        -3, 4, (4, 8)
    )  # so that differences within a cluster are exact to rounding of the points
    inner = rng.normal(size=(4 * each, 8))
    x = np.repeat(centres, each, axis=0) + spread * inner
    y, at = rng.normal(size=(4 * each, 2)), slice(None, None, 20)
    delta = spread**2 * np.array([16.0, 8.0, 4.0, 2.0, 1.0])
    found, exact = low_frequency_part(x, y, delta)[:, at], direct(x, y, delta, at)
    np.testing.assert_allclose(found, exact, rtol=rtol, atol=rtol)


def test_repeated_points_share_one_mean():
    x, y = data(200, 6)
    x = 100 + np.repeat(x, 3, axis=0)
    y = np.random.default_rng(1).normal(size=(600, 2))
    low = low_frequency_part(x, y, [1e-14, 1e-18])  # far below any distance but zero
    np.testing.assert_allclose(
        low, np.broadcast_to(np.repeat(y.reshape(200, 3, 2).mean(1), 3, axis=0), low.shape), atol=1e-12
    )


@pytest.mark.parametrize("shift", [1e6, -1e8, 1e9, [1e9, 0, -1e8, 1e6, 3], [3e3, -3e3, 0, 9, 1]], ids=str)
def test_far_from_the_origin(shift):
    x, y = data(100, 5)
    x = np.round(x * 2**20) / 2**20  # so that a shifted point is the same point
    exact = direct(x, y, GEOMETRIC)
    np.testing.assert_allclose(low_frequency_part(x + np.array(shift), y, GEOMETRIC), exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [60, 4200])
@pytest.mark.parametrize("outlier", [1e4, -1e6])
def test_one_outlying_label_spoils_none_of_the_others(n, outlier):
    """In float64 no value is wrong by more than 1e-9; from 4,096 points on none by more than 1e-9 of the outlier."""
    x, y = np.linspace(0, 100, n)[:, None], np.sin(np.linspace(0, 100, n))[:, None]
    y[-1] = outlier
    delta = np.array([0.5, 2.0, 8.0])
    found, ends = low_frequency_part(x, y, delta), (slice(0, 30), slice(n - 30, n))  # far from the outlier, and near
    for at, error in zip(ends, (1e-9, 1e-9) if n < 4096 else (1e-9 * abs(outlier), 1e-6 * abs(outlier))):
        exact = direct(x, y, delta, at)
        np.testing.assert_allclose(found[:, at], exact, rtol=1e-9 if n < 4096 else 0, atol=error)


def test_one_cut_off_and_many_agree():
    x, y = data(200, 7)
    for i in (0, 13, 31):
        np.testing.assert_allclose(
            low_frequency_part(x, y, GEOMETRIC[i]), low_frequency_part(x, y, GEOMETRIC)[i], atol=1e-12
        )
    assert low_frequency_part(x, y[:, 0], 1.0).shape == (200,)


def test_memory_stays_below_a_kernel_matrix():
    """The largest tensor made on the way holds a block, or one number a point: never n x n."""
    n = 4000
    x, y = data(n, 2)
    with torch.profiler.profile(profile_memory=True, record_shapes=False) as profile:
        low_frequency_part(x, y, [1.0, 0.5])
    assert max(event.self_cpu_memory_usage for event in profile.events()) < 0.2 * n * n * 8


def test_the_log_density_integrates_to_the_same_share():
    k0 = np.geomspace(0.1, 30, 200)
    lfr = np.exp(-4 / k0**2)
    density = ratio_density(k0, lfr, log=True)
    assert np.trapezoid(density, np.log(k0)) == pytest.approx(lfr[-1] - lfr[0], rel=1e-3)
    np.testing.assert_allclose(density[5:-5], (k0 * ratio_density(k0, lfr))[5:-5], rtol=0.02, atol=1e-6)
    assert k0[density.argmax()] == pytest.approx(
        2, rel=0.02
    )  # of (8 / k0^2) exp(-4 / k0^2), the maximum is at k0 = w = 2
    with pytest.raises(ValueError, match="positive cut-offs"):
        ratio_density([0.0, 1.0, 2.0], [0.1, 0.2, 0.3], log=True)


@pytest.mark.parametrize("delta", [[0.1, 0.0], [[0.1]], [np.nan]])
def test_bad_variances(delta):
    x, y = data(5, 2)
    with pytest.raises(ValueError, match="delta"):
        low_frequency_ratio(x, y, delta)
    with pytest.raises(ValueError, match="delta"):
        low_frequency_part(x, y, delta)


def test_many_variances_are_each_one_alone():
    x, y = data(30, 2)
    delta = [0.1, 0.2, 0.37]
    for labels in (y, y[:, 0] if y.ndim > 1 else np.column_stack([y, y**2])):
        together = low_frequency_part(x, labels, delta)
        np.testing.assert_allclose(together, [low_frequency_part(x, labels, one) for one in delta], atol=1e-12)


def test_unit_distance_is_the_mean_over_all_pairs():
    x, y = data(60, 5)
    scaled, scale = unit_distance(3 * x + 7)
    square = ((scaled[:, None] - scaled[None]) ** 2).sum(2)
    assert square.sum() / (60 * 59) == pytest.approx(1) and unit_distance(scaled)[1] == pytest.approx(1)
    k0 = np.array([0.5, 2.0])
    np.testing.assert_allclose(
        low_frequency_ratio(3 * x, y, 1 / k0**2), low_frequency_ratio(scaled, y, 1 / (k0**2 * scale))
    )
    with pytest.raises(ValueError, match="all points are the same"):
        unit_distance(np.ones((4, 2)))


def test_neighbours_of_another_class():
    """Against distances by differences; the share rises with the frequency of the label function."""
    x, _ = data(700, 3)
    for y in (x[:, 0] > 0, np.sin(9 * x[:, 0]) > 0):
        square = ((x[:, None] - x[None]) ** 2).sum(2)
        np.fill_diagonal(square, np.inf)
        nearest = np.argsort(square, axis=1)[:, :5]
        np.testing.assert_allclose(neighbour_disagreement(x, y, neighbours=5), (y[nearest] != y[:, None]).mean(1))
    far = 1000 + x.astype(np.float32).astype(float)  # so far that single precision would mix up neighbours
    np.testing.assert_array_equal(neighbour_disagreement(far, y), neighbour_disagreement(far - 1000, y))
    rng = np.random.default_rng(0)
    one, label = np.sort(rng.random(60)), rng.integers(0, 2, 60)
    for gap in (3e3, 3e4):  # two clusters far from one another are each as if alone
        two = neighbour_disagreement(np.r_[one, one + gap], np.r_[label, label], neighbours=5)
        np.testing.assert_array_equal(two, np.tile(neighbour_disagreement(one, label, neighbours=5), 2))
    smooth, rough = (neighbour_disagreement(x, np.sin(w * x[:, 0]) > 0).mean() for w in (1, 9))
    assert smooth < 0.6 * rough
    for wrong in (0, 700):
        with pytest.raises(ValueError, match="neighbours"):
            neighbour_disagreement(x, y, neighbours=wrong)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize("w", [1.0, 3.0, 7.0])
@pytest.mark.parametrize("delta", [0.01, 0.05])
def test_the_filter_multiplies_a_sine_by_its_gaussian_factor(w, delta):
    x = np.linspace(-6, 6, 1501)
    inside = abs(x) < 6 - 6 * np.sqrt(delta)
    expected = np.exp(-(w**2) * delta / 2) * np.sin(w * x)
    np.testing.assert_allclose(low_frequency_part(x, np.sin(w * x), delta)[inside], expected[inside], atol=1e-6)


def test_the_filter_keeps_constants_and_is_linear():
    x, y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))
    np.testing.assert_allclose(low_frequency_part(x, np.ones(40), 0.3), 1)
    both = low_frequency_part(x, y[:, 0] + 2 * y[:, 1], 0.3)
    np.testing.assert_allclose(both, low_frequency_part(x, y, 0.3) @ [1, 2], atol=1e-13)


def test_lfr_of_a_sine_on_a_wide_interval():
    w, delta = 1.0, np.array([0.2, 0.5, 1.0])
    half_width = 1000 * np.sqrt(delta.max())
    x = np.linspace(-half_width, half_width, 4500)
    np.testing.assert_allclose(low_frequency_ratio(x, np.sin(w * x), delta), np.exp(-(w**2) * delta), atol=1e-3)


def test_lfr_limits_are_one_and_the_share_of_the_mean():
    x, y = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 2)) + 1
    low, high = low_frequency_ratio(x, y, [1e9, 1e-9])
    assert low == pytest.approx((y.mean(0) ** 2).sum() / (y**2).sum(1).mean(), rel=1e-6)
    assert high == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("w", [2.0, 5.0])
def test_rdf_peaks_where_the_closed_form_says(w):
    k0 = np.geomspace(w / 2.5, 2.5 * w, 40)
    x = np.linspace(-90, 90, 600) / w
    lfr = low_frequency_ratio(x, np.sin(w * x), 1 / k0**2)
    assert k0[np.argmax(ratio_density(k0, lfr))] == pytest.approx(w * np.sqrt(2 / 3), rel=0.05)
    assert k0[np.argmax(ratio_density(k0**2, lfr))] ** 2 == pytest.approx(w**2 / 2, rel=0.1)


def test_rdf_integrates_to_the_growth_of_the_lfr():
    k0 = np.linspace(0.1, 3, 400)
    lfr = np.exp(-1 / k0**2)
    assert np.trapezoid(ratio_density(k0, lfr), k0) == pytest.approx(lfr[-1] - lfr[0], rel=1e-3)


def test_below_4096_points_kernels_are_in_double_precision():
    x, y = data(4095, 3)
    found = low_frequency_part(x, y, [0.5, 0.05])[:, ::100]
    np.testing.assert_allclose(found, direct(x, y, [0.5, 0.05], at=slice(None, None, 100)), rtol=1e-9, atol=1e-12)


NUMBERS = st.floats(-50, 50)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 3)).flatmap(
        lambda shape: st.tuples(arrays(float, shape, elements=NUMBERS), arrays(float, shape, elements=NUMBERS))
    ),
    st.floats(1e-4, 1e4),
    st.floats(0.1, 10),
)
def test_the_filter_of_any_points(samples, delta, scale):
    """A mean: within the range of the labels, linear, and the same for points reordered or measured otherwise."""
    x, y = samples
    low = low_frequency_part(x, y, delta)
    assert low.shape == y.shape and (low >= y.min(0) - 1e-9).all() and (low <= y.max(0) + 1e-9).all()
    np.testing.assert_allclose(low_frequency_part(x, 2 * y + 1, delta), 2 * low + 1, atol=1e-6)
    np.testing.assert_allclose(low_frequency_part(x[::-1], y[::-1], delta)[::-1], low, atol=1e-6)
    np.testing.assert_allclose(low_frequency_part(-scale * x, y, scale**2 * delta), low, atol=1e-3)
    np.testing.assert_allclose(low, direct(x, y, [delta])[0], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(arrays(float, st.tuples(st.integers(2, 15), st.integers(1, 3)), elements=NUMBERS), st.floats(0.01, 100))
def test_unit_distance_of_any_points(x, scale):
    if np.ptp(x, axis=0).max() < 1e-3:
        return
    points, size = unit_distance(x)
    again, one = unit_distance(points)
    assert one == pytest.approx(1) and unit_distance(scale * x + 3)[1] == pytest.approx(scale**2 * size, rel=1e-6)
    np.testing.assert_allclose(points * np.sqrt(size), x, atol=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_cut_off_of_a_share_of_a_sine_has_a_closed_form(share):
    k0, w = np.geomspace(0.1, 100, 2000), np.array([1.0, 3.0])[:, None]
    found = share_cutoff(k0, np.exp(-(w**2) / k0**2), share)
    np.testing.assert_allclose(found, w[:, 0] / np.sqrt(-np.log(share)), rtol=1e-4)
    stretched = share_cutoff(k0 / 7, np.exp(-(w**2) / k0**2), share)
    np.testing.assert_allclose(stretched, found / 7, rtol=1e-12)


def test_the_cut_off_of_a_share_at_its_edges():
    k0 = np.array([1.0, 2.0, 4.0])
    curves = [[0.5, 0.6, 0.7], [0.6, 0.7, 0.8], [0.1, 0.5, 0.9], [0.1, 0.2, 0.3], [0.1, np.nan, 0.9], [0.3, 0.7, 0.2]]
    np.testing.assert_allclose(share_cutoff(k0, curves, 0.5), [1, 1, 2, np.inf, np.nan, np.sqrt(2)])
    assert share_cutoff(k0, np.reshape(curves, (2, 3, 3)), 0.5).shape == (2, 3)
    reached = [[0.5, 0.5, 0.9], [0.1, 0.3, 0.5], [0.1, 0.5, 0.5]]  # a share that is reached is passed
    np.testing.assert_allclose(share_cutoff(k0, reached, 0.5), [1, 4, 2])
    steps = np.linspace(0, 1, 50)
    assert (np.diff([share_cutoff(np.geomspace(1, 9, 50), steps, share) for share in (0.2, 0.4, 0.9)]) > 0).all()


rows, labels = np.linspace(0, 1, 5), np.arange(5.0)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: low_frequency_part(rows, labels, 0.0), "delta must be"),
        (lambda: low_frequency_part(rows, labels, -1.0), "delta must be"),
        (lambda: low_frequency_part(rows, labels[:3], 1.0), "y must have shape"),
        (lambda: low_frequency_part(rows, 1.0, 1.0), "y must have shape"),
        (lambda: low_frequency_part(rows, labels[:, None, None], 1.0), "y must have shape"),
        (lambda: low_frequency_part(rows, labels * np.nan, 1.0), "y has values"),
        (lambda: low_frequency_ratio(rows, labels, [0.1, -1.0]), "delta must be"),
        (lambda: low_frequency_ratio(rows, labels, []), "delta is empty"),
        (lambda: low_frequency_ratio(rows, 0 * labels, [0.1]), "all labels are zero"),
        (lambda: ratio_density([1, 2], [0.1, 0.2]), "at least 3"),
        (lambda: ratio_density([1, 3, 2], [0.1, 0.2, 0.3]), "increase strictly"),
        (lambda: ratio_density([1, 1, 2], [0.1, 0.2, 0.3]), "increase strictly"),
        (lambda: ratio_density(rows, labels[:4]), "1-D, alike"),
        (lambda: ratio_density(np.eye(3), np.eye(3)), "1-D, alike"),
        (lambda: share_cutoff([1, 2], [0.1, 0.2, 0.3], 0.5), "increasing cut-offs"),
        (lambda: share_cutoff([2, 1], [0.1, 0.2], 0.5), "increasing cut-offs"),
        (lambda: share_cutoff([0, 1], [0.1, 0.2], 0.5), "increasing cut-offs"),
        (lambda: share_cutoff([1, 2], [0.1, 0.2], 1.0), "between 0 and 1"),
        (lambda: share_cutoff(1.0, 0.5, 0.5), "increasing cut-offs"),
        (lambda: neighbour_disagreement(rows[:, None], labels[:4], neighbours=2), "need 5 labels"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()


# What the number of points alone does


@pytest.mark.parametrize("n, share", [(2, 0.5), (40, 0.5), (40, 0.9), (300, 0.2)])
def test_equidistant_points_have_one_cutoff_whatever_their_labels(n, share):
    corners = np.eye(n) / np.sqrt(2)  # a regular simplex with edge 1
    k0 = 2.0 ** np.arange(-2, 3.5, 1 / 64)
    for labels in (np.arange(n), np.random.default_rng(n).normal(size=n), np.arange(n) < 1):
        ratio = low_frequency_ratio(corners, labels - np.mean(labels), 1 / k0**2)
        assert share_cutoff(k0, ratio, share) == pytest.approx(equidistant_cutoff(n, share), rel=1e-3)


def test_many_dimensions_come_near_it_and_few_do_not():
    rng = np.random.default_rng(0)
    k0 = 2.0 ** np.arange(-2, 4, 1 / 8)
    cutoffs = {}
    for d in (1, 2000):
        scaled, _ = unit_distance(rng.normal(size=(300, d)))
        labels = scaled[:, 0] - scaled[:, 0].mean()
        cutoffs[d] = share_cutoff(k0, low_frequency_ratio(scaled, labels, 1 / k0**2), 0.5)
    assert cutoffs[2000] == pytest.approx(equidistant_cutoff(300), rel=0.02)
    assert cutoffs[1] < 0.7 * equidistant_cutoff(300)


@pytest.mark.parametrize("bad", [(1, 0.5), (10, 0.0), (10, 1.0)])
def test_a_floor_needs_two_points_and_a_share(bad):
    with pytest.raises(ValueError):
        equidistant_cutoff(*bad)


def test_neighbour_correlation_is_its_double_sum():
    x, y = data(30, 3)
    y, delta = y - y.mean(0), 0.4
    kernel = np.exp(-((x[:, None] - x[None]) ** 2).sum(2) / (2 * delta))
    np.fill_diagonal(kernel, 0)
    means = kernel @ y / kernel.sum(1, keepdims=True)
    expected = (y * means).sum() / (y**2).sum() + 1 / 29
    for labels in (y, y + 7.0):  # it centres
        assert neighbour_correlation(x, labels, delta) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(neighbour_correlation(x, y, [delta, 1e-9])[0], expected)


def test_neighbour_correlation_of_a_sine_and_of_parity_have_closed_forms():
    x, delta = np.linspace(-60, 60, 2000), np.array([0.05, 0.3])
    np.testing.assert_allclose(neighbour_correlation(x, np.sin(2 * x), delta), np.exp(-2 * delta), atol=0.03)
    cube = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(6, -1).T  # all 64 corners
    far = np.exp(-2 / 1.5)  # kernel between two corners that differ in one place
    with_self = ((1 - far) / (1 + far)) ** 6
    total = (1 + far) ** 6
    expected = (with_self * total - 1) / (total - 1) + 1 / 63
    assert neighbour_correlation(cube, cube.prod(1), 1.5) == pytest.approx(expected) and expected < 0


def test_neighbour_correlation_is_free_of_n_and_the_ratio_to_shuffled_labels_is_not():
    """The law that the instrument exists for: eight times as many points, in many dimensions, change nothing."""
    correlation, ratio = {}, {}
    for n in (200, 1600):
        both = []
        for seed in range(8):
            rng = np.random.default_rng(seed)
            scaled, _ = unit_distance(rng.normal(size=(n, 60)) * np.linspace(3, 0.3, 60))
            labels = np.sign(scaled[:, 0])
            labels -= labels.mean()
            lfr = [low_frequency_ratio(scaled, some, [0.25])[0] for some in (labels, rng.permutation(labels))]
            both.append((neighbour_correlation(scaled, labels, 0.25), lfr[0] / lfr[1]))
        correlation[n], ratio[n] = np.mean(both, axis=0)
    assert correlation[1600] == pytest.approx(correlation[200], rel=0.15)
    assert ratio[1600] > 3 * ratio[200]


def test_shuffled_labels_correlate_as_chance_does():
    x, y = data(300, 20)
    found = [neighbour_correlation(x, np.random.default_rng(s).permutation(y[:, 0]), 4.0) for s in range(40)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(40)


def test_neighbour_correlation_refuses_what_has_no_correlation():
    with pytest.raises(ValueError, match="three points"):
        neighbour_correlation([0.0, 1.0], [0.0, 1.0], 1.0)
    with pytest.raises(ValueError, match="not all the same"):
        neighbour_correlation([0.0, 1.0, 2.0], [3.0, 3.0, 3.0], 1.0)
