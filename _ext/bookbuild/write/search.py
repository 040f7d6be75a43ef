"""What a search for a word of the glossary finds first: the page that its entry names."""

import json
import re

from docutils import nodes
from sphinx.addnodes import pending_xref

from ..settings import GLOSSARY


def first_pages(env):
    """Each term in small letters, with blanks for hyphens -> the page to which its entry leads, as "chapters/why"."""
    pages, first = env.domains["std"].anonlabels, {}
    for entry in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        named = next((link["reftarget"] for link in entry.findall(pending_xref) if follows_see(link)), None)
        if named in pages:
            terms = [term.astext() for term in entry.findall(nodes.term)]
            first |= {re.sub(r"[-\s]+", " ", term.lower()): pages[named][0] for term in terms}
    return first


def follows_see(link):
    """True for the reference of "See section 1.1"."""
    before = link.parent.children[: link.parent.index(link)]
    return bool(before) and before[-1].astext().rstrip().endswith("See")


def add_first_pages(app, pagename, templatename, context, doctree):
    """The page that searches gets them; search.js reads them there."""
    if pagename == "search" and GLOSSARY in app.env.all_docs:
        found = json.dumps(first_pages(app.env), ensure_ascii=False, separators=(",", ":"))
        app.add_js_file(None, body=f"const FIRST_PAGES = {found};".replace("<", "\\u003c"))
