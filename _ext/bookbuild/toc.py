"""The pages of the book in reading order, as `_toc.yml` lists them, and their numbers.

Sphinx would number headings too, and the pages below a section after the headings on its own page. Here pages alone
have numbers (1.2, 1.2.1). Figures, equations, exercises and propositions run through a section's page and those below.
"""

import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml
from yaml import YAMLError

from .settings import BuildError


class Entry(NamedTuple):
    """One page: its file without suffix, its number ("" outside numbered parts), its place in the book."""

    name: str
    number: str
    path: Path
    depth: int

    @property
    def is_notebook(self):
        """True if the page has code cells to execute; BuildError if they would not run, and their claims be gone."""
        try:
            text = self.path.read_text(encoding="utf8") if self.path.is_file() else ""
        except UnicodeDecodeError as error:
            raise BuildError(f"{self.path} is not UTF-8 (byte {error.start}): save it as UTF-8") from None
        if text.startswith("\ufeff"):
            raise BuildError(f"{self.path} begins with a byte-order mark: save it as UTF-8 without one")
        found = "format_name: myst" in text[:300]
        if not found and re.search(r"^`{3,}\{code-cell\}", text, re.MULTILINE):
            raise BuildError(f"{self.path} has code cells and no header of a notebook: copy that of TEMPLATE.md.txt")
        return found


def entries(root, toc=None):
    """Every page in reading order, the first page of the book first; BuildError if the table of contents is none."""
    toc = Path(toc or Path(root, "_toc.yml"))
    try:
        contents = parse_toc_yaml(toc)
    except (OSError, YAMLError, MalformedError) as error:
        raise BuildError(f"{toc.name} cannot be read: {' '.join(str(error).split())}") from None

    def visit(name, numbers, depth):
        file = name.removesuffix(".md")  # both ways of writing it are allowed
        yield Entry(file, ".".join(map(str, numbers)), Path(root, f"{file}.md"), max(depth, 0))
        for tree in contents[name].subtrees:
            for i, child in enumerate(tree.items, 1):
                yield from visit(str(child), [*numbers, i] if numbers or tree.numbered else [], depth + 1)

    return list(visit(contents.root.docname, [], -1))


def notebooks(root, toc=None):
    """The book's notebooks in reading order: {file: number}."""
    return {entry.path: entry.number for entry in entries(root, toc) if entry.is_notebook}


def assign_numbers(collector, env):
    """Give each page its number, and its headings none. All pages are written, so none is returned."""
    env.toc_secnumbers = {}
    for page, number, *_ in entries(env.srcdir, env.config.external_toc_path):
        if number and page in env.tocs:
            numbers = tuple(map(int, number.split(".")))
            headings = list(env.tocs[page].findall(nodes.reference))
            env.toc_secnumbers[page] = {node["anchorname"]: () for node in headings} | {"": numbers}
            for node in headings:
                node["secnumber"] = None if node["anchorname"] else list(numbers)
            env.titles[page]["secnumber"] = list(numbers)
    return []
