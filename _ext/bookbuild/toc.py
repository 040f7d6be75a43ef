"""The pages of the book in reading order, as `_toc.yml` lists them."""

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
        return self.path.is_file() and "format_name: myst" in self.path.read_text(encoding="utf8")[:300]


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
