"""Execute what is missing or out of date, then render everything from nothing: a built book is never stale."""

import asyncio
import atexit
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import jupytext
from filelock import FileLock, Timeout
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.util import logging
from sphinx.util.console import strip_colors
from traitlets.config import Config

from fpbook._files import replace

from ..settings import BuildError
from ..toc import entries, notebooks
from . import results

LOGGER = logging.getLogger(__name__)
MAX_KERNELS = 2  # notebooks executed side by side
CELL_SECONDS = 1800  # a cell that needs longer has failed
FORBIDDEN_TAGS = {"raises-exception", "skip-execution"}  # they make a false claim pass
RENDERED = [".doctrees", ".jupyter_cache", "jupyter_execute", "thumbnails"]  # in _build, beside the book itself


def start(app, config):
    """Bring the results up to date and forget what was rendered before; a build without its results ends here."""
    book, root = app.book, Path(app.srcdir)
    try:
        book.lock = locked(book.folder / ".lock")  # until the process ends
        with locked(root / "_build" / "executed" / ".lock"):  # another kind of book is made of the same results
            made = execute(root, toc=config.external_toc_path, show_failing=bool(config.book_page))
    except BuildError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    for path in [Path(app.outdir), *(book.folder / name for name in RENDERED)]:
        shutil.rmtree(path, ignore_errors=True)
    Path(app.outdir).mkdir(parents=True)
    book.notebooks = {path.relative_to(root).with_suffix("").as_posix(): notebook for path, notebook in made.items()}
    book.numbers = {entry.name: entry.number for entry in entries(root, config.external_toc_path)}
    for page, notebook in book.notebooks.items():
        for message in notebook.metadata.fpbook.get("failing", []):
            LOGGER.warning(f"{page}: ClaimError: {message}")  # Sphinx cannot tell a location before it has read pages


def fill_cache(app, env, docnames):
    """What is about to be read finds its outputs in the cache that MyST-NB reads."""
    docnames.sort(key=lambda page: page not in app.book.notebooks)  # lists of notebooks show their titles
    cache = get_cache(app.book.folder / ".jupyter_cache")
    for page, notebook in app.book.notebooks.items():
        cache.cache_notebook_bundle(CacheBundleIn(notebook, env.doc2path(page)), check_validity=False)


def device_name():
    import torch  # takes seconds, and is wanted only when something is executed

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU ({platform.machine()})"


def check_tags(notebook):
    """BuildError if a notebook must not be executed."""
    for i, cell in enumerate(results.code_cells(notebook), 1):
        if found := sorted(FORBIDDEN_TAGS & set(cell.metadata.get("tags", []))):
            raise BuildError(f"cell {i} has the tag {', '.join(found)}, under which a false claim would pass")


async def run_notebook(notebook, folder, environment, **options):
    """Execute a notebook in place, in a fresh kernel and an empty folder; BuildError if it fails. Options: nbclient."""
    for name in ["JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]:  # this process writes there too: the connection's file
        os.environ[name] = environment[name]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cells = []  # those that have begun
    with tempfile.TemporaryDirectory(prefix="fpbook") as sockets:  # a port could be taken by another process first
        reached = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
            extra_arguments=results.KERNEL_ARGUMENTS, resources={"metadata": {"path": str(folder)}},
            shutdown_kernel="immediate", on_cell_execute=lambda cell, cell_index: cells.append(cell.cell_type),
            config=Config(KernelManager=reached), **options,
        )  # fmt: skip
        try:
            await client.async_execute(env=environment)
        except CellExecutionError as error:
            raise BuildError(f"failed:\n{strip_colors(str(error))}") from None
        except (CellTimeoutError, RuntimeError) as error:
            where = f"in its cell {cells.count('code')}" if cells else "before its first cell"
            timed_out = isinstance(error, CellTimeoutError)
            why = f"it ran longer than {CELL_SECONDS} s" if timed_out else f"the kernel died: {error}"
            raise BuildError(f"failed {where}: {why}") from None
        finally:
            atexit.unregister(client._cleanup_kernel)  # private; nbclient 0.11 leaves it there when it was stopped
            shutil.rmtree(folder, ignore_errors=True)


async def run(path, root, label, device, show_failing):
    """Execute one notebook, and store it if all claims hold; others end it, or are shown. Returns it or its error."""
    notebook, start, failing = jupytext.read(path), time.monotonic(), []
    key = results.result_key(notebook, root)  # of the files as they are before the run
    folder = Path(root) / "_build" / "home" / path.stem
    try:
        check_tags(notebook)
        print(f"executing {label} ...", flush=True)
        shown = ["ClaimError"] if show_failing else []
        await run_notebook(notebook, folder, results.kernel_environment(root), allow_error_names=shown)
        for cell in results.code_cells(notebook):  # the claims themselves stay in the outputs
            failing += [output.evalue for output in cell.outputs if output.output_type == "error"]
            cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
        results.find_problem(notebook)
    except BuildError as error:
        return BuildError(f"{label}{' ' if str(error).startswith('failed') else ': '}{error}")
    seconds = round(time.monotonic() - start, 1)
    notebook.metadata.fpbook = {"key": key, "seconds": seconds, "versions": results.versions(), "device": device}
    if failing:
        notebook.metadata.fpbook["failing"] = failing
    else:
        # As it is, where nbformat would sort the numbers of each claim: a page must read the same when rendered again.
        replace(results.result_path(path, root), json.dumps(notebook, indent=1, ensure_ascii=False).encode("utf8"))
    print(f"{label} {seconds:.0f} s", flush=True)
    return notebook


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on which nbclient handles no signals: each stops one kernel, and the next would start."""

    def add_signal_handler(self, *args):
        raise RuntimeError("Python's own handler stops everything")


def run_concurrently(jobs):
    """Run coroutine functions, MAX_KERNELS at a time. Returns a list of what each gave."""

    async def run_all():
        gate = asyncio.Semaphore(MAX_KERNELS)

        async def one(job):
            async with gate:
                return await job()

        return await asyncio.gather(*map(one, jobs))

    try:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(run_all())
    except KeyboardInterrupt:
        raise BuildError("stopped; nothing half done was kept") from None


def execute(root, toc=None, show_failing=False):
    """Bring the results up to date: {file: notebook} in reading order; BuildError if one failed, when all have run."""
    if sys.flags.optimize:
        raise BuildError("Python runs without asserts (PYTHONOPTIMIZE or -O), so false claims would pass: unset it")
    pages = notebooks(root, toc)
    ready = {path: results.load_result(path, root) for path in pages}
    if stale := [path for path, notebook in ready.items() if notebook is None]:
        scan_fonts(root)
        device, labels = device_name(), {path: f"{pages[path]} {path.stem}".strip() for path in stale}
        ready |= zip(stale, run_concurrently([partial(run, p, root, labels[p], device, show_failing) for p in stale]))
    if failures := [notebook for notebook in ready.values() if isinstance(notebook, BuildError)]:
        raise BuildError("\n\n".join(map(str, failures)))
    return ready


def scan_fonts(root):
    """Let matplotlib list the machine's fonts once, before the kernels start: a slow scan writes to stderr."""
    environment = results.kernel_environment(root)
    if not list(Path(environment["MPLCONFIGDIR"]).glob("fontlist*.json")):
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=environment | {"MPLBACKEND": "agg"}, stderr=subprocess.DEVNULL)


def locked(path):
    """A lock that one build holds at a time; the second says that it waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print("another build is at work on these files; waiting for it ...", flush=True)
        return lock.acquire()
