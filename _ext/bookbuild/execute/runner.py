"""Execute the notebooks of the book whose result is missing or out of date.

`python -m bookbuild.execute.runner` brings all of them up to date, with `why` behind it one page. Building the book
does the same.
"""

import asyncio
import atexit
import os
import platform
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import jupytext
from filelock import FileLock, Timeout
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ..toc import notebooks
from .results import earlier, facts_of, flaw_of, keep, key_of, result_of, up_to_date, versions

KERNELS = 2  # notebooks executed side by side
STARTS = 2  # of a kernel that dies before its first cell: another process can take its ports first
CELL_SECONDS = 1800  # a cell that needs longer has failed
SWITCHES = {"raises-exception", "skip-execution"}  # tags that make a false claim pass
ARGUMENTS = ["--IPKernelApp.log_level=40", "--InlineBackend.figure_formats={'retina'}"]  # two dots for each pixel


class Stopped(Exception):
    """A signal ended the execution."""


class Unwritable(Exception):
    """There is something to execute, and no place for its result."""


def device_name():
    import torch  # takes seconds, and is wanted only when something is executed

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU ({platform.machine()})"


def surroundings(root, **settings):
    """The environment of a kernel: what the caller's shell or home folder holds cannot change a result."""
    home = root / "_build" / "home"
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    fixed = {
        "FPBOOK_BUILD": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": paths,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
    }
    for folder in ["matplotlib", "ipython", "runtime"]:
        (home / folder).mkdir(parents=True, exist_ok=True)
    free = {name: value for name, value in os.environ.items() if name not in {"PYTHONOPTIMIZE", "PYTHONSTARTUP"}}
    return free | fixed | settings


def refusal(notebook):
    """Why a notebook must not be executed; "" if it may."""
    for i, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        if found := SWITCHES & set(cell.metadata.get("tags", [])):
            return f"cell {i} has the tag {', '.join(sorted(found))}, under which a false claim would pass"
    return ""


