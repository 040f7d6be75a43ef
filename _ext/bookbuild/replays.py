"""Replays: the data of a figure that moves go into the page, behind its picture.

The script that draws them only where there are any.
"""

import json

from docutils import nodes

from .render import REPLAY


def add(app, doctree):
    """The data of each replay, directly behind its picture; the script finds them there."""
    notebook = app.book_notebooks.get(app.env.docname)
    if notebook is None:
        return
    figures = {name: figure for figure in doctree.findall(nodes.figure) for name in figure["names"]}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if REPLAY in output.get("data", {}):
                data = json.dumps(output["data"][REPLAY], separators=(",", ":"), ensure_ascii=False, allow_nan=False)
                script = data.replace("<", "\\u003c")
                raw = nodes.raw(
                    "", f'<script type="application/json" class="replay-data">{script}</script>', format="html"
                )
                figures[cell.metadata["mystnb"]["figure"]["name"]].insert(1, raw)


def only_on_pages(app, doctree, docname):
    """No other kind of book has scripts."""
    if app.builder.name != "html":
        for node in list(doctree.findall(nodes.raw)):
            if 'class="replay-data"' in node.astext():
                node.parent.remove(node)


def load_script(app, pagename, templatename, context, doctree):
    if doctree is not None and any('class="replay-data"' in node.astext() for node in doctree.findall(nodes.raw)):
        app.add_js_file("replay.js", loading_method="defer")
        app.add_css_file("replay.css")


def setup(app):
    app.connect("doctree-read", add, priority=395)
    app.connect("doctree-resolved", only_on_pages)
    app.connect("html-page-context", load_script)
