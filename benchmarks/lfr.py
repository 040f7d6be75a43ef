"""How much faster the low frequency ratio is by chains of squarings: python experiments/benchmark_lfr.py [--n 10000] [--skip-direct]

Times `fpbook.spectra.low_frequency_ratio` on MNIST (d = 784, 10 labels, 32 cut-offs) against the formula as it stands, in
float64: once with the distances anew for each cut-off, once with one matrix of distances kept. Prints seconds of processor time, ratios,
errors and peak memory.
"""

import argparse
import resource
import time

import numpy as np

from fpbook.datasets import mnist
from fpbook.filtering import low_frequency_ratio


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


def timed(function):
    start = time.process_time()
    result = function()
    return np.array(result), time.process_time() - start


def main(n, skip_direct):
    images, labels, _, _ = mnist(train=n, test=0)
    x, y = images.flatten(1).double().numpy(), np.eye(10)[labels]
    y -= y.mean(0)
    delta = 1 / (0.05 * 2 ** (np.arange(32) / 4))
    fast, fast_time = timed(lambda: low_frequency_ratio(x, y, delta))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"n = {n}, chains of squarings: {fast_time:.1f} s, peak memory {peak:.2f} GiB", flush=True)
    if skip_direct:
        return

    def kept():
        distance = squares(x)
        return [ratio(distance, y, one) for one in delta]

    for name, direct in (
        ("distances kept", kept),
        ("cut-off by cut-off", lambda: [ratio(squares(x), y, one) for one in delta]),
    ):
        exact, direct_time = timed(direct)
        error = abs(fast / exact - 1).max()
        print(
            f"direct, {name}: {direct_time:.1f} s, ratio {direct_time / fast_time:.1f}, largest relative error {error:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--skip-direct", action="store_true")
    main(**vars(parser.parse_args()))
