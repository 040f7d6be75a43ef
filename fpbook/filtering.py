"""The filtering method: the low-frequency part of labels in any dimension, and its share of their energy.

Everything public takes and gives numpy in float64. The Gaussian filter is given by its variance delta in x. Its cut-off
is therefore k0 = 1 / sqrt(delta), an angular frequency.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fpbook._arrays import as_rows, finite, numbers, points_of
from fpbook._kernels import TILE, gaussian_means

SINGLE_FROM = 4096  # points from which kernels are float32


def low_frequency_part(
    x: ArrayLike, y: ArrayLike, delta: ArrayLike, *, device: str | torch.device = "cpu"
) -> NDArray[np.float64]:
    r"""Low-frequency part of labels by the filtering method: a normalised Gaussian mean over the data points.

    .. math::
        y_i^{\mathrm{low},\delta} = \frac{\sum_j G_{ij} \, y_j}{\sum_j G_{ij}}, \qquad
        G_{ij} = e^{-|x_i - x_j|^2 / (2 \delta)}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points.
    y : array, shape (n,) or (n, c)
        Labels.
    delta : float, or array of shape (m,)
        Filter variance, in units of x squared; the cut-off is k0 = 1 / sqrt(delta).
    device : str
        Where to compute.

    Returns
    -------
    array
        Of the shape of `y`. For an array of filter variances it has a further leading axis, (m, ...).

    Raises
    ------
    ValueError
        If shapes disagree, delta <= 0, or an argument is empty or not finite.

    Notes
    -----
    O(n^2 d) time, O(n d) memory: no n x n matrix is held. Distances between very close points are computed from the
    differences of their coordinates, so that rounding does not spoil them in clusters or at repeated points. Many
    filter variances cost little more than one if 1/delta grows by 2^(1/4), say, from one to the next. The notes of
    `low_frequency_ratio` say why, and how large the rounding error is.

    On a dense grid the filter multiplies sin(wx) by exp(-w^2 delta / 2). This does not hold near the ends, because
    there the mean is one-sided.

    Source: Xu et al. (2020), eqs. 8-9.

    Examples
    --------
    >>> low_frequency_part([0.0, 1.0], [0.0, 1.0], 1e-4)
    array([0., 1.])
    """
    one = np.ndim(delta) == 0
    points, labels, variances = _filter_arguments(x, y, delta)
    low = _means(points, labels, variances, device).swapaxes(1, 2).reshape(-1, *labels.shape)
    return low[0] if one else low


def low_frequency_ratio(
    x: ArrayLike, y: ArrayLike, delta: ArrayLike, *, device: str | torch.device = "cpu"
) -> NDArray[np.float64]:
    r"""Low frequency ratio (LFR): the share of the labels' energy that the Gaussian filter keeps (equation 1.3).

    .. math::
        \mathrm{LFR}(k_0) = \frac{\sum_i |y_i^{\mathrm{low},\delta}|^2}{\sum_i |y_i|^2}, \qquad
        k_0 = 1 / \sqrt{\delta}

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points.
    y : array, shape (n,) or (n, c)
        Labels. Subtract their mean first if it should not count, since for k0 -> 0 the ratio is the mean's share of the
        energy.
    delta : array, shape (m,)
        Filter variances, in units of x squared. Many cost little more than one if 1/delta grows by 2^(1/4), say, from
        one to the next (see the notes).
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
    Cost: O(n^2 (d + m c)) time and O(n (d + m c)) memory. Halving delta squares the kernel. So up to 8 cut-offs whose
    1/delta differ by powers of two share one exponential. For example, 32 cut-offs, with a 1/delta that is 2^(1/4)
    times as large from each to the next, need 4 exponentials and 28 squarings. Other filter variances take one
    exponential each.

    Error: below 4,096 points all is float64. From there on kernels are float32. Rounding then adds an error to the
    filtered labels, and this error is as large for small filtered labels as for large ones. The smaller a ratio, the
    larger is therefore its relative error: up to some 1e-6 for ratios near 1, about 1e-4 for a ratio of 1e-8, and a
    ratio of 1e-15 has no right digit.

    For sin(wx) on a wide interval LFR = exp(-w^2 delta). The ratio depends on the scale of the points: if all of them
    are multiplied by c, it takes the same values at k0 / c.

    Source: Xu & Zhou (2021), eq. 4.

    Examples
    --------
    >>> x = np.linspace(-40, 40, 1000)
    >>> low_frequency_ratio(x, np.sin(2 * x), [0.1]).round(2)   # exp(-0.4)
    array([0.67])
    """
    points, labels, variances = _filter_arguments(x, y, delta)
    energy = (labels**2).sum()
    if energy == 0:
        raise ValueError("all labels are zero: their energy has no low-frequency share")
    return (_means(points, labels, variances, device) ** 2).sum((1, 2)) / energy


def ratio_density(cutoff: ArrayLike, lfr: ArrayLike, *, log: bool = False) -> NDArray[np.float64]:
    r"""Ratio density function (RDF): derivative of the low frequency ratio along the cut-off (equation 1.4).

    .. math:: \mathrm{RDF}(k_0) = \partial\, \mathrm{LFR}(k_0) / \partial k_0,
        \quad\text{or } \partial\, \mathrm{LFR}(k_0) / \partial \log k_0 \text{ with log=True}

    Parameters
    ----------
    cutoff : array, shape (m,)
        Strictly increasing: k0 itself, or 1/delta = k0^2 as in the lecture notes. The derivative is with respect to the
        one that is given.
    lfr : array, shape (m,)
        Low frequency ratio at each cut-off.
    log : bool
        Take the derivative with respect to the natural logarithm of `cutoff`. Then equal areas on a logarithmic axis
        are equal shares of energy.

    Returns
    -------
    array, shape (m,)

    Raises
    ------
    ValueError
        If shapes disagree, there are fewer than three values, the cut-offs do not increase, or `log` is true and one of
        them is not positive.

    Notes
    -----
    The derivative is computed by differences on the given grid, of second order between its ends. A coarse grid moves
    the peak, so use a fine logarithmic one. For sin(wx) the peak is at k0 = w sqrt(2/3), and with respect to 1/delta at
    1/delta = w^2 / 2. On finite samples the LFR need not increase everywhere, so that the density may be slightly
    negative.

    Source: Xu & Zhou (2021), eq. 5.

    Examples
    --------
    >>> ratio_density([1.0, 2.0, 3.0], [0.1, 0.3, 0.5]).round(12)
    array([0.2, 0.2, 0.2])
    """
    cutoff, lfr = finite("cutoff", cutoff), finite("lfr", lfr)
    if cutoff.ndim != 1 or cutoff.shape != lfr.shape or len(cutoff) < 3:
        raise ValueError(f"cutoff and lfr must be 1-D, alike and at least 3 long, not {cutoff.shape} and {lfr.shape}")
    if (np.diff(cutoff) <= 0).any():
        raise ValueError("cutoff must increase strictly; sort it, and drop values given twice")
    if log and cutoff[0] <= 0:
        raise ValueError("a density along log k0 needs positive cut-offs")
    return np.gradient(lfr, np.log(cutoff) if log else cutoff)


def share_cutoff(cutoff: ArrayLike, lfr: ArrayLike, share: float) -> NDArray[np.float64]:
    r"""Cut-off k_q at which the Gaussian filter keeps a share q of the labels' energy: where the LFR first reaches q.

    .. math:: \mathrm{LFR}(k_q) = q

    Parameters
    ----------
    cutoff : array, shape (m,)
        Positive and strictly increasing.
    lfr : array, shape (..., m)
        Low frequency ratio at each cut-off; leading axes are kept.
    share : float
        The share q, between 0 and 1. For the half-energy cut-off it is 0.5.

    Returns
    -------
    array, shape (...)
        The ratio is interpolated between two cut-offs, linearly in log k0. The result is the first cut-off if the ratio
        is q or more already there, infinity if the ratio never reaches q, and NaN if a ratio is NaN, for example at a
        step that was not recorded.

    Raises
    ------
    ValueError
        If shapes disagree, the cut-offs do not increase, or the share is not between 0 and 1.

    Notes
    -----
    For sin(wx) k_q = w / sqrt(-log q), for example k_0.5 = 1.2 w and k_0.9 = 3.1 w. The second lies far above w, the
    only frequency in these labels, because the filter has no sharp edge.

    If all points are stretched by c, k_q is divided by c. To remove this dependence, scale the points by
    `unit_distance` first. In many dimensions k_q can depend on the points more than on the labels: it then grows with
    the number of points, whatever the labels are. So compare equal numbers of points, and see `equidistant_cutoff`.

    Examples
    --------
    >>> share_cutoff([1.0, 2.0, 4.0], [0.1, 0.4, 0.6], 0.5).round(3)
    np.float64(2.828)
    """
    cutoffs, curves = finite("cutoff", cutoff), np.asarray(numbers("lfr", lfr), dtype=np.float64)
    if cutoffs.ndim != 1 or curves.shape[-1:] != cutoffs.shape or (cutoffs <= 0).any() or (np.diff(cutoffs) <= 0).any():
        raise ValueError(
            f"cutoff must hold positive, increasing cut-offs (m,), and lfr ratios (..., m), not {cutoffs.shape} and "
            f"{curves.shape}"
        )
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, not {share}")
    first = np.argmax(curves >= share, axis=-1)[..., None]
    before = np.maximum(first - 1, 0)
    high, low = (np.take_along_axis(curves, place, -1)[..., 0] for place in (first, before))
    part = np.where(high > low, (share - low) / np.where(high > low, high - low, 1), 1)
    at = np.log(cutoffs[before[..., 0]]) + np.clip(part, 0, 1) * np.log(cutoffs[first] / cutoffs[before])[..., 0]
    found = np.where((curves >= share).any(-1), np.exp(at), np.inf)
    return np.where(np.isnan(curves).any(-1), np.nan, found)


def equidistant_cutoff(n: int, share: float = 0.5) -> float:
    r"""Scale-free cut-off r k_q of any centred labels on n points that all have the same distance r from each other.

    .. math:: r \, k_q = \sqrt{2 \ln \frac{1 + \sqrt q \, (n - 1)}{1 - \sqrt q}}, \qquad
        r \, k_{0.5} \approx \sqrt{2 \ln (n / 0.41)}

    The formula has no labels in it. Points in hundreds of dimensions are nearly equidistant, so even labels without any
    structure have about this cut-off there. A cut-off says something about the labels only if it is lower than this
    one, or lower than that of shuffled labels on the same points.

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    share : float
        The share q, between 0 and 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If n < 2, or the share is not between 0 and 1.

    Notes
    -----
    With g = exp(-(r k0)^2 / 2) the filter multiplies centred labels by (1 - g) / (1 + (n - 1) g). The LFR is the square
    of this factor.

    Examples
    --------
    >>> round(equidistant_cutoff(500), 2), round(equidistant_cutoff(4000), 2)
    (3.77, 4.28)
    """
    if n < 2:
        raise ValueError(f"one point alone has no distance to others: n must be at least 2, not {n}")
    if not 0 < share < 1:
        raise ValueError(f"a share lies between 0 and 1, not {share}")
    root = np.sqrt(share)
    return float(np.sqrt(2 * np.log((1 + root * (n - 1)) / (1 - root))))


def cutoffs(x: ArrayLike, y: ArrayLike, shares: ArrayLike = (0.5,)) -> NDArray[np.float64]:
    """Cut-offs k0 at which the filter keeps given shares of the energy of centred labels, in any dimension.

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points. Bring all features to one scale first, because distances add them up.
    y : array, shape (n,) or (n, c)
        Labels. They are centred here.
    shares : float, or array of shape (m,)
        Shares of the energy, between 0 and 1.

    Returns
    -------
    array, of the shape of `shares`
        Cut-offs, rad per unit of `x`. The filter variance at each is delta = 1 / k0^2.

    Raises
    ------
    ValueError
        As `low_frequency_ratio`. Also if a share is not between 0 and 1, or if no cut-off keeps so large a share. This
        happens if points with the same coordinates have different labels.

    Notes
    -----
    `low_frequency_ratio` is computed at cut-offs that grow by 2^(1/4), and `share_cutoff` interpolates between them.
    The filter keeps exp(-k^2 / k0^2) of the energy at the frequency k. For a single wave the cut-off of one half
    therefore lies at 1.2 times its frequency, and that of nine tenths at 3.1 times. Scattered points in hundreds of
    dimensions all have about the same distance from each other, and there the cut-off depends mostly on their number
    (see `equidistant_cutoff`).

    Examples
    --------
    >>> x = np.linspace(-40, 40, 1000)
    >>> (cutoffs(x, np.sin(2 * x)) / 2).round(1)     # 1 / sqrt(log 2) = 1.2
    array([1.2])
    """
    points, labels, _ = _filter_arguments(x, y, 1.0)
    labels = labels - labels.mean(0)
    asked = finite("shares", shares)
    if asked.ndim > 1 or (asked <= 0).any() or (asked >= 1).any():
        raise ValueError(f"shares of the energy lie between 0 and 1, not {asked}")
    points, square = unit_distance(points)
    k0, lfr = np.zeros(0), np.zeros(0)
    while not len(lfr) or lfr.max() < asked.max():
        if len(k0) >= 96:
            raise ValueError(
                f"no cut-off keeps {asked.max():g} of the energy: do points that are the same differ in y?"
            )
        more = 0.25 * 2 ** ((len(k0) + np.arange(24)) / 4)
        k0, lfr = np.r_[k0, more], np.r_[lfr, low_frequency_ratio(points, labels, 1 / more**2)]
    found = np.array([share_cutoff(k0, lfr, float(share)) for share in asked.ravel()])
    return (found / np.sqrt(square)).reshape(asked.shape)


def unit_distance(x: ArrayLike) -> tuple[NDArray[np.float64], float]:
    """Points scaled so that the mean squared distance of two of them is 1, which makes cut-offs comparable.

    Returns (scaled points (n, d), scale), where scale is the mean squared distance before. The low frequency ratio of
    the points at the cut-off k0 is that of the scaled points at k0 * sqrt(scale). So after scaling a cut-off means the
    same for features of any size. ValueError if all points are the same.

    Examples
    --------
    >>> unit_distance(np.array([[0.0], [3.0]]))
    (array([[0.],
           [1.]]), 9.0)
    """
    points = as_rows("x", finite("x", x))
    points = points.reshape(len(points), -1)
    if len(points) < 2:
        raise ValueError("one point alone has no distance to scale; give at least two")
    scale = 2 * points.var(0, ddof=1).sum()  # mean over pairs of different points
    if not scale > 0:
        raise ValueError("all points are the same: there is no distance to scale")
    return points / np.sqrt(scale), float(scale)


def neighbour_disagreement(
    x: ArrayLike | torch.Tensor, y: ArrayLike | torch.Tensor, *, neighbours: int = 10
) -> NDArray[np.float64]:
    """For each point, the share of its nearest neighbours with another label: how fast the labels vary there.

    Parameters
    ----------
    x : array or tensor, shape (n, ...)
    y : array or tensor, shape (n,)
        Classes.
    neighbours : int
        Number of nearest neighbours, less than n.

    Returns
    -------
    array, shape (n,)
        From 0 (all neighbours have the label of the point) to 1 (none has).

    Raises
    ------
    ValueError
        If shapes disagree, or `neighbours` is not between 1 and n - 1.

    Notes
    -----
    O(n^2 d) time. A point does not count as its own neighbour. Otherwise a point whose neighbours all have another
    label would still have one neighbour with its own label, itself.

    Examples
    --------
    >>> neighbour_disagreement(np.array([[0.0], [1.0], [2.1]]), np.array([0, 0, 1]), neighbours=1)
    array([0., 0., 1.])
    """
    points, labels = torch.from_numpy(as_rows("x", finite("x", x))), torch.from_numpy(as_rows("y", numbers("y", y)))
    shares: list[torch.Tensor] = []
    points, n = points.reshape(len(points), -1), len(points)
    points = points - points.mean(0)  # in double precision: distances are differences of squares
    if not 0 < neighbours < n or len(labels) != n:
        raise ValueError(f"need {n} labels and 1 to {n - 1} neighbours, not {len(labels)} and {neighbours}")
    for start in range(0, n, TILE):
        distance = torch.cdist(points[start : start + TILE], points)
        own = torch.arange(len(distance))
        distance[own, start + own] = torch.inf
        nearest = distance.topk(neighbours, largest=False).indices
        shares.append((labels[nearest] != labels[start : start + TILE, None]).double().mean(1))
    return torch.cat(shares).numpy()


def neighbour_correlation(x: ArrayLike, y: ArrayLike, delta: ArrayLike) -> NDArray[np.float64]:
    r"""Correlation between the labels of neighbouring points: how smooth labels are, whatever the number of points.

    .. math::
        c(k_0) = \frac{1}{n - 1} + \frac{\sum_i y_i \sum_{j \ne i} w_{ij} \, y_j}{\sum_i y_i^2}, \qquad
        w_{ij} = \frac{G_{ij}}{\sum_{l \ne i} G_{il}}, \quad G_{ij} = e^{-|x_i - x_j|^2 / (2 \delta)}

    Take a point, and a second one within a distance of about sqrt(delta) = 1 / k0. Then c is the correlation of their
    labels: 1 if neighbours always agree, 0 if they agree as often as by chance, and negative if they agree less often.

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points. After `unit_distance` a k0 means the same for features of any size.
    y : array, shape (n,) or (n, c)
        Labels; classes are one-hot vectors. They are centred here.
    delta : float, or array of shape (m,)
        Filter variances, in units of x squared.

    Returns
    -------
    array, shape (m,), or one number if `delta` is one number

    Raises
    ------
    ValueError
        As `low_frequency_part`. Also if there are fewer than three points, or all labels are the same.

    Notes
    -----
    The low frequency ratio counts each point among its own neighbours. In many dimensions this self-term is most of the
    ratio, so the LFR, its cut-offs and its ratio to that of shuffled labels depend on n. Here the self-term is left
    out. The expected value over samples is therefore the same for every n, as long as points have neighbours within
    that distance. Shuffled labels have c = 0 on average, and on equidistant points all labels have c = 0. For sin(wx)
    on a dense wide grid c = exp(-w^2 delta / 2).

    O(n^2 (d + m c)) time.

    Examples
    --------
    >>> x = np.linspace(-40, 40, 1000)
    >>> neighbour_correlation(x, np.sin(2 * x), 0.1).round(2)   # exp(-0.2) = 0.82 on a denser grid
    np.float64(0.8)
    """
    one = np.ndim(delta) == 0
    points, labels, variances = _filter_arguments(x, y, delta)
    n = len(points)
    centred = torch.from_numpy((labels - labels.mean(0)).reshape(n, -1))
    energy = float(centred.square().sum())
    if n < 3 or energy <= 1e-24 * float((labels**2).sum()):
        raise ValueError("need at least three points, and labels that are not all the same")
    places, found = torch.from_numpy(points - points.mean(0)), torch.zeros(len(variances), dtype=torch.float64)
    for start in range(0, n, TILE):
        square = torch.cdist(places[start : start + TILE], places).square()
        own = torch.arange(len(square))
        square[own, start + own] = torch.inf
        for i, variance in enumerate(variances):
            means = torch.softmax(square / (-2 * variance), dim=1) @ centred
            found[i] += (centred[start : start + TILE] * means).sum()
    correlation = found.numpy() / energy + 1 / (n - 1)
    return correlation[0] if one else correlation


def _filter_arguments(x: ArrayLike, y: ArrayLike, delta: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """Points (n, d), labels (n,) or (n, c) and filter variances (m,), all checked."""
    points, labels, variances = points_of("x", x), finite("y", y), np.atleast_1d(finite("delta", delta))
    n = len(points)
    if labels.ndim not in (1, 2) or len(labels) != n:
        raise ValueError(f"y must have shape ({n},) or ({n}, c), one label a point of x, not {labels.shape}")
    if variances.ndim > 1 or (variances <= 0).any():
        raise ValueError("delta must be positive, one number or a 1-D array: it is the variance of the Gaussian filter")
    return points, labels, variances


def _means(x: NDArray, y: NDArray, delta: NDArray, device: str | torch.device) -> NDArray[np.float64]:
    """Gaussian means of checked arguments, (m, c, n); in float32 for many points, and then of what is not the mean."""
    dtype = torch.float64 if len(x) < SINGLE_FROM else torch.float32
    y = y.reshape(len(y), -1)
    if dtype == torch.float64:
        return gaussian_means(x, y, delta, dtype=dtype, device=device)
    mean = y.mean(0)  # float32 would lose a detail that is small against it
    return gaussian_means(x, y - mean, delta, dtype=dtype, device=device) + mean[:, None]
