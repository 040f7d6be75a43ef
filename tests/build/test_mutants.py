"""A claim that no broken experiment can make false is found."""

import falsifiable
import numpy as np
import pytest
import torch
from falsifiable import changed, negated, try_claims

from fpbook.claims import claim

T = np.array([[1.0, 5.0, 9.0], [2.0, 4.0, 11.0]])
NAMES = {"np": np, "torch": torch, "claim": claim, "t": T, "label": "x", "u": np.ones(2), "torch_t": torch.tensor(T)}
NAMES |= {"measure": lambda: T, "fitted": True, "two": {"a": 1.0, "b": 2.0}, "count": 50, "ratio": np.float64(3)}


@pytest.mark.parametrize(
    "code",
    [
        "claim('in order', (np.diff(t) > 0).all(1))",
        "claim('a ratio', t[:, 2] > 4 * t[:, 0], measured=t[:, 2] / t[:, 0])",
        "claim('a median', bool(np.median(t) > 3))",
        "assert u.ndim\nclaim('of its second input', (np.diff(t) > 0).all(1))",
        "claim('of what a function gives', (np.diff(measure()) > 0).all(1))",
        "claim('of a tensor', (np.diff(torch_t.numpy()) > 0).all(1))",
        "claim('of a tensor made in the cell', (np.diff(torch.tensor(t).numpy()) > 0).all(1))",
        "claim('of a truth value', fitted)",
        "claim('of numbers by name', bool(two['a'] < two['b']))",
        "claim('of a count', count > 40)",
        "claim('of a ratio', bool(ratio > 2))",
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
        "claim('an error is no answer', bool([1, 1, 1][int(t[0, 0])] == 1))",
        "if t[0, 0] != 1:\n    raise ValueError\nclaim('a ValueError is no answer', bool(t[0, 0] == 1))",
        "claim('fails only where two inputs are broken at once', bool(fitted or two['a'] < two['b']))",
    ],
)
def test_a_claim_that_cannot_fail_is_named(code):
    with pytest.raises(ValueError, match=r"whatever is measured: '"):
        try_claims([code, "claim('in order', (np.diff(t) > 0).all(1))"], NAMES)


def test_each_broken_experiment_is_what_it_is_called():
    values = np.arange(1.0, 13).reshape(3, 4) ** 2
    made = {mutation.__name__: mutation(values.copy()) for mutation in falsifiable.MUTATIONS}
    assert sorted(made["shuffled"].ravel()) == sorted(values.ravel()) and (made["shuffled"] != values).any()
    assert sorted(made["unpaired"].ravel()) == sorted(values.ravel())
    pair = np.arange(60.0), np.arange(60.0) + 1
    assert np.corrcoef(*map(falsifiable.shuffled, pair))[0, 1] == pytest.approx(1)
    assert abs(np.corrcoef(*map(falsifiable.unpaired, pair))[0, 1]) < 0.5
    np.testing.assert_allclose(made["constant"], values.mean())
    np.testing.assert_array_equal(made["negated"], -values)
    np.testing.assert_array_equal(made["untrained"], [values[0]] * 3)
    np.testing.assert_array_equal(made["reversed_order"], values[:, ::-1])
    assert (np.diff(made["rising"] / values, axis=0) > 0).all() and (made["rising"][-1] == values[-1]).all()
    assert (np.diff(made["tilted"] / values) < 0).all() and made["tilted"][0, -1] == pytest.approx(0.02 * values[0, -1])
    assert (made["nothing"] == 0).all()
    assert all((mutant != values).any() for mutant in made.values())


def test_a_trial_shows_nothing_and_what_follows_is_shown_again(shown):
    try_claims(["claim('in order', (np.diff(t) > 0).all(1))"], NAMES)
    assert shown == []
    claim("in order", (np.diff(T) > 0).all(1))
    assert len(shown) == 1


def test_the_names_of_the_page_are_left_as_they_are():
    names, before = dict(NAMES), T.copy()
    try_claims(["new = u\nt = t + 1\nt *= 2\nclaim('in order', (np.diff(t) > 0).all(1))"], names)
    assert names.keys() == NAMES.keys() and all(names[name] is NAMES[name] for name in names)
    np.testing.assert_array_equal(names["t"], before)


def test_two_claims_of_one_sentence_are_tried_each():
    same = "claim('{}', (np.diff(t) > 0).all(1))", "claim('{}', (t**2 >= 0).all(1))"
    for codes in (same, same[::-1]):
        with pytest.raises(ValueError, match="whatever is measured: 'one sentence'"):
            try_claims([code.format("one sentence") for code in codes], NAMES)


def test_numbers_inside_of_containers_are_changed():
    both = changed({"a": [np.array([1.0, 2.0]), "text"], "b": None}, negated)
    np.testing.assert_array_equal(both["a"][0], [-1, -2])
    assert both["a"][1] == "text" and both["b"] is None and changed({"b": "text"}, negated) is None
