"""Folded cells: the words on a fold say what is inside, open or closed.

What is folded is left out of the EPUB and of print.

In print `_static/book.css` does that.
"""

from myst_nb.sphinx_ import HideCodeCellNode

from .claims import code_cells


def name(app, doctree):
    """A fold with words of its own keeps them when it is open."""
    for cell in code_cells(doctree):
        words = cell.get("cell_metadata", {}).get("mystnb", {})
        if "code_prompt_show" in words and "code_prompt_hide" not in words and "hide_mode" in cell:
            cell["prompt_hide"] = cell["prompt_show"]


def leave_out(app, doctree, docname):
    """The EPUB shows results and what is open; the folded sources are on the page."""
    if app.builder.name == "epub":
        for fold in list(doctree.findall(HideCodeCellNode)):
            fold.parent.remove(fold)
        for cell in code_cells(doctree):
            if not cell.children:
                cell.parent.remove(cell)


def setup(app):
    app.connect("doctree-read", name, priority=390)
    app.connect("doctree-resolved", leave_out)
