"""What a build left behind is used again only if it ended well.

The last thing it writes is a list of all its files with their sizes.

A build that was killed, or that ended with warnings, leaves no list. A list that does not agree with the folder tells
of damage. In both cases the next build reads and writes every page anew, pictures included.
"""

import json
import os
import shutil
from pathlib import Path

from ..files import write_whole

FOLDERS = {"html", "epub", "notebooks", "jupyter_execute", ".doctrees"}


def list_of(outdir):
    return Path(outdir).parent / ".whole.json"


def sizes(outdir):
    """{file: bytes} of the pages of every kind, and of what they were made from."""
    found, base = {}, Path(outdir).parent
    for folder in FOLDERS | {Path(outdir).name}:
        for above, _, names in os.walk(base / folder):
            for name in names:
                file = os.path.join(above, name)
                found[os.path.relpath(file, base)] = os.stat(file).st_size
    return found


def forget_what_is_damaged(app, config):
    """Before the environment is loaded: drop it, and the pictures, unless the last build of any kind ended well."""
    path, base = list_of(app.outdir), Path(app.outdir).parent
    try:
        kept = json.loads(path.read_text(encoding="utf8"))
        there = sizes(app.outdir)
        good = all(there.get(file) == size for file, size in kept["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        kept, good = {}, False
    app.book_last, app.book_next = (kept if good else {}), {}
    try:
        path.unlink(missing_ok=True)
        if not good:
            Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)
            others = [base / name for name in ("html", "epub") if base / name != Path(app.outdir)]  # not rewritten now
            for folder in [base / "jupyter_execute", Path(app.outdir, "_images"), *others]:
                shutil.rmtree(folder, ignore_errors=True)
                if folder.is_file():
                    folder.unlink()
    except OSError:
        pass  # a folder that cannot be written is reported where something must be written


def note(app, name, value):
    """Remember something for the next build."""
    app.book_next[name] = value


def last(app, name, default=None):
    """What the last build remembered."""
    return app.book_last.get(name, default)


def finish(app, exception):
    if exception is None and not app._warncount:
        write_whole(list_of(app.outdir), json.dumps(app.book_last | app.book_next | {"files": sizes(app.outdir)}))


def setup(app):
    app.connect("config-inited", forget_what_is_damaged, priority=900)
    app.connect("build-finished", finish, priority=990)
