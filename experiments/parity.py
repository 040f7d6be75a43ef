"""Record of figure 1.8, parity: the published network and training, from corners drawn with and without replacement."""

from functools import partial

import numpy as np
import torch
from _runs import run, seeds

from fpbook.networks import MLP, normal_init
from fpbook.targets import hypercube, parity
from fpbook.training import column, mean_squared_error, seeded, train

OPTIONS = {"d": 10, "sizes": (200, 400), "widths": (500, 100), "std": 0.05, "steps": 1001, "lr": 5e-4, "seeds": 10}
OPTIONS |= {"device": "cpu"}
TINY = {"d": 4, "sizes": (5, 8), "widths": (6, 4), "steps": 30, "lr": 1e-2, "seeds": 2}
AXES = {"h": "kind size seed corner", "count": "kind size seed corner", "sizes": "size"}
KINDS = ("with", "without")  # replacement; the source draws with it


def draw(kind, size, corners, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(corners, size=size) if kind == "with" else rng.permutation(corners)[:size]


def case(o, checkpoint, kind, size):
    """All seeds of one size, as one ensemble: outputs at all corners, and how often each was drawn."""
    corners = hypercube(o.d)
    cube, target = torch.tensor(corners, dtype=torch.float32, device=o.device), column(parity(corners), o.device)
    rows = np.array([draw(kind, size, 2**o.d, seed) for seed in seeds(o)])
    nets = seeded(lambda: normal_init(MLP([o.d, *o.widths, 1], "tanh"), o.std), seeds(o), o.device)
    history = train(
        nets, mean_squared_error, steps=o.steps, optimizer=partial(torch.optim.Adam, lr=o.lr),
        member_data=(cube[rows], target[rows]), record={"h": lambda net: net(cube)[:, 0]}, every=o.steps,
    )  # fmt: skip
    return {"h": history["h"][-1], "count": np.array([np.bincount(r, minlength=2**o.d) for r in rows])}


def main(o, each):
    found = each(kind=KINDS, size=o.sizes)
    return {"h": found["h"], "count": found["count"].astype(np.uint8), "sizes": np.array(o.sizes)}


if __name__ == "__main__":
    run("parity")
