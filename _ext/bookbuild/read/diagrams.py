"""Drawn diagrams: a page holds the SVG itself, so that it takes the page's colours; other books show it as a picture.

They are `{figure}`s of files in `_static/diagrams`, which its `draw.py` writes.
"""

import base64
import re
from html import escape
from pathlib import Path

from docutils import nodes

from ..settings import site_address

FOLDER = "_static/diagrams/"
PICTURE = re.compile(rf"\]\((?:\.\./)*(?P<path>{FOLDER}[\w-]+\.svg)\)")


def insert(app, doctree, docname):
    """The drawing in place of its picture, named by the picture's alternative text."""
    if app.builder.name != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].startswith(FOLDER):
            drawing = Path(app.srcdir, image["uri"]).read_text(encoding="utf8")
            head = f'<svg class="diagram" role="img" aria-label="{escape(image["alt"])}"'
            image.replace_self(nodes.raw("", drawing.replace("<svg", head, 1), format="html"))


def for_notebooks(text, root):
    """Markdown whose diagrams can be seen from anywhere: at the book's address, or else inside the text."""

    def seen(match):
        site = site_address()
        data = base64.b64encode(Path(root, match["path"]).read_bytes()).decode()
        return f"]({site}{match['path']})" if site else f"](data:image/svg+xml;base64,{data})"

    return PICTURE.sub(seen, text)
