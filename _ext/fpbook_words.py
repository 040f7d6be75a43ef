"""Sphinx extension of the book's words: sections link to the glossary, and each page holds what its references point to."""

import re
from html import escape

from bs4 import BeautifulSoup
from docutils import nodes
from fpbook_epub import as_mathml

GLOSSARY, NOTATION, REFERENCES = "chapters/glossary", "chapters/notation", "chapters/references"
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
ARTICLE = re.compile(r'<article class="bd-article">.*?</article>', re.DOTALL)
LINK = re.compile(r'<a class="[^"]*reference internal[^"]*" href="(?P<href>[^"#]+\.html)#(?P<anchor>[^"]+)"')
TEX = re.compile(r"\\[(\[](.*)\\[)\]]", re.DOTALL)
STORED = re.compile(r'<template class="preview".*?</template>', re.DOTALL)


def name_rows(app, doctree):
    """Each row of the notation table that names code gets an address."""
    if app.env.docname == NOTATION:
        for row in doctree.findall(nodes.row):
            if names := row_names(row):
                row["ids"].append(nodes.make_id(f"notation-{names[0]}"))


def row_names(row):
    return [literal.astext() for literal in row.children[1].findall(nodes.literal)]


def words_of(env):
    """What is linked where it is used: terms of the glossary and names in code of the notation table, each {word: (page, anchor)}.

    Of the terms only those of several words and the abbreviations are linked: a single common word has other meanings too.
    """
    terms, names = env.domains["std"].objects.items(), {}
    terms = {name: place for (kind, name), place in terms if kind == "term" and re.search(r"[ -]|[A-Z]{2}", name)}
    if NOTATION in env.all_docs:
        for row in env.get_doctree(NOTATION).findall(nodes.row):
            names |= {name: (NOTATION, row["ids"][0]) for name in row_names(row) if len(name) > 3}
    return terms, names


def pattern_of(words):
    """Longest first; terms in any case and in the plural, abbreviations as they are."""
    longest_first = sorted(words, key=len, reverse=True)
    forms = [re.escape(word) if re.search("[A-Z]{2}", word) else f"(?i:{re.escape(word)}s?)" for word in longest_first]
    return re.compile(rf"(?<![\w-])({'|'.join(forms)})(?![\w-])")


def link_words(app, doctree, docname):
    """The first use of a word below each second-level heading becomes a link to its entry."""
    terms, names = words_of(app.env)
    if not terms or docname in {GLOSSARY, NOTATION, REFERENCES}:
        return
    pattern, entries, seen = pattern_of(terms), {term.lower(): place for term, place in terms.items()}, set()

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


def write_all(app, env):
    """Links and previews depend on these pages, so after a change to one of them every page is written anew."""
    return list(env.all_docs) if {GLOSSARY, NOTATION, REFERENCES} & set(app.fpbook_read) else []


def remember(app, env, docnames):
    app.fpbook_read = list(docnames)


def preview(soup, anchor):
    """What stands at an address, as plain as a preview needs it; None where that is not a short thing."""
    node = soup.find(id=anchor)
    if node is None:
        return None
    if node.name == "dt":
        parts = node.find_next_sibling("dd").contents
    elif node.name == "tr":
        parts = [BeautifulSoup(f"<p>{cell.p.decode_contents() if cell.p else cell.decode_contents()}</p>", "html.parser")
                 for cell in (node.find_all("td")[0], node.find_all("td")[2])]  # fmt: skip
    elif "citation" in node.get("class", []):
        parts = node.find_all("p")
    elif "math" in node.get("class", []):
        parts = [node]
    else:
        return None
    text = BeautifulSoup("".join(str(part) for part in parts), "html.parser")
    for link in text.select("a.headerlink"):
        link.decompose()
    for link in text.find_all("a"):
        link.unwrap()
    for element in text.find_all(id=True):
        del element["id"]
    for formula in text.select(".math"):  # as MathML, since a page without formulas of its own loads no MathJax
        number, tex = formula.find(class_="eqno"), TEX.search(formula.get_text())
        drawn = as_mathml(tex[1], formula.name == "div")
        formula.clear()
        formula.append(BeautifulSoup(drawn, "html.parser"))
        if number:
            formula.append(number)
    return str(text)


def store_previews(page, path, parsed):
    """The page with the previews of everything on other pages that its text refers to; `parsed` keeps the pages already read."""
    article = ARTICLE.search(STORED.sub("", page))
    if not article:
        return page
    templates = []
    for href, anchor in sorted({(match["href"], match["anchor"]) for match in LINK.finditer(article[0])}):
        target = (path.parent / href).resolve()
        if target not in parsed:
            found = ARTICLE.search(target.read_text(encoding="utf8")) if target.exists() else None
            parsed[target] = BeautifulSoup(found[0] if found else "", "html.parser")
        if text := preview(parsed[target], anchor):
            templates.append(f'<template class="preview" data-for="{escape(f"{href}#{anchor}")}">{text}</template>')
    return STORED.sub("", page).replace("</article>", "".join(templates) + "</article>", 1)


def setup(app):
    app.connect("doctree-read", name_rows)
    app.connect("env-before-read-docs", remember)
    app.connect("env-updated", write_all)
    app.connect("doctree-resolved", link_words, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
