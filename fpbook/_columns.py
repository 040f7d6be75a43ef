"""Columns with names that print as a table, without anything but Python."""

from typing import Any


class Columns(dict):
    """A dictionary of columns of one length that prints as a table."""

    def __str__(self) -> str:
        cells = [[name, *(_text(value) for value in column)] for name, column in self.items()]
        widths = [max(map(len, column)) for column in cells]
        return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in zip(*cells))

    __repr__ = __str__


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
