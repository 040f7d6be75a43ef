"""Execute the notebooks of the book whose result is missing or out of date.

`python _ext/execute.py` brings all of them up to date, `python _ext/execute.py why` one section. Building the book does
the same, through `_ext/fpbook_build.py`.

The result of `chapters/NAME.md` is `_build/executed/NAME.ipynb`. It holds a key: a hash over everything that can change
what the notebook prints. A result is used again only while its key is the key of today's files.
"""

import ast
import asyncio
import hashlib
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

KERNELS = 2  # notebooks executed side by side
CELL_SECONDS = 1800  # a cell that needs longer has failed


def notebooks(root):
    """The book's notebooks in reading order: {file: section number}, the number "" outside numbered parts."""
    found = {}

    def visit(entries, numbers, numbered):
        for i, entry in enumerate(entries, 1):
            here = [*numbers, str(i)]
            path = root / f"{entry['file']}.md"
            if path.exists() and "format_name: myst" in path.read_text(encoding="utf8")[:300]:
                found[path] = ".".join(here) if numbered else ""
            visit(entry.get("sections", []), here, numbered)

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    for part in toc.get("parts", [toc]):
        visit(part["chapters"], [], part.get("numbered", False))
    return found


def result_of(path, root):
    return root / "_build" / "executed" / f"{path.stem}.ipynb"


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def imported(code, package):
    """The files of `package` that `code` imports, directly or through one another; its `__init__.py` always."""
    found, todo = set(), [("", code), ("", f"import {package.name}")]
    while todo:
        file, text = todo.pop()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(filter(None, [package.name if node.level else "", node.module]))
                names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
            else:
                continue
            for name in names:
                parts = name.split(".")
                if parts[0] != package.name:
                    continue
                for target in [package / "__init__.py", package.joinpath(*parts[1:]).with_suffix(".py")]:
                    if target.is_file() and target not in found:
                        found.add(target)
                        todo.append((target, target.read_text(encoding="utf8")))
    return found


def versions():
    """What the numbers of a run depend on besides the book: {name: version}."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in ["torch", "numpy", "matplotlib"]
    }


def device_name():
    import torch  # takes seconds, and is wanted only when something is executed

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU ({platform.machine()})"


def key_of(notebook, root):
    """Hash of everything the notebook's outputs depend on: code, imported modules, data, pins, versions in use."""
    digest = hashlib.sha256()
    for name, version in versions().items():
        digest.update(f"{name} {version}\n".encode())
    for name in ["FPBOOK_DATA", "FPBOOK_DETERMINISTIC"]:
        digest.update(f"{name}={os.environ.get(name, '')}\n".encode())
    package, code = root / "fpbook", code_of(notebook)
    digest.update("\n# cell\n".join(code).encode())
    files = imported("\n".join(code), package)
    files |= {p for p in package.rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc", ".js", ".css"}}
    files |= {p for p in (root / "data").rglob("*") if p.is_file() and p.name != "README.md"}
    for file in [*sorted(files), root / "requirements.txt"]:
        digest.update(f"\n# {file.relative_to(root)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def write(notebook, path):
    """Write a notebook whole or not at all, and leave the file alone when nothing changed."""
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
    text = nbformat.writes(notebook)
    if not path.exists() or path.read_text(encoding="utf8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(text, encoding="utf8")
        part.replace(path)


def earlier(path, root):
    """The result of an earlier run, or None."""
    result = result_of(path, root)
    return nbformat.read(result, as_version=4) if result.exists() else None


def up_to_date(path, root):
    """True if the result on disk is still right; the prose around its outputs is brought up to date."""
    notebook, old = jupytext.read(path), earlier(path, root)
    if old is None or old.metadata.fpbook["key"] != key_of(notebook, root):
        return False
    outputs = iter([cell for cell in old.cells if cell.cell_type == "code"])
    for cell in notebook.cells:
        if cell.cell_type == "code":
            ran = next(outputs)
            cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    notebook.metadata.language_info, notebook.metadata.fpbook = old.metadata.language_info, old.metadata.fpbook
    write(notebook, result_of(path, root))
    return True


async def run(path, root, label, device):
    """Execute one notebook in a fresh kernel and keep the result. Returns a message if it failed, else None."""
    notebook = jupytext.read(path)
    key, start = key_of(notebook, root), time.monotonic()
    print(f"executing {label} ...", flush=True)
    environment = os.environ | {"FPBOOK_BUILD": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", record_timing=False, store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=40", "--InlineBackend.figure_formats={'retina'}"],  # two dots for each pixel
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    try:
        await client.async_execute(env=environment)
    except CellExecutionError as error:
        return f"{label} failed:\n{error}"
    except CellTimeoutError as error:
        return f"{label}: a cell ran longer than {CELL_SECONDS} s:\n{error}"
    except (DeadKernelError, RuntimeError) as error:
        return f"{label}: the kernel died: {error}"
    seconds = time.monotonic() - start
    notebook.metadata.fpbook = {"key": key, "seconds": round(seconds, 1), "versions": versions(), "device": device}
    write(notebook, result_of(path, root))
    print(f"{label} {seconds:.0f} s", flush=True)
    return None


async def _run_all(paths, root):
    def known_seconds(path):
        old = earlier(path, root)
        return old.metadata.fpbook["seconds"] if old else float("inf")

    gate, device = asyncio.Semaphore(KERNELS), device_name()

    async def one(path):
        async with gate:
            return await run(path, root, f"{paths[path]} {path.stem}".strip(), device)

    longest_first = sorted(paths, key=known_seconds, reverse=True)
    return await asyncio.gather(*(one(path) for path in longest_first))


def execute(root, only=()):
    """Bring the results up to date. Returns {notebook: result} and the messages of the notebooks that failed."""
    paths = notebooks(root)
    wanted = {p: number for p, number in paths.items() if not only or p.stem in only}
    if unknown := set(only) - {p.stem for p in wanted}:
        raise ValueError(f"no such section: {', '.join(sorted(unknown))}")
    stale = {p: number for p, number in wanted.items() if not up_to_date(p, root)}
    failures = [message for message in asyncio.run(_run_all(stale, root)) if message] if stale else []
    for result in (root / "_build" / "executed").glob("*.ipynb"):
        if result.stem not in {p.stem for p in paths}:
            result.unlink()
    return {p: result_of(p, root) for p in wanted}, failures


if __name__ == "__main__":
    _, failed = execute(Path(__file__).resolve().parent.parent, sys.argv[1:])
    sys.exit("\n\n".join(failed) or None)
