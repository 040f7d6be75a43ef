"""The monitor of any model: the two methods of the book, measured on outputs whose errors are known."""

from functools import partial

import numpy as np
import pytest
import torch

from fpbook.filtering import low_frequency_part
from fpbook.monitor import FrequencyMonitor
from fpbook.networks import MLP
from fpbook.spectra import nudft, relative_error
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


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: FrequencyMonitor(x, y), "either"),
        (lambda: FrequencyMonitor(x, y, k=[1], delta=1.0), "either"),
        (lambda: FrequencyMonitor(x, y, k=[3, 1]), "nothing at a frequency"),
        (lambda: FrequencyMonitor(x, y, delta=0.0), "delta must be"),
        (lambda: FrequencyMonitor(x, y[:3], k=[1]), "f must have shape"),
        (lambda: FrequencyMonitor(x, y, k=[1])(0, y[:-1]), "shape of the labels"),
        (lambda: FrequencyMonitor(x, np.stack([y, y], 1), k=[1])(0, np.stack([y, y])), "shape of the labels"),
        (lambda: FrequencyMonitor(x, y, k=[1])(0, y * np.nan), "the output has values"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()
