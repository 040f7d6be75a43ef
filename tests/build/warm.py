"""Programs of the book in processes that have their imports already: those take most of a build of the scratch book.

This program imports what a build imports, once, and PyTorch, which asks for the device's name. A line that it reads
starts a program, `jupyter-book` or `python -m bookbuild`, in a process that it forks: with the folder, the surroundings
and the arguments that a shell would give, and modules of the book that nobody imported before. It answers with the
number of the process; asked to wait for one, with its exit status.
"""

import gc
import json
import os
import runpy
import signal
import sys
from importlib import import_module
from pathlib import Path

import jinja2
import torch  # noqa: F401
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


def keep_compiled_templates():
    """The theme's templates, which do not change, are compiled once and not in every build."""
    make, cache = jinja2.Environment.__init__, jinja2.FileSystemBytecodeCache()

    def made(self, *args, **options):
        make(self, *args, **options)
        self.bytecode_cache = self.bytecode_cache or cache

    jinja2.Environment.__init__ = made


def run(folder, program, arguments, environment, output, errors):
    os.setpgid(0, 0)  # a signal to all of its processes reaches no other
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    for stream, file in ((1, output), (2, errors)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    os.chdir(folder)
    sys.argv = [program, *arguments]
    if program == "jupyter-book":
        sys.exit(main())
    sys.path[:0] = [folder, str(Path(folder, "_ext"))]
    runpy.run_module(program, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    import_all()
    keep_compiled_templates()
    gc.freeze()  # what was imported is looked through no more, and its memory stays shared
    for line in sys.stdin:
        match json.loads(line):
            case {"wait": child}:
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            case asked:
                if not (child := os.fork()):
                    run(**asked)
                print(child, flush=True)
