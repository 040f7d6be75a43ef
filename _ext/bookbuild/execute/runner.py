"""Execute the notebooks of the book whose result is missing or out of date. Building the book does that first."""

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
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from sphinx.util.console import strip_colors
from traitlets.config import Config

from fpbook._files import replace

from ..settings import BuildError
from ..toc import notebooks
from .results import (
    KERNEL_ARGUMENTS,
    NotebookError,
    find_problem,
    kernel_environment,
    load_previous,
    load_result,
    result_key,
    result_path,
    versions,
)  # fmt: skip

MAX_KERNELS = 2  # notebooks executed side by side
CELL_SECONDS = 1800  # a cell that needs longer has failed
FORBIDDEN_TAGS = {"raises-exception", "skip-execution"}  # they make a false claim pass


def device_name():
    import torch  # takes seconds, and is wanted only when something is executed

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU ({platform.machine()})"


def check_tags(notebook):
    """NotebookError if a notebook must not be executed."""
    for i, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        if found := sorted(FORBIDDEN_TAGS & set(cell.metadata.get("tags", []))):
            raise NotebookError(f"cell {i} has the tag {', '.join(found)}, under which a false claim would pass")


async def run_notebook(notebook, folder, environment, *, allow_errors=False):
    """Execute a notebook in place, in a fresh kernel and an empty folder; NotebookError if it fails.

    Where the system can, the kernel is reached through files: a port could be taken by another process first.
    """
    for name in ["JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]:  # this process writes there too: the connection's file
        os.environ[name] = environment[name]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cells = []  # those that have begun
    with tempfile.TemporaryDirectory(prefix="fpbook") as sockets:
        reached = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
        client = NotebookClient(
            notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
            extra_arguments=KERNEL_ARGUMENTS, resources={"metadata": {"path": str(folder)}}, allow_errors=allow_errors,
            shutdown_kernel="immediate", on_cell_execute=lambda cell, cell_index: cells.append(cell.cell_type),
            config=Config(KernelManager=reached),
        )  # fmt: skip
        try:
            await client.async_execute(env=environment)
        except CellExecutionError as error:
            raise NotebookError(f"failed:\n{strip_colors(str(error))}") from None
        except (CellTimeoutError, RuntimeError) as error:
            where = f"in its cell {cells.count('code')}" if cells else "before its first cell"
            timed_out = isinstance(error, CellTimeoutError)
            why = f"it ran longer than {CELL_SECONDS} s" if timed_out else f"the kernel died: {error}"
            raise NotebookError(f"failed {where}: {why}") from None
        finally:
            atexit.unregister(client._cleanup_kernel)  # private; nbclient 0.11 leaves it there when it was stopped
            shutil.rmtree(folder, ignore_errors=True)


async def run(path, root, label, device, show_failing):
    """Execute one notebook, and store it if all its claims hold. Returns it; NotebookError if it fails."""
    notebook, start = jupytext.read(path), time.monotonic()
    key = result_key(notebook, root)  # of the files as they are before the run
    folder = Path(root) / "_build" / "home" / path.stem
    try:
        check_tags(notebook)
        print(f"executing {label} ...", flush=True)
        await run_notebook(notebook, folder, kernel_environment(root), allow_errors=show_failing)
        failing = take_failing_claims(notebook) if show_failing else []
        find_problem(notebook)
    except NotebookError as error:
        raise NotebookError(f"{label}{' ' if str(error).startswith('failed') else ': '}{error}") from None
    seconds = round(time.monotonic() - start, 1)
    notebook.metadata.fpbook = {"key": key, "seconds": seconds, "versions": versions(), "device": device}
    if failing:
        notebook.metadata.fpbook["failing"] = failing
    else:
        # As it is, where nbformat would sort the numbers of each claim: a page must read the same when rendered again.
        replace(result_path(path, root), json.dumps(notebook, indent=1, ensure_ascii=False).encode("utf8"))
    print(f"{label} {seconds:.0f} s", flush=True)
    return notebook


def take_failing_claims(notebook):
    """The messages of claims that do not hold, which are taken out of the outputs; the claims themselves stay."""
    failing = []
    for cell in notebook.cells:
        errors = [output for output in cell.get("outputs", []) if output.get("ename") == "ClaimError"]
        failing += [error.evalue for error in errors]
        if errors:
            cell.outputs = [output for output in cell.outputs if output not in errors]
    return failing


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on which nbclient handles no signals: each stops one kernel, and the next would start."""

    def add_signal_handler(self, *args):
        raise RuntimeError("Python's own handler stops everything")


def run_concurrently(jobs):
    """Run coroutine functions, MAX_KERNELS at a time. Returns a list: what each gave, or its NotebookError."""

    async def run_all():
        gate = asyncio.Semaphore(MAX_KERNELS)

        async def one(job):
            async with gate:
                try:
                    return await job()
                except NotebookError as error:
                    return error

        return await asyncio.gather(*map(one, jobs))

    try:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(run_all())
    except KeyboardInterrupt:
        raise BuildError("stopped; nothing half done was kept") from None


def execute(root, toc=None, show_failing=False):
    """Bring the results up to date. Returns {file: executed notebook} in reading order.

    BuildError if a notebook failed, after the others ran. With `show_failing` a claim that does not hold ends nothing,
    and the notebook with it is returned and not stored.
    """
    if sys.flags.optimize:
        raise BuildError("Python runs without asserts (PYTHONOPTIMIZE or -O), so false claims would pass: unset it")
    pages = notebooks(root, toc)
    ready = {path: load_result(path, root) for path in pages}
    if stale := [path for path, notebook in ready.items() if notebook is None]:
        scan_fonts(root)
        device = device_name()
        # The last page trains longest; where no time is known, it comes first and does not run alone at the end.
        longest_first = sorted(stale[::-1], key=lambda path: -_known_seconds(path, root))
        labels = {path: f"{pages[path]} {path.stem}".strip() for path in stale}
        jobs = [partial(run, path, root, labels[path], device, show_failing) for path in longest_first]
        ready |= zip(longest_first, run_concurrently(jobs))
    if failures := [notebook for notebook in ready.values() if isinstance(notebook, NotebookError)]:
        raise NotebookError("\n\n".join(map(str, failures)))
    return ready


def _known_seconds(path, root):
    stored = load_previous(path, root)
    return stored.metadata.fpbook["seconds"] if stored else float("inf")


def scan_fonts(root):
    """Let matplotlib list the machine's fonts once, before the kernels start: a slow scan writes to stderr."""
    environment = kernel_environment(root)
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
