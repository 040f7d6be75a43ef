"""Execute first, then render everything from nothing: a built book is never stale.

Executed results are kept apart, each under its own key, so rendering executes nothing.
"""

import shutil
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.util import logging

from ..settings import FOR_THE_PAGE, BuildError
from .runner import execute, locked

LOGGER = logging.getLogger(__name__)
RENDERED = [".doctrees", ".jupyter_cache", "jupyter_execute", "thumbnails"]  # in _build, beside the book itself


def start(app, config):
    """Bring the results up to date and forget what was rendered before; a build without its results ends here."""
    book, root = app.book, Path(app.srcdir)
    try:
        book.lock = locked(book.folder / ".lock")  # until the process ends
        with locked(root / "_build" / "executed" / ".lock"):  # another kind of book is made of the same results
            notebooks = execute(root, toc=config.external_toc_path, show_failing=bool(config.book_page))
    except BuildError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for path in [Path(app.outdir), *(book.folder / name for name in RENDERED)]:
        shutil.rmtree(path, ignore_errors=True)
    Path(app.outdir).mkdir(parents=True)
    book.notebooks = {path.relative_to(root).with_suffix("").as_posix(): made for path, made in notebooks.items()}
    for page, notebook in book.notebooks.items():
        for message in notebook.metadata.fpbook.get("failing", []):
            LOGGER.warning(f"{page}: ClaimError: {message}")  # Sphinx cannot tell a location before it has read pages


def fill_cache(app, env, docnames):
    """What is about to be read finds its outputs in the cache that MyST-NB reads, without the data for the page."""
    read = {page: app.book.notebooks[page] for page in docnames if page in app.book.notebooks}
    cache = get_cache(app.book.folder / ".jupyter_cache") if read else None
    for page, notebook in read.items():
        shown = nbformat.from_dict(notebook)
        for cell in shown.cells:
            if cell.cell_type == "code":
                cell.outputs = [shown_output(output) for output in cell.get("outputs", [])]
        cache.cache_notebook_bundle(CacheBundleIn(shown, env.doc2path(page)), check_validity=False)


def shown_output(output):
    """An output as MyST-NB is to see it."""
    kept = {kind: content for kind, content in output.get("data", {}).items() if kind not in FOR_THE_PAGE}
    return nbformat.from_dict({**output, "data": kept}) if "data" in output else output
