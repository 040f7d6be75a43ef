"""Drawings: a line is the median and a band the range, on the axes that are given and nowhere else."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from fpbook.plotting import band

x = np.array([0.0, 1.0, 2.0])
CURVES = np.array([[1.0, 5.0, 2.0, 90.0], [2.0, 2.0, 2.0, 2.0], [-7.0, 0.0, 1.0, 8.0]])  # (points, seeds)


def drawn(**options):
    ax = Figure().add_subplot()
    band(ax, x, CURVES.tolist(), label="h", **options)
    return ax


def test_the_line_is_the_median_over_seeds():
    (line,) = drawn().lines
    np.testing.assert_array_equal(line.get_xdata(), x)
    np.testing.assert_array_equal(line.get_ydata(), [3.5, 2.0, 0.5])
    assert line.get_label() == "h" and line.get_linestyle() == "-"


def test_the_band_reaches_from_the_smallest_to_the_largest():
    (shape,) = drawn().collections
    corners = shape.get_paths()[0].vertices
    for at, low, high in zip(x, CURVES.min(1), CURVES.max(1)):
        heights = corners[corners[:, 0] == at, 1]
        assert heights.min() == low and heights.max() == high


def test_line_and_band_have_one_colour_and_one_entry_in_the_legend():
    ax = drawn(color="C3", linestyle="--")
    (line,), (shape,) = ax.lines, ax.collections
    assert to_rgba(line.get_color()) == to_rgba("C3") and line.get_linestyle() == "--"
    np.testing.assert_allclose(shape.get_facecolor()[0], to_rgba("C3", 0.2))
    assert ax.get_legend_handles_labels()[1] == ["h"]
    own = drawn()
    np.testing.assert_allclose(own.collections[0].get_facecolor()[0][:3], to_rgba(own.lines[0].get_color())[:3])


def test_nothing_is_drawn_elsewhere():
    before = plt.get_fignums()
    drawn()
    assert plt.get_fignums() == before
