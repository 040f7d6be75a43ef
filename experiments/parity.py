"""Record of figure 1.8, parity: the published network and training, from corners drawn with and without replacement."""

import time
from functools import partial

import numpy as np
import torch
from _runs import OUT, run, write

from fpbook.networks import MLP, normal_init
from fpbook.targets import hypercube, parity
from fpbook.training import column, mean_squared_error, seeded, train

KINDS = ("with", "without")  # replacement; the source draws with it


def main(
    *, d=10, sizes=(200, 400), widths=(500, 100), std=0.05, steps=1001, lr=5e-4, seeds=10, device="cpu", out=OUT
):  # fmt: skip
    options, start = locals().copy(), time.perf_counter()
    corners = hypercube(d)
    cube, target = torch.tensor(corners, dtype=torch.float32, device=device), column(parity(corners), device)

    def draw(kind, size, seed):
        rng = np.random.default_rng(seed)
        return rng.integers(2**d, size=size) if kind == "with" else rng.permutation(2**d)[:size]

    def fit(rows):
        nets = seeded(lambda: normal_init(MLP([d, *widths, 1], "tanh"), std), range(seeds), device)
        data, adam = (cube[rows], target[rows]), partial(torch.optim.Adam, lr=lr)
        output = {"h": lambda net: net(cube)[:, 0]}
        return train(
            nets, mean_squared_error, steps=steps, optimizer=adam, member_data=data, record=output, every=steps
        )["h"][-1]

    drawn = [[np.array([draw(kind, size, s) for s in range(seeds)]) for size in sizes] for kind in KINDS]
    h = np.array([[fit(rows) for rows in row] for row in drawn])  # (kinds, sizes, seeds, corners)
    count = np.array([[[np.bincount(r, minlength=2**d) for r in rows] for rows in row] for row in drawn])
    arrays = {"h": h, "count": count.astype(np.uint8), "sizes": np.array(sizes)}  # count: how often a corner was drawn
    write("parity", arrays | {"seconds": time.perf_counter() - start}, options)


if __name__ == "__main__":
    run(main)
