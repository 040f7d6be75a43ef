"""What a busy neighbour costs a page's training: on one thread, as `train` sets it, and on all that PyTorch takes.

Run `python benchmarks/threads.py` on an otherwise idle machine, without OMP_NUM_THREADS in the environment.
"""

import statistics
import subprocess
import sys
import time
from functools import partial

import torch

from fpbook import training
from fpbook.networks import MLP
from fpbook.training import column, mean_squared_error, seeded, train

STEPS, ROUNDS, SEEDS = 300, 5, 8
BUSY = "while True: sum(i * i for i in range(10_000))"


def milliseconds():
    """Milliseconds a step of eight networks of width 50, as in section 1.1; the median of a few rounds."""
    x = column(torch.linspace(-3, 3, 41))
    y = torch.sin(x)
    rounds = []
    for _ in range(ROUNDS):
        nets = seeded(lambda: MLP([1, 50, 50, 1]), range(SEEDS))
        adam = partial(torch.optim.Adam, lr=1e-4, fused=True)
        start = time.perf_counter()
        train(nets, lambda net: mean_squared_error(net, x, y), steps=STEPS, optimizer=adam, every=STEPS, progress=iter)
        rounds.append(1e3 * (time.perf_counter() - start) / STEPS)
    return statistics.median(rounds)


def beside_a_busy_process():
    neighbour = subprocess.Popen([sys.executable, "-c", BUSY])
    try:
        time.sleep(0.5)
        return milliseconds()
    finally:
        neighbour.kill()
        neighbour.wait()


def main():
    print(f"PyTorch has {torch.get_num_threads()} threads")
    print("| threads | alone, ms a step | beside a busy process | ratio |\n|---|---|---|---|")
    for name, small in (("one, as `train` sets it", training.SMALL), ("PyTorch's own number", 0)):
        training.SMALL = small
        alone, beside = milliseconds(), beside_a_busy_process()
        print(f"| {name} | {alone:.2f} | {beside:.2f} | {beside / alone:.1f} |")


if __name__ == "__main__":
    main()
