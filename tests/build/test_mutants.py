"""A claim that no broken experiment can make false is found."""

import numpy as np
import pytest
from bookbuild.mutants import changed, negated, try_claims

from fpbook.claims import claim

NAMES = {"np": np, "claim": claim, "t": np.array([[1.0, 5.0, 9.0], [2.0, 4.0, 11.0]]), "label": "x"}


@pytest.mark.parametrize(
    "code",
    [
        "claim('in order', (np.diff(t) > 0).all(1))",
        "claim('a ratio', t[:, 2] > 4 * t[:, 0], measured=t[:, 2] / t[:, 0])",
        "claim('a median', bool(np.median(t) > 3))",
    ],
)
def test_a_claim_that_can_fail_passes(code):
    try_claims([code], NAMES)


@pytest.mark.parametrize(
    "code",
    [
        "claim('a square is not negative', (t**2 >= 0).all(1))",
        "claim('always', True)",
        "claim('cannot be computed otherwise', bool(len(t) == 2))",
    ],
)
def test_a_claim_that_cannot_fail_is_named(code):
    with pytest.raises(ValueError, match=r"whatever is measured: '"):
        try_claims([code, "claim('in order', (np.diff(t) > 0).all(1))"], NAMES)


def test_the_names_of_the_page_are_left_as_they_are():
    before = NAMES["t"].copy()
    try_claims(["t[:] = np.sort(t)\nclaim('in order', (np.diff(t) > 0).all(1))"], NAMES | {"t": before.copy()})
    np.testing.assert_array_equal(NAMES["t"], before)


def test_numbers_inside_of_containers_are_changed():
    both = changed({"a": [np.array([1.0, 2.0]), "text"], "b": None}, negated)
    np.testing.assert_array_equal(both["a"][0], [-1, -2])
    assert both["a"][1] == "text" and both["b"] is None and changed({"b": "text"}, negated) is None
