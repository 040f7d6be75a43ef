"""The last hand on every page that was written: changes, smaller files, previews, policy.

Each page is replaced whole.
"""

from pathlib import Path

from ..execute.build_state import last, note
from ..files import write_whole
from . import assets, html_fixes, previews
from .policy import add_policy
from .site import base_of

REDIRECT = '<meta http-equiv="Refresh"'  # the first page of a book whose root is another one: `make page`
DONE = 'http-equiv="Content-Security-Policy"'


def finish(app, exception):
    if exception or app.builder.name != "html":
        return
    html, hits = Path(app.outdir), dict(last(app, "hits", {}))
    pages = {path.relative_to(html).as_posix(): path for path in html.rglob("*.html") if "_static" not in path.parts}
    texts = {name: path.read_text(encoding="utf8") for name, path in pages.items()}
    texts = {name: text for name, text in texts.items() if not text.startswith(REDIRECT)}
    new = [name for name, text in texts.items() if DONE not in text]
    if new:
        assets.icons(html)
    for name in new:
        text, changed = html_fixes.rewrite(texts[name], name)
        text, slimmed = assets.slim(text, pages[name], html)
        hits[name] = changed + slimmed
        texts[name] = base_of(add_policy(text), name)
    for name, text in previews.refresh(texts, new).items():
        write_whole(pages[name], text)
    hits = {name: found for name, found in hits.items() if name in pages}
    if not app.config.book_page:
        html_fixes.complain(hits, [*html_fixes.CHANGES, *assets.NAMES])
    note(app, "hits", hits)


def setup(app):
    app.connect("build-finished", finish, priority=900)
