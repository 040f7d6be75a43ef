"""Pages link to the glossary and to the table of notation where a word is first used below a heading."""

import re

from docutils import nodes

from ..settings import GLOSSARY, NOTATION, REFERENCES

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


def link(app, doctree, docname):
    """The first use of a word below each second-level heading becomes a link to its entry."""
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
            if any(isinstance(above, NOT_INSIDE) for above in ancestors(node)):
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
