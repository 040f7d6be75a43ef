"""What code made a record: the commit, and a hash of every module that its script imports from this repository."""

import ast
import hashlib
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
ASIDE = {"_code.py", "_files.py", "_official.py", "records.py"}  # they fetch and store, and compute nothing


def code_of(script: Path) -> dict:
    """The commit at hand (with ``+`` where files differ from it), and path -> hash of the script and its modules."""
    return {"commit": _commit(), "files": {path: digest(ROOT / path) for path in modules(script)}}


def modules(script: Path) -> list[str]:
    """The script and what it imports from this repository, however indirectly, as paths from the root."""
    found: set[Path] = set()
    waiting = [script.resolve()]
    while waiting:
        if (path := waiting.pop()) not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(str(path.relative_to(ROOT)) for path in found)


def digest(path: Path) -> str:
    """Hash of what a module does: comments, layout, docstrings and types do not count."""
    tree = ast.parse(path.read_text(encoding="utf8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            if isinstance(getattr(body[0].value, "value", None), str):
                body[0] = ast.Pass()
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def _imported(path: Path) -> list[Path]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    places = [base / f"{name.replace('.', '/')}.py" for name in names for base in (ROOT, path.parent)]
    return [place for place in places if place.is_file() and place.name not in ASIDE]


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
