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
