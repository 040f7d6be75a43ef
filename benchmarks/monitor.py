"""What the monitor gains by the waves and kernels that it keeps: `OMP_NUM_THREADS=1 python benchmarks/monitor.py`.

Prints milliseconds of processor time of a call, and of one that computes them anew, and their ratio; medians of calls
that alternate. Waves anew are those of `nudft`, which sums them up and fits nothing. `read` is one pass over what is
kept, below which no call can go.
"""

import time

import numpy as np
import torch

from fpbook.monitor import FrequencyMonitor
from fpbook.spectra import nudft

CALLS = 9


def medians(calls):
    """Median processor time of each call in milliseconds, all in turn."""
    seconds = {name: [] for name in calls}
    for _ in range(CALLS):
        for name, call in calls.items():
            start = time.process_time()
            call()
            seconds[name].append(time.process_time() - start)
    return {name: 1e3 * np.median(values[1:]) for name, values in seconds.items()}


def waves(points, frequencies):
    x = 2 * np.pi * np.arange(points) / points
    k = np.arange(1, frequencies + 1)
    y = np.cos(np.outer(x, k)).sum(1)
    monitor = FrequencyMonitor(x, y, k=k)
    kept = monitor.measure.q
    return {"kept": lambda: monitor(0, 0.5 * y), "anew": lambda: nudft(x, 0.5 * y, k), "read": kept.sum}


def kernel(points, features, classes):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(points, features)), np.eye(classes)[rng.integers(0, classes, points)]
    output = rng.dirichlet(np.ones(classes), points)
    kept, anew = (FrequencyMonitor(x, y, delta=features / 2, memory=memory) for memory in (2**30, 1))
    return {"kept": lambda: kept(0, output), "anew": lambda: anew(0, output), "read": kept.measure.kernels.sum}


def main():
    torch.set_num_threads(1)
    cases = {
        "10,000 points, 20 waves": lambda: waves(10_000, 20),
        "100,000 points, 20 waves": lambda: waves(100_000, 20),
        "2,000 points, 784 features, 10 classes": lambda: kernel(2_000, 784, 10),
    }
    for name, calls in cases.items():
        found = medians(calls())
        shown = ", ".join(f"{what} {value:.2f} ms" for what, value in found.items())
        print(f"{name}: {shown}; ratio {found['anew'] / found['kept']:.0f}", flush=True)


if __name__ == "__main__":
    main()
