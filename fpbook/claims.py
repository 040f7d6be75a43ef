"""Claims, and the seeds that they are checked on. A claim is a sentence, a check of it, and the numbers behind it.

A claim is shown as one line. The built page draws it with a mark, and the page "What the book claims" lists them all. A
claim that does not hold raises ClaimError. An ``assert`` would not do, because ``python -O`` leaves it out.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from IPython import get_ipython
from IPython.display import display
from numpy.typing import ArrayLike, NDArray

from fpbook.tables import number, without_markup

CLAIM = "application/vnd.fpbook.claim+json"  # the mime type under which the built book finds a claim
VERDICTS = ("confirmed", "conditional", "corrected", "new")


class ClaimError(Exception):
    """A claim does not hold; the message has the sentence, the count and the numbers."""


def seed_range(n: int) -> range:
    """The n seeds of an experiment, ``range(first, first + n)``.

    Here first is 0, or the number in the environment variable FPBOOK_SEED. With another number every page draws other
    initial weights, other noise, other subsets and another order of mini-batches.

    Raises
    ------
    ValueError
        If n < 1, or FPBOOK_SEED is not a whole number from 0 on.

    Examples
    --------
    >>> len(seed_range(5))
    5
    """
    first = os.environ.get("FPBOOK_SEED", "0")
    if not first.isdecimal() or n < 1:
        raise ValueError(f"need a number of seeds of at least 1 and FPBOOK_SEED a whole number, not {n} and {first!r}")
    return range(int(first), int(first) + n)


def claim(
    sentence: str,
    holds: ArrayLike,
    *,
    measured: Mapping[str, ArrayLike] | ArrayLike | None = None,
    published: float | str | None = None,
    source: str | None = None,
    verdict: str | None = None,
    unit: str = "",
    of: str = "seeds",
) -> None:
    """State a claim, check it, and show it as one line.

    Parameters
    ----------
    sentence : str
        What is claimed, in words, with its bound. Mathematics stands in ``$...$``.
    holds : bool or array of bool
        One truth value per seed (or draw), all of which must be true. A claim on a median, or on something without
        seeds, has a single one.
    measured : dict of name -> number or array, optional
        The numbers behind the claim and their names, for example ``{"t5/t1": ratio}``. An array is shown as its median
        and range, to two significant digits. A number or array without a name can be given in place of the dict.
    published : number or str, optional
        The value in the lecture notes, or in the paper behind them.
    source : str, optional
        The figure or equation of the lecture notes that the claim is about, for example ``"figure 1.1"``.
    verdict : {"confirmed", "conditional", "corrected", "new"}, optional
        How the result compares with that figure or equation. By default it is "confirmed" if `source` is given, else
        "new".
    unit : str
        Unit of `measured`.
    of : str
        What the truth values belong to, for example "seeds" or "draws". If no seed changes the claim, say "formula" or
        "fixed data" here, or begin the sentence with "stored run". Then the claim is not checked on other seeds, and
        the page "What the book claims" says why.

    Raises
    ------
    ClaimError
        If a value of `holds` is false.
    TypeError, ValueError
        If `holds` is empty or has something other than truth values, if `measured` is empty, has NaN or has no median,
        or if the verdict is unknown. Also if the sentence is empty, or if an asterisk stands outside of ``$...$`` in
        the sentence or in a name of `measured`, because both are shown as plain text, without emphasis.

    Examples
    --------
    >>> claim("a square is not negative", np.array([2.0, -3.0]) ** 2 >= 0, measured={"square": [4.0, 9.0]})
    ✓ 2 of 2 seeds: a square is not negative (square: median 6.5, from 4 to 9)
    """
    truth = np.asarray(holds)
    if truth.dtype != bool or truth.ndim > 1:
        raise TypeError(f"holds must be one truth value, or one a seed, not {truth.dtype} of shape {truth.shape}")
    if not truth.size or not sentence.strip():
        raise ValueError("a claim needs a sentence and at least one truth value; an empty one would always hold")
    for text in (sentence, *(map(str, measured) if isinstance(measured, Mapping) else ())):
        if "*" in re.sub(r"\$[^$]*\$", "", text):
            raise ValueError(f"a claim is plain text and $mathematics$: take the asterisks out of {text!r}")
    verdict = verdict or ("confirmed" if source else "new")
    if verdict not in VERDICTS:
        raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, not {verdict!r}")
    about = Claim(
        sentence=" ".join(sentence.split()),
        held=int(truth.sum()),
        count=int(truth.size) if truth.ndim and truth.size > 1 else None,
        of=of,
        measured=_numbers(measured),
        unit=unit,
        published=None if published is None else _plain(published),
        source=source,
        verdict=verdict,
    )
    if get_ipython() is None:
        print(about.line)
    else:
        display({"text/plain": about.line, CLAIM: asdict(about)}, raw=True)
    if not about.holds:
        raise ClaimError(about.line + _failing(truth, of))


@dataclass(frozen=True)
class Claim:
    """A claim that was checked: its data, displayed under the mime type `CLAIM`, and the words in which it is shown."""

    sentence: str
    held: int
    count: int | None  # of truth values; None for a claim on one thing
    of: str
    measured: dict[str, list[float | str]] | None  # per name one number, or median, smallest and largest
    unit: str
    published: str | None
    source: str | None
    verdict: str

    @property
    def holds(self) -> bool:
        """True if the claim held wherever it was checked."""
        return self.held == (self.count or 1)

    @property
    def share(self) -> str:
        """ "16 of 16 seeds"; "" for a claim with a single truth value."""
        return f"{self.held} of {self.count} {self.of}" if self.count else ""

    @property
    def numbers(self) -> str:
        """The numbers behind it in words, for example "t5/t1: median 13, from 10 to 15"; "" if there are none."""
        unit = f" {self.unit}" if self.unit else ""
        return "; ".join(
            (f"{name}: " if name else "") + _summary([number(float(value)) for value in values], unit, named=bool(name))
            for name, values in (self.measured or {}).items()
        )

    @property
    def line(self) -> str:
        """The printed line: mark, share, sentence, numbers."""
        share = f"{self.share}: " if self.share else ""
        numbers = "; ".join(filter(None, [self.numbers, f"published {self.published}" if self.published else ""]))
        said = f"{'✓' if self.holds else '✗'} {share}{self.sentence}" + (f" ({numbers})" if numbers else "")
        return without_markup(said)


def _summary(numbers: list[str], unit: str, *, named: bool) -> str:
    """One number, or median and range; a range without extent is one number."""
    if len(set(numbers)) == 1:
        return f"{'' if named else 'measured '}{numbers[0]}{unit}"
    return f"median {numbers[0]}, from {numbers[1]} to {numbers[2]}{unit}"


def _failing(truth: NDArray[np.bool_], of: str) -> str:
    """Which of them do not hold: " (not for seed 3, 7)"; "" for a claim on one thing."""
    if truth.size == 1:
        return ""
    first = seed_range(1)[0] if of == "seeds" else 0
    return f" (not for {of.removesuffix('s')} {', '.join(str(first + i) for i in np.flatnonzero(~truth))})"


def _numbers(measured: Mapping[str, ArrayLike] | ArrayLike | None) -> dict[str, list[float | str]] | None:
    """Per name one number, or median, smallest and largest; rounded, so that they repeat on every run."""
    if measured is None:
        return None
    named = measured if isinstance(measured, Mapping) else {"": measured}
    return {name: _median_and_range(values) for name, values in named.items()}


def _median_and_range(measured: ArrayLike) -> list[float | str]:
    values = np.asarray(measured, dtype=float).ravel()
    if not values.size or np.isnan(values).any():
        raise ValueError("measured holds no number, or one that is not a number")
    with np.errstate(invalid="ignore"):
        chosen = [values[0]] if values.size == 1 else [np.median(values), values.min(), values.max()]
    if np.isnan(chosen[0]):
        raise ValueError("measured has no median, which would lie between −∞ and ∞")
    return [_rounded(value) for value in chosen]


def _rounded(value: float) -> float | str:
    """Two significant digits; a string for an infinite value, which JSON does not have."""
    return float(f"{value:.2g}") if np.isfinite(value) else ("inf" if value > 0 else "-inf")


def _plain(value: float | str) -> str:
    """What was published: a text as it is, a number with the digits that it has, six at most."""
    if isinstance(value, str):
        return value
    return number(value, digits=next((d for d in range(1, 6) if float(f"{value:.{d}g}") == value), 6))
