"""The book's build: executes the notebooks, renders the pages from the results, and prepares what is published.

`STAGES` is what happens, in this order; the commands stand in `__main__`.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphinx.util.console import color_terminal, nocolor
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

from . import toc
from .execute import cache
from .publish import epub, notebooks
from .read import claims, figures, guess, interactive, ledger, links, typography
from .write import finish, site

BEFORE, AFTER = 100, 900  # what other packages do at the same event


@dataclass
class BuildState:
    """What the stages know of one another: `app.book`."""

    folder: Path  # `_build`, or what --path-output says
    lock: Any = None  # held by one build at a time
    notebooks: dict[str, Any] = field(default_factory=dict)  # page -> its notebook with outputs, in reading order


STAGES = [
    ("config-inited", AFTER, [site.configure, epub.configure]),
    ("config-inited", AFTER, [cache.start]),  # executes; forgets what was rendered before
    ("builder-inited", BEFORE, [site.copy_static, interactive.copy_static]),
    ("env-before-read-docs", BEFORE, [cache.fill_cache]),
    # A page was read: changes for every kind of book. Data first, while figures stand in their cells.
    ("doctree-read", BEFORE, [interactive.add_data, claims.insert_claims, claims.title_outputs, figures.move]),
    ("doctree-read", BEFORE, [figures.add_pictures, links.name_rows]),
    ("missing-reference", BEFORE, [ledger.resolve]),
    # A page is about to be written: changes for one kind of book.
    ("doctree-resolved", BEFORE, [guess.fold, claims.fold, figures.insert_drawings]),
    ("doctree-resolved", BEFORE, [interactive.leave_out, epub.leave_out_folds]),
    ("doctree-resolved", AFTER, [links.link_words, links.link_prose, typography.set_page]),
    ("html-page-context", BEFORE, [site.offer_notebook, site.describe]),
    ("html-page-context", AFTER, [interactive.load_scripts, site.add_first_pages, links.link_cells]),
    ("html-page-context", AFTER, [site.order_scripts]),
    ("build-finished", BEFORE, [ledger.write_list, notebooks.write_all]),
    ("build-finished", AFTER, [finish.run]),
]


def setup(app):
    if not color_terminal():
        nocolor()  # no colour codes in logs
    if not app.warningiserror:
        app.keep_going = True  # a warning is an error in the plain command too
    # Private names of other packages: sphinx-external-toc 1.1.0; and nbclient 0.11, in execute.runner.
    app.book = BuildState(Path(app.outdir).parent)
    TocTreeCollectorWithStyles.assign_section_numbers = toc.assign_numbers
    app.add_config_value("book_page", "", "")  # `make page` renders this one page alone
    app.add_config_value("comments_config", {}, "")  # of sphinx-comments, which jupyter-book sets and nobody uses
    app.add_directive("guess", guess.Guess)
    app.add_directive("ledger", ledger.Ledger)
    app.add_directive("source-verdicts", ledger.SourceVerdicts)
    app.add_directive("status-of-the-run", ledger.Status)
    app.add_builder(epub.Epub, override=True)
    app.add_html_math_renderer("mathml", (epub.mathml, None), (epub.mathml, None))
    if site.site_address():  # both need absolute addresses
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
    for event, when, functions in STAGES:
        for function in functions:
            app.connect(event, function, priority=when)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
