"""Numbers in the prose of a page are numbers that its cells, or those of a page it points to, print. After `make book`.

Compared are those that only a measurement can give: decimals, shares in percent, "N times", and ranges "(10 to 15)";
and every number in the answer of a guess. Prose rounds, so a number agrees with any that rounds to it. The sentence of
a claim has bounds, which are no measurements, so it does not count. Of a cell's source only a number that it assigns to
a name does, because that is a setting. Whole numbers without such a sign are counts and settings, too; formulas, code,
tables, captions, boxes, exercises and paragraphs that cite a work are left out.
"""

import ast
import functools
import re
from pathlib import Path

import nbformat
import pytest
from bookbuild.toc import entries
from bs4 import BeautifulSoup

from fpbook.claims import CLAIM

ROOT = Path(__file__).resolve().parents[2]
PAGES = {entry.path.stem: entry for entry in entries(ROOT) if entry.is_notebook}
OUTSIDE = (
    ".cell, pre, code, table, figure, template, .math, .guess, .admonition, .proof, .exercise, .solution, .small-copy"
)
NUMBER = r"[−-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[−-]?\d+(?:\.\d+)?"
MEASURED = re.compile(
    rf"(?<![\w.,])(?:(?:(?P<low>{NUMBER}) )?\((?P<range>{NUMBER}) to (?P<end>{NUMBER})(?=[\s,)])"
    rf"|(?P<decimal>[−-]?\d+\.\d+)(?![\d.]*\w)"
    rf"|(?P<share>{NUMBER})(?=[\s\u00a0\u202f]?(?:%|percent\b))|(?P<ratio>{NUMBER})(?= times\b))"
)

# Numbers that no cell prints, and why: arithmetic and examples of the text itself, and settings that have no name.
NOT_PRINTED = {
    "difficulties-images": {"0.2": "an example: a share of errors from which 0.4 % follows"},
    "deep-ratio-density": {
        "2": "exp(-4)", "37": "exp(-1)", "78": "exp(-1/4)",
        "17": "4.61 / 3.95 of the table above it",
    },
    "deep-layers": {"1.1": "the setting of the initial weights"},
    "deep-resnets": {"0.5": "another level, which the reader is asked to try"},
    "open-generative": {"1.5": "the setting of the largest noise level"},
    "open-spikes": {"1.5": "the setting of where a spike ends"},
}  # fmt: skip


def value(text):
    return float(text.replace(",", "").replace("−", "-"))


def agrees(text, known):
    """True if a number of the prose is one of `known`, rounded to as many places as it shows."""
    places = len(text.partition(".")[2])
    half = 0.5 * 10.0**-places
    if not places:  # 3,400 stands for what rounds to 3,400 at its last digit that is no zero
        digits = text.strip("−-").replace(",", "")
        half *= 10 ** (len(digits) - len(digits.rstrip("0"))) if digits.strip("0") else 1
    return any(abs(abs(value(text)) - abs(other)) <= half * (1 + 1e-9) for other in known)


def settings(source):
    """The numbers that a cell assigns to a name, as in ``n, lr = 41, 2e-4``."""
    values = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assign)]
    parts = [part for value in values for part in (value.elts if isinstance(value, ast.Tuple) else [value])]
    return {float(part.value) for part in parts if isinstance(part, ast.Constant) and type(part.value) in (int, float)}


def printed(data):
    """The text of an output; of a claim what was measured, without its sentence."""
    if CLAIM in data:
        return repr([data[CLAIM][part] for part in ("held", "count", "measured", "published")])
    return "\n".join(data.get(f"text/{kind}", "") for kind in ("plain", "markdown"))


