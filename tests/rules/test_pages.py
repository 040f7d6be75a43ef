"""The rules that every notebook page keeps, read from its source; no cell is executed here."""

import ast
import copy
import dis
import functools
import io
import re
import tokenize
import types
from pathlib import Path

import jupytext
import pytest
from bookbuild.publish.twins import write_twins
from bookbuild.read.interactive import LISTS
from bookbuild.toc import entries

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = entries(ROOT)
PAGES = {entry.path.stem: entry for entry in ENTRIES if entry.is_notebook}
SECTIONS = [name for name, entry in PAGES.items() if entry.depth == 1]

CELLS, WORDS, COLUMNS, LINES, CLAIMS, WORDS_FIRST = 30, 2600, 88, 20, 8, 90
OPENING = (120, 200)  # words before the first cell
FOLDS = {"Set-up", "How this is drawn", "How this is checked", "What moves"}
DRAWING = re.compile(r"\bplt\.(subplots|subplot_mosaic|figure)\(|^replay\(", re.MULTILINE)
LAB = re.compile(r"^lab\(", re.MULTILINE)
LAB_RUN = re.compile(r"def \w+\(progress\b")  # it draws in a live kernel only
NOT_REPEATABLE = re.compile(r"__file__|getcwd|perf_counter|process_time|time\.time|datetime|tempfile|%time")
FORBIDDEN = re.compile(r"\bglue\b|\.cuda\(|import \*|^\s*[%!]|except:|filterwarnings|pickle|_kernels", re.MULTILINE)
BARE_SOURCE_FIGURE = re.compile(
    r"(?<!source )(?<!source's )(?<!original )(?<!notes' )(?<!notes’ )\b(?:figures?|fig\.) 1\.\d", re.IGNORECASE
)
EXERCISE = re.compile(r"\{exercise-start\}[^\n]*\n:label:\s*(\S+)")
BOX = "```{admonition} The original figure"
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs|al|Fig|Eq|Sec|No|resp|Dr|approx)\.$")
NAME = r"fig-[a-z0-9]+(-[a-z0-9]+)+"
VERDICT = re.compile(r"^((?:figure|equation) 1\.\d+): .+$", re.MULTILINE)


@pytest.fixture(params=PAGES)
def page(request):
    return request.param


@pytest.fixture(params=SECTIONS)
def section(request):
    return request.param


@functools.cache
def read(name):
    """The notebook of a page, read once; no test changes it."""
    return jupytext.read(PAGES[name].path)


def code_cells(name):
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


def prose(name):
    return "\n\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")


def before_exercises(name):
    """The cells of a page's main part."""
    found = []
    for cell in read(name).cells:
        if cell.cell_type == "markdown" and (match := re.search(r"^#+ Exercises", cell.source, re.MULTILINE)):
            shortened = copy.deepcopy(cell)
            shortened.source = cell.source[: match.start()]
            return [*found, shortened]
        found.append(cell)
    return found


def tags(cell):
    return set(cell.metadata.get("tags", []))


def fold(cell):
    return cell.metadata.get("mystnb", {}).get("code_prompt_show", "")


def head(cell):
    return cell.source.split("\n")[0]


@functools.cache
def all_calls(source):
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def calls(cell, name):
    """The calls of a function in a cell."""
    found = all_calls(cell.source)
    return [node for node in found if getattr(node.func, "id", getattr(node.func, "attr", "")) == name]


def drawing_cells(name):
    return [cell for cell in code_cells(name) if DRAWING.search(cell.source) and not LAB_RUN.search(cell.source)]


def figure_of(cell):
    return cell.metadata.get("mystnb", {}).get("figure", {})


# The book


def test_the_sections_of_the_notes_and_one_of_ours_below_one_chapter_and_pages_below_them():
    numbered = [entry for entry in ENTRIES if entry.number]
    assert [entry.number for entry in numbered if entry.depth == 1] == ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]
    assert max(entry.depth for entry in numbered) <= 2 and all(entry.is_notebook for entry in numbered if entry.depth)


