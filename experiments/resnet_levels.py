"""Record of figures 1.11 and 1.12 at equal fit: small residual networks, each trained until it fits.

Their heads have as many inputs as the last stage has channels, or, after a 1 x 1 convolution, all `common` ones.
"""

from functools import partial

import numpy as np
import torch
from _runs import K0, fit, one_cycle, run, seeds, target_ratio
from torch import nn

from fpbook.convnets import Layers, evaluate, resnet
from fpbook.datasets import cifar10
from fpbook.training import seeded

OPTIONS = {"train": 1000, "test": 1000, "side": 16, "stages": (4, 3, 2, 1), "epochs": (24, 28, 48, 140)}
OPTIONS |= {"every": (1, 1, 2, 7), "width": 8, "head": 32, "common": (0, 32), "batch": 40, "lr": 0.05, "seeds": 4}
OPTIONS |= {"device": "cpu"}
TINY = {"train": 96, "test": 48, "side": 8, "stages": (2, 1), "epochs": (1, 4), "every": (1, 2), "width": 4, "head": 8}
TINY |= {"common": (0, 6), "batch": 48, "seeds": 1}
AXES = {"stages": "stage", "common": "common", "k0": "cut-off", "epoch": "seed common stage moment"}
for split in ("train", "test"):
    AXES |= dict.fromkeys([f"{split}_lfr", f"{split}_lfr_shuffled"], "seed common stage moment cut-off")
    AXES |= dict.fromkeys([f"{split}_accuracy", f"{split}_scale"], "seed common stage moment")


def with_common_width(net, channels, common, head):
    """The network with a 1 x 1 convolution to `common` channels before pooling, so that all heads are the same."""
    *stages, pool = list(net.layers)[:-3]
    narrow = nn.Sequential(nn.Conv2d(channels, common, 1, bias=False), nn.BatchNorm2d(common), nn.ReLU())
    return Layers([*stages, narrow, pool, *list(resnet(1, width=common, head=head).layers)[-3:]])


def case(o, checkpoint, seed, common, stages):
    shrink = partial(torch.nn.functional.adaptive_avg_pool2d, output_size=o.side)
    x, y, x_test, y_test = (
        t if t.ndim == 1 else shrink(t) for t in cifar10(train=o.train, test=o.test, normalise="channel")
    )
    epochs, every = o.epochs[o.stages.index(stages)], o.every[o.stages.index(stages)]

    def make():
        net = resnet(stages, width=o.width, head=o.head)
        return with_common_width(net, o.width * 2 ** (stages - 1), common, o.head) if common else net

    def measure(net, epoch):
        if epoch % every:
            return {}
        found = {"epoch": epoch}
        for split, images, labels in (("train", x, y), ("test", x_test, y_test)):
            z = evaluate(net, images, stop=-3)
            found[f"{split}_accuracy"] = (evaluate(net, z, start=-3).argmax(1) == labels).double().mean()
            ratio = target_ratio(z, labels, seed=seed, device=o.device)
            found |= {f"{split}_{name}": value for name, value in ratio.items()}
        return found

    how = one_cycle(o.lr, epochs * -(-o.train // o.batch)) | {"epochs": epochs, "batch": o.batch, "seed": seed}
    return fit(seeded(make, [seed], o.device)[0], x, y, measure=measure, checkpoint=checkpoint, **how)


def main(o, each):
    found = each(seed=seeds(o), common=o.common, stages=o.stages)  # a network's last moment is repeated
    arrays = {name: value.astype(np.float32) for name, value in found.items()}
    return arrays | {"stages": np.array(o.stages), "common": np.array(o.common), "k0": K0}


if __name__ == "__main__":
    run("resnet_levels")
