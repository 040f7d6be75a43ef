"""Replays and labs: the data of a figure that moves, or trains, go into the page behind its picture.

The scripts that draw them only where there are any.
"""

import json

from docutils import nodes

from .render import LAB, REPLAY

KINDS = {REPLAY: "replay-data", LAB: "lab-data"}
LAB_FILES = ["fpbook/lab/trainer.js", "fpbook/lab/lab.js", "fpbook/lab/lab.css"]


def add(app, doctree):
    """The data of each replay, directly behind its picture; the script finds them there."""
    notebook = app.book_notebooks.get(app.env.docname)
    if notebook is None:
        return
    figures = {name: figure for figure in doctree.findall(nodes.figure) for name in figure["names"]}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind in set(KINDS) & set(output.get("data", {})):
                data = json.dumps(output["data"][kind], separators=(",", ":"), ensure_ascii=False, allow_nan=False)
                script = data.replace("<", "\\u003c")
                html = f'<script type="application/json" class="{KINDS[kind]}">{script}</script>'
                figures[cell.metadata["mystnb"]["figure"]["name"]].insert(1, nodes.raw("", html, format="html"))


def only_on_pages(app, doctree, docname):
    """No other kind of book has scripts."""
    if app.builder.name != "html":
        for node in list(doctree.findall(nodes.raw)):
            if any(f'class="{name}"' in node.astext() for name in KINDS.values()):
                node.parent.remove(node)


def vendor(app):
    if app.builder.name == "html":
        app.config.html_static_path += [path for path in LAB_FILES if path not in app.config.html_static_path]


def load_script(app, pagename, templatename, context, doctree):
    raw = [node.astext() for node in doctree.findall(nodes.raw)] if doctree is not None else []
    if any(f'class="{name}"' in text for name in KINDS.values() for text in raw):
        app.add_js_file("replay.js", loading_method="defer")
        app.add_css_file("replay.css")
    if any('class="lab-data"' in text for text in raw):  # a lab draws with the replay's script
        app.add_js_file("trainer.js", loading_method="defer", priority=510)
        app.add_js_file("lab.js", loading_method="defer", priority=520)
        app.add_css_file("lab.css")


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("doctree-read", add, priority=395)
    app.connect("doctree-resolved", only_on_pages)
    app.connect("html-page-context", load_script)
