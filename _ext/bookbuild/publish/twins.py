"""The twin of each notebook page, NAME.ipynb beside NAME.md: the same notebook without outputs, for Jupyter and Colab.

`make twins` writes those that are out of date; with `--check` it writes nothing and fails if one is. Twins are
generated and not paired: a paired one cannot be opened in Jupyter once the page is newer. What a person typed into one
is never overwritten.
"""

import difflib
import hashlib
import json
from pathlib import Path

import jupytext
import nbformat

from ..execute.results import notebook_bytes, write_notebook
from ..toc import notebooks

INSTALL = Path(__file__).with_name("install_cell.py").read_text(encoding="utf8").strip()


def twin(path):
    """The notebook that belongs beside the page `path`; its metadata have the checksum of its cells."""
    notebook = jupytext.read(path)
    notebook.metadata.pop("jupytext", None)
    add_install_lines(notebook)
    notebook.metadata["fpbook"] = {"generated": checksum(notebook)}
    return notebook


def add_install_lines(notebook):
    """Put the lines that make `fpbook` importable, on Colab too, in front of the first code cell."""
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is not None and INSTALL not in first.source:
        first.source = f"{INSTALL}\n{first.source}"


def checksum(notebook):
    cells = [[cell.cell_type, cell.source.strip()] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]


def write_twins(root, *, check=False):
    """Write every twin that is out of date; a list of problems: what was typed, and with `check` what differs."""
    problems = []
    for page in notebooks(root):
        path, new = page.with_suffix(".ipynb"), twin(page)
        name = path.relative_to(root).as_posix()
        if is_edited(path):
            problems.append(
                f"{name} holds what someone typed:\n{typed(path, new)}\n"
                f"Bring it into {page.relative_to(root).as_posix()}, remove {name}, run `make twins`."
            )
        elif not check:
            write_notebook(new, path)
        elif not path.is_file() or path.read_bytes() != notebook_bytes(new):
            problems.append(f"{name} is missing or out of date: run `make twins` and commit it.")
    return problems


def typed(path, new):
    """How a stored twin differs from the one that belongs beside the page, line by line."""
    notebooks = (new, nbformat.read(path, as_version=4))
    lines = [[line for cell in notebook.cells for line in [*cell.source.splitlines(), ""]] for notebook in notebooks]
    return "\n".join(difflib.unified_diff(*lines, "the page", path.name, n=1, lineterm=""))


def is_edited(path):
    """True if the cells of a stored twin are not those that were generated; what is no notebook was not typed."""
    try:
        stored = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):  # none is there, or one with conflicts of a merge
        return False
    return stored.metadata.get("fpbook", {}).get("generated") != checksum(stored)
