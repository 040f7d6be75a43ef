"""Results of executed notebooks, `_build/executed/NAME.ipynb`: used again while the key is that of today's files."""

import ast
import hashlib
import json
import os
import platform
import re
from functools import cache
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path

import jupytext
import nbformat

from ..settings import CLAIM, LAB, RECORD, REPLAY, BuildError

KEYED_PACKAGES = ["torch", "numpy", "matplotlib", "matplotlib-inline", "ipykernel", "ipython"]  # what draws and prints
KEYED_VARIABLES = {"FPBOOK_DATA": "", "FPBOOK_DETERMINISTIC": "", "FPBOOK_SEED": "0"}  # with their defaults
KERNEL_ARGUMENTS = ["--IPKernelApp.log_level=40", "--InlineBackend.figure_formats={'retina'}"]  # two dots per pixel
KERNEL_VARIABLES = {"FPBOOK_BUILD": "1", "OMP_NUM_THREADS": "1"}
KERNEL_VARIABLES |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "JUPYTER_NO_CONFIG": "1"}


def result_path(path, root):
    return Path(root) / "_build" / "executed" / f"{path.stem}.ipynb"


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def code_sources(notebook):
    return [cell.source for cell in code_cells(notebook)]


def stated_claims(cells):
    """The data of the claims that these cells of a notebook stated, in order."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output["data"][CLAIM] for output in outputs if CLAIM in output.get("data", {})]


def kernel_environment(root, **variables):
    """The environment of a kernel: what the caller's shell or home folder holds cannot change a result."""
    home = Path(root) / "_build" / "home"
    folders = {"MPLCONFIGDIR": "matplotlib", "IPYTHONDIR": "ipython", "JUPYTER_RUNTIME_DIR": "runtime"}
    for folder in folders.values():
        (home / folder).mkdir(parents=True, exist_ok=True)
    free = {name: value for name, value in os.environ.items() if name not in {"PYTHONOPTIMIZE", "PYTHONSTARTUP"}}
    paths = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    places = {name: str(home / folder) for name, folder in folders.items()}
    return free | KERNEL_VARIABLES | {"PYTHONPATH": paths} | places | variables


def imported(code, package):
    """The files of `package` that `code` imports, directly or through one another; its `__init__.py` always."""
    finder = ModuleFinder([str(package.parent)])  # nothing else is looked for
    finder.import_hook(package.name)
    finder.scan_code(compile(code, "page", "exec"), finder.add_module("page"))
    files = [Path(module.__file__) for module in finder.modules.values() if module.__file__]
    return {file for file in files if package in file.parents}


def versions():
    """What the numbers of a run depend on besides the book: {name: version}."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in KEYED_PACKAGES}


def read_by(code, modules, root):
    """The style sheets and data that a page with this code reads: by their files' stems, or all where it names none."""
    words = set(re.findall(r"\w+", _without_words(code)))
    found = [file for file in (root / "fpbook").glob("*.mplstyle") if f"fpbook.{file.stem}" in code]
    for module, folder in {"records": root / "data" / "records", "datasets": root / "data"}.items():
        files = [file for end in ("npz", "json", "csv") for file in folder.glob(f"*.{end}") if file.name != RECORD.name]
        if root / "fpbook" / f"{module}.py" in modules:
            found += [file for file in files if file.stem in words] or files
    return sorted(file for file in found if not file.name.startswith("."))


@cache
def _without_words(text):
    """Code as it runs: no comments, layout or docstrings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
    return ast.unparse(tree)


def result_key(notebook, root, variables=None):
    """Hash of what a notebook's outputs depend on; SyntaxError if a cell or an imported module is no Python."""
    digest, root = hashlib.sha256(), Path(root).absolute()
    digest.update(json.dumps([KERNEL_ARGUMENTS, KERNEL_VARIABLES, versions()]).encode())
    for name, default in KEYED_VARIABLES.items():
        digest.update(f"\n{name}={(variables or os.environ).get(name, default)}".encode())
    for cell in code_cells(notebook):
        tags = ", ".join(sorted(cell.metadata.get("tags", [])))
        digest.update(f"\n# cell {tags}\n{cell.source}".encode())
    code = "\n".join(code_sources(notebook))
    modules = imported(code, root / "fpbook")
    for file in sorted(modules):
        digest.update(f"\n# {file.relative_to(root).as_posix()}\n{_without_words(file.read_text('utf8'))}".encode())
    for file in read_by(code, modules, root):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"\n# {file.relative_to(root).as_posix()} {content}".encode())
    return digest.hexdigest()


def notebook_bytes(notebook):
    """A notebook as its file holds it; cells are named by their place, so that the same notebook is the same file."""
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
    return nbformat.writes(notebook).encode("utf8")


def load_previous(path, root):
    """The result of the last run that ended well, or None if there is none that can be read."""
    try:
        stored = nbformat.v4.reads(result_path(path, root).read_text("utf8"))  # it was validated when it was written
        return stored if {"key", "seconds", "versions", "device"} <= set(stored.metadata["fpbook"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def load_result(path, root):
    """Today's page with the outputs of its stored result; None if that is missing or out of date."""
    stored, notebook = load_previous(path, root), jupytext.read(path)
    try:
        key = result_key(notebook, root)
    except SyntaxError as error:
        raise BuildError(f"{path.stem}: no Python: {error.msg}: {(error.text or '').strip()}") from None
    if stored is None or stored.metadata.fpbook["key"] != key:
        return None
    for cell, executed in zip(code_cells(notebook), code_cells(stored), strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    notebook.metadata |= {name: stored.metadata[name] for name in ("language_info", "fpbook")}
    return notebook


def find_problem(notebook):
    """BuildError if a notebook that was executed without errors is unfit to be stored or shown."""
    for i, cell in enumerate(code_cells(notebook), 1):
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output.get("name") == "stderr":
                raise BuildError(f"cell {i} wrote to stderr: {output.text.strip()[:500]}")
        if "figure" in cell.metadata.get("mystnb", {}):
            pictures = sum("image/png" in output.get("data", {}) for output in outputs)
            if pictures != 1:
                name = cell.metadata.mystnb["figure"].get("name", "no name")
                raise BuildError(f"cell {i} has the caption of one figure ({name}) and drew {pictures}")
        elif any({REPLAY, LAB} & set(output.get("data", {})) for output in outputs):
            raise BuildError(f"cell {i} shows a lab or a replay and names no figure (mystnb: figure)")
