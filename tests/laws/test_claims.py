"""Claims: what raises, what is printed, what the build is given."""

import json
import subprocess
import sys

import numpy as np
import pytest

from fpbook import claims
from fpbook.claims import ClaimError, claim, seed_range
from fpbook.tables import table


def test_one_failing_seed_raises_and_is_counted(shown):
    with pytest.raises(ClaimError, match=r"✗ 2 of 3 seeds: all are below 3 \(median 2, from 1 to 3\)"):
        claim("all are below 3", np.array([1, 2, 3]) < 3, measured=[1, 2, 3])
    assert shown[0][claims.CLAIM]["held"] == 2 and shown[0][claims.CLAIM]["count"] == 3


@pytest.mark.parametrize("flags", [[], ["-O"], ["-OO"]])
def test_a_false_claim_raises_in_every_mode(flags):
    run = subprocess.run(
        [sys.executable, *flags, "-c", "from fpbook.claims import claim; claim('no', [True, False])"],
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0 and "ClaimError" in run.stderr and "✗ 1 of 2 seeds: no" in run.stderr


@pytest.mark.parametrize("holds", [1, 0.5, [0.2, 0.3], "yes", None, [[True], [True]]])
def test_only_truth_values_decide(holds):
    with pytest.raises(TypeError, match="truth value"):
        claim("a number is no truth value", holds)


@pytest.mark.parametrize(
    "arguments",
    [dict(holds=np.array([], bool)), dict(holds=True, verdict="maybe"), dict(holds=True, measured=[np.nan])]
    + [dict(holds=True, measured=[-np.inf, np.inf]), dict(holds=True, measured={"a": [1], "b": [-np.inf, np.inf]})],
)
def test_what_could_not_fail_or_be_read_is_refused(arguments):
    with pytest.raises(ValueError):
        claim("a sentence", **arguments)


def test_the_line_repeats_though_the_last_digits_do_not(shown):
    for noise in (0, 1e-9):
        claim("a ratio above 10", np.array([True, True]), measured=np.array([12.34, 15.1]) * (1 + noise), published=20)
    assert shown[0] == shown[1]
    assert shown[0]["text/plain"] == "✓ 2 of 2 seeds: a ratio above 10 (median 14, from 12 to 15; published 20)"


def test_the_numbers_are_median_smallest_and_largest(shown):
    claim("a skewed list", True, measured=[1, 2, 3, 4, 90], unit="steps", published="about 3")
    assert shown[0]["text/plain"] == "✓ a skewed list (median 3, from 1 to 90 steps; published about 3)"
    assert shown[0][claims.CLAIM]["measured"] == {"": [3, 1, 90]} and shown[0][claims.CLAIM]["published"] == "about 3"


def test_one_number_an_infinite_one_and_a_claim_without_seeds(shown):
    claim("one number", True, measured=1234, unit="steps")
    claim("never", np.array([True]), measured=[1, np.inf, np.inf], of="draws")
    assert [bundle["text/plain"] for bundle in shown] == [
        "✓ one number (measured 1,200 steps)",
        "✓ never (median ∞, from 1 to ∞)",
    ]
    assert all(json.loads(json.dumps(bundle, allow_nan=False)) == bundle for bundle in shown)


def test_the_verdict_is_confirmed_with_a_source_and_new_without(shown):
    claim("new", True)
    claim("confirmed", True, source="figure 1.1")
    claim("corrected", True, source="figure 1.1", verdict="corrected")
    assert [bundle[claims.CLAIM]["verdict"] for bundle in shown] == ["new", "confirmed", "corrected"]


@pytest.mark.parametrize("published, text", [(0.6155, "0.6155"), (12345, "12,345"), ("2 to 3", "2 to 3"), (None, None)])
def test_the_build_is_given_all_that_was_said(shown, published, text):
    about = dict(source="equation 1.2", verdict="conditional", unit="steps", of="draws")
    claim("one\n    two", [True, True, True], measured=[1.0, 7.0, 3.0], published=published, **about)
    given = {"sentence": "one two", "held": 3, "count": 3, "measured": {"": [3, 1, 7]}, "published": text}
    assert shown[0][claims.CLAIM] == about | given
    line = "✓ 3 of 3 draws: one two (median 3, from 1 to 7 steps"
    assert shown[0]["text/plain"] == line + (f"; published {text})" if text else ")")


def test_numbers_have_names_and_a_range_without_extent_is_one_number(shown):
    claim("a ratio", True, measured={"t5/t1": [10, 13, 15], "share of $k=1$": [0.72, 0.72], "tilt": -0.5})
    assert shown[0]["text/plain"] == "✓ a ratio (t5/t1: median 13, from 10 to 15; share of $k=1$: 0.72; tilt: −0.5)"


def test_the_error_names_the_seeds_that_fail(shown, monkeypatch):
    monkeypatch.setenv("FPBOOK_SEED", "100")
    with pytest.raises(ClaimError, match=r"1 of 3 seeds: no \(not for seed 101, 102\)"):
        claim("no", [True, False, False])
    with pytest.raises(ClaimError, match=r"1 of 2 networks: no \(not for network 1\)"):
        claim("no", [True, False], of="networks")


@pytest.mark.parametrize("sentence", ["", " ", "\n"])
def test_a_claim_has_words(sentence):
    with pytest.raises(ValueError, match="needs a sentence"):
        claim(sentence, True)


def test_a_sentence_is_text_and_mathematics():
    with pytest.raises(ValueError, match="asterisks"):
        claim("a sine *without* noise", True)
    with pytest.raises(ValueError, match="asterisks out of 'a "):
        claim("a sine", True, measured={"size": 1, "a *large* size": 2})
    claim("in $a^* * b$ they stand for something", True, measured={"$a^*$": 2})


def test_a_line_writes_its_numbers_as_tables_do(shown):
    about = dict(measured={"a": 2.36e-5, "b": [-1e-5, 1e6, 3e12], "c": [-1234, 0.5, np.inf]}, published=1e-5)
    claim("small in $10^{-5}$", True, **about)
    small, large = "2.4 × 10⁻⁵", "1.0 × 10⁶, from −1.0 × 10⁻⁵ to 3.0 × 10¹²"
    rest = "c: median 0.5, from −1,200 to ∞; published 1 × 10⁻⁵"
    assert shown[0]["text/plain"] == f"✓ small in $10^{{-5}}$ (a: {small}; b: median {large}; {rest})"
    table({"x": [about["measured"]["a"]]})
    assert shown[1]["text/plain"].endswith(small)
    told = claims.Claim(**shown[0][claims.CLAIM])
    assert told.line == shown[0]["text/plain"] and r"a: $2.4\times10^{-5}$" in told.numbers  # for a page


def test_the_environment_shifts_the_seeds(monkeypatch):
    monkeypatch.delenv("FPBOOK_SEED", raising=False)
    assert list(seed_range(3)) == [0, 1, 2]
    monkeypatch.setenv("FPBOOK_SEED", "1000")
    assert list(seed_range(2)) == [1000, 1001]


@pytest.mark.parametrize("first", ["-1", "x", "", "1.5"])
def test_a_first_seed_that_is_no_whole_number_is_refused(monkeypatch, first):
    monkeypatch.setenv("FPBOOK_SEED", first)
    with pytest.raises(ValueError, match="FPBOOK_SEED"):
        seed_range(2)
