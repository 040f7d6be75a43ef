"""Links that nobody writes: names of the package lead to the interface, words to the glossary and the notation."""

import ast
import re
from html import escape

from docutils import nodes
from sphinx.util.nodes import traverse_parent

from ..execute.results import code_sources
from ..settings import API, GLOSSARY, NOTATION, REFERENCES

BLOCK = re.compile(r'<div class="highlight-ipython3 notranslate">.*?</pre>', re.DOTALL)
WORD = re.compile(r'<span class="(?P<kind>n|nn|nc|nf)">(?P<name>[\w.]+)</span>')
NOT_INSIDE = nodes.reference, nodes.literal, nodes.math, nodes.math_block, nodes.strong, nodes.raw


def objects(env):
    """{full name: anchor} of what the page of the interface describes."""
    return {name: entry.node_id for name, entry in env.domains["py"].objects.items() if entry.docname == API}


def link_cells(app, pagename, templatename, context, doctree):
    """In the body of a page each name that its cells import from the package leads to its entry."""
    known = objects(app.env)
    if not known or pagename not in app.book.notebooks:
        return
    code, names = "\n".join(code_sources(app.book.notebooks[pagename])), {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "fpbook":
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names[node.module] = node.module
    page = app.builder.get_relative_uri(pagename, API)

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


def name_rows(app, doctree):
    """Each row of the notation table that names code gets an address."""
    if app.env.docname == NOTATION:
        for row in doctree.findall(nodes.row):
            if names := [literal.astext() for literal in row.children[1].findall(nodes.literal)]:
                row["ids"].append(nodes.make_id(f"notation-{names[0]}"))
                app.book.notation |= {name: (NOTATION, row["ids"][0]) for name in names if len(name) > 3}


def word_pattern(words):
    """Longest first; terms in any case and in the plural, abbreviations as they are."""
    longest_first = sorted(words, key=len, reverse=True)
    forms = [re.escape(word) if re.search("[A-Z]{2}", word) else f"(?i:{re.escape(word)}s?)" for word in longest_first]
    return re.compile(rf"(?<![\w-])({'|'.join(forms)})(?![\w-])")


def link_words(app, doctree, docname):
    """The first use of a word below each second-level heading becomes a link to its entry; a card has its own link."""
    objects = app.env.domains["std"].objects.items()
    # Terms of several words and abbreviations: a single common word has other meanings too.
    terms = {name: place for (kind, name), place in objects if kind == "term" and re.search(r"[ -]|[A-Z]{2}", name)}
    if not terms or docname in {GLOSSARY, NOTATION, REFERENCES}:
        return
    entries, names, seen = {term.lower(): place for term, place in terms.items()}, app.book.notation, set()
    pattern = word_pattern(terms)
    for paragraph in list(doctree.findall(nodes.paragraph)):
        for node in [*paragraph.findall(nodes.Text), *paragraph.findall(nodes.literal)]:
            above = list(traverse_parent(node.parent))
            if any(isinstance(part, NOT_INSIDE) or "landing-cards" in part["classes"] for part in above):
                continue
            chapter = [part for part in above if isinstance(part, nodes.section)][-2:-1]
            is_name = isinstance(node, nodes.literal)
            parts = [node] if is_name else [nodes.Text(text) for text in pattern.split(node.astext())]
            for i in range(0 if is_name else 1, len(parts), 2):
                word = parts[i].astext().lower()
                place = names.get(node.astext()) if is_name else entries.get(word) or entries[word.removesuffix("s")]
                if place and (once := (place, *map(id, chapter))) not in seen:
                    seen.add(once)
                    address = f"{app.builder.get_relative_uri(docname, place[0])}#{place[1]}"
                    look = dict(internal=True, refuri=address, classes=["term"])
                    parts[i] = nodes.reference("", "", parts[i].deepcopy(), **look)
            node.parent.replace(node, parts)
