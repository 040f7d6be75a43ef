"""The built book: numbers, alternative texts, notebooks. Run after `make book`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from execute import notebooks

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
NUMBERS = {path.stem: number for path, number in notebooks(ROOT).items()}
PAGES = ["index", *(f"chapters/{name}" for name in ["frequency-principle", *NUMBERS, "notation", "references"])]


def soup(page):
    return BeautifulSoup((HTML / f"{page}.html").read_text("utf8"), "html.parser")


@pytest.fixture(params=NUMBERS)
def section(request):
    return request.param


def executed(name):
    return nbformat.read(ROOT / "_build/executed" / f"{name}.ipynb", as_version=4)


def test_sections_are_numbered_1_1_to_1_5():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf8"))
    sections = [Path(entry["file"]).name for entry in toc["parts"][0]["chapters"][0]["sections"]]
    assert len(sections) == 5
    for number, name in zip(["1.1", "1.2", "1.3", "1.4", "1.5"], sections):
        assert soup(f"chapters/{name}").select_one("article h1").get_text().startswith(f"{number}. ")


def test_figures_are_numbered_in_their_section(section):
    numbers = [span.get_text().strip() for span in soup(f"chapters/{section}").select("figcaption .caption-number")]
    assert numbers == [f"Fig. {NUMBERS[section]}.{i}" for i in range(1, len(numbers) + 1)]
    drawn = sum("figure" in cell.metadata.get("mystnb", {}) for cell in executed(section).cells)
    assert len(numbers) >= drawn > 0


@pytest.mark.parametrize("page", PAGES)
def test_every_image_has_an_alternative_text_that_is_not_its_path(page):
    for image in soup(page).select("article img"):
        alt = image.get("alt", "")
        assert len(alt) >= 20 and not re.search(r"\.(png|jpe?g|svg)$|_images|_build", alt), image


def test_every_cell_was_executed_without_error(section):
    for cell in executed(section).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None
            assert {output.output_type for output in cell.outputs} <= {"stream", "display_data", "execute_result"}
            assert {output.name for output in cell.outputs if output.output_type == "stream"} <= {"stdout"}


def test_printed_text_holds_no_path_and_no_address(section):
    outputs = [output for cell in executed(section).cells for output in cell.get("outputs", [])]
    text = "\n".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs)
    assert re.findall(rf"{ROOT}|{Path.home()}/|0x[0-9a-f]{{6,}}", text) == []


def test_the_notebook_for_colab_is_plain_and_keeps_its_outputs(section):
    path = ROOT / "_build/notebooks/chapters" / f"{section}.ipynb"
    assert path.read_bytes() == (HTML / "_sources/chapters" / path.name).read_bytes()
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert re.findall(r"^:::.*|^`{3,}\{.*|\{[\w:]+\}`[^`]*`|^\([\w:-]+\)=$", text, re.MULTILINE) == []
    outputs = [cell.outputs for cell in cells if cell.cell_type == "code"]
    assert outputs == [cell.outputs for cell in executed(section).cells if cell.cell_type == "code"]


def test_plain_notebooks_number_their_figures_as_the_pages_do(section):
    path = ROOT / "_build/notebooks/chapters" / f"{section}.ipynb"
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    on_page = [span.get_text().strip() for span in soup(f"chapters/{section}").select("figcaption .caption-number")]
    assert re.findall(r"\*\*(Fig\. [\d.]+)\*\*", text) == on_page


def test_no_button_points_at_an_unknown_repository():
    if "GITHUB_REPOSITORY" not in os.environ:
        links = [a["href"] for a in soup(f"chapters/{next(iter(NUMBERS))}").select("a[href]")]
        assert [href for href in links if "colab.research" in href or "OWNER" in href] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_script_is_loaded_twice(page):
    sources = [script["src"] for script in soup(page).select("script[src]")]
    assert len(sources) == len(set(sources))


def test_a_rebuild_with_nothing_changed_executes_nothing_and_is_quick():
    start = os.times()
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "."]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = sum(os.times()[2:4]) - sum(start[2:4])
    assert run.returncode == 0 and "executing" not in run.stdout
    assert seconds < 20, f"{seconds:.0f} s of processor time"
