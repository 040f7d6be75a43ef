"""Labs that stand on a page without cells: their scripts and style sheets, where the page has a place for them."""

from docutils import nodes

from .interactive import REPLAY_FILES, TRAINING_FILES, load, offer

# The class of the place, and the files in the order in which they run.
LABS = {
    "landing-lab": [*REPLAY_FILES, *TRAINING_FILES, "web/landing.js", "web/landing.css"],
    "playground": [*REPLAY_FILES, *TRAINING_FILES, "web/lessons.js", "web/playground.js", "web/playground.css"],
}


def labs_of(doctree):
    return {name for node in doctree.findall(nodes.container) for name in node["classes"]} & set(LABS)


def vendor(app):
    offer(app, sum(LABS.values(), []))


def load_labs(app, pagename, templatename, context, doctree):
    for name in labs_of(doctree) if doctree is not None else []:
        load(app, LABS[name])


def setup(app):
    app.connect("builder-inited", vendor)
    app.connect("html-page-context", load_labs)
