"""Numbers: pages are numbered through the book (1.2, 1.2.1, ...), headings inside a page are not.

Sphinx numbers each heading, and the pages below a section after the headings on the section's own page. Here the
table of contents alone decides. Figures, equations, exercises and propositions take the section's number
(`numfig_secnum_depth`), so they run through the section's own page and the pages below it.
"""

from docutils import nodes
from sphinx import addnodes


def assign(collector, env):
    """Give each page of a numbered table of contents its number. All pages are written, so none is returned."""
    env.toc_secnumbers = {}

    def number_page(page, number):
        headings = [node for node in env.tocs[page].findall(nodes.reference)]
        env.toc_secnumbers[page] = {node["anchorname"]: () for node in headings} | {"": number}
        for node in headings:
            node["secnumber"] = None if node["anchorname"] else list(number)
        env.titles[page]["secnumber"] = list(number)
        pages = [child for tree in env.tocs[page].findall(addnodes.toctree) for _, child in tree["entries"]]
        for i, child in enumerate((child for child in pages if child in env.tocs), 1):
            number_page(child, (*number, i))

    for page in sorted(env.numbered_toctrees):
        for tree in env.get_doctree(page).findall(addnodes.toctree):
            if tree.get("numbered"):
                for i, (_, child) in enumerate(tree["entries"], 1):
                    if child in env.tocs:
                        number_page(child, (i,))
    return []
