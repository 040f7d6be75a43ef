"""Results of executed notebooks: what is kept, where, under which key, and when it may be used again.

The result of `chapters/NAME.md` is `_build/executed/NAME.ipynb`. It holds a key: a hash over everything that can
change what the notebook prints. A result is used again only while its key is the key of today's files. Beside it,
`NAME.json` holds the claims and the facts of the run; it changes only when they do, not when the prose does.
"""

import ast
import hashlib
import json
import os
import platform
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

import jupytext
import nbformat

from ..files import write_whole
from ..settings import CLAIM, RECORD

IN_USE = ["torch", "numpy", "matplotlib", "matplotlib-inline", "ipykernel", "ipython"]  # what draws and prints
SETTINGS = {"FPBOOK_DATA": "", "FPBOOK_DETERMINISTIC": "", "FPBOOK_SEED": "0"}  # variables that change results
RUNNER = "3ec318d2170c873784df6d085eb4d1f7295d824138631df2ee1821971340f64b"  # another value executes every page anew


def result_of(path, root):
    return Path(root) / "_build" / "executed" / f"{path.stem}.ipynb"


def facts_of(path, root):
    return result_of(path, root).with_suffix(".json")


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def imported(code, package):
    """The files of `package` that `code` imports, directly or through one another; its `__init__.py` always.

    Code that cannot be parsed fails when it is executed; until then it is taken to import everything.
    """
    found, todo = set(), [("", code), ("", f"import {package.name}")]
    while todo:
        file, text = todo.pop()
        statements = _imports(text)
        if statements is None:
            return {path for path in package.rglob("*.py") if not path.name.startswith(".")}
        for level, module, names in statements:
            inside = [package.name, *_folders(file, package)]
            above = inside[: len(inside) - level + 1] if level else []
            base = ".".join([*above, *filter(None, [module])])
            for name in [base, *(f"{base}.{name}" for name in names)]:
                parts = name.split(".")
                if parts[0] != package.name:
                    continue
                for i in range(len(parts)):
                    place = package.joinpath(*parts[1 : i + 1])
                    for target in [place / "__init__.py", place.with_suffix(".py") if i else place / "__init__.py"]:
                        if target.is_file() and target not in found:
                            found.add(target)
                            todo.append((target, target.read_text(encoding="utf8")))
    return found


@cache
def _imports(text):
    """The imports in a module's text: (dots before it, module, names); None if it cannot be parsed.

    Most pages import the same modules.
    """
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError):
        return None
    found = [(0, alias.name, ()) for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    others = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return found + [(node.level, node.module, tuple(alias.name for alias in node.names)) for node in others]


def _folders(file, package):
    return Path(file).parent.relative_to(package).parts if file else ()


def versions():
    """What the numbers of a run depend on besides the book: {name: version}."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in IN_USE}


@lru_cache
def _hash(path, size, changed):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def hash_of(path):
    about = path.stat()
    return _hash(str(path), about.st_size, about.st_mtime_ns)


def read_by(code, modules, root):
    """The files that a page with this code reads: style sheets of the package, and data that it names.

    A record or a data set is named by its file's stem: `record("parity")`, `cifar10(...)`. A page that imports
    `fpbook.records` or `fpbook.datasets` and names none of their files is taken to read them all.
    """
    words = _words(code)
    found = [file for file in (root / "fpbook").glob("*.mplstyle") if f"fpbook.{file.stem}" in words]
    for module, folder in {"records": root / "data" / "records", "datasets": root / "data"}.items():
        files = [file for end in ("npz", "json", "csv") for file in folder.glob(f"*.{end}") if file.name != RECORD.name]
        if root / "fpbook" / f"{module}.py" in modules:
            found += [file for file in files if file.stem in words] or files
    return sorted(file for file in found if not file.name.startswith("."))


def _words(code):
    """Every name, attribute and string in a page's code; empty if it cannot be parsed."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except (SyntaxError, ValueError):
        return set()
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


@cache
def _without_words(text):
    """A module's code as it runs: no comments, layout or docstrings; as it stands if it cannot be parsed."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
    return ast.unparse(tree)


def key_of(notebook, root, settings=None):
    """Hash of what a notebook's outputs depend on: cells, their tags, what they import and read, versions, settings."""
    digest, root = hashlib.sha256(), Path(root)
    for name, version in versions().items():
        digest.update(f"{name} {version}\n".encode())
    for name, default in SETTINGS.items():
        digest.update(f"{name}={(settings or os.environ).get(name, default)}\n".encode())
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tags = ", ".join(sorted(cell.metadata.get("tags", [])))
            digest.update(f"\n# cell {tags}\n{cell.source}".encode())
    code = "\n".join(code_of(notebook))
    modules = imported(code, root / "fpbook")
    for file in sorted(modules):
        digest.update(f"\n# {file.relative_to(root).as_posix()}\n{_without_words(file.read_text('utf8'))}".encode())
    for file in read_by(code, modules, root):
        digest.update(f"\n# {file.relative_to(root).as_posix()} {hash_of(file)}".encode())
    digest.update(f"\n# executed by {RUNNER}".encode())
    return digest.hexdigest()


def write_notebook(notebook, path):
    """Write a notebook whole or not at all, and leave the file alone when nothing changed."""
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"
    return write_whole(path, nbformat.writes(notebook))


def earlier(path, root):
    """The result of an earlier run, or None if there is none that can be used."""
    try:
        old = nbformat.read(result_of(path, root), as_version=4)
        return old if {"key", "seconds", "versions", "device"} <= set(old.metadata["fpbook"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError):
        return None


def claims_of(notebook):
    """The claims that a notebook stated, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"][CLAIM] for output in outputs if CLAIM in output.get("data", {})]


def keep(notebook, path, root):
    """Store a result: the notebook, and beside it its facts."""
    write_notebook(notebook, result_of(path, root))
    facts = {"run": notebook.metadata.fpbook, "claims": claims_of(notebook)}
    write_whole(facts_of(path, root), json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def up_to_date(path, root):
    """True if the result on disk is still right; the prose around its outputs is brought up to date."""
    notebook, old = jupytext.read(path), earlier(path, root)
    if old is None or old.metadata.fpbook["key"] != key_of(notebook, root):
        return False
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ran = [cell for cell in old.cells if cell.cell_type == "code"]
    if len(cells) != len(ran):
        return False
    for cell, before in zip(cells, ran):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    notebook.metadata.language_info, notebook.metadata.fpbook = old.metadata.language_info, old.metadata.fpbook
    if problem := flaw_of(notebook):
        print(f"{path.stem}: its stored result is not used: {problem}", flush=True)
        return False
    try:
        keep(notebook, path, root)
    except OSError:  # a folder that cannot be written may still be read
        if write_needed(notebook, path, root):
            return False
    return True


def write_needed(notebook, path, root):
    return not facts_of(path, root).is_file() or nbformat.writes(notebook) != result_of(path, root).read_text("utf8")


def flaw_of(notebook):
    """What makes an executed notebook unfit to be kept; "" if nothing does."""
    for i, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output.output_type == "stream" and output.name == "stderr":
                return f"cell {i} wrote to stderr: {output.text.strip()[:500]}"
            if output.output_type == "error":
                return f"cell {i} failed: {output.ename}: {output.evalue}"
        if "figure" in cell.metadata.get("mystnb", {}):
            pictures = sum("image/png" in output.get("data", {}) for output in outputs)
            if pictures != 1:
                return f"cell {i} has the caption of one figure and drew {pictures}"
        if cell.get("execution_count") is None and cell.source.strip():
            return f"cell {i} was not executed"
    return ""
