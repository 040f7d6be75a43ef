"""Every claim again with other seeds: `make claims SEEDS=1000:1020 PAGES='NAME ...'`.

A page that draws n seeds runs as often as those seeds need, each time with another first seed (FPBOOK_SEED), in a
kernel and a folder of its own. A claim on a median of n seeds is then counted in few draws: with a third number, say
1000:1020:40, a page with such a claim goes on with the seeds that follow, until it has run 40 times. A claim that does
not hold does not end the run; any other error of a cell is told, and its page gets no counts.

Two runs go side by side (JOBS=2), or as many as a Dask cluster has workers (DASK=tcp://host:8786).
Each run is a file in `_build/claims`, so what was killed goes on where it stopped. Once all have run, the counts of
these pages are written to `data/records/claims.json`, each page with its seeds, date and command, and the ledger shows
them.
"""

import argparse
import ast
import asyncio
import datetime
import json
import math
import re
import sys
from pathlib import Path

import jupytext
from _cases import outcomes
from bookbuild.execute.results import (
    code_sources,
    kernel_environment,
    result_key,
    stated_claims,
    versions,
)  # fmt: skip
from bookbuild.execute.runner import check_tags, device_name, locked, run_notebook
from bookbuild.read.claims import load_record
from bookbuild.settings import RECORD, ROOT, BuildError, rests_on
from bookbuild.toc import notebooks

from fpbook._files import replace


def seeds_of(notebook):
    """How many seeds a page draws at once: the smallest number that it hands to `seed_range`, 1 if there is none."""
    found = []
    for node in ast.walk(ast.parse("\n".join(code_sources(notebook)))):
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


def run_page(case):
    """Execute one page with one first seed, here or on another machine. Returns what its claims said.

    Raises
    ------
    RuntimeError
        If the kernel died, or the files of the page are not here what they are where the command was given.
    """
    root = next(place for place in (Path(case["root"]), ROOT) if (place / case["path"]).is_file())
    path, environment = root / case["path"], kernel_environment(root, FPBOOK_SEED=str(case["first"]))
    notebook = jupytext.read(path)
    if result_key(notebook, root, environment) != case["key"]:
        raise RuntimeError("the page's files or versions differ from those where the command was given")
    folder = root / "_build" / "home" / f"{path.stem}-{case['first']}"
    try:
        asyncio.run(run_notebook(notebook, folder, environment, allow_errors=True))
    except BuildError as error:  # another process gets plain words
        raise RuntimeError(str(error)) from None
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "error"]
    errors = [f"{output.ename}: {output.evalue}"[:500] for output in outputs if output.ename != "ClaimError"]
    return {"key": case["key"], "first": case["first"], "claims": stated_claims(notebook.cells), "errors": errors}


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
    """The claims of one page over all its runs, counted: one entry per claim that a seed changes, in their order."""
    found = {}
    for run in runs:
        for number, claim in enumerate(run["claims"], 1):
            if rests_on(claim):
                continue
            of = claim["of"] if claim["count"] else "draws"
            new = {"number": number, "sentence": claim["sentence"], "held": 0, "count": 0, "of": of}
            entry = found.setdefault((number, claim["sentence"]), new)
            entry["held"] += claim["held"]
            entry["count"] += claim["count"] or 1
    for entry in found.values():
        entry["interval"] = [round(end, 4) for end in wilson(entry["held"], entry["count"])]
    return [found[key] for key in sorted(found)]


