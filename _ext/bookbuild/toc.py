"""The pages of the book in reading order, as `_toc.yml` lists them."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

import yaml


class Entry(NamedTuple):
    """One page: its file without suffix, its number ("" outside numbered parts), its place in the book."""

    name: str
    number: str
    path: Path
    depth: int

    @property
    def is_notebook(self):
        """True if the page has code cells to execute; what is no notebook has no such header."""
        text = text_of(self.path) if self.path.is_file() else ""
        if "format_name: myst" in text[:300]:
            return True
        if re.search(r"^`{3,}\{code-cell\}", text, re.MULTILINE):  # they would not run, and their claims be gone
            sys.exit(f"{self.path} has code cells and no header of a notebook: copy it from chapters/TEMPLATE.md.txt")
        return False


def text_of(path):
    """The text of a page; the end, with one line, if it is not what every reader of it expects."""
    try:
        text = path.read_text(encoding="utf8")
    except UnicodeDecodeError as error:
        sys.exit(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8")
    if text.startswith("\ufeff"):
        sys.exit(f"{path} begins with a byte-order mark: save it as UTF-8 without one")
    return text


def entries(root, toc=None):
    """Every page in reading order, the first page of the book first."""
    root, found = Path(root), []
    listed = yaml.safe_load(Path(toc or root / "_toc.yml").read_text(encoding="utf8"))

    def visit(items, numbers, numbered):
        for i, item in enumerate(items, 1):
            here = [*numbers, str(i)]
            number = ".".join(here) if numbered else ""
            found.append(Entry(item["file"], number, root / f"{item['file']}.md", len(numbers)))
            visit(item.get("sections", []), here, numbered)

    found.append(Entry(listed["root"], "", root / f"{listed['root']}.md", 0))
    for part in listed.get("parts", [listed]):
        visit(part.get("chapters", []), [], part.get("numbered", False))
    return found


def notebooks(root, toc=None):
    """The book's notebooks in reading order: {file: number}."""
    return {entry.path: entry.number for entry in entries(root, toc) if entry.is_notebook}
