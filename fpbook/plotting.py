"""Drawings that two or more figures share: each takes axes and arrays, and draws on the axes."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike


def band(
    ax: Axes, x: ArrayLike, curves: ArrayLike, *, label: str, color: str | None = None, linestyle: str = "-"
) -> None:
    """Median over seeds as a line, and the range from smallest to largest as a band.

    Parameters
    ----------
    ax : matplotlib axes
        Drawn on; nothing else is touched.
    x : array, shape (n,)
    curves : array, shape (n, seeds)
    label, color, linestyle : str
        Of the line. The band has the same colour, and no entry in a legend.
    """
    curves = np.asarray(curves)
    (line,) = ax.plot(x, np.median(curves, axis=1), label=label, color=color, linestyle=linestyle)
    ax.fill_between(x, curves.min(1), curves.max(1), color=line.get_color(), alpha=0.2, linewidth=0)
