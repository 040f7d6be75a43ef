"""What two or more figures share: the colours of the book, and drawings on given axes.

One quantity has one colour in every figure, replay and lab.
"""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from numpy.typing import ArrayLike

COLORS = {
    "target": "#9a9a9a",  # drawn broad, below the output
    "output": "#CC79A7",
    "points": "#000000",
    "low": "#0072B2",  # k = 1 and whatever else is the lowest of three
    "middle": "#D55E00",
    "high": "#009E73",
    "easy": "#56B4E9",
    "hard": "#E69F00",
    "training": "#0072B2",
    "test": "#D55E00",
}


def ordered_colors(n: int) -> list[str]:
    """Colours of n things that have an order, such as layers or depths: dark to bright, without the palest yellow.

    Examples
    --------
    >>> ordered_colors(2)
    ['#440154', '#7ad151']
    """
    return [to_hex(color) for color in mpl.colormaps["viridis"](np.linspace(0, 0.8, n))]


def band(
    ax: Axes, x: ArrayLike, curves: ArrayLike, *, label: str, color: str | None = None, linestyle: str = "-"
) -> None:
    """Median over seeds as a line, and the range from smallest to largest as a band.

    Parameters
    ----------
    ax : matplotlib axes
        The axes to draw on. Nothing else is changed.
    x : array, shape (n,)
    curves : array, shape (n, seeds)
    label, color, linestyle : str
        Label, colour and style of the line. The band has the same colour, and no entry in a legend.
    """
    curves = np.asarray(curves)
    (line,) = ax.plot(x, np.median(curves, axis=1), label=label, color=color, linestyle=linestyle)
    ax.fill_between(x, curves.min(1), curves.max(1), color=line.get_color(), alpha=0.2, linewidth=0)
