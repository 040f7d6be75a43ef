"""The rules that every section keeps, read from its source; no cell is executed here."""

import ast
import io
import re
import tokenize
from pathlib import Path

import jupytext
import pytest
import yaml
from execute import write
from twins import twin

ROOT = Path(__file__).resolve().parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf8"))
CHAPTER = TOC["parts"][0]["chapters"][0]
SECTIONS = [Path(entry["file"]).name for entry in CHAPTER["sections"]]
INSTALL_CELL = (ROOT / "_ext" / "install_cell.py").read_text(encoding="utf8").strip()

HEADER = {"extension": ".md", "format_name": "myst"}
DRAWING = re.compile(r"\bplt\.(subplots|figure)\(")
LAB = re.compile(r"def \w+\(progress\b")  # it draws in a live kernel only
NOT_REPEATABLE = re.compile(r"__file__|getcwd|perf_counter|process_time|time\.time|datetime|tempfile|%time")
FORBIDDEN = re.compile(r"\bglue\b|\.cuda\(|import \*|^\s*[%!]|except:|filterwarnings|pickle", re.MULTILINE)
BARE_SOURCE_FIGURE = re.compile(r"(?<!source )\b(?:figures?|fig\.) 1\.\d", re.IGNORECASE)
EXERCISE = re.compile(r"\{exercise-start\}[^\n]*\n:label:\s*(\S+)")


def read(name):
    return jupytext.read(ROOT / "chapters" / f"{name}.md")


def code_cells(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def prose(name):
    return "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")


def tags(cell):
    return set(cell.metadata.get("tags", []))


def head(cell):
    return cell.source.split("\n")[0]


def is_claim(cell):
    return cell.source.startswith("# Claim:")


def drawing_cells(name):
    return [cell for cell in code_cells(name) if DRAWING.search(cell.source) and not LAB.search(cell.source)]


@pytest.fixture(params=SECTIONS)
def section(request):
    return request.param


def test_five_sections_below_one_chapter_page():
    assert len(SECTIONS) == 5 and TOC["parts"][0]["numbered"] is True


def test_header_names_format_and_kernel(section):
    metadata = read(section).metadata
    assert HEADER.items() <= metadata.jupytext["text_representation"].items()
    assert metadata.kernelspec["name"] == "python3"


def test_the_first_code_cell_installs_the_package_on_colab(section):
    first = code_cells(section)[0]
    assert first.source.strip() == INSTALL_CELL and tags(first) == {"hide-cell"}


def test_cells_are_short(section):
    assert [head(cell) for cell in code_cells(section) if len(cell.source.strip().split("\n")) > 15] == []


def test_prose_stands_between_any_two_code_cells(section):
    cells = read(section).cells
    pairs = zip(cells, cells[1:])
    assert [head(b) for a, b in pairs if a.cell_type == b.cell_type == "code"] == []


def test_every_drawing_is_a_named_figure_with_caption_and_alt_text(section):
    for cell in drawing_cells(section):
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert re.fullmatch(r"fig-[a-z0-9-]+", figure.get("name", "")), head(cell)
        assert len(figure.get("caption", "")) >= 20, head(cell)
        assert len(alt) >= 40, head(cell)


def test_a_figure_cell_shows_nothing_but_its_figure(section):
    """Two outputs would be two figures of one name. A value at the end of a cell is an output."""
    last = {head(cell): ast.parse(cell.source).body[-1] for cell in drawing_cells(section)}
    assert [name for name, statement in last.items() if isinstance(statement, ast.Expr)] == []


def test_labels_are_unique_over_the_book():
    labels = [cell.metadata["mystnb"]["figure"]["name"] for name in SECTIONS for cell in drawing_cells(name)]
    labels += [
        label
        for name in SECTIONS
        for label in re.findall(r"^\(([\w:-]+)\)=|^:label:\s*(\S+)", prose(name), re.MULTILINE)
    ]
    assert len(labels) == len(set(labels))


def test_every_figure_is_mentioned_in_the_prose(section):
    text = prose(section)
    for cell in drawing_cells(section):
        name = cell.metadata["mystnb"]["figure"]["name"]
        assert re.search(rf"\{{numref\}}`(?:[^`<]*<)?{name}>?`", text), name


def test_input_is_hidden_only_on_claim_checks_and_long_drawing(section):
    for cell in code_cells(section)[1:]:
        assert tags(cell) <= {"hide-input"}, head(cell)
        if "hide-input" in tags(cell) and not is_claim(cell):
            assert "ax" in cell.source and len(cell.source.split("\n")) >= 12, head(cell)
            assert "train(" not in cell.source and "nudft(" not in cell.source, head(cell)


def test_claims_are_checked(section):
    claims = [cell for cell in code_cells(section) if is_claim(cell)]
    assert claims
    assert [
        head(cell) for cell in claims if not re.search(r"^\s*(assert |np\.testing\.assert_)", cell.source, re.MULTILINE)
    ] == []


def test_three_exercises_with_executed_solutions_in_dropdowns(section):
    text = "\n".join(c.source if c.cell_type == "markdown" else f"<code>\n{c.source}" for c in read(section).cells)
    labels = EXERCISE.findall(text)
    assert len(labels) >= 3
    for label in labels:
        solution = re.search(
            rf"\{{solution-start\}} {label}\s*\n:class: dropdown(.*?)\{{solution-end\}}", text, re.DOTALL
        )
        assert solution and "<code>" in solution[1], label


def test_one_lab_trains_again(section):
    cells = code_cells(section)
    assert sum(bool(LAB.search(cell.source)) for cell in cells) == 1
    assert sum(bool(re.search(r"^lab\(", cell.source, re.MULTILINE)) for cell in cells) == 1


def test_code_prints_the_same_on_every_run(section):
    assert [head(cell) for cell in code_cells(section)[1:] if NOT_REPEATABLE.search(cell.source)] == []


def test_code_keeps_the_house_rules(section):
    cells = code_cells(section)[1:]
    assert [head(cell) for cell in cells if FORBIDDEN.search(cell.source)] == []
    code = "\n".join(cell.source for cell in cells)
    names = {t.string for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type == tokenize.NAME}
    assert {name for name in names if not name.isascii()} == set()
    assert code.count('plt.style.use("fpbook.book")') == 1


def test_the_device_is_chosen_once_in_a_visible_line(section):
    choosing = [cell for cell in code_cells(section) if re.search(r"^device = ", cell.source, re.MULTILINE)]
    assert len(choosing) == 1 and not tags(choosing[0])


def test_networks_are_seeded_where_they_are_made(section):
    for cell in code_cells(section):
        if "MLP(" in cell.source and "train(" in cell.source:
            assert "manual_seed(" in cell.source, head(cell)


def test_figures_of_the_source_are_called_so(section):
    captions = [cell.metadata["mystnb"]["figure"]["caption"] for cell in drawing_cells(section)]
    text = re.sub(r"\{\w+\}`[^`]*`", "", "\n".join([prose(section), *captions]))
    assert BARE_SOURCE_FIGURE.findall(text.replace("\n", " ")) == []


def test_the_twin_agrees_with_its_source(section, tmp_path):
    """If this fails, run `make twins`."""
    write(twin(ROOT / "chapters" / f"{section}.md"), tmp_path / "twin.ipynb")
    assert (tmp_path / "twin.ipynb").read_text("utf8") == (ROOT / "chapters" / f"{section}.ipynb").read_text("utf8")
