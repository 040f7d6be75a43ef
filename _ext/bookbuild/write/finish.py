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
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
CHARSET = '<meta charset="utf-8" />'


def run(app, exception):
    """Finish all pages of a site that was rendered from nothing."""
    if exception or app.builder.name != "html" or not app.book.fresh:
        return
    html, texts, hits = Path(app.outdir), {}, set()
    assets.shrink_icons(html)
    for path in sorted(path for path in html.rglob("*.html") if "_static" not in path.parts):
        text, name = path.read_text(encoding="utf8"), path.relative_to(html).as_posix()
        if text.startswith(REDIRECT):
            continue
        text, changed = html_fixes.fix(text, name)
        text = mathml.draw(text)
        text, shrunk = assets.shrink(text, path, html)
        hits |= {*changed, *shrunk}
        texts[name] = add_base(add_policy(text), name)
    for name, text in previews.add(texts).items():
        replace(html / name, text.encode("utf8"))
    if not app.config.book_page:
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
    return page.replace(CHARSET, f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{policy(page)}">')
