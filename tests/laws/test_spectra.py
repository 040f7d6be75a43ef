"""Laws of the nonuniform DFT, the relative error, the Gaussian filter, the low frequency ratio and its density."""

import numpy as np
import pytest

from fpbook.filtering import low_frequency_part, low_frequency_ratio, ratio_density
from fpbook.spectra import first_step_below, nudft, relative_error

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


def test_relative_error_sees_an_error_of_phase():
    f_hat = np.array([0.5j, -2.0])
    np.testing.assert_allclose(relative_error(f_hat, f_hat), 0)
    np.testing.assert_allclose(relative_error(-f_hat, f_hat), 2)  # equal moduli, opposite phase
    np.testing.assert_allclose(relative_error(0 * f_hat, f_hat), 1)


def test_first_step_below_wants_the_curve_to_stay_below():
    error = np.array([[1, 0.01, 1, 0.05], [0.05, 1, 1, 0.05], [1, 0.01, 1, 0.05], [0.05, 0.01, 1, 0.05]])
    np.testing.assert_array_equal(first_step_below([0, 5, 10, 20], error, 0.1), [20, 10, np.inf, 0])


@pytest.mark.parametrize("w", [1.0, 3.0, 7.0])
@pytest.mark.parametrize("delta", [0.01, 0.05])
def test_the_filter_multiplies_a_sine_by_its_gaussian_factor(w, delta):
    x = np.linspace(-6, 6, 1501)
    inside = abs(x) < 6 - 6 * np.sqrt(delta)
    expected = np.exp(-(w**2) * delta / 2) * np.sin(w * x)
    np.testing.assert_allclose(low_frequency_part(x, np.sin(w * x), delta)[inside], expected[inside], atol=1e-6)


def test_the_filter_keeps_constants_and_is_linear():
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    np.testing.assert_allclose(low_frequency_part(x, np.ones(40), 0.3), 1)
    both = low_frequency_part(x, y[:, 0] + 2 * y[:, 1], 0.3)
    np.testing.assert_allclose(both, low_frequency_part(x, y, 0.3) @ [1, 2], atol=1e-13)


def test_lfr_of_a_sine_on_a_wide_interval():
    w, delta = 1.0, np.array([0.2, 0.5, 1.0])
    half_width = 1000 * np.sqrt(delta.max())
    x = np.linspace(-half_width, half_width, 4500)
    np.testing.assert_allclose(low_frequency_ratio(x, np.sin(w * x), delta), np.exp(-(w**2) * delta), atol=1e-3)


def test_lfr_limits_are_one_and_the_share_of_the_mean():
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 2)) + 1
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


x, y = np.linspace(0, 1, 5), np.arange(5.0)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: nudft(x, y[:4], [1.0]), "f must have shape"),
        (lambda: nudft(x, y, []), "k is empty"),
        (lambda: nudft(x, y * np.nan, [1.0]), "f has values that are not finite"),
        (lambda: nudft(x, y, [[1.0, 2.0]]), "dimension"),
        (lambda: nudft(np.zeros((2, 2, 2)), y, [1.0]), "x must have shape"),
        (lambda: relative_error([1.0], [0.0]), "zero at some k"),
        (lambda: relative_error([np.inf], [1.0]), "h_hat has values"),
        (lambda: first_step_below([1, 2], [1.0], 0.1), "2 steps for 1"),
        (lambda: low_frequency_part(x, y, 0.0), "delta must be"),
        (lambda: low_frequency_part(x, y, -1.0), "delta must be"),
        (lambda: low_frequency_part(x, y[:3], 1.0), "y must have shape"),
        (lambda: low_frequency_ratio(x, y, [0.1, -1.0]), "delta must be"),
        (lambda: low_frequency_ratio(x, y, []), "delta is empty"),
        (lambda: low_frequency_ratio(x, 0 * y, [0.1]), "all labels are zero"),
        (lambda: ratio_density([1, 2], [0.1, 0.2]), "at least 3"),
        (lambda: ratio_density([1, 3, 2], [0.1, 0.2, 0.3]), "increase strictly"),
    ],
)
def test_bad_input_gets_one_error_that_names_the_cause(call, names):
    with pytest.raises(ValueError, match=names):
        call()
