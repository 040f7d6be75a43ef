"""Drawings that two or more figures share: each takes axes and arrays, draws on the axes, and neither trains nor transforms."""

import numpy as np


def band(ax, x, curves, *, label, color=None, linestyle="-"):
    """Median over seeds as a line, and the range from smallest to largest as a band.

    Parameters
    ----------
    ax : matplotlib axes
    x : array, shape (n,)
    curves : array, shape (n, seeds)
    label, color, linestyle : of the line; the band has the same colour.
    """
    curves = np.asarray(curves)
    (line,) = ax.plot(x, np.median(curves, axis=1), label=label, color=color, linestyle=linestyle)
    ax.fill_between(x, curves.min(1), curves.max(1), color=line.get_color(), alpha=0.2, linewidth=0)


def error_map(ax, step, error, k):
    """Relative error over training as a colour map, one row a frequency; colours run from 0.1 (learned) to 1 (not yet).

    Parameters
    ----------
    ax : matplotlib axes
    step : array, shape (r,)
        Recorded steps, increasing.
    error : array, shape (r, m)
        Relative error at each step and frequency.
    k : array, shape (m,)
        Frequencies, labels of the rows from the bottom.

    Returns
    -------
    The mesh, for a colour bar.
    """
    rows = np.arange(len(k))
    mesh = ax.pcolormesh(step, rows, np.asarray(error).T, vmin=0.1, vmax=1, shading="nearest", rasterized=True)
    ax.set_yticks(rows, [f"{value:g}" for value in k])
    ax.grid(False)
    return mesh
