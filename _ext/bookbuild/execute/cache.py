"""Execute first, then render: brings the results up to date and hands them to MyST-NB through the cache it reads.

Only pages that are about to be read are put into the cache, which is made anew each time: it can hold no result but
those just found right.
"""

import errno
import shutil
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from ..settings import CLAIM, LAB, REPLAY
from .build_state import last, note
from .results import hash_of
from .runner import Stopped, Unwritable, execute, locked


def bring_up_to_date(app):
    """Execute what must be executed; a build without its results ends here, in as few lines as tell why."""
    folder = Path(app.outdir).parent
    try:
        app.book_lock = locked(folder / ".lock")  # released when the process ends, at the latest
        app.book_results, failures = execute(app.srcdir, toc=app.config.external_toc_path)
    except (Stopped, Unwritable) as error:
        end(str(error))
    except OSError as error:
        end(f"{folder} cannot be written: {error}")
    if failures:
        end("\n\n".join(failures))


def end(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def fill_cache(app, env, docnames):
    """What is about to be read finds its outputs in the cache.

    The data of claims and replays are for other parts of the build.
    """
    app.book_notebooks = {}
    folder = Path(app.outdir).parent / ".jupyter_cache"
    shutil.rmtree(folder, ignore_errors=True)
    folder.unlink(missing_ok=True)
    cache = None
    for docname in docnames:
        path = Path(env.doc2path(docname))
        if path not in app.book_results:
            continue
        notebook = nbformat.read(app.book_results[path], as_version=4)
        app.book_notebooks[docname] = notebook
        shown = nbformat.from_dict(notebook)
        for cell in shown.cells:
            cell.outputs = [_shown(output) for output in cell.get("outputs", [])] if cell.cell_type == "code" else None
            if cell.cell_type != "code":
                del cell["outputs"]
        cache = cache or get_cache(folder)
        data = {"execution_seconds": notebook.metadata.fpbook["seconds"]}
        cache.cache_notebook_bundle(CacheBundleIn(shown, str(path), data=data), check_validity=False)


def _shown(output):
    """An output as MyST-NB is to see it."""
    if not {CLAIM, REPLAY, LAB} & set(output.get("data", {})):
        return output
    kept = {kind: content for kind, content in output["data"].items() if kind not in {CLAIM, REPLAY, LAB}}
    return nbformat.from_dict({**output, "data": kept})


def reread_what_changed(app, env, added, changed, removed):
    """Pages whose text or result is another than the last build read, whatever the clock says of their files."""
    read = {}
    for docname in env.found_docs:
        source = Path(env.doc2path(docname))
        files = [source, app.book_results.get(source)]
        read[docname] = [hash_of(Path(file)) for file in files if file and Path(file).is_file()]
    before = last(app, "read", {})
    note(app, "read", read)
    return [docname for docname in read if docname in env.all_docs and before.get(docname) != read[docname]]


def tell_of_the_disk(app, exception):
    """A disk that is full or cannot be written ends in one line, wherever it was met."""
    folder, cause = Path(app.outdir).parent, getattr(exception, "orig_exc", None) or exception
    full = exception is not None and shutil.disk_usage(folder).free < 2**20
    if full or (isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}):
        end(f"{folder} cannot be written ({cause}); make space, and build again")


def release(app, exception):
    if lock := getattr(app, "book_lock", None):
        lock.lock.release()


def setup(app):
    app.add_config_value("book_page", "", "")  # `make page` renders this one page alone
    app.connect("builder-inited", bring_up_to_date)
    app.connect("env-before-read-docs", fill_cache, priority=300)
    app.connect("env-get-outdated", reread_what_changed)
    app.connect("build-finished", tell_of_the_disk, priority=1)
    app.connect("build-finished", release, priority=999)
