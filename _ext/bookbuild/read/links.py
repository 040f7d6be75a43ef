"""Links that nobody writes: names of the package lead to the page of the interface, in cells and in prose, and words
to the glossary and the table of notation where they are first used below a heading.
"""

import ast
import re
from html import escape

from docutils import nodes

from ..execute.results import code_sources
from ..settings import API, GLOSSARY, NOTATION, REFERENCES

BLOCK = re.compile(r'<div class="highlight-ipython3 notranslate">.*?</pre>', re.DOTALL)
WORD = re.compile(r'<span class="(?P<kind>n|nn|nc|nf)">(?P<name>[\w.]+)</span>')
NOT_INSIDE = (
    nodes.reference,
    nodes.literal,
    nodes.math,
    nodes.math_block,
    nodes.strong,
    nodes.title,
    nodes.caption,
    nodes.raw,
)


# Names of the package


def objects(env):
    """{full name: anchor} of what the page of the interface describes."""
    return {name: entry.node_id for name, entry in env.domains["py"].objects.items() if entry.docname == API}


def imported_names(notebook):
    """{name in the cells: full name} of what a notebook imports from the package, modules included."""
    statements = [
        node
        for code in code_sources(notebook)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "fpbook"
    ]
    names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in statements for alias in node.names}
    return names | {node.module: node.module for node in statements}


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


# Words


def name_rows(app, doctree):
    """Each row of the notation table that names code gets an address."""
    if app.env.docname == NOTATION:
        for row in doctree.findall(nodes.row):
            if names := row_names(row):
                row["ids"].append(nodes.make_id(f"notation-{names[0]}"))


def row_names(row):
    return [literal.astext() for literal in row.children[1].findall(nodes.literal)]


def linked_words(env):
    """What is linked where it is used, {word: (page, anchor)}: terms of the glossary, names in code of the notation.

    Of the terms only those of several words and the abbreviations are linked: a single common word has other meanings
    too.
    """
    terms, names = env.domains["std"].objects.items(), {}
    terms = {name: place for (kind, name), place in terms if kind == "term" and re.search(r"[ -]|[A-Z]{2}", name)}
    if NOTATION in env.all_docs:
        for row in env.get_doctree(NOTATION).findall(nodes.row):
            names |= {name: (NOTATION, row["ids"][0]) for name in row_names(row) if len(name) > 3}
    return terms, names


def word_pattern(words):
    """Longest first; terms in any case and in the plural, abbreviations as they are."""
    longest_first = sorted(words, key=len, reverse=True)
    forms = [re.escape(word) if re.search("[A-Z]{2}", word) else f"(?i:{re.escape(word)}s?)" for word in longest_first]
    return re.compile(rf"(?<![\w-])({'|'.join(forms)})(?![\w-])")


def link_words(app, doctree, docname):
    """The first use of a word below each second-level heading becomes a link to its entry; a card has its own link."""
    terms, names = linked_words(app.env)
    if not terms or docname in {GLOSSARY, NOTATION, REFERENCES}:
        return
    pattern, entries, seen = word_pattern(terms), {term.lower(): place for term, place in terms.items()}, set()

    def reference(place, content, node):
        chapter = [above for above in ancestors(node) if isinstance(above, nodes.section)][-2:-1]
        if (once := (place, id(chapter[0]) if chapter else None)) in seen:
            return content
        seen.add(once)
        address = f"{app.builder.get_relative_uri(docname, place[0])}#{place[1]}"
        return nodes.reference("", "", content, internal=True, refuri=address, classes=["term"])

    for paragraph in list(doctree.findall(nodes.paragraph)):
        for node in list(paragraph.findall(lambda node: isinstance(node, (nodes.Text, nodes.literal)))):
            if any(isinstance(above, NOT_INSIDE) or "landing-cards" in above["classes"] for above in ancestors(node)):
                continue
            if isinstance(node, nodes.literal):
                if node.astext() in names:
                    node.parent.replace(node, reference(names[node.astext()], node.deepcopy(), node))
                continue
            parts = [nodes.Text(text) for text in pattern.split(node.astext())]
            for i in range(1, len(parts), 2):
                term = parts[i].lower()
                parts[i] = reference(entries.get(term) or entries[term.removesuffix("s")], parts[i], node)
            node.parent.replace(node, parts)


def ancestors(node):
    while node := node.parent:
        yield node
