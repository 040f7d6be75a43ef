"""The last hand on every page of the site: changes, smaller files, previews, policy. Each page is replaced whole.

The Content-Security-Policy of a page lets everything come from the site itself; scripts inside the page are known by
their hash.
"""

import base64
import hashlib
import re
from pathlib import Path

from fpbook._files import replace

from . import assets, html_fixes, mathml, previews
from .site import add_base

REDIRECT = '<meta http-equiv="Refresh"'  # the first page of a book whose root is another one: `make page`
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'"
)
POLICY_TAG = '<meta http-equiv="Content-Security-Policy"'
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'


def run(app, exception):
    """Finish every page that was written: all, or those that Sphinx took for new though nothing changed."""
    if exception or app.builder.name != "html":
        return
    html, hits = Path(app.outdir), set()
    paths = sorted(path for path in html.rglob("*.html") if "_static" not in path.parts)
    texts = {path.relative_to(html).as_posix(): path.read_text(encoding="utf8") for path in paths}
    new = [name for name, text in texts.items() if POLICY_TAG not in text and not text.startswith(REDIRECT)]
    if new and app.book.fresh:
        assets.shrink_icons(html)
    for name in new:
        text, changed = html_fixes.fix(texts[name], name)
        text, shrunk = assets.shrink(mathml.draw(text), html / name, html)
        hits |= {*changed, *shrunk}
        texts[name] = add_base(add_policy(text), name)
    for name in new:
        replace(html / name, previews.add(texts[name], name, texts).encode("utf8"))
    if app.book.fresh and not app.config.book_page:
        html_fixes.complain(hits, [*html_fixes.CHANGES, *assets.NAMES])


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
    return page.replace(CHARSET, f'{CHARSET}{POLICY_TAG} content="{policy(page)}">')
