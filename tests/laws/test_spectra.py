"""Laws of the nonuniform DFT, the relative error, the principal direction and the first step below a threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fpbook.monitor import FrequencyMonitor
from fpbook.spectra import first_step_below, nudft, peaks, principal_direction, relative_error

rng = np.random.default_rng(0)


@pytest.mark.parametrize("n", [1, 8, 41])
def test_nudft_is_the_fft_on_the_grid(n):
    x, k = 2 * np.pi * np.arange(n) / n, np.arange(n)
    f = rng.normal(size=(3, n)) + 1j * rng.normal(size=(3, n))
    np.testing.assert_allclose(nudft(x, f, k), np.fft.fft(f) / n, atol=1e-13)


def test_a_shift_changes_the_phase_only():
    x, f, k, shift = rng.uniform(-3, 3, 30), rng.normal(size=30), rng.uniform(-5, 5, 7), 0.7
    np.testing.assert_allclose(nudft(x + shift, f, k), np.exp(-1j * k * shift) * nudft(x, f, k), atol=1e-14)


def test_one_wave_has_its_amplitude_at_plus_k_and_minus_k():
    x = 2 * np.pi * np.arange(50) / 50
    np.testing.assert_allclose(nudft(x, 3 * np.exp(2j * x), [2, -2]), [3, 0], atol=1e-14)


def test_parseval():
    n = 33
    f = rng.normal(size=n)
    f_hat = nudft(2 * np.pi * np.arange(n) / n, f, np.arange(n))
    assert np.sum(abs(f_hat) ** 2) == pytest.approx(np.mean(f**2), rel=1e-12)


def test_a_plane_wave_in_many_dimensions_factorises():
    x = np.stack(np.meshgrid(*[2 * np.pi * np.arange(5) / 5] * 3, indexing="ij"), -1).reshape(-1, 3)
    k = np.array([[1.0, 2, 0], [1, 1, 0]])
    np.testing.assert_allclose(nudft(x, np.cos(x @ k[0]), k), [0.5, 0], atol=1e-14)


def test_more_frequencies_than_are_held_at_a_time_are_each_summed_over_all_points():
    x, f, k = np.array([0.3, -1.2, 2.0]), np.array([1.0, -2.0, 0.5]), np.linspace(-3, 3, 10**6)
    np.testing.assert_allclose(nudft(x, f, k), np.exp(-1j * np.outer(k, x)) @ f / 3, atol=1e-14)


def test_relative_error_sees_an_error_of_phase():
    f_hat = np.array([0.5j, -2.0])
    np.testing.assert_allclose(relative_error(f_hat, f_hat), 0)
    np.testing.assert_allclose(relative_error(-f_hat, f_hat), 2)  # equal moduli, opposite phase
    np.testing.assert_allclose(relative_error(0 * f_hat, f_hat), 1)


def test_first_step_below_wants_the_curve_to_stay_below():
    error = np.array([[1, 0.01, 1, 0.05], [0.05, 1, 1, 0.05], [1, 0.01, 1, 0.05], [0.05, 0.01, 1, 0.05]])
    np.testing.assert_array_equal(first_step_below([0, 5, 10, 20], error, 0.1), [20, 10, np.inf, 0])


def test_a_value_equal_to_the_threshold_is_not_below_it():
    assert first_step_below([0, 1], [0.5, 0.1], 0.1) == np.inf
    assert first_step_below([0, 1, 2], [0.5, 0.1, 0.09], 0.1) == 2
    assert first_step_below([3, 4], [0.0, 0.0], 0.1) == 3


def test_the_principal_direction_has_the_largest_variance():
    true = np.array([3.0, -4.0, 0.0]) / 5
    x = 100 + rng.normal(size=(500, 1)) * 5 * true + 0.1 * rng.normal(size=(500, 3))
    found = principal_direction(x)
    np.testing.assert_allclose(found, -true, atol=0.01)
    assert np.linalg.norm(found) == pytest.approx(1)
    wide = rng.normal(size=(6, 9))  # fewer points than dimensions: the same direction as by singular values
    np.testing.assert_allclose(abs(principal_direction(wide)), abs(np.linalg.svd(wide - wide.mean(0))[2][0]), rtol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shape", [(30, 4), (4, 30)])
def test_the_sign_of_the_principal_direction_is_not_that_of_the_library(sign, shape, monkeypatch):
    eigh = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda a: (eigh(a)[0], sign * eigh(a)[1]))
    x = np.random.default_rng(5).normal(size=shape)
    for points in (x, -x, x[::-1]):
        direction = principal_direction(points)
        assert direction[np.argmax(abs(direction))] > 0
        np.testing.assert_allclose(direction, principal_direction(x))


@pytest.mark.parametrize("rate", [6, 9, 12, 15])
def test_no_two_frequencies_that_are_found_are_closer_than_half_a_period_of_the_extent(rate):
    """A wave whose frequency rises is no sum of a few waves: the best fit would use two that almost cancel."""
    at = np.linspace(0, 1, 60, endpoint=False)
    found = peaks(at, np.sin(2 * np.pi * 10 * at + rate * at**2) + np.cos(2 * np.pi * 3 * at))
    assert len(found) > 2 and np.diff(found).min() > 0.5 * 2 * np.pi


@pytest.mark.parametrize("measure", [nudft, lambda x, y, k: FrequencyMonitor(x, y, k=k)], ids=["nudft", "monitor"])
@pytest.mark.parametrize("d, others", [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])])
def test_frequencies_of_another_dimension_than_the_points_are_refused_with_both(measure, d, others):
    at = np.random.default_rng(0).normal(size=(9, d))
    for other in others:
        with pytest.raises(ValueError, match=f"^x has dimension {d} but k has dimension {other}(;|$)"):
            measure(at, np.sin(at[:, 0]), np.ones((4, other)))


@pytest.mark.parametrize("points", [7, 8, 9, 12, 33])
def test_each_wave_is_found_from_one_period_over_all_points_to_one_per_two_points(points):
    at = np.arange(points)
    for periods in np.arange(1, points / 2 - 0.01, 0.05):
        k = 2 * np.pi * periods / points
        np.testing.assert_allclose(peaks(at, np.cos(k * at + 0.4)), [k], rtol=1e-9)


values = st.floats(-1e3, 1e3)
SAMPLES = st.integers(1, 12).flatmap(
    lambda n: st.tuples(arrays(float, n, elements=values), arrays(float, n, elements=values))
)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, arrays(float, 3, elements=st.floats(-9, 9)), values, values)
def test_nudft_is_linear_and_real_samples_have_conjugate_halves(samples, k, a, b):
    x, f = samples
    f_hat, size = nudft(x, f, k), 1e-9 * (1 + abs(f).max()) * (1 + abs(a) + abs(b))
    np.testing.assert_allclose(nudft(x, a * f + b, k), a * f_hat + nudft(x, b + 0 * x, k), atol=size)
    np.testing.assert_allclose(nudft(x, f, -k), f_hat.conj(), atol=size)
    np.testing.assert_allclose(nudft(x, f, [0.0]), f.mean(), atol=size)
    order = np.argsort(x)
    np.testing.assert_allclose(nudft(x[order], f[order], k), f_hat, atol=size)
    stacked = nudft(np.column_stack([x, x]), [f, 2 * f], np.column_stack([k, 0 * k]))
    np.testing.assert_allclose(stacked, [f_hat, 2 * f_hat], atol=2 * size)


@settings(max_examples=60, deadline=None)
@given(
    arrays(complex, 3, elements=st.complex_numbers(min_magnitude=0.1, max_magnitude=1e3)),
    st.complex_numbers(min_magnitude=0.1, max_magnitude=50),
)
def test_relative_error_knows_no_unit(f_hat, scale):
    h_hat = f_hat[::-1]
    np.testing.assert_allclose(
        relative_error(scale * h_hat, scale * f_hat), relative_error(h_hat, f_hat), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(relative_error(scale * f_hat, f_hat), abs(scale - 1), rtol=1e-9, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(arrays(float, st.tuples(st.integers(1, 8), st.integers(1, 3)), elements=st.sampled_from([0.0, 0.1, 0.2])))
def test_first_step_below_by_its_definition(error):
    step = 10 * np.arange(len(error))
    expected = [min((s for s in step if (column[step >= s] < 0.1).all()), default=np.inf) for column in error.T]
    np.testing.assert_array_equal(first_step_below(step, error, 0.1), expected)


x, y = np.linspace(0, 1, 5), np.arange(5.0)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: nudft(x, y[:4], [1.0]), "f must have shape"),
        (lambda: nudft(x, 1.0, [1.0]), "f must have shape"),
        (lambda: nudft(x, y, []), "k is empty"),
        (lambda: nudft(x, y * np.nan, [1.0]), "f has values that are not finite"),
        (lambda: nudft(x, y, [[1.0, 2.0]]), "dimension"),
        (lambda: nudft(np.zeros((2, 2, 2)), y, [1.0]), "x must have shape"),
        (lambda: relative_error([1.0], [0.0]), "zero at some k"),
        (lambda: relative_error([1.0, 1.0, 1.0], [2.0, 0.0, 1j]), "zero at some k"),
        (lambda: relative_error([np.inf], [1.0]), "h_hat has values"),
        (lambda: first_step_below([1, 2], [1.0], 0.1), "2 steps for 1"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()
