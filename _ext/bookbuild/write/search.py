"""What a search for a word of the glossary finds first: the page that its entry names."""

import json
import re
from pathlib import Path

LABEL = re.compile(r"^\((sec-[\w-]+)\)=", re.MULTILINE)
SEE = re.compile(r"See \{(?:num)?ref\}`(sec-[\w-]+)`")
ENTRIES = re.compile(r"```\{glossary\}\n(.*?)\n```", re.DOTALL)


def first_pages(chapters):
    """Each term in small letters, with blanks for hyphens -> the page to which its entry leads, as "chapters/why"."""
    pages = {label: f"chapters/{file.stem}" for file in chapters.glob("*.md") for label in LABEL.findall(read(file))}
    first = {}
    for entry in "\n\n".join(ENTRIES.findall(read(chapters / "glossary.md"))).split("\n\n"):
        see = SEE.search(entry)
        if see and see[1] in pages:
            terms = [line for line in entry.splitlines() if line and not line.startswith(" ")]
            first |= {re.sub(r"[-\s]+", " ", term.lower()): pages[see[1]] for term in terms}
    return first


def read(file):
    return file.read_text(encoding="utf8")


def add_first_pages(app, pagename, templatename, context, doctree):
    """The page that searches gets them; search.js reads them there."""
    chapters = Path(app.srcdir, "chapters")
    if pagename == "search" and (chapters / "glossary.md").exists():
        found = json.dumps(first_pages(chapters), ensure_ascii=False, separators=(",", ":"))
        app.add_js_file(None, body=f"const FIRST_PAGES = {found};".replace("<", "\\u003c"))
