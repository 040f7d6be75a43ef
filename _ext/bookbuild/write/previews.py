"""Previews: each page holds what its references to other pages point to, and shows it from disk without a request."""

import re
from functools import cache
from html import escape
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup

ARTICLE = re.compile(r'<article class="bd-article">.*?</article>', re.DOTALL)
LINK = re.compile(r'<a class="[^"]*reference internal[^"]*" href="(?P<href>[^"#]+\.html)#(?P<anchor>[^"]+)"')


def add(page, name, texts):
    """The page with a template for each thing on another page, {name: text}, that can be previewed."""
    article, templates = ARTICLE.search(page), []
    links = sorted({(match["href"], match["anchor"]) for match in LINK.finditer(article[0])}) if article else []
    for href, anchor in links:
        target = texts.get(normpath(join(dirname(name), href)), "")
        if shown := preview(parsed(target), anchor):
            templates.append(f'<template class="preview" data-for="{escape(href)}#{escape(anchor)}">{shown}</template>')
    return page.replace("</article>", "".join(templates) + "</article>", 1)


@cache
def parsed(page):
    """The article of a page; most pages point to the same few."""
    found = ARTICLE.search(page)
    return BeautifulSoup(found[0] if found else "", "html.parser")


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
    for formula in text.select("[data-tex]"):
        del formula["data-tex"]  # a preview is drawn as it is
    return str(text)
