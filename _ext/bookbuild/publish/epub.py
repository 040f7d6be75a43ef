"""The EPUB: formulas as MathML, no scripts, a title page, a table of contents, and what the checker asks for."""

import re
from html import escape
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.builders.epub3 import Epub3Builder
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from ..read.claims import code_cells
from ..write import finish
from ..write.mathml import as_mathml

LOGGER = logging.getLogger(__name__)

LOOK = Path(__file__).with_name("epub.css").read_text(encoding="utf8")
TITLE = Path(__file__).with_name("title.xhtml").read_text(encoding="utf8")
CHANGES = {
    "style sheets of the site": (r'\s*<link rel="stylesheet"[^>]*_static/(?!pygments|epub)[^>]*/>', ""),
    "role that is deprecated": (r' role="doc-biblioentry"', ""),
    "ids that name several places": finish.CHANGES["ids that name several places"],
}


def mathml(self, node):
    """A formula as MathML, which readers of EPUB draw without a script."""
    block = isinstance(node, nodes.math_block)
    try:
        formula = as_mathml(node.astext(), block)
    except ValueError as error:
        LOGGER.warning(str(error), location=node)
        formula = f"<code>{escape(node.astext())}</code>"
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
        about = {name: escape(str(getattr(self.config, name))) for name in ("author", "version", "copyright")}
        about |= {"title": escape(self.config.epub_title), "description": escape(self.config.epub_description)}
        (out / "title.xhtml").write_text(TITLE.format(**about), encoding="utf8")
        with (out / "_static/epub.css").open("a", encoding="utf8") as styles:
            styles.write(LOOK)
        super().handle_finish()

    def build_content(self):
        """The list of contents says which pages hold MathML, names each page once, and is the page behind the title."""
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
        content = re.sub(r'\s*<itemref idref="([^"]+)" />', once, content)
        title = re.search(r'<item id="([^"]+)" href="title.xhtml"', content)[1]
        content = re.sub(rf'\s*<itemref idref="{title}"[^>]*/>', "", content)
        content, count = re.subn(
            r"(<spine[^>]*>)", rf'\1\n    <itemref idref="{title}" />\n    <itemref idref="nav" />', content
        )
        if count != 1 or 'id="nav"' not in content:
            LOGGER.warning("the EPUB has no list of contents to show")
        path.write_text(content, encoding="utf8")


def configure(app, config):
    config.epub_contributor, config.epub_copyright = config.author, f"{config.copyright} {config.author}, CC BY 4.0"


def leave_out_folds(app, doctree, docname):
    """The EPUB shows results and what is open; the folded sources are on the page."""
    if app.builder.name == "epub":
        for fold in list(doctree.findall(HideCodeCellNode)):
            fold.parent.remove(fold)
        for cell in code_cells(doctree):
            if not cell.children:
                cell.parent.remove(cell)