def test_every_page_of_the_book_exists_and_every_notebook_is_in_it():
    assert [entry.name for entry in ENTRIES if not entry.path.is_file()] == []
    listed = {entry.path for entry in ENTRIES}
    assert [path.name for path in (ROOT / "chapters").glob("[!_]*.md") if path not in listed] == []


def test_labels_are_unique_over_the_book():
    labels = [figure_of(cell)["name"] for name in PAGES for cell in drawing_cells(name)]
    for entry in ENTRIES:
        text = prose(entry.path.stem) if entry.is_notebook else entry.path.read_text(encoding="utf8")
        labels += [a or b for a, b in re.findall(r"^\(([\w:-]+)\)=|^:label:\s*(\S+)", text, re.MULTILINE)]
    assert sorted(labels) == sorted(set(labels))


def test_the_twins_agree_with_their_pages():
    """If this fails, the message says what to do."""
    assert write_twins(ROOT, check=True) == []


# A page


def test_header_names_format_and_kernel(page):
    metadata = read(page).metadata
    assert {"extension": ".md", "format_name": "myst"}.items() <= metadata.jupytext["text_representation"].items()
    assert metadata.kernelspec["name"] == "python3"


def test_a_page_is_one_idea(page):
    cells = before_exercises(page)
    words = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert sum(cell.cell_type == "code" for cell in cells) <= CELLS
    assert len(re.sub(r"\$[^$]*\$", "x", words).split()) <= WORDS


def first_text(name):
    return next(cell for cell in read(name).cells if cell.cell_type == "markdown").source


def section_of(name, heading):
    """The text below a heading of the second level; "" if there is none."""
    match = re.search(rf"^## {heading}\n(.*?)(?=^## |^```{{admonition}}|\Z)", prose(name), re.MULTILINE | re.DOTALL)
    return match[1].strip() if match else ""


def test_a_page_opens_with_a_label_a_title_and_the_figure_of_its_answer(page):
    assert re.match(r"\(sec-[\w-]+\)=\n# [^\n]+\n", first_text(page).strip()), "a label and the title come first"
    answers = [cell for cell in code_cells(page) if "answer" in tags(cell)]
    assert len(answers) == 1 and figure_of(answers[0]), "one cell is tagged `answer` and draws the figure"


def test_the_opening_raises_a_question_in_120_to_200_words(page):
    text = re.sub(r"^```\{guess\}.*?^```", "", first_text(page), flags=re.MULTILINE | re.DOTALL)
    text = text.split("\n## ")[0].partition("\n# ")[2].partition("\n")[2]
    words = re.sub(r"\$[^$]*\$", "x", text).split()
    assert OPENING[0] <= len(words) <= OPENING[1], f"{len(words)} words before the first heading or cell"
    assert "?" in text, "the opening asks what the page answers"
    assert not re.search(r"\bsource\b", text), "the lecture notes come in the box at the end"


def test_a_page_ends_with_practice_a_summary_and_the_original_figure(page):
    assert re.search(r"\{cite", section_of(page, "In practice")), (
        "what the page changes for a practitioner, with a reference"
    )
    summary = section_of(page, "In short")
    assert len(re.findall(r"^- ", summary, re.MULTILINE)) == 3, "three full sentences"
    assert not summary.splitlines()[-1].startswith("- "), "then one that hands the next question on"
    order = [prose(page).find(f"\n{heading}") for heading in ["## In practice", "## In short", BOX, "## Exercises"]]
    found = [place for place in order if place >= 0]
    assert found == sorted(found)
    if any(
        keyword.arg == "source"
        for cell in code_cells(page)
        for call in calls(cell, "claim")
        for keyword in call.keywords
    ):
        assert prose(page).count(f"\n{BOX}\n:class: dropdown") == 1, "one folded box about the original figure"