async def run_notebook(notebook, folder, environment, *, allow_errors=False):
    """Execute a notebook in place, in a fresh kernel and an empty folder. Returns a message if it failed, else ""."""
    for name in ["JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]:  # this process writes there too: the connection's file
        os.environ[name] = environment[name]
    for _ in range(STARTS):
        started, problem = await _run_once(notebook, folder, environment, allow_errors)
        if started or not problem:
            break
    return problem


async def _run_once(notebook, folder, environment, allow_errors):
    """The cells that a kernel began, and a message if it failed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = []
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
        extra_arguments=ARGUMENTS, resources={"metadata": {"path": str(folder)}}, allow_errors=allow_errors,
        shutdown_kernel="immediate", on_cell_execute=lambda cell, cell_index: started.append(cell),
    )  # fmt: skip

    def here():
        cells = sum(cell.cell_type == "code" for cell in started)
        return f"in its cell {cells}" if started else "before its first cell"

    try:
        await client.async_execute(env=environment)
    except CellExecutionError as error:
        return started, f"failed:\n{error}"
    except CellTimeoutError:
        return started, f"failed {here()}: it ran longer than {CELL_SECONDS} s"
    except (DeadKernelError, RuntimeError) as error:
        return started, f"failed {here()}: the kernel died: {error}"
    finally:
        atexit.unregister(client._cleanup_kernel)  # the kernel is gone; nbclient would look for it again and complain
        shutil.rmtree(folder, ignore_errors=True)
    return started, ""


async def run(path, root, label, device):
    """Execute one notebook and keep the result. Returns a message if it failed, else ""."""
    notebook = jupytext.read(path)
    if problem := refusal(notebook):
        return f"{label}: {problem}"
    key, start = key_of(notebook, root), time.monotonic()  # of the files as they are before the run
    print(f"executing {label} ...", flush=True)
    if problem := await run_notebook(notebook, root / "_build" / "home" / path.stem, surroundings(root)):
        return f"{label} {problem}"
    if problem := flaw_of(notebook):
        return f"{label}: {problem}"
    seconds = time.monotonic() - start
    notebook.metadata.fpbook = {"key": key, "seconds": round(seconds, 1), "versions": versions(), "device": device}
    keep(notebook, path, root)
    print(f"{label} {seconds:.0f} s", flush=True)
    return ""


class _Loop(asyncio.SelectorEventLoop):
    """An event loop on which nbclient cannot put handlers of its own: each would stop one kernel.

    And the next would start.
    """

    def add_signal_handler(self, *args):
        raise RuntimeError("signals are handled in one place")


def side_by_side(jobs):
    """Run coroutine functions, KERNELS at a time; the list of their results. A signal ends all of them: `Stopped`."""
    names = ["SIGINT", "SIGTERM", "SIGHUP"]  # Windows has no SIGHUP
    signals, stopped = [getattr(signal, name) for name in names if hasattr(signal, name)], []

    async def main():
        gate, loop, me = asyncio.Semaphore(KERNELS), asyncio.get_running_loop(), asyncio.current_task()

        async def one(job):
            async with gate:
                return await job()

        def stop(number, frame):
            if not stopped:
                stopped.append(number)
                loop.call_soon_threadsafe(me.cancel)

        if threading.current_thread() is threading.main_thread():
            before.update({number: signal.signal(number, stop) for number in signals})
        return await asyncio.gather(*(one(job) for job in jobs))

    before = {}
    try:
        with asyncio.Runner(loop_factory=_Loop) as runner:
            return runner.run(main())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Stopped("stopped by a signal; nothing half done was kept") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def execute(root, only=(), toc=None):
    """Bring the results up to date. Returns {notebook: result} and the messages of the notebooks that failed."""
    if sys.flags.optimize:
        return {}, ["Python runs without asserts (PYTHONOPTIMIZE or -O), so false claims would pass: unset it"]
    root = Path(root)
    paths = notebooks(root, toc)
    wanted = {path: number for path, number in paths.items() if not only or path.stem in only}
    if unknown := set(only) - {path.stem for path in wanted}:
        return {}, [f"no such page: {', '.join(sorted(unknown))}"]
    results = {path: result_of(path, root) for path in wanted}
    try:
        with locked(root / "_build" / "executed" / ".lock"):
            return results, _execute(root, wanted, paths if toc is None else None)
    except OSError as error:  # a checkout that cannot be written: fine while its results are right
        if stale := [path.stem for path in wanted if not up_to_date(path, root)]:
            raise Unwritable(
                f"{', '.join(stale)} must be executed, but {root / '_build'} cannot be written: {error}"
            ) from None
        return results, []


def _execute(root, wanted, known):
    stale = [path for path in wanted if not up_to_date(path, root)]
    failures = []
    if stale:
        device, seconds = device_name(), {path: _known_seconds(path, root) for path in stale}
        # The last page trains longest; where no time is known, it comes first and does not run alone at the end.
        longest_first = sorted(stale[::-1], key=lambda path: -seconds[path])
        jobs = [_job(path, root, f"{wanted[path]} {path.stem}".strip(), device) for path in longest_first]
        failures = [message for message in side_by_side(jobs) if message]
    if known is not None:
        for result in (root / "_build" / "executed").glob("*.ipynb"):
            if result.stem not in {path.stem for path in known}:
                result.unlink()
                facts_of(result, root).unlink(missing_ok=True)
    return failures


def _job(*arguments):
    return lambda: run(*arguments)


def _known_seconds(path, root):
    old = earlier(path, root)
    return old.metadata.fpbook["seconds"] if old else float("inf")


def locked(path):
    """A lock that one build holds at a time; the second says that it waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print("another build is at work on these files; waiting for it ...", flush=True)
        return lock.acquire()


if __name__ == "__main__":
    try:
        _, failed = execute(Path(__file__).resolve().parents[3], sys.argv[1:])
    except (Stopped, Unwritable) as error:
        sys.exit(str(error))
    sys.exit("\n\n".join(failed) or None)
