"""A page opens with its answer: the figure of the cell tagged `answer` stands below the page's first paragraph.

The notebook keeps it where it is computed.
"""

from docutils import nodes
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def move(app, doctree):
    """Move the figure of the answer, in every kind of book: pages, EPUB, print."""
    cells = [node for node in doctree.findall(nodes.container) if "tag_answer" in node.get("classes", [])]
    if not cells:
        return
    section = next(doctree.findall(nodes.section), None)
    first = next((node for node in section or [] if isinstance(node, nodes.paragraph)), None)
    figures = [figure for cell in cells for figure in cell.findall(nodes.figure)]
    if first is None or len(figures) != 1:
        LOGGER.warning(
            f"{len(figures)} figures are tagged as the answer; a page opens with one", location=app.env.docname
        )
        return
    (figure,), above = figures, figures[0].parent
    above.remove(figure)
    figure["classes"] += ["answer"]
    section.insert(section.index(first) + 1, figure)
    if not above.children and above.get("nb_element") == "cell_code_output":
        above.parent.remove(above)


def setup(app):
    app.connect("doctree-read", move, priority=410)
