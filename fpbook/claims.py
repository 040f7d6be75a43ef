"""Claims: a sentence, what decides whether it holds, and the numbers behind it; and the seeds that they are checked on.

A claim is shown as one line. The built page draws it with a mark, and the ledger collects all of them. A claim that
does not hold raises, in every mode of Python: it is no ``assert``.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from IPython import get_ipython
from IPython.display import display
from numpy.typing import ArrayLike, NDArray

CLAIM = "application/vnd.fpbook.claim+json"  # the mime type under which the built book finds a claim
VERDICTS = ("confirmed", "conditional", "corrected", "new")


class ClaimError(Exception):
    """A claim does not hold; the message has the sentence, the count and the numbers."""


def seed_range(n: int) -> range:
    """The n seeds of an experiment, `range(first, first + n)`.

    `first` is 0, or what the environment variable FPBOOK_SEED says. It shifts the draws of every page: initial weights,
    noise, subsets, the order of mini-batches. So other seeds are one variable away.

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
        What is claimed, in words, with its bound. Mathematics in ``$...$``.
    holds : bool or array of bool
        One truth value per seed (or draw), or one for a claim on a median or on something without seeds. All must be
        true.
    measured : dict of name -> number or array, optional
        The numbers behind it, by what they are: ``{"t5/t1": ratio}``. An array is shown as its median and range, to two
        significant digits. An array without a name is taken too, and shown without one.
    published : number or str, optional
        What the source has.
    source : str, optional
        The figure or equation of the source, as ``"figure 1.1"``, ``"equation 1.2"``.
    verdict : {"confirmed", "conditional", "corrected", "new"}, optional
        What the book says of the source there. Without it: "confirmed" if `source` is given, else "new".
    unit : str
        Of `measured`.
    of : str
        What an array counts: "seeds", "draws", "networks".

    Raises
    ------
    ClaimError
        If a value of `holds` is false.
    TypeError, ValueError
        If `holds` holds something other than truth values, or nothing; if the verdict is unknown; if the sentence has
        an asterisk outside of ``$...$``, which no page and no notebook would show as emphasis.

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
    if "*" in re.sub(r"\$[^$]*\$", "", sentence):
        raise ValueError(f"a claim's sentence is plain text and $mathematics$: take the asterisks out of {sentence!r}")
    verdict = verdict or ("confirmed" if source else "new")
    if verdict not in VERDICTS:
        raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, not {verdict!r}")
    about: dict[str, Any] = {
        "sentence": " ".join(sentence.split()),
        "held": int(truth.sum()),
        "count": int(truth.size) if truth.ndim and truth.size > 1 else None,
        "of": of,
        "measured": _numbers(measured),
        "unit": unit,
        "published": None if published is None else _plain(published),
        "source": source,
        "verdict": verdict,
    }
    line = claim_line(about)
    if get_ipython() is None:
        print(line)
    else:
        display({"text/plain": line, CLAIM: about}, raw=True)
    if not truth.all():
        raise ClaimError(line + _failing(truth, of))


def claim_line(about: dict[str, Any]) -> str:
    """The printed line of a claim, from its data: mark, count, sentence, numbers."""
    count = f"{about['held']} of {about['count']} {about['of']}: " if about["count"] else ""
    published = f"published {about['published']}" if about["published"] else ""
    numbers = "; ".join(filter(None, [measured_text(about), published]))
    return f"{'✓' if claim_holds(about) else '✗'} {count}{about['sentence']}" + (f" ({numbers})" if numbers else "")


def claim_holds(about: dict[str, Any]) -> bool:
    """True if the claim held wherever it was checked."""
    return about["held"] == (about["count"] or 1)


def measured_text(about: dict[str, Any]) -> str:
    """The numbers behind a claim in words, "t5/t1: median 13, from 10 to 15"; "" if there are none."""
    unit = f" {about['unit']}" if about["unit"] else ""
    return "; ".join(
        (f"{name}: " if name else "") + _summary([_text(value) for value in values], unit, named=bool(name))
        for name, values in (about["measured"] or {}).items()
    )


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
    chosen = [values[0]] if values.size == 1 else [np.median(values), values.min(), values.max()]
    return [_rounded(value) for value in chosen]


def _rounded(value: float) -> float | str:
    """Two significant digits; a string for an infinite value, which JSON does not have."""
    return float(f"{value:.2g}") if np.isfinite(value) else ("inf" if value > 0 else "-inf")


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return {"inf": "∞", "-inf": "−∞"}[value]
    return ("−" if value < 0 else "") + f"{abs(value):,.6g}"


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.6g}"
