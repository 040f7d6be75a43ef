"""Spectra of sampled functions: the nonuniform DFT, the relative error at a frequency, and the filtering method.

Everything here is numpy in float64. Frequencies k are angular (rad per unit of x), every transform has the sign e^{-ikx} and the
factor 1/n, and the filter's delta is a variance, so that its cut-off is k0 = 1 / sqrt(delta).
"""

import numpy as np
import torch

from fpbook.filtering import gaussian_means

SINGLE_FROM = 4096  # points from which the kernels of the low frequency ratio are float32


def _finite(name, value, dtype=np.float64):
    """`value` as an array; ValueError if it is empty or not finite."""
    array = np.asarray(value, dtype=dtype)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has values that are not finite; did training diverge?")
    return array


def _points(name, value):
    """Points as an array of shape (n, d); a 1-D array is read as n points on a line."""
    points = _finite(name, value)
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2:
        raise ValueError(f"{name} must have shape (n,) or (n, d), not {np.shape(value)}")
    return points


def nudft(x, f, k):
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
    O(nm) time and memory. On x = 2 pi j / n and k = 0 .. n-1 it is ``numpy.fft.fft(f) / n``. On a grid that repeats its first
    point (``endpoint=True``) neighbouring frequencies leak into each other.

    Source: Xu et al. (2020), eq. 1.

    Examples
    --------
    >>> x = 2 * np.pi * np.arange(8) / 8
    >>> abs(nudft(x, np.sin(3 * x), [1, 3])).round(12)
    array([0. , 0.5])
    """
    x, k = _points("x", x), _points("k", k)
    f = _finite("f", f, np.complex128 if np.iscomplexobj(f) else np.float64)
    if x.shape[1] != k.shape[1]:
        raise ValueError(f"x has dimension {x.shape[1]} but k has dimension {k.shape[1]}")
    if f.ndim == 0 or f.shape[-1] != len(x):
        raise ValueError(f"f must have shape (..., {len(x)}), one value a point of x, not {f.shape}")
    return f @ np.exp(-1j * x @ k.T) / len(x)


def relative_error(h_hat, f_hat):
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
    The difference of the moduli, | |h_hat| - |f_hat| |, would miss an error of phase.

    Source: Xu et al. (2020), eq. 2.

    Examples
    --------
    >>> relative_error([0.5j, 1.0], [0.5, 2.0]).round(3)
    array([1.414, 0.5  ])
    """
    h_hat, f_hat = (_finite(name, value, np.complex128) for name, value in (("h_hat", h_hat), ("f_hat", f_hat)))
    if (f_hat == 0).any():
        raise ValueError("f_hat is zero at some k; take the relative error at the peaks of the target only")
    return abs(h_hat - f_hat) / abs(f_hat)


def principal_direction(x):
    """First principal component of points (n, d): unit vector (d,) of largest variance, its largest entry positive.

    Examples
    --------
    >>> principal_direction([[0.0, 1.0], [4.0, 1.0], [2.0, 1.0]]).round(12) + 0.0
    array([1., 0.])
    """
    x = _points("x", x) - np.mean(x, axis=0)
    if len(x) < x.shape[1]:  # the smaller of the two symmetric matrices
        direction = x.T @ np.linalg.eigh(x @ x.T)[1][:, -1]
    else:
        direction = np.linalg.eigh(x.T @ x)[1][:, -1]
    return direction / np.linalg.norm(direction) * np.sign(direction[np.argmax(abs(direction))])


def first_step_below(step, error, threshold):
    """First recorded step after which a curve stays below a threshold.

    Parameters
    ----------
    step : array, shape (r,)
        Recorded steps, increasing.
    error : array, shape (r, ...)
        One curve a trailing index.
    threshold : float

    Returns
    -------
    array, shape (...)
        Steps; infinity where the last recorded value is not below the threshold.

    Examples
    --------
    >>> first_step_below([0, 10, 20, 30], [[3.0], [0.1], [2.0], [0.1]], 1.0)
    array([30.])
    """
    step, error = np.asarray(step), _finite("error", error)
    if len(step) != len(error):
        raise ValueError(f"{len(step)} steps for {len(error)} recorded values")
    above = error >= threshold
    last = len(step) - 1 - np.argmax(above[::-1], axis=0)  # last recorded index above the threshold, if any
    after = np.append(step, np.inf)[last + 1]
    return np.where(above.any(axis=0), after, float(step[0]))


def _filter_arguments(x, y, delta):
    """Points (n, d), labels (n,) or (n, c) and filter variances (m,), all checked."""
    x, y, delta = _points("x", x), _finite("y", y), np.atleast_1d(_finite("delta", delta))
    if len(y) != len(x) or y.ndim > 2:
        raise ValueError(f"y must have shape ({len(x)},) or ({len(x)}, c), one label a point of x, not {y.shape}")
    if delta.ndim > 1 or (delta <= 0).any():
        raise ValueError("delta must be positive, one number or a 1-D array: it is the variance of the Gaussian filter")
    return x, y, delta


