"""Tables of a page: what a reader compares, in columns with names."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from IPython import get_ipython
from IPython.display import display
from numpy.typing import ArrayLike

POWER = re.compile(r"\$(-?[\d.]+)\\times10\^\{(-?\d+)\}\$")  # as `number` writes it
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def table(columns: Mapping[str, ArrayLike | Sequence[str]], *, digits: int = 2) -> None:
    """Show columns as a table: Markdown in a notebook and on the page, aligned text elsewhere.

    Parameters
    ----------
    columns : dict of header -> array, shape (rows,) or (rows, seeds), or strings
        Text is shown as it is, and may hold mathematics in ``$...$``. An array with a second axis is shown as its
        median and range, "13 (10 to 15)".
    digits : int
        Significant digits of every number. Counts below 10,000 that are whole are shown whole.

    Raises
    ------
    ValueError
        If there is no column, if they differ in length, or if an array has more than two axes.

    Examples
    --------
    >>> table({"scale $a$": [0.3, 0.1], "$t_5/t_1$": [[10, 13, 15], [1.1, 1.12, 1.2]]})
    scale $a$ | $t_5/t_1$
    --------- | ----------------
    0.3       | 13 (10 to 15)
    0.1       | 1.1 (1.1 to 1.2)
    """
    cells = {header: [_cell(value, digits) for value in _rows(header, values)] for header, values in columns.items()}
    if len({len(column) for column in cells.values()}) != 1:
        lengths = ", ".join(f"{header!r} has {len(column)}" for header, column in cells.items())
        raise ValueError(f"a table needs columns of one length; {lengths or 'there is none'}")
    rows = [list(cells), *zip(*cells.values())]
    if get_ipython() is None:
        print(_text(rows))
    else:
        display({"text/plain": _text(rows), "text/markdown": _markdown(rows)}, raw=True)


def _rows(header: str, values: ArrayLike | Sequence[str]) -> list[Any]:
    array = np.asarray(values)
    if array.ndim not in (1, 2):
        raise ValueError(f"column {header!r} must have shape (rows,) or (rows, seeds), not {array.shape}")
    return list(array)


def number(value: float, *, digits: int = 2) -> str:
    r"""A number as tables and claims write it: rounded, with a comma at thousands, as a power of ten if far from 1.

    Parameters
    ----------
    value : float
    digits : int
        Significant digits. Numbers below 10,000 that are whole are written whole.

    Returns
    -------
    str
        Powers of ten stand in ``$...$``, infinity is "∞", and NaN is "–".

    Examples
    --------
    >>> print(number(0.0246), number(12345.6), number(-2.36e-5))
    0.025 12,000 $-2.4\times10^{-5}$
    """
    if not np.isfinite(value):
        return "–" if np.isnan(value) else "∞" if value > 0 else "−∞"
    if value == round(value) and abs(value) < 1e4:
        return f"{value:,.0f}".replace("-", "−")
    rounded = float(f"{value:.{digits}g}")
    if not 1e-4 <= abs(rounded) < 1e6:
        mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
        return rf"${mantissa}\times10^{{{int(exponent)}}}$"
    positional = np.format_float_positional(rounded, trim="-") if abs(rounded) < 1e3 else f"{rounded:,.12g}"
    return positional.replace("-", "−")


def without_markup(text: str) -> str:
    """A text with the powers of ten of `number` as plain characters, 2.4 × 10⁻⁵, for where mathematics is not set."""
    return POWER.sub(lambda found: f"{found[1]} × 10{found[2].translate(RAISED)}".replace("-", "−"), text)


def _cell(value: Any, digits: int) -> str:
    if np.ndim(value):
        low, middle, high = (_cell(one, digits) for one in (np.min(value), np.median(value), np.max(value)))
        return middle if low == high else f"{middle} ({low} to {high})"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return number(value, digits=digits)


def _markdown(rows: list[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _text(rows: list[Sequence[str]]) -> str:
    rows = [[without_markup(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    shown = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([shown[0], " | ".join("-" * width for width in widths), *shown[1:]])
