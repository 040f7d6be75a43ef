"""Execute first, then render: everything or nothing.

A build renders the whole book from nothing, unless none of its inputs has changed since the last build that ended
well. `_build/.built.json`, the last thing that a build writes, says what those were and which kinds of book were made
of them. Executed results are kept apart, each under its own key, so rendering executes nothing.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.util import logging

from fpbook._files import replace

from ..settings import FOR_THE_PAGE, RECORD, BuildError, site_address
from .results import file_hash, result_path
from .runner import execute, locked

LOGGER = logging.getLogger(__name__)
RENDERED = ["html", "epub", "notebooks", "jupyter_execute", ".doctrees", "thumbnails"]  # folders of _build
NOT_READ = {"_build", "data", "tests", "experiments", "benchmarks", "__pycache__"}  # folders that no page shows


def start(app, config):
    """Bring the results up to date, then forget whatever was rendered from something else.

    This happens before Sphinx loads what it knows of the last build. A build without its results ends here.
    """
    book = app.book
    try:
        book.lock = locked(book.folder / ".lock")  # released when the process ends, at the latest
        notebooks = execute(app.srcdir, toc=config.external_toc_path, show_failing=bool(config.book_page))
        book.inputs = inputs(app, notebooks)
        forget_what_changed(book, app)
    except BuildError as error:
        abort(str(error))
    except OSError as error:
        abort(f"{book.folder} cannot be written: {error}")
    book.notebooks = {
        path.relative_to(app.srcdir).with_suffix("").as_posix(): notebook for path, notebook in notebooks.items()
    }
    for page, notebook in book.notebooks.items():
        for message in notebook.metadata.fpbook.get("failing", []):
            LOGGER.warning(f"{page}: ClaimError: {message}")  # Sphinx cannot tell a location before it has read pages


def abort(message):
    """End the build with a message and no traceback."""
    print(message, file=sys.stderr)
    sys.exit(1)


def inputs(app, notebooks):
    """A hash of everything that the rendered book depends on."""
    root = Path(app.srcdir)
    files = [result_path(path, root) for path in notebooks] + [root / RECORD]
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in NOT_READ and not f.startswith(".") and "egg-info" not in f)
        files += [
            Path(folder, name) for name in sorted(names) if not name.startswith(".") and not name.endswith(".ipynb")
        ]
    facts = {os.path.relpath(file, root): file_hash(file) for file in files if file.is_file()}
    facts["environment"] = [site_address(), os.environ.get("GITHUB_REPOSITORY")]
    facts["commit"] = last_commit(root)  # pages tell when they were last changed
    facts["settings"] = repr(sorted(app.config.overrides.items()))
    facts["versions"] = sorted(f"{d.metadata['Name']} {d.version}" for d in metadata.distributions())
    facts["python"] = platform.python_version()
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def last_commit(root):
    if not shutil.which("git"):
        return ""
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True).stdout.strip()


def forget_what_changed(book, app):
    """Remove what was rendered unless it is whole and made of today's inputs, and the mark of it until the end."""
    mark, kind = book.folder / ".built.json", Path(app.outdir).name
    try:
        built = json.loads(mark.read_text(encoding="utf8"))
        kept = set(built["kinds"]) if built["inputs"] == book.inputs else set()
    except (OSError, ValueError, KeyError, TypeError):
        kept = set()
    if not all((book.folder / name).exists() for name in [".doctrees/environment.pickle", "jupyter_execute"]):
        kept = set()
    book.kinds = kept = {name for name in kept if list((book.folder / name).glob("*"))}  # Sphinx makes an empty one
    book.fresh = kind not in kept
    mark.unlink(missing_ok=True)
    for name in ([kind] if kept else [*RENDERED, kind]) if book.fresh else []:
        remove(book.folder / name)
    Path(app.outdir).mkdir(parents=True, exist_ok=True)


def remove(path):
    """Remove a folder, or the file in its place."""
    shutil.rmtree(path, ignore_errors=True)
    if path.is_file():
        path.unlink()


def fill_cache(app, env, docnames):
    """What is about to be read finds its outputs in the cache that MyST-NB reads, without the data for the page."""
    folder = app.book.folder / ".jupyter_cache"
    remove(folder)
    read = {page: app.book.notebooks[page] for page in docnames if page in app.book.notebooks}
    cache = get_cache(folder) if read else None
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


def finish(app, exception):
    """The mark of a build that ended well, with the kinds of book that were made of these inputs."""
    book = app.book
    if exception is None and not book.warnings():
        about = {"inputs": book.inputs, "kinds": sorted(book.kinds | {Path(app.outdir).name})}
        replace(book.folder / ".built.json", json.dumps(about).encode())
    book.lock.lock.release()
