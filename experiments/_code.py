"""What code made a record: the commit, and a hash of all that its script uses of each module of this repository."""

import ast
import hashlib
import json
import subprocess
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASIDE = {"_code.py", "_files.py", "_official.py", "records.py"}  # they fetch and store, and compute nothing

# Records made by code that has changed since: the sum of today's code, and why the record still stands.
STILL_STANDS = {
    "hard_samples": ("611721635831f2d9", "a small run of both is equal, and so are all neighbours"),
    "layer_targets": ("8483c021f7b9f5fe", "a small run of both is equal"),
    "layer_targets_whole": ("8483c021f7b9f5fe", "a small run of both is equal"),
    "parity": ("0b94785ef126d08b", "a small run of both is equal"),
    "projection_spectra_cifar10": ("08014aaf37f9cff8", "a small run of both is equal"),
    "projection_spectra_mnist": ("08014aaf37f9cff8", "a small run of both is equal"),
    "resnet_levels": ("bfebdff53780a645", "a small run of both is equal"),
    "resnet_targets": ("23d8eb11cc6ef2e3", "a small run of both is equal"),
}


def change_since(name: str, about: dict) -> str:
    """Why the record can't be said to be of today's code; "" if it can.

    Parameters
    ----------
    name, about : str, dict
        As `fpbook.records.record` takes and returns them.
    """
    made, today = about["code"].get("files", {}), used(ROOT / about["command"].split()[1])
    changed = sorted(path for path in made | today if made.get(path) != today.get(path))
    known = hashlib.sha256(json.dumps(today, sort_keys=True).encode()).hexdigest()[:16]
    if not changed or STILL_STANDS.get(name, ("", ""))[0] == known:
        return ""
    return (
        f"the record {name} of {about['date']} is older than a change of {', '.join(changed)}: make it again, or "
        f"compare a small run of both and say in STILL_STANDS why it stands, with the sum {known!r}"
    )


def code_of(script: Path) -> dict:
    """The commit at hand (with ``+`` where files differ from it), and path -> hash of what is used of it."""
    return {"commit": _commit(), "files": used(script)}


def used(script: Path) -> dict[str, str]:
    """For the script, and for what it uses of modules however indirectly: path from the root -> hash.

    Only definitions that are reached count, and only what they do: no comments, layout, docstrings or types. So a hash
    changes when something changes that took part in the run, and not when the module gets one more function.
    """
    reached: dict[Path, set[str]] = defaultdict(set)  # module -> names of what is used of it; "" is all of it
    waiting = [(script.resolve(), "")]
    while waiting:
        path, name = waiting.pop()
        if name in reached[path]:
            continue
        reached[path].add(name)
        tree = ast.parse(path.read_text(encoding="utf8"))
        imported, defined = _imported(tree, path), {n: node for node in tree.body for n in _names(node)}
        nodes = tree.body if name == "" else [defined[name]] if name in defined else []
        for word in {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)} | {name}:
            if word in imported:
                waiting.append(imported[word])
            elif word in defined:
                waiting.append((path, word))
    return {str(path.relative_to(ROOT)): _hash(path, names) for path, names in sorted(reached.items())}


def _hash(path: Path, names: set[str]) -> str:
    tree = ast.parse(path.read_text(encoding="utf8"))
    nodes = [node for node in tree.body if "" in names or names & set(_names(node))]
    return hashlib.sha256("\n".join(ast.unparse(_bare(node)) for node in nodes).encode()).hexdigest()[:16]


def _names(node: ast.AST) -> list[str]:
    """What a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


def _bare(tree: ast.AST) -> ast.AST:
    """The same without docstrings and types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            if isinstance(getattr(body[0].value, "value", None), str):
                body[:1] = [] if len(body) > 1 else [ast.Pass()]
    return tree


def _imported(tree: ast.AST, path: Path) -> dict[str, tuple[Path, str]]:
    """What a module imports from this repository: its name there -> module, and name in it ("" for a whole module)."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = _file(f"{node.module}.{alias.name}", path)
                if place := whole or _file(node.module, path):
                    found[alias.asname or alias.name] = (place, "" if whole else alias.name)
    return {name: (place, what) for name, (place, what) in found.items() if place.name not in ASIDE}


def _file(module: str, path: Path) -> Path | None:
    places = [base / f"{module.replace('.', '/')}.py" for base in (ROOT, path.parent)]
    return next((place for place in places if place.is_file()), None)


def _commit() -> str | None:
    """None where there is no repository or no git."""
    try:
        run = [
            subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "fpbook", "experiments"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return None
    return run[0] + ("+" if run[1] else "")
