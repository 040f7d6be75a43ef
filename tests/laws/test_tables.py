"""Tables: one row per row of the columns, each number rounded, and both forms say the same."""

import numpy as np
import pytest

from fpbook.tables import number, table


@pytest.mark.parametrize(
    "value, text",
    [(0.0123456, "0.012"), (12345.6, "12,000"), (1234, "1,234"), (-0.5, "−0.5"), (True, "yes"), (0, "0")]
    + [
        (np.nan, "–"),
        (-np.inf, "−∞"),
        (2.34e-7, r"$2.3\times10^{-7}$"),
        ("a | b", r"a \| b"),
        (1500000, "$1.5\\times10^{6}$"),
    ],
)
def test_a_value_is_rounded_and_readable(shown, value, text):
    table({"x": [value]})
    assert shown[0]["text/markdown"].splitlines()[-1] == f"| {text} |"


@pytest.mark.parametrize(
    "value, digits, markdown, plain",
    [(2.36e-5, 2, r"$2.4\times10^{-5}$", "2.4 × 10⁻⁵"), (-1.5e12, 3, r"$-1.50\times10^{12}$", "−1.50 × 10¹²")]
    + [(1234.56, 5, "1,234.6", "1,234.6"), (-1234.56, 2, "−1,200", "−1,200"), (999999.0, 7, "999,999", "999,999")],
)
def test_where_mathematics_is_not_set_a_power_of_ten_is_written_in_characters(shown, value, digits, markdown, plain):
    table({"x": [value]}, digits=digits)
    assert number(value, digits=digits) == markdown
    assert shown[0]["text/markdown"].splitlines()[-1] == f"| {markdown} |"
    assert shown[0]["text/plain"].splitlines() == ["x", "-" * len(plain), plain]


def test_an_array_over_seeds_is_median_and_range(shown):
    table({"name": ["one", "two"], "t": np.array([[3.0, 1.0, 90.0], [2.0, 2.0, 2.0]])})
    assert shown[0]["text/markdown"].splitlines()[2:] == ["| one | 3 (1 to 90) |", "| two | 2 |"]
    assert shown[0]["text/plain"].splitlines()[2:] == ["one  | 3 (1 to 90)", "two  | 2"]


def test_the_same_numbers_up_to_rounding_give_the_same_table(shown):
    for noise in (0, 1e-12):
        table({"x": np.array([1.234, 5.678]) * (1 + noise)})
    assert shown[0] == shown[1]


@pytest.mark.parametrize("columns", [{}, {"a": [1], "b": [1, 2]}, {"a": 3}, {"a": np.zeros((2, 2, 2))}])
def test_what_is_no_table_is_refused(columns):
    with pytest.raises(ValueError, match="column|length"):
        table(columns)
