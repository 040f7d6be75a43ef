"""Names of the package in code, on a page's cells and in its prose, link to the page of the interface."""

import ast
import re
from html import escape

from docutils import nodes

from ..execute.results import code_of

API = "chapters/api"
BLOCK = re.compile(r'<div class="highlight-ipython3 notranslate">.*?</pre>', re.DOTALL)
WORD = re.compile(r'<span class="(?P<kind>n|nn|nc|nf)">(?P<name>[\w.]+)</span>')


def objects(env):
    """{full name: anchor} of what the page of the interface describes."""
    return {name: entry.node_id for name, entry in env.domains["py"].objects.items() if entry.docname == API}


def remember(app, doctree):
    """What the page imports, kept with the page."""
    notebook = app.book_notebooks.get(app.env.docname)
    if notebook is not None:
        app.env.metadata[app.env.docname]["imports"] = {
            (alias.asname or alias.name, node.module): alias.name
            for code in code_of(notebook)
            for node in ast.walk(_parsed(code))
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fpbook"
            for alias in node.names
        }


def _parsed(code):
    try:
        return ast.parse(code)
    except SyntaxError:
        return ast.Module([], [])


def link_cells(app, pagename, templatename, context, doctree):
    """In the body of a page each imported name of a cell leads to its entry."""
    known = objects(app.env)
    imports = app.env.metadata.get(pagename, {}).get("imports", {})
    names = {name: f"{module}.{original}" for (name, module), original in imports.items()}
    names |= {module: module for _, module in imports}
    if not known or not imports or not context.get("body"):
        return
    page = app.builder.get_relative_uri(pagename, API)

    def linked(match):
        full = names.get(match["name"])
        if full not in known:
            return match[0]
        address = f"{page}#{known[full]}"
        return f'<a class="code-link" href="{escape(address)}" title="{escape(full)}">{match[0]}</a>'

    context["body"] = BLOCK.sub(lambda block: WORD.sub(linked, block[0]), context["body"])


def link_prose(app, doctree, docname):
    """A name of the package in the prose, `nudft` or `fpbook.spectra.nudft`, leads to its entry too."""
    known = objects(app.env)
    short = {}
    for name in known:
        short.setdefault(name.rpartition(".")[2], []).append(name)
    if not known or docname == API or app.builder.name != "html":
        return
    for node in list(doctree.findall(nodes.literal)):
        text = node.astext().removesuffix("()")
        full = text if text in known else (short.get(text) or [""])[0] if len(short.get(text, [])) == 1 else ""
        if full and len(text) > 3 and not isinstance(node.parent, nodes.reference):
            address = f"{app.builder.get_relative_uri(docname, API)}#{known[full]}"
            link = nodes.reference("", "", node.deepcopy(), internal=True, refuri=address, classes=["code-link"])
            node.parent.replace(node, link)


def setup(app):
    app.connect("doctree-read", remember)
    app.connect("doctree-resolved", link_prose, priority=910)
    app.connect("html-page-context", link_cells, priority=940)