def test_one_sentence_a_line(page):
    wrong = []
    for cell in (cell for cell in read(page).cells if cell.cell_type == "markdown"):
        before, math = "", False
        for line in cell.source.splitlines():
            text = re.sub(r"^(?:[-*+]|\d+\.|>+)\s+", "", line.strip())
            text = re.sub(r"^\*\*[^*]+[.:]\*\*\s+", "", text)  # a lead
            text = "```" if text.startswith("```") else re.sub(r"\$[^$]+\$|(?:\{[\w:]+\})?`[^`]*`", "x", text)
            math ^= line.strip().startswith("$$") and line.count("$$") == 1
            plain = bool(text) and not math and not re.match(r"[#:`|({]|\$\$|---", text)
            if plain:
                ends = re.finditer(r"[.!?][)*_”\"]*\s+(?=[*_(“\"]*[A-Z])", text)
                if any(not ABBREVIATION.search(text[: end.start() + 1]) for end in ends):
                    wrong.append(f"two sentences: {line}")
                if before and re.match(r"[a-z]", text) and not re.search(r"[.!?:;]$", before):
                    wrong.append(f"a sentence goes on: {line}")
            before = text if plain else ""
    assert wrong == []


def test_prose_stands_between_any_two_code_cells(page):
    cells = read(page).cells
    pairs = zip(cells, cells[1:])
    assert [head(b) for a, b in pairs if a.cell_type == b.cell_type == "code"] == []


# Cells


def test_cells_are_short_and_narrow(page):
    cells = code_cells(page)
    assert [head(cell) for cell in cells if len(cell.source.strip().splitlines()) > LINES] == []
    assert [line for cell in cells for line in cell.source.splitlines() if len(line) > COLUMNS] == []


def test_one_statement_a_line_and_one_loop_a_comprehension(page):
    wrong = []
    for cell in code_cells(page):
        for node in ast.walk(ast.parse(cell.source)):
            for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
                if isinstance(body, list) and body:
                    starts = [statement.lineno for statement in body]
                    same = len(set(starts)) < len(starts) or getattr(node, "lineno", 0) == starts[0]
                    wrong += [f"two statements: {ast.unparse(body[0])}"] * same
            if len(getattr(node, "generators", [0])) > 1:
                wrong.append(f"two loops: {ast.unparse(node)}")
    assert wrong == []


def names(code):
    """Names that a cell binds at its top level, and names that it reads without having bound them before."""
    bound, read = set(), set()

    def visit(block, outer):
        done = set()
        for step in dis.get_instructions(block):
            if outer and step.opname == "STORE_NAME":
                bound.add(step.argval)
                done.add(step.argval)
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in done:
                read.add(step.argval)
        for constant in block.co_consts:
            if isinstance(constant, types.CodeType):
                visit(constant, False)

    visit(compile(code, "cell", "exec"), True)
    defined = {name for name in bound if re.search(rf"^(?:def|class) {re.escape(name)}\b", code, re.MULTILINE)}
    return bound, read - defined


def rebinding(sources):
    """Names that a cell reads, that an earlier one bound and a later one binds anew; so it may not be run twice."""
    known, found = [names(source) for source in sources], []
    for i, (_, read) in enumerate(known):
        earlier = set().union(*(bound for bound, _ in known[:i]))
        later = set().union(*(bound for bound, _ in known[i + 1 :]))
        found += [name for name in sorted(read & earlier & later) if not name.startswith("_")]
    return found


def test_no_cell_reads_a_name_that_a_later_cell_rebinds(page):
    assert rebinding(cell.source for cell in code_cells(page)) == []


def test_rebinding_is_seen():
    assert rebinding(["x = 1", "y = x", "x = 2"]) == ["x"]
    assert rebinding(["x = 1", "def f():\n    return x", "x = 2"]) == ["x"]
    assert rebinding(["x = 1", "x = 2\ny = x", "z = y"]) == [] and rebinding(["x = 1", "y = x", "z = x"]) == []


