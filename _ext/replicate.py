"""Execute the whole book a second time with nbval: every printed line must be the one that was printed the first time.

Two notebooks run side by side. A kernel that dies before its first cell is the machine's fault, not the book's: that
notebook is tried once more. Anything else that differs or fails counts.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from execute import CELL_SECONDS, KERNELS, notebooks, result_of

DEAD_AT_START = "Kernel died before replying to kernel_info"


def replicate(result, root):
    environment = os.environ | {
        "FPBOOK_BUILD": "1",
        "FPBOOK_TRY_LABS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(root),
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    command += [f"--nbval-cell-timeout={CELL_SECONDS}", f"--rootdir={result.parent}", str(result)]
    for _ in range(2):
        run = subprocess.run(command, env=environment, cwd=root / "chapters", capture_output=True, text=True)
        if DEAD_AT_START not in run.stdout:
            break
    print(f"second run of {result.stem}\n{run.stdout}{run.stderr}", flush=True)
    return run.returncode


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    results = [result_of(path, here) for path in notebooks(here)]
    results.sort(key=lambda path: nbformat.read(path, as_version=4).metadata.fpbook["seconds"], reverse=True)
    with ThreadPoolExecutor(KERNELS) as pool:
        codes = list(pool.map(lambda result: replicate(result, here), results))
    sys.exit(max(codes))
