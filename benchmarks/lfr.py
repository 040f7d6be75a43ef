"""How much faster the low frequency ratio is by chains of squarings: `python benchmarks/lfr.py [n] [--skip-direct]`.

Times `low_frequency_ratio` on n images of MNIST (d = 784, 10 labels, 32 cut-offs) against the formula as
it stands, in float64: once with the distances anew for each cut-off, once with one matrix of distances kept. Prints
seconds of processor time, ratios, errors and peak memory.
"""

import argparse
import resource
import time

import numpy as np

from fpbook.datasets import mnist
from fpbook.filtering import low_frequency_ratio

DELTA = 1 / (0.05 * 2 ** (np.arange(32) / 4))


def squares(x):
    """Squared distances, (n, n)."""
    square = (x**2).sum(1)
    distance = np.maximum(square[:, None] + square - 2 * x @ x.T, 0)
    np.fill_diagonal(distance, 0)
    return distance


def ratio(distance, y, delta):
    kernel = np.exp(-distance / (2 * delta))
    low = kernel @ y / kernel.sum(1, keepdims=True)
    return (low**2).sum() / (y**2).sum()


def kept(x, y):
    distance = squares(x)
    return [ratio(distance, y, delta) for delta in DELTA]


def anew(x, y):
    return [ratio(squares(x), y, delta) for delta in DELTA]


def timed(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return np.array(result), time.process_time() - start


def main(n, skip_direct):
    images, labels, _, _ = mnist(train=n, test=0)
    x, y = images.flatten(1).double().numpy(), np.eye(10)[labels]
    y -= y.mean(0)
    fast, fast_time = timed(low_frequency_ratio, x, y, DELTA)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"n = {n}, chains of squarings: {fast_time:.1f} s, peak memory {peak:.2f} GiB", flush=True)
    for name, direct in () if skip_direct else (("distances kept", kept), ("distances anew", anew)):
        exact, seconds = timed(direct, x, y)
        error = abs(fast / exact - 1).max()
        print(
            f"{name}: {seconds:.1f} s, ratio {seconds / fast_time:.1f}, largest relative error {error:.1e}", flush=True
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int, nargs="?", default=10_000)
    parser.add_argument("--skip-direct", action="store_true")
    main(**vars(parser.parse_args()))
