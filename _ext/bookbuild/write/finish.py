"""The last hand on every page of the site: changes, smaller files, previews, policy. Each page is replaced whole.

`CHANGES` are those to the finished HTML that no setting of Sphinx or the theme can make. Each is counted: one that hits
no page of the book fails the build under its name, because the theme has changed and somebody must look.

The Content-Security-Policy of a page lets everything come from the site itself; scripts inside the page are known by
their hash.
"""

import base64
import hashlib
import re
from pathlib import Path

from sphinx.util import logging

from fpbook._files import replace

from . import assets, mathml, previews

LOGGER = logging.getLogger(__name__)
REDIRECT = '<meta http-equiv="Refresh"'  # the first page of a book whose root is another one: `make page`
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'"
)
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'
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
    # "auto" is no theme: the page would be drawn without its colours, and be styled anew when the theme's script comes.
    "theme that waits for a script": (
        r'dataset\.theme = localStorage\.getItem\("theme"\) \|\| "auto";',
        'dataset.theme = document.documentElement.dataset.mode.replace("auto", '
        'matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");',
    ),
    # The theme's own title and contents for print, which _static/book.css replaces and a search would find.
    "headings for print": (
        r'<div id="jb-print-docs-body" class="onlyprint">(?:(?!</nav>|<article).)*(?:</nav>\s*)?(?:</div>\s*){3}',
        "",
    ),
}
SEARCH_SCRIPTS = r'src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"'
SEARCHING = {"search scripts before what they need": (rf"<script (?={SEARCH_SCRIPTS}></script>)", "<script defer ")}
READING = {"search scripts where nothing is searched": (rf"\s*<script[^>]*{SEARCH_SCRIPTS}[^>]*></script>", "")}


def run(app, exception):
    """Finish every page of the site."""
    if exception or app.builder.name != "html":
        return
    html = Path(app.outdir)
    paths = sorted(path for path in html.rglob("*.html") if "_static" not in path.parts)
    texts = {path.relative_to(html).as_posix(): path.read_text(encoding="utf8") for path in paths}
    pages = [name for name, text in texts.items() if not text.startswith(REDIRECT)]
    assets.shrink_icons(html)
    hits = assets.quiet_theme(html)
    for name in pages:
        text, changed = change(texts[name], CHANGES | (SEARCHING if name == "search.html" else READING))
        text, shrunk = assets.shrink(mathml.draw(text), html / name, html)
        hits |= {*changed, *shrunk}
        texts[name] = add_policy(text)
    for name in pages:
        replace(html / name, previews.add(texts[name], name, texts).encode("utf8"))
    if not app.config.book_page:
        complain(hits, [*CHANGES, *SEARCHING, *READING, *assets.NAMES])


def policy(page):
    hashes = set()
    for script in SCRIPT.finditer(page):
        if "src=" not in script["attributes"] and "application/json" not in script["attributes"]:
            digest = base64.b64encode(hashlib.sha256(script["body"].encode()).digest()).decode()
            hashes.add(f"'sha256-{digest}'")
    return POLICY.format(hashes=" ".join(sorted(hashes)))


def add_policy(page):
    """The page with its policy as the first thing in its head."""
    if page.count(CHARSET) != 1:
        raise ValueError("a page without its character set, where its policy would stand")
    return page.replace(CHARSET, f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{policy(page)}">')


def change(page, changes):
    """The page with all changes, {name: (pattern, replacement)}, and the names of those that hit it."""
    hits = set()
    for name, (pattern, replacement) in changes.items():
        page, count = re.subn(pattern, replacement, page, flags=re.DOTALL)
        hits |= {name} if count else set()
    return page, hits


def complain(hits, names):
    """Warn, which fails the build, about each change that hit no page."""
    for name in sorted(set(names) - hits):
        LOGGER.warning(f"a change to the pages found nothing to change: {name}; look for it in _ext/bookbuild")
