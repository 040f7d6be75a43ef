"""The lab of the first page: its scripts and its style sheet, on the page that has it alone."""

from docutils import nodes

FILES = ["fpbook/lab/trainer.js", "fpbook/lab/landing.js", "fpbook/lab/landing.css"]


def vendor(app):
    if app.builder.name == "html":
        paths = app.config.html_static_path
        paths += [path for path in FILES if path not in paths]


def load(app, pagename, templatename, context, doctree):
    if doctree is not None and any("landing-lab" in node["classes"] for node in doctree.findall(nodes.container)):
        app.add_js_file("trainer.js", loading_method="defer")
        app.add_js_file("landing.js", loading_method="defer")
        app.add_css_file("landing.css")


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("html-page-context", load)
