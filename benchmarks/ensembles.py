"""How much longer an ensemble takes than one network, and than plain loops: `python benchmarks/ensembles.py`."""

import statistics
import time
from functools import partial

import torch

from fpbook.networks import MLP
from fpbook.training import column, mean_squared_error, seeded, train

NETWORKS = {"50": [1, 50, 50, 1], "100": [1, 100, 100, 1], "3 x 200": [1, 200, 200, 200, 1]}
STEPS, ROUNDS = 200, 5


def plain_loop(net, x, y):
    """What a step costs at least: one network, fused Adam, nothing recorded."""
    adam = torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)
    for _ in range(STEPS):
        adam.zero_grad()
        mean_squared_error(net, x, y).backward()
        adam.step()


def ensemble(nets, x, y):
    train(
        nets,
        lambda net: mean_squared_error(net, x, y),
        steps=STEPS,
        optimizer=partial(torch.optim.Adam, lr=1e-4, fused=True),
        every=STEPS,
        progress=iter,
    )


def seconds(work, *arguments):
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def main():
    torch.set_num_threads(1)
    x = column(torch.linspace(-3, 3, 41))
    y = torch.sin(x)
    print("| width | seeds | one network, s | ensemble / one | as many loops / one |\n|---|---|---|---|---|")
    for name, widths in NETWORKS.items():
        for seeds in (5, 8):
            rounds = []
            for _ in range(ROUNDS):  # the three take turns, so that a busy moment hits all
                nets = seeded(lambda: MLP(widths), range(seeds))
                one = seconds(plain_loop, nets[0], x, y)
                loops = sum(seconds(plain_loop, net, x, y) for net in nets)
                rounds.append((one, seconds(ensemble, nets, x, y) / one, loops / one))
            one, together, apart = (statistics.median(column) for column in zip(*rounds))
            print(f"| {name} | {seeds} | {one:.2f} | {together:.1f} | {apart:.1f} |")


if __name__ == "__main__":
    main()