@functools.cache
def known_numbers(name):
    """Every number that the cells of a page print or assign, claims and tables included; fractions as percent, too."""
    cells = nbformat.read(ROOT / "_build/executed" / f"{name}.ipynb", as_version=4).cells
    cells = [cell for cell in cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    texts = [output.get("text", "") + printed(output.get("data", {})) for output in outputs]
    found = re.findall(rf"(?:{NUMBER})(?:[eE][+-]?\d+)?", "\n".join(texts))
    numbers = {float(number.replace(",", "").replace("−", "-")) for number in found}
    numbers = numbers.union(*(settings(cell.source) for cell in cells))
    shares = {100 * number for number in numbers if abs(number) <= 1}
    return numbers | shares | {100 * abs(1 - number) for number in numbers if 0 < number < 2}  # "4 % higher" from 1.04


def paragraphs(name):
    """The text of each paragraph and list item, and the pages that it points to."""
    article = BeautifulSoup((ROOT / f"_build/html/chapters/{name}.html").read_text("utf8"), "html.parser").article
    for node in article.select(OUTSIDE):
        node.decompose()
    for heading in article.find_all("h2", string=re.compile("Exercises")):
        heading.find_parent("section").decompose()
    for node in article.find_all(["p", "li"]):
        if node.find("p") or node.select(".bibtex-citation, [href*='references.html']"):
            continue
        links = {Path(a["href"].partition("#")[0]).stem for a in node.select("a[href]")} & set(PAGES)
        for link in node.select("a.reference"):
            link.replace_with(" ")  # Fig. 1.1.2, 1.2.3
        yield " ".join(node.get_text().split()), links


def answer(guess):
    """The right choice of a guess and its reason, without formulas and names of figures."""
    for node in guess.select(".math, a.reference"):
        node.replace_with(" ")
    return " ".join(part.get_text(" ") for part in guess.select(".guess-right, .guess-answer"))


@pytest.mark.parametrize("name", PAGES)
def test_numbers_in_the_answer_of_a_guess_are_printed_by_a_cell(name):
    article = BeautifulSoup((ROOT / f"_build/html/chapters/{name}.html").read_text("utf8"), "html.parser").article
    for guess in article.select(".guess"):
        numbers = re.findall(NUMBER, answer(guess))
        assert [number for number in numbers if not agrees(number, known_numbers(name))] == []


@pytest.mark.parametrize("name", PAGES)
def test_numbers_in_the_prose_are_printed_by_a_cell(name):
    unknown, excused = [], set(NOT_PRINTED.get(name, {}))
    for text, links in paragraphs(name):
        known = known_numbers(name).union(*(known_numbers(page) for page in links))
        for match in MEASURED.finditer(text):
            for number in filter(None, match.groups()):
                if not agrees(number, known) and number not in excused:
                    unknown.append(f"{number} in: …{text[max(0, match.start() - 60) : match.end() + 30]}…")
    shown = " ".join(text for text, _ in paragraphs(name))
    assert [number for number in excused if number not in shown] == [], "no longer in the text: take it out of the list"
    assert unknown == [], "no cell prints these; write what a claim or a table of the page shows\n" + "\n".join(unknown)


@pytest.mark.parametrize("text, known, right", [
    ("13", [12.6], True), ("13", [12.4], False), ("0.72", [0.7249], True), ("0.72", [0.73], False),
    ("3,400", [3437], True), ("3,400", [3460], False), ("72", [72.4], True), ("−0.5", [0.52], True),
])  # fmt: skip
def test_a_number_of_the_prose_agrees_with_what_rounds_to_it(text, known, right):
    assert agrees(text, known) == right


@pytest.mark.parametrize("text, found", [
    ("the ratio is 13 (10 to 15) here", ["13", "10", "15"]), ("about 0.72 of it", ["0.72"]),
    ("72 % of 16 seeds", ["72"]), ("13 times the steps (10 to 15)", ["13", "10", "15"]),
    ("14 times as long as 16 runs", ["14"]), ("in 1.2.3 and 2.5e-3, version 3.1a", []), ("a width of 100", []),
])  # fmt: skip
def test_measured_numbers_are_told_from_counts_and_references(text, found):
    assert [number for match in MEASURED.finditer(text) for number in match.groups() if number] == found