def test_the_first_cell_is_the_set_up(page):
    first, *others = code_cells(page)
    assert "find_spec" not in first.source, "what Colab needs is put in when the notebook is written"
    assert tags(first) == {"hide-input"} and fold(first) == "Set-up"
    everything = "\n".join(cell.source for cell in [first, *others])
    assert first.source.count('plt.style.use("fpbook.book")') == everything.count("plt.style.use(") == 1
    assert not [head(cell) for cell in others if re.search(r"^(import|from) ", cell.source, re.MULTILINE)]
    chosen = re.findall(r"^device = .*", everything, re.MULTILINE)
    assert chosen in ([], ['device = "cuda" if torch.cuda.is_available() else "cpu"'])


def test_folds_say_what_is_inside_and_hide_nothing_else(page):
    for cell in code_cells(page):
        assert tags(cell) <= {"hide-input", "answer"}, head(cell)
        assert ("hide-input" in tags(cell)) == bool(fold(cell)), head(cell)
        assert fold(cell) in FOLDS | {""}, head(cell)
        if fold(cell) == "How this is drawn":
            assert len(cell.source.splitlines()) > 12 and "ax" in cell.source, head(cell)
            assert "train(" not in cell.source and "nudft(" not in cell.source, head(cell)
        if fold(cell) == "What moves":
            assert re.search(r"\breplay\(|\blab\(", cell.source), head(cell)
        if fold(cell) == "How this is checked":
            assert calls(cell, "claim"), head(cell)


# Claims


def test_claims_are_few_each_in_a_cell_of_its_own_and_made_by_claim(page):
    cells = [cell for cell in code_cells(page) if calls(cell, "claim")]
    assert 1 <= len(cells) <= CLAIMS
    for cell in cells:
        (call,), last = calls(cell, "claim"), ast.parse(cell.source).body[-1]
        assert isinstance(last, ast.Expr) and ast.dump(last.value) == ast.dump(call), head(cell)
        assert fold(cell) == "How this is checked", head(cell)
        for keyword in call.keywords:
            if keyword.arg == "source":
                assert isinstance(keyword.value, ast.Constant), head(cell)
    for cell in code_cells(page):
        assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)], head(cell)


def test_everything_random_comes_from_the_seeds_of_the_page(page):
    """So that FPBOOK_SEED shifts every draw."""
    for cell in code_cells(page):
        for name in ["manual_seed", "default_rng", "seed", "RandomState"]:
            for call in calls(cell, name):
                assert call.args and not isinstance(call.args[0], ast.Constant), f"{name}: {head(cell)}"
        assert not re.search(r"np\.random\.(?!default_rng|Generator)\w+\(", cell.source), head(cell)
        assert not re.search(r"\brange\(seeds?\)|seeds = (range|\d)", cell.source), head(cell)


# Figures


def test_every_drawing_is_one_named_figure_with_caption_and_alternative_text(page):
    for cell in drawing_cells(page):
        figure, alt = figure_of(cell), cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert re.fullmatch(NAME, figure.get("name", "")), head(cell)
        assert len(figure.get("caption", "")) >= 20 and len(alt) >= 40, head(cell)
        assert len(DRAWING.findall(cell.source)) == 1, head(cell)
        if "plt." in cell.source:
            assert cell.source.strip().splitlines()[-1] == "plt.show()", head(cell)


def test_the_dark_theme_shows_pictures_as_they_are(page):
    """A figure that holds photographs, digits or colours that go from dark to bright says so, and is not inverted."""
    for cell in drawing_cells(page):
        classes = cell.metadata.get("mystnb", {}).get("image", {}).get("classes", "").split()
        as_it_is = re.search(r"imshow\(|pcolormesh\(|heat=True|ordered_colors\(|viridis", cell.source)
        assert "photo" in classes or not as_it_is, head(cell)


def test_every_figure_is_mentioned_in_the_prose(page):
    for cell in drawing_cells(page):
        name = figure_of(cell)["name"]
        assert re.search(rf"\{{numref\}}`(?:[^`<]*<)?{name}>?`", prose(page)), name


