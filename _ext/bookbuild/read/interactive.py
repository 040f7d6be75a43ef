"""Replays and labs: the data of a figure that moves, or trains, go into the page behind its picture.

The scripts that draw them only where there are any.
"""

import json

from docutils import nodes

from ..settings import LAB, REPLAY

KINDS = {REPLAY: "replay-data", LAB: "lab-data"}
REPLAY_FILES = ["fpbook/replay/replay.js", "fpbook/replay/replay.css"]
# What every training in a page needs, in the order in which it runs; it draws with the replay's script.
TRAINING_FILES = [
    *("fpbook/lab/words.js", "web/trainer.js", "web/experiment.js", "web/session.js", "web/address.js"),
    *("web/colors.js", "web/messages.js", "web/controls.js", "web/panels.js", "web/lab.css"),
]
LAB_FILES = [*TRAINING_FILES, "web/lab.js"]


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


def offer(app, files):
    """Copy files of the package to the site's _static, each once."""
    if app.builder.name == "html":
        paths = app.config.html_static_path
        paths += [path for path in dict.fromkeys(files) if path not in paths]


def load(app, files):
    """Let the page that is being written run the scripts, in this order, and take the style sheets."""
    for file in files:
        name = file.rpartition("/")[2]
        if name.endswith(".js"):
            app.add_js_file(name, loading_method="defer")
        else:
            app.add_css_file(name)


def vendor(app):
    offer(app, REPLAY_FILES + LAB_FILES)


def load_script(app, pagename, templatename, context, doctree):
    raw = [node.astext() for node in doctree.findall(nodes.raw)] if doctree is not None else []
    if any(f'class="{name}"' in text for name in KINDS.values() for text in raw):
        load(app, REPLAY_FILES)
    if any('class="lab-data"' in text for text in raw):
        load(app, LAB_FILES)


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("doctree-read", add, priority=395)
    app.connect("doctree-resolved", only_on_pages)
    app.connect("html-page-context", load_script)
