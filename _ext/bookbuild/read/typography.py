"""Small things of print: no punctuation alone on a line behind a formula, no underlined space before a link's words."""

import re

from docutils import nodes

PUNCTUATION = re.compile(r"[.,;:!?)\]’”%]+|-[a-z]+[.,;:]?|s\b")


def set_page(app, doctree, docname):
    if app.builder.format == "html":
        keep_together(doctree)
        move_spaces_out(doctree)


def keep_together(doctree):
    """A formula and the punctuation behind it stay on one line."""
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if not isinstance(after, nodes.Text) or not (found := PUNCTUATION.match(after)):
            continue
        place, parent = formula.parent.index(formula), formula.parent
        rest = nodes.Text(after[found.end() :])
        del parent[place : place + 2]  # by place: `remove` would take the first text that reads the same
        parent.insert(place, [nodes.inline("", "", formula, nodes.Text(found[0]), classes=["nobreak"]), rest])


def move_spaces_out(doctree):
    """`Solution to_Exercise 1`, as sphinx-exercise makes it, becomes `Solution to Exercise 1`."""
    for link in list(doctree.findall(nodes.reference)):
        first = link.next_node(nodes.Text)
        if first is not None and first.startswith(" ") and first.strip():
            first.parent.replace(first, nodes.Text(first.lstrip()))
            link.parent.insert(link.parent.index(link), nodes.Text(" "))
