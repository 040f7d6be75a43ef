"""The first page: the scripts and the style sheet of its lab, and in each card the figure that answers its section."""

import base64
import io
import os
from pathlib import Path

import nbformat
from docutils import nodes
from PIL import Image

from .files import write_whole
from .toc import entries

FILES = ["fpbook/lab/trainer.js", "fpbook/lab/landing.js", "fpbook/lab/landing.css"]
WIDTH = 280  # CSS pixels of a thumbnail; its file has twice as many


def vendor(app):
    if app.builder.name == "html":
        paths = app.config.html_static_path
        paths += [path for path in FILES if path not in paths]


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


def load(app, pagename, templatename, context, doctree):
    if doctree is not None and any("landing-lab" in node["classes"] for node in doctree.findall(nodes.container)):
        app.add_js_file("trainer.js", loading_method="defer")
        app.add_js_file("landing.js", loading_method="defer")
        app.add_css_file("landing.css")


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("doctree-read", illustrate, priority=400)
    app.connect("html-page-context", load)
