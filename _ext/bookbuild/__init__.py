"""The book's build, in the order of `STAGES`: executes, renders from the results, publishes. Commands: `__main__`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sphinx.util.console import color_terminal, nocolor
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

from . import toc
from .execute import runner
from .publish import epub, notebooks
from .read import claims, figures, guess, interactive, links
from .write import finish, mathml, site

BEFORE, AFTER = 100, 900  # what other packages do at the same event


@dataclass
class BuildState:
    """What the stages know of one another: `app.book`."""

    folder: Path  # `_build`, or what --path-output says
    lock: Any = None  # held by one build at a time
    notebooks: dict[str, Any] = field(default_factory=dict)  # page -> its notebook with outputs, in reading order
    notation: dict[str, tuple] = field(default_factory=dict)  # name in code -> page and anchor of its row in the table
    numbers: dict[str, str] = field(default_factory=dict)  # page -> "1.2.1", or "" outside numbered parts

    def title(self, env, page):
        """Number and title of a page that was read."""
        return f"{self.numbers[page]} {env.titles[page].astext()}".strip()


STAGES = [
    ("config-inited", AFTER, [site.configure, runner.start]),  # executes; forgets what was rendered before
    ("builder-inited", BEFORE, [interactive.copy_static]),
    ("env-before-read-docs", BEFORE, [runner.fill_cache]),
    # A page was read. Data first, while figures stand in their cells.
    ("doctree-read", BEFORE, [interactive.add_data, claims.insert_claims, claims.title_outputs, figures.move]),
    ("doctree-read", BEFORE, [figures.add_pictures, links.name_rows]),
    # A page is about to be written.
    ("doctree-resolved", AFTER, [links.link_words, links.link_prose, mathml.keep_together]),
    ("html-page-context", BEFORE, [site.describe]),
    ("html-page-context", AFTER, [interactive.load_scripts, site.add_first_pages, links.link_cells]),
    ("html-page-context", AFTER, [site.inline_options]),
    ("build-finished", BEFORE, [claims.write_list, notebooks.write_all]),
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
    app.add_directive("ledger", claims.Ledger)
    app.add_directive("source-verdicts", claims.SourceVerdicts)
    app.add_directive("status-of-the-run", claims.Status)
    app.add_builder(epub.Epub, override=True)
    app.add_html_math_renderer("mathml", (epub.mathml, None), (epub.mathml, None))
    if site.site_address():  # both need absolute addresses
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
    for event, when, functions in STAGES:
        for function in functions:
            app.connect(event, function, priority=when)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