def low_frequency_part(x, y, delta, *, device="cpu"):
    r"""Low-frequency part of labels by the filtering method: a normalised Gaussian mean over the data points.

    .. math:: y_i^{\mathrm{low},\delta} = \frac{\sum_j G_{ij} \, y_j}{\sum_j G_{ij}}, \qquad G_{ij} = e^{-|x_i - x_j|^2 / (2 \delta)}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points.
    y : array, shape (n,) or (n, c)
        Labels.
    delta : float
        Filter variance, in units of x squared; the cut-off is k0 = 1 / sqrt(delta).
    device : str
        Where to compute.

    Returns
    -------
    array, shape of `y`

    Raises
    ------
    ValueError
        If shapes disagree, delta <= 0, or an argument is empty or not finite.

    Notes
    -----
    O(n^2 d) time, O(n d) memory: no n x n matrix is held. Clustered and repeated points keep their distances. On a dense grid and
    away from its ends the filter multiplies sin(wx) by exp(-w^2 delta / 2); near an end the mean is one-sided.

    Source: Xu et al. (2020), eqs. 8-9.

    Examples
    --------
    >>> low_frequency_part([0.0, 1.0], [0.0, 1.0], 1e-4)
    array([0., 1.])
    """
    if np.ndim(delta):
        raise ValueError("delta must be one positive number: it is the variance of the Gaussian filter")
    x, y, delta = _filter_arguments(x, y, delta)
    low = gaussian_means(x, y.reshape(len(y), -1), delta, device=device)[0]
    return low.T.reshape(y.shape)


def low_frequency_ratio(x, y, delta, *, device="cpu"):
    r"""Low frequency ratio (LFR): the share of the labels' energy that the Gaussian filter keeps (eq. 1.3).

    .. math:: \mathrm{LFR}(k_0) = \frac{\sum_i |y_i^{\mathrm{low},\delta}|^2}{\sum_i |y_i|^2}, \qquad k_0 = 1 / \sqrt{\delta}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points.
    y : array, shape (n,) or (n, c)
        Labels. Centre them first if the mean should not count: LFR(0) is the mean's share of the energy.
    delta : array, shape (m,)
        Filter variances, in units of x squared. Cheap if 1/delta grows by 2^(1/4), say, from one to the next: see the notes.
    device : str
        Where to compute.

    Returns
    -------
    array, shape (m,)

    Raises
    ------
    ValueError
        As `low_frequency_part`, and if all labels are zero.

    Notes
    -----
    Cost: O(n^2 (d + m c)) time and O(n (d + m c)) memory. Halving delta squares the kernel, so cut-offs whose 1/delta differ by
    powers of two share one exponential: 32 of them at ratio 2^(1/4) take 4 exponentials and 28 squarings. Any other grid takes
    one exponential a cut-off.

    Error: below 4,096 points all is float64. From there kernels are float32; the relative error is below 1e-4, mostly below 1e-6.

    For sin(wx) on a wide interval LFR = exp(-w^2 delta). It is not scale-invariant: x -> cx moves k0 to k0 / c.

    Source: Xu & Zhou (2021), eq. 4.

    Examples
    --------
    >>> x = np.linspace(-40, 40, 1000)
    >>> low_frequency_ratio(x, np.sin(2 * x), [0.1]).round(2)   # exp(-0.4)
    array([0.67])
    """
    x, y, delta = _filter_arguments(x, y, delta)
    energy = (y**2).sum()
    if energy == 0:
        raise ValueError("all labels are zero: their energy has no low-frequency share")
    dtype = torch.float64 if len(x) < SINGLE_FROM else torch.float32
    low = gaussian_means(x, y.reshape(len(y), -1), delta, dtype=dtype, device=device)
    return (low**2).sum((1, 2)) / energy


def ratio_density(cutoff, lfr, *, log=False):
    r"""Ratio density function (RDF): derivative of the low frequency ratio along the cut-off (eq. 1.4).

    .. math:: \mathrm{RDF}(k_0) = \partial\, \mathrm{LFR}(k_0) / \partial k_0,
        \quad\text{or } \partial\, \mathrm{LFR}(k_0) / \partial \log k_0 \text{ with log=True}

    Parameters
    ----------
    cutoff : array, shape (m,)
        Strictly increasing: k0 itself, or 1/delta = k0^2 as in the source. The density is with respect to what is given.
    lfr : array, shape (m,)
        Low frequency ratio at each cut-off.
    log : bool
        Density with respect to the natural logarithm of `cutoff`: equal areas on a logarithmic axis are equal shares of energy.

    Returns
    -------
    array, shape (m,)

    Raises
    ------
    ValueError
        If shapes disagree, there are fewer than three values, the cut-offs do not increase, or one is not positive and `log` is asked for.

    Notes
    -----
    Second-order differences on the given grid. A coarse grid moves the peak, so use a fine logarithmic one. For sin(wx) the peak
    is at k0 = w sqrt(2/3), and with respect to 1/delta at w^2 / 2. On finite samples the LFR need not be monotone and the density
    may be slightly negative.

    Source: Xu & Zhou (2021), eq. 5.

    Examples
    --------
    >>> ratio_density([1.0, 2.0, 3.0], [0.1, 0.3, 0.5]).round(12)
    array([0.2, 0.2, 0.2])
    """
    cutoff, lfr = _finite("cutoff", cutoff), _finite("lfr", lfr)
    if cutoff.ndim != 1 or cutoff.shape != lfr.shape or len(cutoff) < 3:
        raise ValueError(f"cutoff and lfr must be 1-D, alike and at least 3 long, not {cutoff.shape} and {lfr.shape}")
    if (np.diff(cutoff) <= 0).any():
        raise ValueError("cutoff must increase strictly; sort it, and drop values given twice")
    if log and cutoff[0] <= 0:
        raise ValueError("a density along log k0 needs positive cut-offs")
    return np.gradient(lfr, np.log(cutoff) if log else cutoff)
