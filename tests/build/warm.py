"""`jupyter-book build` in a process that has its imports already: they take most of a build of the scratch book.

This program imports what a build imports, once. Each line that it reads asks for a build, which it forks: with the
folder, the surroundings and the arguments that the command would have, and modules of the book that nobody imported
before. It answers with the exit status.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import yaml
from jupyter_book.cli.main import main
from sphinx.application import builtin_extensions

ROOT = Path(__file__).resolve().parents[2]
OWN = {"bookbuild", "fpbook"}
LATE = ["jupyter_book.sphinx", "myst_nb.sphinx_ext", "myst_parser.sphinx_ext.main", "jupyter_cache.cache.main"]
LATE += ["numpydoc.numpydoc", "sphinx_external_toc.api", "sphinx_jupyterbook_latex", "sphinx_multitoc_numbering"]


def import_all():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["sphinx"]["config"]
    sys.path.insert(0, str(ROOT / "_ext"))
    for name in [*builtin_extensions, *settings["extensions"], *LATE]:
        import_module(name)
    sys.path.pop(0)
    for name in [name for name in sys.modules if name.partition(".")[0] in OWN]:
        del sys.modules[name]


def run(folder, options, environment, output):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.argv = ["jupyter-book", "build", ".", *options]
    sys.exit(main())


if __name__ == "__main__":
    import_all()
    for line in sys.stdin:
        if not (child := os.fork()):
            run(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
