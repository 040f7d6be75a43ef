"""Changes to the finished HTML of pages that no setting of Sphinx or the theme can make. Each is counted.

A change that hits no page of the book fails the build under its name: the theme has changed, and somebody must look.
"""

import re

from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

CHANGES = {
    # The sidebar's arrows have no name for those who do not see them.
    "name of the sidebar's arrows": (
        r'<summary>(?=<span class="toctree-toggle")',
        '<summary aria-label="Pages of this section">',
    ),
    # Font Awesome as a script of 1.5 MB draws what its style sheet and fonts, which are loaded too, draw already.
    "icons as a script": (r'\s*<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"[^>]*></script>', ""),
    "scripts fetched ahead": (r'\s*<link rel="preload" as="script"[^>]*>', ""),
    "role that is deprecated": (r'role="doc-biblioentry"', 'role="listitem"'),
    "ids that name several places": (r' id="(?:(?:exercise|solution|proof)-content|proof)"', ""),
    "handlers that the policy forbids": (r' onclick="[^"]*"', ""),  # _static/site.js prints
    "name that hides a fold's words": (r' aria-label="Toggle hidden content"', ""),
    "name that hides the search button's words": (
        r'(<button class="btn search-button-field[^>]*) aria-label="Search"',
        r"\1",
    ),
    "search scripts where nothing is searched": (
        r'\s*<script[^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"[^>]*></script>',
        "",
    ),
    "search scripts before what they need": (
        r'<script (?=src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>)',
        "<script defer ",
    ),
    # The theme's own title and contents for print, which _static/book.css replaces and a search would find.
    "furniture for print": (
        r'<div id="jb-print-docs-body" class="onlyprint">(?:(?!</nav>|<article).)*(?:</nav>\s*)?(?:</div>\s*){3}',
        "",
    ),
}
SEARCH = "search.html"  # the one page that searches


def concerns(what, name):
    """True if a change is meant for a page."""
    if what == "search scripts before what they need":
        return name == SEARCH
    return what != "search scripts where nothing is searched" or name != SEARCH


def fix(page, name):
    """The page with all changes, and the names of those that hit it."""
    hits = []
    for what, (pattern, replacement) in CHANGES.items():
        if not concerns(what, name):
            continue
        page, count = re.subn(pattern, replacement, page, flags=re.DOTALL)
        if count:
            hits.append(what)
    return page, hits


def complain(hits, names):
    """Warn, which fails the build, about each change that hit no page."""
    for what in sorted(set(names) - hits):
        LOGGER.warning(f"a change to the pages found nothing to change: {what}; see _ext/bookbuild/write/html_fixes.py")
