"""Labs that stand on a page without cells: their scripts and style sheets, where the page has a place for them."""

from docutils import nodes

# The class of the place, and the files in the order in which they run.
LABS = {
    "landing-lab": ["fpbook/lab/trainer.js", "fpbook/lab/landing.js", "fpbook/lab/landing.css"],
    "playground": [
        "fpbook/replay/replay.js",
        "fpbook/replay/replay.css",
        "fpbook/lab/trainer.js",
        "fpbook/lab/lab.css",
        "fpbook/lab/lessons.js",
        "fpbook/lab/playground.js",
        "fpbook/lab/playground.css",
    ],
}


def labs_of(doctree):
    return {name for node in doctree.findall(nodes.container) for name in node["classes"]} & set(LABS)


def vendor(app):
    if app.builder.name == "html":
        paths = app.config.html_static_path
        paths += [path for path in dict.fromkeys(sum(LABS.values(), [])) if path not in paths]


def load(app, pagename, templatename, context, doctree):
    for name in labs_of(doctree) if doctree is not None else []:
        for file in LABS[name]:
            file = file.rpartition("/")[2]
            if file.endswith(".js"):
                app.add_js_file(file, loading_method="defer")
            else:
                app.add_css_file(file)


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("html-page-context", load)
