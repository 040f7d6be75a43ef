"""A page opens with its answer: the figure of the cell tagged `answer` stands below the opening text.

Where it was drawn a small copy leads up to it; the notebook keeps it there. Drawn diagrams, `{figure}`s of files in
`_static/diagrams`, which its `draw.py` writes, stand in a page as the SVG itself, so that they take its colours.
"""

import base64
import io
import os
import re
from html import escape
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.util import logging

from fpbook._files import replace

from ..settings import site_address
from .claims import raw

LOGGER = logging.getLogger(__name__)
THUMBNAIL = 420  # CSS pixels; its file has twice as many
DRAWINGS = "_static/diagrams/"
PICTURE = re.compile(rf"\]\((?:\.\./)*(?P<path>{DRAWINGS}[\w-]+\.svg)\)")


def move(app, doctree):
    """Move the figure of the answer, in every kind of book: pages, EPUB, print."""
    cells = [node for node in doctree.findall(nodes.container) if "tag_answer" in node["classes"]]
    if not cells:
        return
    section = next(doctree.findall(nodes.section), nodes.section())
    figures = [figure for cell in cells for figure in cell.findall(nodes.figure)]
    last = end_of_opening(section)
    if last is None or len(figures) != 1:
        message = f"{len(figures)} figures are tagged as the answer; a page opens with one, below its first paragraphs"
        LOGGER.warning(message, location=app.env.docname)
        return
    (figure,) = figures
    figure.parent.replace(figure, small_copy(figure))
    figure["classes"] += ["answer"]
    if "guess" in last["classes"]:
        last["classes"] += ["guess-before"]
        figure["classes"] += ["behind-guess"]
        if app.builder.name == "html":  # the first guess of the page: one fold more, which closes the others
            skip = '<details class="guess-skip" name="guess-0"><summary>Just show me</summary></details>'
            last.insert(-1, raw(skip))
    section.insert(section.index(last) + 1, figure)


def end_of_opening(section):
    """The last of the paragraphs below the title, or the guess behind them; None where there is neither."""
    last = None
    for node in section:
        if "guess" in node["classes"]:
            return node
        if isinstance(node, nodes.paragraph):
            last = node
        elif last is not None and not isinstance(node, nodes.Invisible):
            break
    return last


def small_copy(figure):
    """The figure's picture, which leads to the figure at the top of the page."""
    image = next(figure.findall(nodes.image)).deepcopy()
    image["alt"] = "Small copy of the figure at the top of the page"
    image["ids"] = image["names"] = []
    link = nodes.reference("", "", image, nodes.Text("shown at the top"), refid=figure["ids"][0], internal=True)
    return nodes.paragraph("", "", link, classes=["small-copy"])


def add_pictures(app, doctree):
    """An image `figure:NAME` shows that figure, small; `#top` its upper panel, `#whole` as drawn. Drawings are SVG."""
    cells = [cell for notebook in app.book.notebooks.values() for cell in notebook.cells if "mystnb" in cell.metadata]
    figures = {cell.metadata["mystnb"].get("figure", {}).get("name"): cell for cell in cells}
    for image in list(doctree.findall(nodes.image)):
        _, is_drawing, name = image["uri"].partition(DRAWINGS)
        if is_drawing and app.builder.name == "html":
            drawing = Path(app.srcdir, DRAWINGS, name).read_text(encoding="utf8")
            head = f'<svg class="diagram" role="img" aria-label="{escape(image["alt"])}"'
            image.replace_self(raw(drawing.replace("<svg", head, 1)))
        if not image["uri"].startswith("figure:"):
            continue
        name, _, part = image["uri"].removeprefix("figure:").partition("#")
        if name not in figures:
            if not app.config.book_page:  # a page rendered alone knows no others
                LOGGER.warning(f"no such figure: {name}", location=app.env.docname)
            image.parent.remove(image)
            continue
        cell = figures[name]
        drawn = next(output["data"]["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
        path = app.book.folder / "thumbnails" / f"{name}{part}.png"
        replace(path, base64.b64decode(drawn) if part == "whole" else thumbnail(drawn, part == "top"))
        image["uri"] = os.path.relpath(path, Path(app.env.doc2path(app.env.docname)).parent)
        image["classes"] += cell.metadata["mystnb"]["image"].get("classes", "").split()


def thumbnail(drawn, top=False):
    """A figure, or its upper panel, as a small PNG of few colours, with two dots per CSS pixel."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(drawn))) as picture:
        picture = picture.convert("RGB")
        picture = picture.crop((0, 0, picture.width, end_of_top(picture))) if top else picture
        size = 2 * THUMBNAIL, round(2 * THUMBNAIL * picture.height / picture.width)
        picture.resize(size, Image.Resampling.LANCZOS).quantize(64).save(file, "PNG", dpi=(200, 200))
    return file.getvalue()


def end_of_top(picture):
    """The last row in the upper half that is white throughout: between two panels, if they are of one height."""
    white = (np.asarray(picture)[: picture.height // 2] == 255).all((1, 2))
    return int(np.flatnonzero(white).max(initial=0)) or picture.height // 2


def for_notebooks(text, root):
    """Markdown whose diagrams can be seen from anywhere: at the book's address, or else inside the text."""

    def seen(match):
        site = site_address()
        data = base64.b64encode(Path(root, match["path"]).read_bytes()).decode()
        return f"]({site}{match['path']})" if site else f"](data:image/svg+xml;base64,{data})"

    return PICTURE.sub(seen, text)
