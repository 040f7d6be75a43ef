"""Previews: each page holds what its references to other pages point to.

So that it can show them from disk and without a request.
"""

import re
from html import escape
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup

from .mathml import as_mathml

ARTICLE = re.compile(r'<article class="bd-article">.*?</article>', re.DOTALL)
LINK = re.compile(r'<a class="[^"]*reference internal[^"]*" href="(?P<href>[^"#]+\.html)#(?P<anchor>[^"]+)"')
TEX = re.compile(r"\\[(\[](.*)\\[)\]]", re.DOTALL)
STORED = re.compile(r'<template class="preview".*?</template>', re.DOTALL)


def refresh(texts, new):
    """The pages to write, {name: text}: the new ones, and those that show something of a new page."""
    parsed, changed = {}, {}
    for name, text in texts.items():
        article = ARTICLE.search(STORED.sub("", text))
        links = sorted({(match["href"], match["anchor"]) for match in LINK.finditer(article[0])}) if article else []
        targets = {href: normpath(join(dirname(name), href)) for href, _ in links}
        if name in new or set(targets.values()) & set(new):
            changed[name] = store(
                text, [(f"{href}#{anchor}", targets[href], anchor) for href, anchor in links], texts, parsed
            )
    return changed


def store(page, links, texts, parsed):
    """The page with a template for each thing on another page that can be previewed.

    `parsed` keeps the pages already read.
    """
    templates = []
    for address, target, anchor in links:
        if target not in parsed:
            found = ARTICLE.search(texts.get(target, ""))
            parsed[target] = BeautifulSoup(found[0] if found else "", "html.parser")
        if text := preview(parsed[target], anchor):
            templates.append(f'<template class="preview" data-for="{escape(address)}">{text}</template>')
    return STORED.sub("", page).replace("</article>", "".join(templates) + "</article>", 1)


def preview(soup, anchor):
    """What stands at an address, as plain as a preview needs it; None where that is not a short thing."""
    node = soup.find(id=anchor)
    if node is None:
        return None
    if node.name == "dt":
        parts = node.find_next_sibling("dd").contents
    elif node.name == "tr":
        cells = [node.find_all("td")[i] for i in (0, 2)]
        parts = [BeautifulSoup(f"<p>{(cell.p or cell).decode_contents()}</p>", "html.parser") for cell in cells]
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
