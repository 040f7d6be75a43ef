"""The EPUB: formulas as MathML, no scripts, a title page, a table of contents, and what the checker asks for."""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.builders.epub3 import Epub3Builder
from sphinx.util.math import get_node_equation_number

from ..write import finish
from ..write.mathml import as_mathml

LOOK = Path(__file__).with_name("epub.css").read_text(encoding="utf8")
TITLE = Path(__file__).with_name("title.xhtml").read_text(encoding="utf8")
CHANGES = {name: finish.CHANGES[name] for name in ("ids that name several places", "space that a link underlines")}
CHANGES |= {
    "style sheets of the site": (r'\s*<link rel="stylesheet"[^>]*_static/(?!pygments|epub)[^>]*/>', ""),
    "role that is deprecated": (r' role="doc-biblioentry"', ""),
}


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

    math_renderer_name = "mathml"

    def handle_finish(self):
        hits, out = set(), Path(self.outdir)
        for path in out.rglob("*.xhtml"):
            page, changed = finish.change(path.read_text(encoding="utf8"), CHANGES)
            path.write_text(page, encoding="utf8")
            hits |= changed
        finish.complain(hits, CHANGES)
        names = ("epub_title", "author", "version", "copyright", "epub_description")
        title = TITLE.format(**{name: escape(str(getattr(self.config, name))) for name in names})
        (out / "title.xhtml").write_text(title, encoding="utf8")
        with (out / "_static/epub.css").open("a", encoding="utf8") as styles:
            styles.write(LOOK)
        super().handle_finish()

    def build_content(self):
        """The list of contents says which pages hold MathML, names each page once, and is the page behind the title."""
        super().build_content()
        path = Path(self.outdir, "content.opf")
        content = "\n".join(dict.fromkeys(path.read_text(encoding="utf8").splitlines()))  # no other line is there twice

        def item(match):
            holds = "<math" in Path(self.outdir, match[1]).read_text(encoding="utf8")
            return match[0] + (' properties="mathml"' if holds else "")

        content = re.sub(r'<item id="epub-\d+" href="([^"]+\.xhtml)"', item, content)
        title = f'<itemref idref="{self.make_id("title.xhtml")}" linear="no" />'
        first = title.replace(' linear="no"', "") + '\n    <itemref idref="nav" />'
        content = re.sub(r"<spine[^>]*>", rf"\g<0>\n    {first}", content.replace(title, ""))
        path.write_text(content, encoding="utf8")
