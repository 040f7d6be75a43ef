"""Spectra of sampled functions: the nonuniform DFT, the relative error at a frequency, and when it is fitted.

Everything here is numpy in float64. Frequencies k are angular, in rad per unit of x. Every transform has the sign
e^{-ikx} and the factor 1/n.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpbook._arrays import as_rows, finite, points_of

TILE = 2**19  # exponentials that are held at a time


def nudft(x: ArrayLike, f: ArrayLike, k: ArrayLike) -> NDArray[np.complex128]:
    r"""Nonuniform discrete Fourier transform (NUDFT) of samples at any points.

    .. math:: \hat f_k = \frac{1}{n} \sum_{j=1}^{n} f_j \, e^{-i k \cdot x_j}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Sample points. Off a regular grid the waves are not orthogonal, so that frequencies leak into each other.
    f : array, shape (..., n)
        Values at `x`, real or complex; leading axes (training steps, seeds) are kept.
    k : array, shape (m,) or (m, d)
        Angular frequencies, rad per unit of `x`.

    Returns
    -------
    complex array, shape (..., m)

    Raises
    ------
    ValueError
        If shapes disagree, or an argument is empty or not finite.

    Notes
    -----
    O(nm) time, O(n + m) memory. On x = 2 pi j / n and k = 0 .. n-1 it is ``numpy.fft.fft(f) / n``.

    On scattered points a wave of size 1 leaks about 1 / sqrt(n) into every other frequency, which is 0.03 at 1,000
    random points. For example, this hides the first wave of 0.001 sin x + sin 20x. `fpbook.monitor.FrequencyMonitor`
    finds both waves there, because it fits them by least squares. On a grid that repeats its first point
    (``endpoint=True``) neighbouring frequencies leak into each other.

    Source: Xu et al. (2020), eq. 1.

    Examples
    --------
    >>> x = 2 * np.pi * np.arange(8) / 8
    >>> abs(nudft(x, np.sin(3 * x), [1, 3])).round(12)
    array([0. , 0.5])
    """
    x, k = points_of("x", x), points_of("k", k)
    f = finite("f", f, np.complex128)
    f = f if f.imag.any() else f.real
    if x.shape[1] != k.shape[1]:
        raise ValueError(f"x has dimension {x.shape[1]} but k has dimension {k.shape[1]}")
    if f.ndim == 0 or f.shape[-1] != len(x):
        raise ValueError(f"f must have shape (..., {len(x)}), one value a point of x, not {f.shape}")
    found = np.zeros((*f.shape[:-1], len(k)), np.complex128)
    rows = max(1, TILE // len(k))
    for start in range(0, len(x), rows):
        phase, part = x[start : start + rows] @ k.T, f[..., start : start + rows]
        found += part @ np.cos(phase) - 1j * (part @ np.sin(phase))
    return np.asarray(found / len(x), np.complex128)


def relative_error(h_hat: ArrayLike, f_hat: ArrayLike) -> NDArray[np.float64]:
    r"""Relative error Δ_F(k) of an output's spectrum against the target's, at each frequency.

    .. math:: \Delta_F(k) = |\hat h_k - \hat f_k| \, / \, |\hat f_k|

    Parameters
    ----------
    h_hat : array, shape (..., m)
        Spectrum of the output, say at several training steps.
    f_hat : array, shape (..., m)
        Spectrum of the target. It must be nonzero at every k, so take only frequencies at its peaks.

    Returns
    -------
    array, shape (..., m)

    Raises
    ------
    ValueError
        If `f_hat` vanishes somewhere, or an argument is empty or not finite.

    Notes
    -----
    The difference of the moduli, ``abs(abs(h_hat) - abs(f_hat))``, would miss an error of phase.

    Source: Xu et al. (2020), eq. 2.

    Examples
    --------
    >>> relative_error([0.5j, 1.0], [0.5, 2.0]).round(3)
    array([1.414, 0.5  ])
    """
    h_hat, f_hat = (finite(name, value, np.complex128) for name, value in (("h_hat", h_hat), ("f_hat", f_hat)))
    if (f_hat == 0).any():
        raise ValueError("f_hat is zero at some k; take the relative error at the peaks of the target only")
    return abs(h_hat - f_hat) / abs(f_hat)


def principal_direction(x: ArrayLike) -> NDArray[np.float64]:
    """First principal component of points (n, d): unit vector (d,) of largest variance.

    Its entry of largest modulus is positive, so that its sign does not depend on the library.

    Examples
    --------
    >>> principal_direction([[0.0, 1.0], [4.0, 1.0], [2.0, 1.0]]).round(12) + 0.0
    array([1., 0.])
    """
    points = points_of("x", x)
    points = points - points.mean(axis=0)
    if len(points) < points.shape[1]:  # the smaller of the two symmetric matrices
        direction = points.T @ np.linalg.eigh(points @ points.T)[1][:, -1]
    else:
        direction = np.linalg.eigh(points.T @ points)[1][:, -1]
    return direction / np.linalg.norm(direction) * np.sign(direction[np.argmax(abs(direction))])


def first_step_below(step: ArrayLike, error: ArrayLike, threshold: float) -> NDArray[np.float64]:
    """First recorded step at which a curve is below a threshold and after which it stays below.

    Parameters
    ----------
    step : array, shape (r,)
        Recorded steps, increasing.
    error : array, shape (r, ...)
        One curve per trailing index.
    threshold : float
        A value equal to it is not below it.

    Returns
    -------
    array, shape (...)
        Steps; infinity where the last recorded value is not below the threshold.

    Raises
    ------
    ValueError
        If lengths disagree, or `step` or `error` is empty, not finite or a single number.

    Examples
    --------
    >>> first_step_below([0, 10, 20, 30], [[3.0], [0.1], [2.0], [0.1]], 1.0)
    array([30.])
    """
    step, error = as_rows("step", finite("step", step)), as_rows("error", finite("error", error))
    if len(step) != len(error):
        raise ValueError(f"{len(step)} steps for {len(error)} recorded values")
    above = error >= threshold
    last = len(step) - 1 - np.argmax(above[::-1], axis=0)  # last recorded index above the threshold, if any
    after = np.append(step, np.inf)[last + 1]
    return np.where(above.any(axis=0), after, float(step[0]))


def peaks(x: ArrayLike, y: ArrayLike, *, most: int = 8) -> NDArray[np.float64]:
    r"""Frequencies of the strongest waves that stand above the noise in labels on a line, in increasing order.

    The waves are found one after another. The next one is taken where the transform of what is still unexplained is
    largest. Then all waves so far are fitted anew by least squares, together with a constant. The search ends when the
    next wave is no larger than the largest wave that white noise would show.

    Parameters
    ----------
    x : array, shape (n,) or (n, 1)
        Points, on a grid or scattered.
    y : array, shape (n,) or (n, c)
        Real labels.
    most : int
        Largest number of frequencies.

    Returns
    -------
    array, shape (m,)
        Angular frequencies, rad per unit of `x`, from about one period over all points to one period per two points.
        The array is empty if the labels are noise.

    Raises
    ------
    ValueError
        If there are fewer than five points, they do not lie on a line, shapes disagree, or a value is not finite.

    Notes
    -----
    O(n log n) time per wave. The frequencies are refined to where the fit is best, so that a sum of waves is found
    exactly.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(-3, 3, 200)
    >>> peaks(x, np.sin(x * 2) + 0.1 * np.cos(30 * x) + 5).round(6)
    array([ 2., 30.])
    """
    points, labels = points_of("x", x), as_rows("y", finite("y", y))
    n = len(points)
    if points.shape[1] != 1 or len(labels) != n or n < 5:
        raise ValueError(
            f"peaks need 5 or more points on a line, each with a label, not {points.shape}, {labels.shape}"
        )
    at, labels = points[:, 0] - points.mean(), labels.reshape(n, -1)
    step = 2 * np.pi * (1 - 1 / len(np.unique(at))) / np.ptp(at)  # one period of the extent
    candidates = step * np.arange(1, (n - 1) / 2 + 1e-9, 1 / 4)
    likely = np.sqrt(np.log(1000 * len(candidates)))  # noise stays below so many times its size, in 999 of 1000 cases
    found: list[float] = []
    left = labels - labels.mean(0)
    nothing = 1e-9 * np.linalg.norm(left)
    while len(found) < min(most, (n - 3) // 4) and np.linalg.norm(left) > nothing:
        size = _sizes(at, left, step / 4, len(candidates))
        apart = np.array([all(abs(k - other) > 0.75 * step for other in found) for k in candidates])
        tried, rest = _refined(at, labels, [*found, candidates[np.argmax(size * apart)]], step)
        white = np.linalg.norm(rest) / n
        quiet = np.sqrt(
            np.median(_sizes(at, rest, step / 4, len(candidates)) ** 2) / np.log(2)
        )  # other waves do not count
        if (size * apart).max() <= likely * min(white, quiet):
            break
        found, left = tried, rest
    return np.sort(found)


def _sizes(x: NDArray, y: NDArray, step: float, m: int) -> NDArray[np.float64]:
    """Sizes of the DFT at 4, 5, ... times a step, to a few percent: the points are moved to a fine grid for the FFT."""
    cells = 2 ** math.ceil(math.log2(16 * len(x)))
    place = np.minimum((x - x.min()) * (cells * step / (2 * np.pi)), cells - 1).astype(int)
    power = sum(abs(np.fft.rfft(np.bincount(place, column, cells))[4 : m + 4]) ** 2 for column in y.T)
    return np.sqrt(power) / len(x)


def _refined(x: NDArray, y: NDArray, k: list[float], step: float) -> tuple[list[float], NDArray]:
    """Frequencies moved to where waves and a constant fit best, and what the fit leaves; by Gauss and Newton."""

    def fit(at: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        phase = np.outer(x, at)
        basis = np.concatenate([np.ones((len(x), 1)), np.cos(phase), np.sin(phase)], 1)
        found = np.linalg.lstsq(basis, y, rcond=1e-9)[0]
        return basis, found, y - basis @ found

    at = np.array(k)
    basis, found, left = fit(at)
    for _ in range(20):
        m, start = len(at), at
        a, b = found[1 : m + 1], found[m + 1 :]
        cosine, sine = basis[:, 1 : m + 1], basis[:, m + 1 :]
        slope = (x[:, None, None] * (cosine[..., None] * b - sine[..., None] * a)).swapaxes(1, 2)  # (n, c, m)
        flat = slope.reshape(len(x), -1)
        flat = flat - basis @ np.linalg.lstsq(basis, flat, rcond=1e-9)[0]  # what waves themselves can do is done
        move = np.linalg.lstsq(flat.reshape(-1, m), left.ravel(), rcond=1e-9)[0]
        new = at + np.clip(move, -0.25 * step, 0.25 * step)
        apart = m < 2 or np.diff(np.sort(new)).min() > 0.5 * step
        trial = fit(new) if apart and (abs(new - k) < 0.5 * step).all() and (new > 0.5 * step).all() else None
        if trial is None or np.linalg.norm(trial[2]) > np.linalg.norm(left):
            break
        at, (basis, found, left) = new, trial
        if abs(at - start).max() < 1e-13 * step:
            break
    return at.tolist(), left
