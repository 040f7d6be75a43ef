"""Record of figure 1.13: MNIST with five equal hidden layers, LFR of each layer's effective target during training."""

from functools import partial

import numpy as np
import torch
from _runs import K0, fit, run, seeds, target_ratio

from fpbook.datasets import mnist
from fpbook.networks import MLP, normal_init
from fpbook.training import seeded

OPTIONS = {"train": 10000, "test": 10000, "points": 4000, "width": 500, "depth": 5, "std": 0.05, "epochs": 30}
OPTIONS |= {"at": (0, 1, 3, 10, 30), "batch": 500, "lr": 1e-4, "seeds": 3, "name": "layer_targets", "device": "cpu"}
TINY = {"train": 96, "test": 48, "points": 40, "width": 12, "depth": 3, "epochs": 4, "at": (0, 2, 4), "batch": 32}
TINY |= {"lr": 1e-2, "seeds": 2}
RECORD = "{name}"
AXES = {"at": "epoch", "k0": "cut-off"}  # layer 0 is the data
for split in ("train", "test"):
    AXES |= dict.fromkeys([f"{split}_lfr", f"{split}_lfr_shuffled"], "seed epoch layer cut-off")
    AXES |= {f"{split}_accuracy": "seed epoch", f"{split}_scale": "seed epoch layer"}


def case(o, checkpoint, seed):
    x, y, x_test, y_test = (t.flatten(1) if t.ndim > 1 else t for t in mnist(train=o.train, test=o.test))

    @torch.no_grad()
    def measure(net, epoch):
        if epoch not in o.at:
            return {}
        found = {}
        for split, images, labels in (("train", x.to(o.device), y), ("test", x_test.to(o.device), y_test)):
            found[f"{split}_accuracy"] = (net(images).argmax(1).cpu() == labels).double().mean()
            features = [net(images[: o.points], stop=layer).cpu() for layer in range(o.depth + 1)]
            ratios = [target_ratio(z, labels[: o.points], seed=seed, device=o.device) for z in features]
            found |= {f"{split}_{key}": np.array([ratio[key] for ratio in ratios]) for key in ratios[0]}
        return found

    net = seeded(lambda: normal_init(MLP([784, *[o.width] * o.depth, 10], "tanh"), o.std), [seed], o.device)[0]
    how = {"epochs": o.epochs, "batch": o.batch, "optimizer": partial(torch.optim.Adam, lr=o.lr)}
    return fit(net, x, y, seed=seed, measure=measure, checkpoint=checkpoint, **how)


def main(o, each):
    return each(seed=seeds(o)) | {"at": np.array(sorted(set(o.at))), "k0": K0}


if __name__ == "__main__":
    run("layer_targets")