def count_claims(root, first, end, only=(), draws=1, *, jobs=1, dask=""):
    """Run what is missing, print and write the counts. Returns messages: errors that are no claims."""
    if sys.flags.optimize or end <= first or first < 0:
        return ["give seeds as FIRST:END, 0 <= FIRST < END, and do not run Python without asserts"]
    paths = [path for path in notebooks(root) if not only or path.stem in only]
    if unknown := set(only) - {path.stem for path in paths}:
        return [f"no such page: {', '.join(sorted(unknown))}"]
    before = load_record(root)
    asked, more = {}, {}  # the first seeds of each page: as many as asked for, and those of all draws
    for path in paths:
        notebook = jupytext.read(path)
        try:
            check_tags(notebook)
        except BuildError as error:
            return [f"{path.stem}: {error}"]
        step = seeds_of(notebook)
        asked[path] = range(first, end, step)
        more[path] = range(first, first + step * max(len(asked[path]), draws), step)
    with locked(root / "_build" / "claims" / ".lock"):
        runs, died = _run(asked, root, jobs, dask)
        further = {path: more[path] for path in paths if _on_draws(runs[path])}
        runs_further, died_further = _run(further, root, jobs, dask)
    runs |= runs_further
    errors = [
        f"{path.stem} from seed {run['first']}: {e}" for path in paths for run in runs[path] for e in run["errors"]
    ]
    if died | died_further:
        # The counts are not whole; what ran is kept, and the same command goes on from there.
        return errors + [f"{run}: {problem}" for run, problem in (died | died_further).items()]
    whole = [path for path in paths if not any(run["errors"] for run in runs[path])]  # else claims would be missing
    if not whole:
        return errors
    about = {
        "command": f"make claims SEEDS={first}:{end}" + (f":{draws}" if draws > 1 else ""),
        "seeds": [first, end],
        "draws": draws,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "device": "a Dask cluster" if dask else device_name(),
        "versions": versions(),
    }
    counted = {path.stem: about | {"claims": collect(runs[path])} for path in whole}
    _report(counted)
    kept = {name: page for name, page in before.items() if name in {path.stem for path in notebooks(root)}}
    pages = {"pages": kept | counted}
    replace(root / RECORD, (json.dumps(pages, indent=1, ensure_ascii=False) + "\n").encode())
    print(f"{RECORD.as_posix()} has new counts of {', '.join(counted)}: commit it, and the ledger shows them")
    return errors


def _run(plan, root, jobs, dask):
    """Run what is missing of a plan, path -> first seeds. Returns path -> what each run said; and those that died."""
    wanted = {path: _cases(path, root, starts) for path, starts in plan.items()}
    missing = [case for cases in wanted.values() for case in cases if not done(root / case["path"], *_place(case))]
    died = {}
    for case, run, error in outcomes(run_page, missing, jobs=jobs, dask=dask, name="pages", label=_label):
        label = _label(case)
        if error:
            died[label] = error.strip().rpartition("RuntimeError: ")[2]
            continue
        text = json.dumps(run, indent=1, ensure_ascii=False, sort_keys=True)
        replace(file_of(Path(case["path"]), root, case["first"]), text.encode())
        fallen = [claim for claim in run["claims"] if claim["held"] != (claim["count"] or 1)]
        for claim in fallen:
            print(f"{label}: held {claim['held']} of {claim['count'] or 1}: {claim['sentence']}", flush=True)
    said = {path: [done(path, *_place(case)) for case in cases] for path, cases in wanted.items()}
    return {path: [run for run in runs if run] for path, runs in said.items()}, died


def _cases(path, root, starts):
    """One run each: plain data, as it goes to another machine. `key` is that of the page's result with this seed."""
    notebook, place = jupytext.read(path), path.relative_to(root).as_posix()
    keys = [result_key(notebook, root, kernel_environment(root, FPBOOK_SEED=str(start))) for start in starts]
    return [{"root": str(root), "path": place, "first": start, "key": key} for start, key in zip(starts, keys)]


def _place(case):
    return Path(case["root"]), case["first"], case["key"]


def _label(case):
    return f"{Path(case['path']).stem} from seed {case['first']}"


def _on_draws(runs):
    """True if a claim of the page is on a draw of seeds as a whole."""
    return any(not claim["count"] and not rests_on(claim) for run in runs for claim in run["claims"])


def _report(counted):
    """Print how often each claim held."""
    for name, page in counted.items():
        print(f"\n{name}, seeds {page['seeds'][0]} to {page['seeds'][1] - 1}")
        for entry in page["claims"]:
            print(f"  {entry['number']}. {entry['held']} of {entry['count']} {entry['of']}: {entry['sentence']}")


def main():
    parser = argparse.ArgumentParser(prog="make claims", usage="make claims SEEDS=1000:1020 [PAGES='why difficulties']")
    parser.add_argument("seeds", help="FIRST:END, or FIRST:END:DRAWS for claims on a median")
    parser.add_argument("pages", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--dask", default="")
    words = parser.parse_args()
    asked = re.fullmatch(r"(\d+):(\d+)(?::(\d+))?", words.seeds)
    if not asked:
        parser.error("give SEEDS as FIRST:END, say 1000:1020, or as 1000:1020:40 for 40 draws")
    first, end, draws = (int(number or 1) for number in asked.groups())
    try:
        problems = count_claims(ROOT, first, end, words.pages, draws, jobs=words.jobs, dask=words.dask)
    except BuildError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; what has run is kept, and the same command goes on from there")
    sys.exit("\n".join(problems) or None)


if __name__ == "__main__":
    import seeds  # under its own name, which other processes can import

    seeds.main()
