"""Twins: what Jupyter opens is what the page says, and what a person typed into one is never lost."""

import jupytext
import nbformat
import pytest
from bookbuild.publish.twins import INSTALL, write_twins
from bookbuild.settings import BuildError

PAGE = """---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# Title

```{code-cell} ipython3
x = 1
```
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n", "utf8")
    (tmp_path / "page.md").write_text(PAGE, "utf8")
    return tmp_path


def stored(book):
    return nbformat.read(book / "page.ipynb", as_version=4)


def test_a_twin_has_the_cells_of_its_page_and_is_not_paired(book):
    assert write_twins(book) == [] == write_twins(book, check=True)
    heading, cell = stored(book).cells
    assert heading.source == "# Title" and cell.source == f"{INSTALL}\nx = 1"
    assert "jupytext" not in stored(book).metadata
    compile(INSTALL, "install", "exec")


def test_what_someone_typed_is_kept_until_it_is_in_the_page(book):
    write_twins(book)
    notebook = stored(book)
    notebook.cells[0].source = "# Another title"
    nbformat.write(notebook, book / "page.ipynb")
    for check in (False, True):
        (problem,) = write_twins(book, check=check)
        assert "page.ipynb holds what someone typed" in problem and "remove page.ipynb" in problem
        assert "\n-# Title\n+# Another title\n" in problem
    assert stored(book).cells[0].source == "# Another title"


def test_what_someone_typed_into_a_long_page_is_shown_with_the_line_around_it(book):
    (book / "page.md").write_text(PAGE.replace("x = 1", "\n".join(f"x = {i}" for i in range(9))), "utf8")
    write_twins(book)
    notebook = stored(book)
    notebook.cells[1].source = notebook.cells[1].source.replace("x = 4", "x = 40")
    nbformat.write(notebook, book / "page.ipynb")
    (problem,) = write_twins(book)
    assert "\n x = 3\n-x = 4\n+x = 40\n x = 5\n" in problem and "x = 2" not in problem and "x = 6" not in problem


def test_outputs_of_a_run_in_jupyter_are_no_edit(book):
    write_twins(book)
    notebook = stored(book)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(notebook, book / "page.ipynb")
    assert ["out of date" in problem for problem in write_twins(book, check=True)] == [True]
    assert write_twins(book) == [] and stored(book).cells[1].outputs == []


def test_a_page_that_changed_is_named_by_the_check_and_written_without_it(book):
    write_twins(book)
    (book / "page.md").write_text(PAGE.replace("x = 1", "x = 2"), "utf8")
    assert write_twins(book, check=True) == ["page.ipynb is missing or out of date: run `make twins` and commit it."]
    assert write_twins(book) == [] and "x = 2" in stored(book).cells[1].source


def test_a_twin_with_conflicts_of_a_merge_is_written_anew(book):
    (book / "page.ipynb").write_text("<<<<<<< HEAD\n", "utf8")
    assert write_twins(book) == [] and len(stored(book).cells) == 2


@pytest.mark.parametrize("text", ["format: jb-book\n", "root: [\n", ""])
def test_a_table_of_contents_that_is_none_is_told_in_one_line(book, text):
    (book / "_toc.yml").write_text(text, "utf8")
    with pytest.raises(BuildError, match="^_toc.yml cannot be read: [^\n]+$"):
        write_twins(book)


def test_a_page_opens_from_its_twin(book):
    """The way back that the message names keeps the text of the page."""
    write_twins(book)
    assert jupytext.read(book / "page.ipynb").cells[0].source == "# Title"
