"""Names of the package in code, on a page's cells and in its prose, link to the page of the interface."""

import ast
import re
from html import escape

from docutils import nodes

from ..execute.results import code_sources
from ..settings import API

BLOCK = re.compile(r'<div class="highlight-ipython3 notranslate">.*?</pre>', re.DOTALL)
WORD = re.compile(r'<span class="(?P<kind>n|nn|nc|nf)">(?P<name>[\w.]+)</span>')


def objects(env):
    """{full name: anchor} of what the page of the interface describes."""
    return {name: entry.node_id for name, entry in env.domains["py"].objects.items() if entry.docname == API}


def imported_names(notebook):
    """{name in the cells: full name} of what a notebook imports from the package, modules included."""
    statements = [
        node
        for code in code_sources(notebook)
        for node in ast.walk(_parsed(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fpbook"
    ]
    names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in statements for alias in node.names}
    return names | {node.module: node.module for node in statements}


def _parsed(code):
    try:
        return ast.parse(code)
    except SyntaxError:
        return ast.Module([], [])


def link_cells(app, pagename, templatename, context, doctree):
    """In the body of a page each imported name of a cell leads to its entry."""
    known = objects(app.env)
    if not known or pagename not in app.book.notebooks or not context.get("body"):
        return
    names, page = imported_names(app.book.notebooks[pagename]), app.builder.get_relative_uri(pagename, API)

    def linked(match):
        full = names.get(match["name"])
        if full not in known:
            return match[0]
        return f'<a class="code-link" href="{escape(f"{page}#{known[full]}")}" title="{escape(full)}">{match[0]}</a>'

    context["body"] = BLOCK.sub(lambda block: WORD.sub(linked, block[0]), context["body"])


def link_prose(app, doctree, docname):
    """A name of the package in the prose, `nudft` or `fpbook.spectra.nudft`, leads to its entry too."""
    known = objects(app.env)
    if not known or docname == API or app.builder.name != "html":
        return
    short = {}
    for name in known:
        short.setdefault(name.rpartition(".")[2], []).append(name)
    for node in list(doctree.findall(nodes.literal)):
        text = node.astext().removesuffix("()")
        meant = [text] if text in known else short.get(text, [])
        if len(meant) == 1 and len(text) > 3 and not isinstance(node.parent, nodes.reference):
            address = f"{app.builder.get_relative_uri(docname, API)}#{known[meant[0]]}"
            link = nodes.reference("", "", node.deepcopy(), internal=True, refuri=address, classes=["code-link"])
            node.parent.replace(node, link)
