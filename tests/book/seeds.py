"""Every claim again with other seeds: `make claims SEEDS=1000:1020 PAGES='NAME ...'`.

A page that draws n seeds runs as often as those seeds need, each time with another first seed (FPBOOK_SEED), in a
kernel and a folder of its own. A claim on a median of n seeds is then counted in few draws: with a third number, say
1000:1020:40, a page with such a claim goes on with the seeds that follow, until it has run 40 times. A claim that does
not hold does not end the run; any other error does, and counts.
Each run is a file in `_build/claims`, so what was killed goes on where it stopped. Once all have run, the counts are
written to `data/records/claims.json`, and the ledger shows them.
"""

import ast
import datetime
import json
import math
import re
import sys
from pathlib import Path

import jupytext
from bookbuild.execute.results import claims_of, code_of, key_of, versions
from bookbuild.execute.runner import Stopped, device_name, locked, refusal, run_notebook, side_by_side, surroundings
from bookbuild.files import write_whole
from bookbuild.settings import RECORD
from bookbuild.toc import notebooks


def seeds_of(notebook):
    """How many seeds a page draws at once: the smallest number that it hands to `seed_range`, 1 if there is none."""
    found = []
    for node in ast.walk(ast.parse("\n".join(code_of(notebook)))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "seed_range" and node.args:
            if isinstance(node.args[0], ast.Constant):
                found.append(int(node.args[0].value))
    return min(found, default=1)


def wilson(held, count, z=1.96):
    """The Wilson interval of a share, 95 %: where the true share may lie after `held` of `count`."""
    share, spread = held / count, z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return [max(0.0, middle - half), min(1.0, middle + half)]


async def run_once(path, root, first, key):
    """Execute one page with one first seed. Returns what its claims said, and keeps it unless the kernel died."""
    notebook, label = jupytext.read(path), f"{path.stem} from seed {first}"
    print(f"executing {label} ...", flush=True)
    folder = root / "_build" / "home" / f"{path.stem}-{first}"
    problem = await run_notebook(notebook, folder, surroundings(root, FPBOOK_SEED=str(first)), allow_errors=True)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "error"]
    errors = [f"{output.ename}: {output.evalue}"[:500] for output in outputs if output.ename != "ClaimError"]
    run = {"key": key, "first": first, "claims": claims_of(notebook), "errors": errors}
    if problem:
        run |= {"claims": [], "errors": [*errors, problem], "whole": False}
    else:
        write_whole(file_of(path, root, first), json.dumps(run, indent=1, ensure_ascii=False, sort_keys=True))
    for claim in run["claims"]:
        if claim["held"] != (claim["count"] or 1):
            print(f"{label}: held {claim['held']} of {claim['count'] or 1}: {claim['sentence']}", flush=True)
    for error in run["errors"]:
        print(f"{label}: {error}", flush=True)
    return run


def file_of(path, root, first):
    return root / "_build" / "claims" / f"{path.stem}-{first}.json"


def done(path, root, first, key):
    """What an earlier run said, or None if there is none of today's files."""
    try:
        run = json.loads(file_of(path, root, first).read_text(encoding="utf8"))
        return run if run["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def collect(runs):
    """The claims of one page over all its runs, counted: one entry a claim, in the order of the page."""
    found = {}
    for run in runs:
        for number, claim in enumerate(run["claims"], 1):
            entry = found.setdefault(
                (number, claim["sentence"]),
                {
                    "number": number,
                    "sentence": claim["sentence"],
                    "held": 0,
                    "count": 0,
                    "of": claim["of"] if claim["count"] else "draws",
                },
            )
            entry["held"] += claim["held"]
            entry["count"] += claim["count"] or 1
    for entry in found.values():
        entry["interval"] = [round(end, 4) for end in wilson(entry["held"], entry["count"])]
    return [found[key] for key in sorted(found)]


def sweep(root, first, end, only=(), draws=1):
    """Run what is missing and write the record. Returns messages: errors that are no claims."""
    if sys.flags.optimize or end <= first or first < 0:
        return ["give seeds as FIRST:END, 0 <= FIRST < END, and do not run Python without asserts"]
    paths = [path for path in notebooks(root) if not only or path.stem in only]
    if unknown := set(only) - {path.stem for path in paths}:
        return [f"no such page: {', '.join(sorted(unknown))}"]
    asked, more = {}, {}  # the first seeds of each page: as many as asked for, and those of all draws
    for path in paths:
        notebook = jupytext.read(path)
        if problem := refusal(notebook):
            return [f"{path.stem}: {problem}"]
        step = seeds_of(notebook)
        asked[path] = range(first, end, step)
        more[path] = range(first, first + step * max(len(asked[path]), draws), step)
    with locked(root / "_build" / "claims" / ".lock"):
        runs = _run(asked, root)
        runs |= _run({path: more[path] for path in paths if _on_draws(runs[path])}, root)
    errors = [
        f"{path.stem} from seed {run['first']}: {e}" for path in paths for run in runs[path] for e in run["errors"]
    ]
    if not all(run.get("whole", True) for path in paths for run in runs[path]):
        return errors  # the counts are not whole; what ran is kept, and the same command goes on from there
    kept = _record(root, only)
    kept |= {path.stem: collect(runs[path]) for path in paths}
    record = {
        "command": f"make claims SEEDS={first}:{end}" + (f":{draws}" if draws > 1 else ""),
        "seeds": [first, end],
        "draws": draws,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "device": device_name(),
        "versions": versions(),
        "pages": kept,
    }
    write_whole(root / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return errors


def _run(plan, root):
    """Run what is missing of a plan, path -> first seeds. Returns path -> what each run said."""
    wanted = {path: [(path, root, *each) for each in _keys(path, root, starts)] for path, starts in plan.items()}
    missing = [run for runs in wanted.values() for run in runs if not done(*run)]
    fresh = dict(zip(missing, side_by_side([_job(*run) for run in missing])))
    return {path: [fresh.get(run) or done(*run) for run in runs] for path, runs in wanted.items()}


def _keys(path, root, starts):
    """Pairs (first seed, key of the page's result with it)."""
    notebook = jupytext.read(path)
    return [(start, key_of(notebook, root, surroundings(root, FPBOOK_SEED=str(start)))) for start in starts]


def _on_draws(runs):
    """True if a claim of the page is on a draw of seeds as a whole."""
    return any(not claim["count"] for run in runs for claim in run["claims"])


def _record(root, only):
    """The other pages of the record, where only some pages run again."""
    try:
        return json.loads((root / RECORD).read_text(encoding="utf8"))["pages"] if only else {}
    except (OSError, ValueError, KeyError):
        return {}


def _job(*arguments):
    return lambda: run_once(*arguments)


if __name__ == "__main__":
    asked = re.fullmatch(r"(\d+):(\d+)(?::(\d+))?", sys.argv[1] if len(sys.argv) > 1 else "")
    if not asked:
        sys.exit("usage: make claims SEEDS=1000:1020 [PAGES='why difficulties'], or 1000:1020:40 for 40 draws")
    try:
        first, end, draws = (int(number or 1) for number in asked.groups())
        problems = sweep(Path(__file__).resolve().parents[2], first, end, sys.argv[2:], draws)
    except Stopped as error:
        sys.exit(str(error))
    sys.exit("\n".join(problems) or None)
