"""The pages of the book in reading order, as `_toc.yml` lists them."""

import re
from pathlib import Path
from typing import NamedTuple

import yaml
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

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
    """Every page in reading order, the first page of the book first; BuildError if the list cannot be read."""
    root, found, toc = Path(root), [], Path(toc or Path(root, "_toc.yml"))
    try:
        contents = parse_toc_yaml(toc)
    except (yaml.YAMLError, MalformedError) as error:
        raise BuildError(f"{toc} cannot be read: {' '.join(str(error).split())}") from None

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
