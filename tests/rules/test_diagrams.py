"""The drawn diagrams: as their script draws them, each on one page, to be read in both themes."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "_static/diagrams"
FILES = sorted(FOLDER.glob("*.svg"))
STILL = FOLDER / "networks.svg"  # of the first page, where scripts are off


def test_the_files_are_what_the_script_draws():
    drawn = runpy.run_path(str(FOLDER / "draw.py"))["drawn"]()
    assert {path.name: path.read_text("utf8") for path in FILES} == drawn


@pytest.mark.parametrize("path", [path for path in FILES if path != STILL], ids=lambda path: path.stem)
def test_a_diagram_is_a_figure_of_one_page_with_words_for_it(path):
    pages = [page.read_text("utf8") for page in (ROOT / "chapters").glob("*.md")]
    found = [page for page in pages if f"{{figure}} ../_static/diagrams/{path.name}" in page]
    assert len(found) == 1
    figure = re.search(rf"\{{figure\}} \S*{path.name}\n:name: ([\w-]+)\n:alt: (.+)\n\n(.+\n)+```", found[0])
    assert len(figure[2]) > 80 and f"{{numref}}`{figure[1]}`" in found[0]


def test_without_scripts_the_first_page_shows_both_networks():
    alt = re.search(rf"!\[(.+)\]\(_static/diagrams/{STILL.name}\)", (ROOT / "index.md").read_text("utf8"))[1]
    left, right = (int(part) for part in re.findall(r">off by (\d+) %", STILL.read_text("utf8")))
    assert len(alt) > 80 and left < 10 and right > 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_diagram_can_stand_on_any_page_and_its_words_have_the_colour_of_the_text(path):
    text = path.read_text("utf8")
    assert " id=" not in text  # it stands in previews too
    assert set(re.findall(r'<text[^>]* fill="([^"]+)"', text)) == {"currentColor"}
