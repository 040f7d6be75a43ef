"""Spectra of sampled functions: the nonuniform DFT, the relative error at a frequency, and when it is fitted.

Everything here is numpy in float64. Frequencies k are angular (rad per unit of x), every transform has the sign
e^{-ikx} and the factor 1/n.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpbook._arrays import finite, points_of


def nudft(x: ArrayLike, f: ArrayLike, k: ArrayLike) -> NDArray[np.complex128]:
    r"""Nonuniform discrete Fourier transform (NUDFT) of samples at any points.

    .. math:: \hat f_k = \frac{1}{n} \sum_{j=1}^{n} f_j \, e^{-i k \cdot x_j}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Sample points; they need not be equally spaced.
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
    O(nm) time and memory. On x = 2 pi j / n and k = 0 .. n-1 it is ``numpy.fft.fft(f) / n``. On a grid that repeats its
    first point (``endpoint=True``) neighbouring frequencies leak into each other.

    Source: Xu et al. (2020), eq. 1.

    Examples
    --------
    >>> x = 2 * np.pi * np.arange(8) / 8
    >>> abs(nudft(x, np.sin(3 * x), [1, 3])).round(12)
    array([0. , 0.5])
    """
    x, k = points_of("x", x), points_of("k", k)
    f = finite("f", f, np.complex128 if np.iscomplexobj(f) else np.float64)
    if x.shape[1] != k.shape[1]:
        raise ValueError(f"x has dimension {x.shape[1]} but k has dimension {k.shape[1]}")
    if f.ndim == 0 or f.shape[-1] != len(x):
        raise ValueError(f"f must have shape (..., {len(x)}), one value a point of x, not {f.shape}")
    return np.asarray(f @ np.exp(-1j * x @ k.T) / len(x), np.complex128)


def relative_error(h_hat: ArrayLike, f_hat: ArrayLike) -> NDArray[np.float64]:
    r"""Relative error Δ_F(k) of an output's spectrum against the target's: modulus of the difference.

    .. math:: \Delta_F(k) = |\hat h_k - \hat f_k| \, / \, |\hat f_k|

    Parameters
    ----------
    h_hat : array, shape (..., m)
        Spectrum of the output, say at several training steps.
    f_hat : array, shape (..., m)
        Spectrum of the target, nonzero at every k: use it at the peaks only.

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

    Its entry of largest modulus is positive, so that it does not depend on how a library chooses signs.

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
    """First recorded step after which a curve stays below a threshold.

    Parameters
    ----------
    step : array, shape (r,)
        Recorded steps, increasing.
    error : array, shape (r, ...)
        One curve a trailing index.
    threshold : float
        A value equal to it is not below it.

    Returns
    -------
    array, shape (...)
        Steps; infinity where the last recorded value is not below the threshold.

    Examples
    --------
    >>> first_step_below([0, 10, 20, 30], [[3.0], [0.1], [2.0], [0.1]], 1.0)
    array([30.])
    """
    step, error = np.asarray(step, dtype=np.float64), finite("error", error)
    if len(step) != len(error):
        raise ValueError(f"{len(step)} steps for {len(error)} recorded values")
    above = error >= threshold
    last = len(step) - 1 - np.argmax(above[::-1], axis=0)  # last recorded index above the threshold, if any
    after = np.append(step, np.inf)[last + 1]
    return np.where(above.any(axis=0), after, float(step[0]))
