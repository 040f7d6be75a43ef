"""Tables, links and texts with formulas, as the nodes that a page is made of.

Nothing in a text is markup but `$...$`.
"""

import re

from docutils import nodes

FORMULA = re.compile(r"\$([^$\n]+)\$")


def inline(text):
    """A text with formulas between dollar signs; everything else stands as it is written."""
    parts = FORMULA.split(str(text))
    made = [nodes.math("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts)]
    return [node for node in made if node.astext()]


def link(page, anchor, *content, title=False):
    """A link to a place of the book; `resolve` fills in its address, and with `title` the page's number and title."""
    return nodes.reference(
        "", "", *content, internal=True, refuri="", book_page=page, book_anchor=anchor, book_title=title
    )


def resolve(app, doctree, docname):
    """Give the links their addresses, which differ between builders.

    A link to a page that is not there becomes its text.
    """
    for node in list(doctree.findall(nodes.reference)):
        if "book_page" not in node:
            continue
        page = node["book_page"]
        if page not in app.env.all_docs:
            node.parent.replace(node, node.children)
            continue
        anchor = f"#{node['book_anchor']}" if node["book_anchor"] else ""
        node["refuri"] = app.builder.get_relative_uri(docname, page) + anchor
        if node["book_title"]:
            number = ".".join(map(str, app.env.toc_secnumbers.get(page, {}).get("", ())))
            node += nodes.Text(f"{number} {app.env.titles[page].astext()}".strip())


def table(header, rows, widths, classes=()):
    """A table from lists of nodes (or texts) a cell."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    group += nodes.thead("", _row(header))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=["colwidths-given", *classes])


def _row(cells):
    row = nodes.row()
    for cell in cells:
        content = inline(cell) if isinstance(cell, str) else cell
        row += nodes.entry("", nodes.paragraph("", "", *content))
    return row


def setup(app):
    app.connect("doctree-resolved", resolve, priority=400)
