"""What moves and trains: the data of replays and labs go into the page behind their picture.

The scripts that draw them are loaded only where there are any. Three labs stand in places of their own.
"""

import json

from docutils import nodes

from ..settings import LAB, REPLAY

KINDS = {REPLAY: "replay-data", LAB: "lab-data"}  # class of the data, by mime type
# The files in the order in which they run: for data, and for the place of a lab, by its class.
REPLAY_FILES = ["fpbook/replay/replay.js", "fpbook/replay/replay.css"]
# What every training in a page needs, in the order in which it runs; it draws with the replay's script.
TRAINING_FILES = [
    *("fpbook/lab/words.js", "web/trainer.js", "web/rod.js", "web/experiment.js", "web/session.js"),
    *("web/address.js", "web/colors.js", "web/messages.js", "web/controls.js", "web/panels.js", "web/lab.css"),
]
LAB_FILES = [*TRAINING_FILES, "web/lab-panels.js", "web/lab.js"]
LABS = {
    "landing-lab": [*REPLAY_FILES, *TRAINING_FILES, "web/landing-run.js", "web/landing.js", "web/landing.css"],
    "picture-lab": [*REPLAY_FILES, *TRAINING_FILES, "web/portrait.js", "web/picture.js", "web/picture.css"],
    "playground": [
        *(*REPLAY_FILES, *TRAINING_FILES, "web/lessons.js", "web/settings.js", "web/takeaway.js", "web/points.js"),
        *("web/sound.js", "web/dialogs.js", "web/pen.js", "web/stage.js", "web/form.js", "web/forecast.js"),
        *("web/playground.js", "web/playground.css"),
    ],
}
FILES = LABS | {"replay-data": REPLAY_FILES, "lab-data": [*REPLAY_FILES, *LAB_FILES]}


def add_data(app, doctree):
    """The data of each replay or lab, directly behind its picture; the script finds them there."""
    notebook = app.book.notebooks.get(app.env.docname)
    if notebook is None:
        return
    figures = {name: figure for figure in doctree.findall(nodes.figure) for name in figure["names"]}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind in set(KINDS) & set(output.get("data", {})):
                data = json.dumps(output["data"][kind], separators=(",", ":"), ensure_ascii=False, allow_nan=False)
                script = data.replace("<", "\\u003c")
                html = f'<script type="application/json" class="{KINDS[kind]}">{script}</script>'
                node = nodes.raw("", html, format="html", holds=KINDS[kind])  # no class: that would wrap it
                figures[cell.metadata["mystnb"]["figure"]["name"]].insert(1, node)


def leave_out(app, doctree, docname):
    """No other kind of book has scripts."""
    if app.builder.name != "html":
        for node in list(doctree.findall(nodes.raw)):
            if "holds" in node:
                node.parent.remove(node)


def copy_static(app):
    """The files go to the site's _static, each once."""
    if app.builder.name == "html":
        paths = app.config.html_static_path
        paths += [path for path in dict.fromkeys(sum(FILES.values(), [])) if path not in paths]


def load_scripts(app, pagename, templatename, context, doctree):
    """The page that is being written runs the scripts that it needs, and takes their style sheets."""
    if doctree is None:
        return
    found = {name for node in doctree.findall(nodes.container) for name in node["classes"]}
    found |= {node.get("holds") for node in doctree.findall(nodes.raw)}
    for file in dict.fromkeys(file for name in FILES if name in found for file in FILES[name]):
        name = file.rpartition("/")[2]
        if name.endswith(".js"):
            app.add_js_file(name, loading_method="defer")
        else:
            app.add_css_file(name)
