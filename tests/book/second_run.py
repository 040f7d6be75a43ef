"""Execute the whole book a second time with nbval: every printed line must be the one that was printed the first time.

`make second-run`. Two notebooks run side by side; anything that differs or fails counts. After the last cell each claim
is checked again on broken data (`falsifiable`): one that always holds fails, too.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from bookbuild.execute.results import kernel_environment, load_previous, result_path
from bookbuild.execute.runner import CELL_SECONDS, MAX_KERNELS
from bookbuild.settings import ROOT, BuildError
from bookbuild.toc import notebooks


def with_trial(result, root):
    """A copy of an executed notebook that ends by trying its claims on broken data, and its labs in a live kernel."""
    notebook = nbformat.read(result, as_version=4)
    for name, module in (("claim", "falsifiable"), ("lab", "live_labs")):
        calls = [c.source for c in notebook.cells if c.cell_type == "code" and re.search(rf"^{name}\(", c.source, re.M)]
        if calls:
            trial = f"from {module} import try_{name}s\n\ntry_{name}s({calls!r}, globals())"
            notebook.cells.append(nbformat.v4.new_code_cell(trial, id=f"trial-{name}"))
    copy = root / "_build" / "second" / result.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, copy)
    return copy


def run_again(result, root):
    """The exit status of a second run: 0 if it printed the same."""
    environment = kernel_environment(root, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")  # but for nbval
    environment["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    result = with_trial(result, root)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "nbval.plugin"]
    command += ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}"]
    command += ["-p", "kernel_in_files"] if os.name == "posix" else []
    command += [f"--rootdir={result.parent}", str(result)]
    run = subprocess.run(command, env=environment, cwd=root / "chapters", capture_output=True, text=True)
    print(f"second run of {result.stem}\n{run.stdout}{run.stderr}", flush=True)
    return run.returncode


def run_all_again(root, only=()):
    """The worst exit status of all second runs; one that a signal ended counts as a failure."""
    if sys.flags.optimize:
        print("Python runs without asserts (PYTHONOPTIMIZE or -O), so nothing would be compared: unset it")
        return 1
    paths = [path for path in notebooks(root) if not only or path.stem in only]
    if missing := [path.stem for path in paths if load_previous(path, root) is None]:
        print(f"no first run of {', '.join(missing)}: make book")
        return 1
    seconds = {path: load_previous(path, root).metadata.fpbook["seconds"] for path in paths}
    longest_first = sorted(paths, key=seconds.get, reverse=True)
    with ThreadPoolExecutor(MAX_KERNELS) as pool:
        codes = list(pool.map(lambda path: run_again(result_path(path, root), root), longest_first))
    return max(map(abs, codes), default=0)


if __name__ == "__main__":
    try:
        sys.exit(run_all_again(ROOT, sys.argv[1:]))
    except BuildError as error:
        sys.exit(str(error))
