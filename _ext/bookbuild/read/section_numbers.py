"""Numbers: pages are numbered through the book (1.2, 1.2.1, ...), headings inside a page are not.

Sphinx numbers each heading, and the pages below a section after the headings on the section's own page. Here the
table of contents alone decides. Figures, equations, exercises and propositions take the section's number
(`numfig_secnum_depth`), so they run through the section's own page and the pages below it.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles


def assign_section_numbers(collector, env):
    """Give each page of a numbered table of contents its number. Returns the pages whose numbers changed."""
    before, env.toc_secnumbers, changed = env.toc_secnumbers, {}, []

    def number_page(page, number):
        headings = [node for node in env.tocs[page].findall(nodes.reference)]
        env.toc_secnumbers[page] = {node["anchorname"]: () for node in headings} | {"": number}
        for node in headings:
            node["secnumber"] = None if node["anchorname"] else list(number)
        env.titles[page]["secnumber"] = list(number)
        if env.toc_secnumbers[page] != before.get(page):
            changed.append(page)
        number_below(env.tocs[page], number)

    def number_below(toc, number):
        pages = [page for tree in toc.findall(addnodes.toctree) for _, page in tree["entries"] if page in env.tocs]
        for i, page in enumerate(pages, 1):
            number_page(page, (*number, i))

    for page in sorted(env.numbered_toctrees):
        for tree in env.get_doctree(page).findall(addnodes.toctree):
            if tree.get("numbered"):
                for i, (_, child) in enumerate(tree["entries"], 1):
                    if child in env.tocs:
                        number_page(child, (i,))
    return changed


def setup(app):
    TocTreeCollectorWithStyles.assign_section_numbers = assign_section_numbers
