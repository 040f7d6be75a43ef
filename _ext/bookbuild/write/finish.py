"""The last hand on every page of the site: changes, smaller files, previews, policy. Each page is replaced whole.

`CHANGES` are those to the finished HTML that no setting of Sphinx or the theme can make. Each is counted: one that hits
no page of the book fails the build under its name, because the theme has changed and somebody must look.
"""

import base64
import hashlib
import re
from functools import cache
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup
from sphinx.util import logging

from fpbook._files import replace

from . import assets, mathml

LOGGER = logging.getLogger(__name__)
REDIRECT = '<meta http-equiv="Refresh"'  # the first page of a book whose root is another one: `make page`
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'"
)
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'  # the first thing in the head of a page
ARTICLE = re.compile(r'<article class="bd-article">.*?</article>', re.DOTALL)
LINK = re.compile(r'<a class="[^"]*reference internal[^"]*" href="(?P<href>[^"#]+\.html)#(?P<anchor>[^"]+)"')
CHANGES = {
    "arrows without a name": (r'<summary(?=><span class="toctree-)', '<summary aria-label="Pages of this section"'),
    "scripts that hold up the page": (r"<script (?![^>]*(?:defer|async))(?=[^>]*src=)", "<script defer "),
    "role that is deprecated": (r'role="doc-biblioentry"', 'role="listitem"'),
    "ids that name several places": (r' id="(?:(?:exercise|solution|proof)-content|proof)"', ""),
    "space that a link underlines": (r'Solution to(<a class="reference internal" href="[^"]*">) ', r"Solution to \1"),
    "handlers that the policy forbids": (r' onclick="[^"]*"', ""),  # _static/site.js prints
    "name that hides a fold's words": (r' aria-label="Toggle hidden content"', ""),
    "name that hides a button's words": (r'(<button class="btn search-button-field[^>]*) aria-label="Search"', r"\1"),
}
THEME = "_static/scripts/pydata-sphinx-theme.js"
THEME_CHANGES = {
    # It measures and marks boxes that scroll one by one, so that the page is laid out anew for each, and again after
    # every change, as while a lab trains. _static/site.js measures all of them first.
    "theme's look at what scrolls": (
        r'window\.addEventListener\("resize",\w+\),new MutationObserver\(\w+\)\.observe\('
        r'document\.getElementById\("main-content"\),\{[^}]*\}\),\w+\(\)',
        "0",
    ),
}


def run(app, exception):
    """Finish every page of the site."""
    if exception or app.builder.name != "html":
        return
    html = Path(app.outdir)
    paths = sorted(path for path in html.rglob("*.html") if "_static" not in path.parts)
    texts = {path.relative_to(html).as_posix(): path.read_text(encoding="utf8") for path in paths}
    pages = [name for name, text in texts.items() if not text.startswith(REDIRECT)]
    assets.shrink_icons(html)
    known = assets.known_names(texts.values(), html)
    script, hits = change((html / THEME).read_text(encoding="utf8"), THEME_CHANGES)
    replace(html / THEME, script.encode("utf8"))
    for name in pages:
        text, changed = change(texts[name], CHANGES)
        text, shrunk = assets.shrink(mathml.draw(text), html / name, html, known)
        hits |= changed | shrunk
        allowed = f'<meta http-equiv="Content-Security-Policy" content="{policy(text)}">'
        texts[name] = text.replace(CHARSET, CHARSET + allowed)
    for name in pages:
        replace(html / name, add_previews(texts[name], name, texts).encode("utf8"))
    if not app.config.book_page:
        complain(hits, [*CHANGES, *THEME_CHANGES, "pictures", "icon font"])


def policy(page):
    """What a page may load: all that comes from the site itself; of the scripts inside it those of known hash."""
    hashes = set()
    for script in SCRIPT.finditer(page):
        if "src=" not in script["attributes"] and "application/json" not in script["attributes"]:
            digest = base64.b64encode(hashlib.sha256(script["body"].encode()).digest()).decode()
            hashes.add(f"'sha256-{digest}'")
    return POLICY.format(hashes=" ".join(sorted(hashes)))


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


def add_previews(page, name, texts):
    """The page with a template for each thing on another page, {name: text}, that can be previewed."""
    article, templates = ARTICLE.search(page), []
    links = sorted({(match["href"], match["anchor"]) for match in LINK.finditer(article[0])}) if article else []
    for href, anchor in links:
        target = texts.get(normpath(join(dirname(name), href)), "")
        if shown := preview(parsed(target), anchor):
            templates.append(f'<template class="preview" data-for="{escape(href)}#{escape(anchor)}">{shown}</template>')
    return page.replace("</article>", "".join(templates) + "</article>", 1)


@cache
def parsed(page):
    """The article of a page; most pages point to the same few."""
    found = ARTICLE.search(page)
    return BeautifulSoup(found[0] if found else "", "html.parser")


def preview(soup, anchor):
    """What stands at an address, as plain as a preview needs it; None where that is not a short thing."""
    node = soup.find(id=anchor)
    if node is None:
        return None
    if node.name == "dt":
        parts = node.find_next_sibling("dd").contents
    elif node.name == "tr":
        cells = [node.find_all("td")[i] for i in (0, 2)]
        parts = [BeautifulSoup(f"<p>{(cell.p or cell).decode_contents()}</p>", "html.parser") for cell in cells]
    elif "citation" in node.get("class", []):
        parts = node.find_all("p")
    elif "math" in node.get("class", []):
        parts = [node]
    else:
        return None
    text = BeautifulSoup("".join(str(part) for part in parts), "html.parser")
    for link in text.select("a.headerlink"):
        link.decompose()
    for link in text.find_all("a"):
        link.unwrap()
    for element in text.find_all(True):
        element.attrs.pop("id", None)
        element.attrs.pop("data-tex", None)  # a preview is drawn as it is
    return str(text)
