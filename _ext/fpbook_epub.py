"""Sphinx extension of the EPUB: formulas as MathML, no scripts, and what the EPUB checker asks for."""

import re
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.builders.epub3 import Epub3Builder
from sphinx.util.math import get_node_equation_number

LOOK = """
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.8em; padding: 0.4em 0.6em; border-left: 3px solid #087f23; }
div.highlight { background: #f5f5f5; }
img { max-width: 100%; height: auto; box-sizing: border-box; }
figure { margin: 1em 0; }
figcaption { font-size: 0.9em; }
summary { font-weight: bold; }
span.equation { display: flex; align-items: center; justify-content: space-between; }
span.equation math { flex: 1; }
div.admonition, div.proof, div.exercise, div.solution { margin: 1em 0; padding: 0.2em 0.8em; border-left: 3px solid #0072b2; }
p.admonition-title { font-weight: bold; }
a.term { color: inherit; text-decoration: underline dotted; }
div.citation > span.label { display: none; }
"""
CHANGES = [
    (r"<script.*?</script>", ""),
    (r'\s*<link rel="stylesheet"[^>]*_static/(?!pygments|epub|book)[^>]*/>', ""),
    (r'<p class="expanded[^"]*">.*?</p>', ""),  # says what a folded cell's control would do when open
    (r'<summary aria-label="[^"]*">\s*<p class="collapsed[^"]*">(.*?)</p>', r"<summary><span>\1</span>"),
    (r' role="doc-biblioentry"', ""),
]
SAME_IDS = (r' id="(?:(?:exercise|solution|proof)-content|proof)"', "")  # one name for several places on a page


def as_mathml(tex, block):
    return convert(tex.replace("aligned}", "align}"), display="block" if block else "inline")  # it knows align only


def mathml(self, node):
    """A formula as MathML, which readers of EPUB draw without a script."""
    block = isinstance(node, nodes.math_block)
    formula = as_mathml(node.astext(), block)
    if block:
        number = f"<span>({get_node_equation_number(self, node)})</span>" if node.get("number") else ""
        formula = f'<span class="equation">{formula}{number}</span>'
    self.body.append(f'<span id="{node["ids"][0]}">{formula}</span>' if node["ids"] else formula)
    raise nodes.SkipNode


class Epub(Epub3Builder):
    """The EPUB builder of Sphinx, with pages and a list of contents that pass the EPUB checker."""

    def handle_finish(self):
        for path in Path(self.outdir).rglob("*.xhtml"):
            page = path.read_text(encoding="utf8")
            for pattern, replacement in [*CHANGES, SAME_IDS]:
                page = re.sub(pattern, replacement, page, flags=re.DOTALL)
            path.write_text(page, encoding="utf8")
        with Path(self.outdir, "_static/epub.css").open("a", encoding="utf8") as styles:
            styles.write(LOOK)
        super().handle_finish()

    def build_content(self):
        """The list of contents says which pages hold MathML, and names each page once."""
        super().build_content()
        path, seen = Path(self.outdir, "content.opf"), set()

        def item(match):
            page = Path(self.outdir, match[1])
            holds = page.suffix == ".xhtml" and page.exists() and "<math" in page.read_text(encoding="utf8")
            return match[0] + (' properties="mathml"' if holds else "")

        def once(match):
            first, _ = match[1] not in seen, seen.add(match[1])
            return match[0] if first else ""

        content = re.sub(r'<item id="epub-\d+" href="([^"]+)"', item, path.read_text(encoding="utf8"))
        path.write_text(re.sub(r'\s*<itemref idref="([^"]+)" />', once, content), encoding="utf8")


def configure(app, config):
    config.epub_description = "An executable textbook on the frequency principle of neural networks"
    config.epub_identifier = config.epub_uid = config.epub_basename  # one name in both lists of contents
    config.epub_contributor, config.epub_copyright = config.author, f"{config.copyright} {config.author}, CC BY 4.0"


def setup(app):
    app.add_builder(Epub, override=True)
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
    app.connect("config-inited", configure, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