def test_figures_of_the_source_are_called_so(page):
    captions = [figure_of(cell)["caption"] for cell in drawing_cells(page)]
    text = re.sub(r"\{\w+\}`[^`]*`", "", "\n".join([prose(page), *captions]))
    assert BARE_SOURCE_FIGURE.findall(text.replace("\n", " ")) == []


# Exercises and labs


def test_exercises_have_executed_solutions_in_dropdowns(page):
    text = "\n".join(c.source if c.cell_type == "markdown" else f"<code>\n{c.source}" for c in read(page).cells)
    labels = EXERCISE.findall(text)
    assert len(labels) >= 3 or page not in SECTIONS
    for label in labels:
        solution = rf"\{{solution-start\}} {label}\s*\n:class: dropdown(.*?)\{{solution-end\}}"
        found = re.search(solution, text, re.DOTALL)
        assert found and "<code>" in found[1], label


NUMBER = r"\d[\d,.]*\d|\d"
GUESS = re.compile(r"^```\{guess\} (?P<question>[^\n]+\?)\n(?P<answers>(?:- [^\n]+\n)+)\n(?P<why>.*?)^```", re.M | re.S)


def test_a_guess_is_resolved_by_a_figure(page):
    asked = prose(page).count("{guess}")
    assert asked <= 1 and (asked == 1 or page not in SECTIONS)
    assert len(GUESS.findall(prose(page))) == asked
    for match in GUESS.finditer(prose(page)):
        names = re.findall(r"\{numref\}`([\w-]+)`", match["why"])
        assert names and set(names) <= {figure_of(cell)["name"] for cell in drawing_cells(page)}


def test_a_line_of_the_first_page_has_its_numbers_from_a_claim_of_its_section():
    first = (ROOT / "index.md").read_text("utf8")
    lines = re.findall(r"^\| \{ref\}`(1\.\d) [^`]*` \| (.+?) \|", first, re.MULTILINE)
    assert [number for number, _ in lines] == [PAGES[name].number for name in SECTIONS]
    for number, sentence in lines:
        pages = [name for name, entry in PAGES.items() if f"{entry.number}.".startswith(f"{number}.")]
        sources = [cell.source.partition("claim(")[2] for name in pages for cell in code_cells(name)]
        claimed = set(re.findall(NUMBER, " ".join(sources)))
        for value in re.findall(NUMBER, sentence):
            assert value in claimed or f"{float(value.replace(',', '')) / 100:g}" in claimed, (number, value)


@pytest.mark.parametrize("section", SECTIONS[:5])
def test_every_section_of_the_notes_has_a_lab(section):
    pages = [name for name, entry in PAGES.items() if f"{entry.number}.".startswith(f"{PAGES[section].number}.")]
    assert sum(bool(LAB.search(cell.source)) for name in pages for cell in code_cells(name)) >= 1


# Code


def test_code_prints_the_same_on_every_run(page):
    assert [head(cell) for cell in code_cells(page)[1:] if NOT_REPEATABLE.search(cell.source)] == []


def test_code_keeps_the_house_rules(page):
    cells = code_cells(page)[1:]
    assert [head(cell) for cell in cells if FORBIDDEN.search(cell.source)] == []
    code = "\n".join(cell.source for cell in cells)
    found = {t.string for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type == tokenize.NAME}
    assert {name for name in found if not name.isascii()} == set()


# The sources' verdicts


def test_the_ledger_has_a_sentence_for_each_figure_and_equation_that_a_claim_names():
    said = VERDICT.findall((ROOT / "chapters" / "claims.md").read_text("utf8"))
    named = set()
    for call in (call for name in PAGES for cell in code_cells(name) for call in calls(cell, "claim")):
        named |= {keyword.value.value for keyword in call.keywords if keyword.arg == "source"}
    assert len(said) == len(set(said)) and set(said) == named


@pytest.mark.parametrize("name", sorted(set(LISTS) - {"replay-data", "training", "lab-data"}))
def test_each_lab_that_needs_no_cell_has_its_place(name):
    texts = [entry.path.read_text("utf8") for entry in ENTRIES]
    assert sum(f":::{{container}} {name}\n" in text for text in texts) == 1
