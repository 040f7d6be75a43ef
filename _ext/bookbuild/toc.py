"""The pages of the book in reading order, as `_toc.yml` lists them, and their numbers.

Pages are numbered through the book (1.2, 1.2.1, ...), headings inside a page are not. Sphinx numbers each heading, and
the pages below a section after the headings on the section's own page. Here the table of contents alone decides.
Figures, equations, exercises and propositions take the section's number (`numfig_secnum_depth`), so they run through
the section's own page and the pages below it.
"""

import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx_external_toc.parsing import parse_toc_yaml

from .settings import BuildError


class Entry(NamedTuple):
    """One page: its file without suffix, its number ("" outside numbered parts), its place in the book."""

    name: str
    number: str
    path: Path
    depth: int

    @property
    def is_notebook(self):
        """True if the page has code cells to execute; what is no notebook has no such header."""
        text = read_text(self.path) if self.path.is_file() else ""
        if "format_name: myst" in text[:300]:
            return True
        if re.search(r"^`{3,}\{code-cell\}", text, re.MULTILINE):  # they would not run, and their claims be gone
            raise BuildError(
                f"{self.path} has code cells and no header of a notebook: copy it from chapters/TEMPLATE.md.txt"
            )
        return False


def read_text(path):
    """The text of a page; BuildError if it is not what every reader of it expects."""
    try:
        text = path.read_text(encoding="utf8")
    except UnicodeDecodeError as error:
        raise BuildError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
    if text.startswith("\ufeff"):
        raise BuildError(f"{path} begins with a byte-order mark: save it as UTF-8 without one")
    return text


def entries(root, toc=None):
    """Every page in reading order, the first page of the book first."""
    root, found = Path(root), []
    contents = parse_toc_yaml(Path(toc or root / "_toc.yml"))

    def visit(name, numbers, numbered, depth):
        file = name.removesuffix(".md")  # both ways of writing it are allowed
        found.append(Entry(file, ".".join(map(str, numbers)) if numbered else "", root / f"{file}.md", depth))
        for tree in contents[name].subtrees:
            below = numbered or bool(tree.numbered)
            for i, child in enumerate(tree.items, 1):
                visit(str(child), [*numbers, i] if below else [], below, depth + 1)

    visit(contents.root.docname, [], False, -1)
    return [entry._replace(depth=max(entry.depth, 0)) for entry in found]


def notebooks(root, toc=None):
    """The book's notebooks in reading order: {file: number}."""
    return {entry.path: entry.number for entry in entries(root, toc) if entry.is_notebook}


def assign_numbers(collector, env):
    """Give each page of a numbered table of contents its number. All pages are written, so none is returned."""
    env.toc_secnumbers = {}

    def number_page(page, number):
        headings = [node for node in env.tocs[page].findall(nodes.reference)]
        env.toc_secnumbers[page] = {node["anchorname"]: () for node in headings} | {"": number}
        for node in headings:
            node["secnumber"] = None if node["anchorname"] else list(number)
        env.titles[page]["secnumber"] = list(number)
        pages = [child for tree in env.tocs[page].findall(addnodes.toctree) for _, child in tree["entries"]]
        for i, child in enumerate((child for child in pages if child in env.tocs), 1):
            number_page(child, (*number, i))

    for page in sorted(env.numbered_toctrees):
        for tree in env.get_doctree(page).findall(addnodes.toctree):
            if tree.get("numbered"):
                for i, (_, child) in enumerate(tree["entries"], 1):
                    if child in env.tocs:
                        number_page(child, (i,))
    return []
