"""The twin of each notebook page, NAME.ipynb beside NAME.md: the same notebook without outputs, for Jupyter and Colab.

Twins are generated and not paired: of a paired one Jupyter would show the page's cells once the page is newer. What a
person typed into one is never overwritten.
"""

import difflib
import hashlib
import json
from pathlib import Path

import jupytext
import nbformat

from fpbook._files import replace

from ..execute.results import notebook_bytes
from ..toc import notebooks

INSTALL = Path(__file__).with_name("install_cell.py").read_text(encoding="utf8").strip()


def add_install_lines(notebook):
    """Put the lines that make `fpbook` importable, on Colab too, in front of the first code cell."""
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    if first is not None and INSTALL not in first.source:
        first.source = f"{INSTALL}\n{first.source}"


def checksum(notebook):
    cells = [[cell.cell_type, cell.source.strip()] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]


def write_twins(root, *, check=False):
    """Write every twin; a list of problems: what was typed, and with `check`, which writes nothing, what differs."""
    problems = []
    for page in notebooks(root):
        path, new = page.with_suffix(".ipynb"), jupytext.read(page)
        new.metadata.pop("jupytext", None)
        add_install_lines(new)
        new.metadata["fpbook"] = {"generated": checksum(new)}
        name = path.relative_to(root).as_posix()
        try:
            stored = nbformat.read(path, as_version=4)
        except (OSError, ValueError, nbformat.ValidationError):  # none is there, or one with conflicts of a merge
            stored = None
        if stored and stored.metadata.get("fpbook", {}).get("generated") != checksum(stored):
            lines = ["\n\n".join(cell.source for cell in made.cells).splitlines() for made in (new, stored)]
            typed = "\n".join(difflib.unified_diff(*lines, "the page", path.name, n=1, lineterm=""))
            remedy = f"Bring it into {page.relative_to(root).as_posix()}, remove {name}, run `make twins`."
            problems.append(f"{name} holds what someone typed:\n{typed}\n{remedy}")
        elif not check:
            replace(path, notebook_bytes(new))
        elif not path.is_file() or path.read_bytes() != notebook_bytes(new):
            problems.append(f"{name} is missing or out of date: run `make twins` and commit it.")
    return problems
