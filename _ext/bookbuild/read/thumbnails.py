"""The cards of the first page: each gets the figure that answers its section, small."""

import base64
import io
import os
from pathlib import Path

import nbformat
from docutils import nodes
from PIL import Image

from ..files import write_whole
from ..toc import entries

WIDTH = 280  # CSS pixels of a thumbnail; its file has twice as many


def small(drawn):
    """A figure as a small PNG of few colours, with two dots a CSS pixel."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(drawn))) as picture:
        size = 2 * WIDTH, round(2 * WIDTH * picture.height / picture.width)
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(64).save(file, "PNG", dpi=(200, 200))
    return file.getvalue()


def illustrate(app, doctree):
    """The cards stand in the order of the sections; each gets the picture of its section's answer."""
    cards = [node for node in doctree.findall(nodes.container) if "landing-cards" in node["classes"]]
    items = [item for card in cards for item in card.findall(nodes.list_item)]
    if not items:  # as on every page but the first
        return
    sections = [entry for entry in entries(app.srcdir) if entry.number and entry.depth == 1]
    for item, section in zip(items, sections):
        result = app.book_results[section.path]
        app.env.note_dependency(os.path.relpath(result, app.srcdir))
        cells = nbformat.read(result, as_version=4).cells
        answer = next(cell for cell in cells if "answer" in cell.metadata.get("tags", []))
        drawn = next(output["data"]["image/png"] for output in answer.outputs if "image/png" in output.get("data", {}))
        path = Path(app.outdir).parent / "thumbnails" / f"{section.path.stem}.png"
        write_whole(path, small(drawn))
        uri = os.path.relpath(path, Path(app.env.doc2path(app.env.docname)).parent)
        item.insert(0, nodes.image(uri=uri, alt=answer.metadata["mystnb"]["image"]["alt"]))


def setup(app):
    app.connect("doctree-read", illustrate, priority=400)
