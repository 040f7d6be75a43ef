"""What moves and trains: its data behind its picture, and where they are needed the scripts of `interactive.yml`."""

import json
from pathlib import Path

import yaml
from docutils import nodes

from ..settings import LAB, REPLAY

KINDS = {REPLAY: "replay-data", LAB: "lab-data"}  # class of the data, by mime type
LISTS = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf8"))


def files(name):
    """The files of a list."""
    return [file for part in LISTS[name] for file in (files(part) if part in LISTS else [part])]


def add_data(app, doctree):
    """The data of each replay or lab, directly behind its picture; the script finds them there."""
    notebook = app.book.notebooks.get(app.env.docname)
    if notebook is None or app.builder.name != "html":  # no other kind of book has scripts
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


def copy_static(app):
    """What pages run goes to the site's _static, each file once."""
    if app.builder.name == "html":
        app.config.html_static_path += dict.fromkeys(["_vendor", *sum(map(files, LISTS), [])])


def load_scripts(app, pagename, templatename, context, doctree):
    """The page that is being written runs the scripts that it needs, and takes their style sheets."""
    if doctree is None:
        return
    found = {name for node in doctree.findall(nodes.container) for name in node["classes"]}
    found |= {node.get("holds") for node in doctree.findall(nodes.raw)}
    for file in dict.fromkeys(file for name in LISTS if name in found for file in files(name)):
        add = app.add_js_file if file.endswith(".js") else app.add_css_file
        add(file.rpartition("/")[2])
