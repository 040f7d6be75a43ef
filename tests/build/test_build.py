"""The build itself, on a scratch book: what is executed again and when, and which mistakes stop it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from execute import execute, imported, key_of, result_of
from plain import plain
from replicate import replicate

ROOT = Path(__file__).resolve().parents[2]
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
SOLID = (
    HEADER + "# Solid\n\nProse.\n\n```{code-cell} ipython3\nfrom fpbook.one import one\n\nprint('one is', one)\n```\n"
)


@pytest.fixture(scope="module")
def executed_book(tmp_path_factory):
    """A book of one notebook that prints a number of its package, with the real configuration and extension."""
    book = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "_ext", book / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ["_static", "_vendor"]:
        shutil.copytree(ROOT / folder, book / folder)
    shutil.copy(ROOT / "_config.yml", book)
    shutil.copytree(
        ROOT / "fpbook", book / "fpbook", ignore=lambda folder, names: [n for n in names if not n.startswith("replay.")]
    )
    files = {
        "_toc.yml": "format: jb-book\nroot: index\nparts:\n- numbered: true\n  chapters:\n  - file: chapters/solid\n",
        "index.md": "# Scratch\n\nWords, see {cite}`a2020`.\n\n```{bibliography}\n```\n",
        "references.bib": "@book{a2020, author={Ann Author}, title={A book}, publisher={P}, year={2020}}\n",
        "README.md": "# Not a page\n",
        "requirements.txt": "numpy\n",
        "chapters/solid.md": SOLID,
        "data/numbers.csv": "1\n",
        "fpbook/__init__.py": "",
        "fpbook/one.py": "from .base import base\n\none = 1 + base\n",
        "fpbook/base.py": "base = 0\n",
        "fpbook/apart.py": "",
    }
    for name, text in files.items():
        (book / name).parent.mkdir(exist_ok=True)
        (book / name).write_text(text)
    assert execute(book)[1] == []
    return book


@pytest.fixture
def book(executed_book, tmp_path):
    return shutil.copytree(executed_book, tmp_path / "book")


def add_chapter(book, name, text):
    (book / "chapters" / f"{name}.md").write_text(text)
    with (book / "_toc.yml").open("a") as toc:
        toc.write(f"  - file: chapters/{name}\n")


def build(book, *options):
    """The plain command; returns exit status and everything printed."""
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "GITHUB_REPOSITORY"}}
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", *options]
    run = subprocess.run(
        command, cwd=book, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return run.returncode, run.stdout


def page(book, name="solid"):
    return (book / "_build/html/chapters" / f"{name}.html").read_text()


def test_a_rebuild_executes_what_changed_and_nothing_else(book):
    status, printed = build(book)
    assert status == 0 and "executing" not in printed and "one is 1" in page(book), printed
    offered = nbformat.read(book / "_build/html/_sources/chapters/solid.ipynb", as_version=4)
    assert offered.cells[1].outputs[0].text == "one is 1\n"
    assert "colab.research" not in page(book)  # the address is unknown: no button

    (book / "fpbook/base.py").write_text("base = 41\n")  # imported by what the notebook imports
    status, printed = build(book)
    assert status == 0 and "executing 1 solid" in printed and "one is 42" in page(book)

    (book / "fpbook/apart.py").write_text("apart = 1\n")
    (book / "chapters/solid.md").write_text(SOLID.replace("Prose.", "Better prose."))
    status, printed = build(book)
    assert status == 0 and "executing" not in printed and "Better prose." in page(book) and "one is 42" in page(book)
    assert "Better prose." in (book / "_build/notebooks/chapters/solid.ipynb").read_text()


def test_failing_cells_and_claims_stop_the_build(book):
    cell = HEADER + "# Broken\n\n```{{code-cell}} ipython3\n{}\n```\n"
    add_chapter(book, "broken", cell.format("print(undefined_name)"))
    add_chapter(book, "wrong", cell.format("# Claim: two is one\nassert 2 == 1, 'two is not one'"))
    add_chapter(book, "right", cell.format("print('right')"))
    status, printed = build(book)
    assert status != 0
    assert "2 broken failed" in printed and "print(undefined_name)" in printed and "NameError" in printed
    assert "3 wrong failed" in printed and "# Claim: two is one" in printed and "two is not one" in printed
    assert [result_of(book / f"chapters/{name}.md", book).exists() for name in ["broken", "wrong", "right"]] == [
        False,
        False,
        True,
    ]
    status, printed = build(book)
    assert status != 0 and "executing 2 broken" in printed and "executing 4 right" not in printed


@pytest.mark.parametrize(
    "text, message",
    [
        ("See {ref}`nowhere`.", "undefined label: 'nowhere'"),
        ("```{contents}\n```", "no plain Markdown for the directive {contents}"),
        ("```{code-cell} ipython3\nimport sys\nprint('to stderr', file=sys.stderr)\n```", "stderr was found"),
    ],
    ids=["reference", "directive", "stderr"],
)
def test_a_warning_stops_the_build_each_time(book, text, message):
    (book / "chapters/solid.md").write_text(SOLID + f"\n{text}\n")
    for _ in range(2):  # the second time nothing has changed, and it is still wrong
        status, printed = build(book)
        assert status != 0 and message in printed, printed


def test_the_key_covers_what_a_result_depends_on(book, monkeypatch):
    def key():
        return key_of(jupytext.read(book / "chapters/solid.md"), book)

    first = key()
    for name in ["fpbook/__init__.py", "fpbook/one.py", "fpbook/base.py", "data/numbers.csv", "requirements.txt"]:
        old = (book / name).read_text()
        (book / name).write_text(old + "\n")
        assert key() != first, name
        (book / name).write_text(old)
    for name in ["fpbook/book.mplstyle", "data/more.csv"]:
        (book / name).write_text("")
        assert key() != first, name
        (book / name).unlink()
    (book / "chapters/solid.md").write_text(SOLID.replace("'one is'", "'One is'"))
    assert key() != first
    (book / "chapters/solid.md").write_text(SOLID.replace("Prose.", "Other prose."))
    (book / "fpbook/apart.py").write_text("apart = 1\n")
    (book / "data/README.md").write_text("Words.\n")
    assert key() == first
    monkeypatch.setenv("FPBOOK_DETERMINISTIC", "1")
    assert key() != first


@pytest.mark.parametrize(
    "code, modules",
    [
        ("", {"__init__"}),
        ("import fpbook.one", {"__init__", "one", "base"}),
        ("from fpbook import apart, one", {"__init__", "apart", "one", "base"}),
        ("def f():\n    from fpbook.base import base", {"__init__", "base"}),
        ("import numpy, fpbook_other.one", {"__init__"}),
    ],
)
def test_imports_are_followed(executed_book, code, modules):
    assert {path.stem for path in imported(code, executed_book / "fpbook")} == modules


def test_a_second_run_that_prints_something_else_fails(book):
    result = result_of(book / "chapters/solid.md", book)
    assert replicate(result, book) == 0
    result.write_text(result.read_text().replace("one is 1", "one is 2"))
    assert replicate(result, book) != 0


LABELS = {
    "fig-a": "Fig. 1.1.1",
    "numref fig-a": "Fig. 1.1.1",
    "eq-a": "(1.1.2)",
    "ex-a": "Exercise 1.1.3",
    "a2020": "Author, 2020",
}
LABELS |= {"thm-a": "Theorem 1.1.4", "sec-a": "Section title", "chapters/other": "Other page"}


@pytest.mark.parametrize(
    "myst, markdown",
    [
        ("(sec-a)=\n# Title", "# Title"),
        ("See {numref}`fig-a`, {eq}`eq-a` and {ref}`sec-a`.", "See Fig. 1.1.1, (1.1.2) and Section title."),
        ("{numref}`figure %s <fig-a>`", "figure 1.1.1"),
        ("{cite}`a2020`, {cite:t}`a2020`", "(Author, 2020), Author (2020)"),
        ("[](#sec-a), [this](other.md), [](other.md)", "Section title, this, Other page"),
        ("$$ a = b $$ (eq-a)", "$$ a = b \\tag{1.1.2} $$"),
        ("```{math}\n:label: eq-a\na = b\n```", "$$\na = b\n\\tag{1.1.2}\n$$"),
        (":::{note} One.\nTwo.\n:::", "> **Note**\n>\n> One.\n> Two."),
        ("::::{admonition} Why\n:class: dropdown\n:::{tip}\nIn.\n:::\n::::", "> **Why**\n>\n> > **Tip**\n> >\n> > In."),
        (":::{prf:theorem} Ann\n:label: thm-a\nTrue.\n:::", "> **Theorem 1.1.4 (Ann)**\n>\n> True."),
        ("```{exercise-start}\n:label: ex-a\n```\nDo.\n```{exercise-end}\n```", "**Exercise 1.1.3**\n\n\nDo."),
        ("```{solution-start} ex-a\n:class: dropdown\n```", "**Solution to Exercise 1.1.3**"),
        ("```python\n:::{note}\n```", "```python\n:::{note}\n```"),
    ],
)
def test_myst_becomes_plain_markdown(myst, markdown):
    assert plain(myst, LABELS) == markdown


@pytest.mark.parametrize("myst", [":::{contents}\n:::", "{numref}`fig-b`", "{cite}`nobody`", "{term}`x`"])
def test_myst_without_a_rule_is_an_error(myst):
    with pytest.raises((KeyError, ValueError)):
        plain(myst, LABELS)
