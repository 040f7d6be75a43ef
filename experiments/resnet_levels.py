"""Record of figures 1.11 and 1.12 at equal fit: small residual networks, each trained until it fits.

Their heads have as many inputs as the last stage has channels, or, after a 1 x 1 convolution, all `common` ones.
"""

from functools import partial
from itertools import product

import numpy as np
import torch
from _runs import K0, OUT, over_seeds, run, target_ratio, write
from torch import nn

from fpbook.convnets import Layers, evaluate, resnet
from fpbook.datasets import cifar10


def with_common_width(net, channels, common, head):
    """The network with a 1 x 1 convolution to `common` channels before pooling, so that all heads are the same."""
    *stages, pool = list(net.layers)[:-3]
    narrow = nn.Sequential(nn.Conv2d(channels, common, 1, bias=False), nn.BatchNorm2d(common), nn.ReLU())
    return Layers([*stages, narrow, pool, *list(resnet(1, width=common, head=head).layers)[-3:]])


def main(
    *, train=1000, test=1000, side=16, stages=(4, 3, 2, 1), epochs=(24, 34, 56, 120), every=(1, 2, 3, 6), width=16,
    head=64, common=(0, 32), batch=40, lr=0.02, seeds=3, device="cpu", out=OUT,
):  # fmt: skip
    options = locals().copy()
    shrink = partial(torch.nn.functional.adaptive_avg_pool2d, output_size=side)
    x, y, x_test, y_test = (
        t if t.ndim == 1 else shrink(t) for t in cifar10(train=train, test=test, normalise="channel")
    )
    last, interval = dict(zip(stages, epochs)), dict(zip(stages, every))
    variants = list(product(common, stages))

    def make(variant):
        channels, number = variant
        net = resnet(number, width=width, head=head)
        return with_common_width(net, width * 2 ** (number - 1), channels, head) if channels else net

    def measure(net, epoch, seed, variant):
        if epoch % interval[variant[1]]:
            return {}
        found = {"epoch": epoch}
        for split, images, labels in (("train", x, y), ("test", x_test, y_test)):
            z = evaluate(net, images, stop=-3)
            found[f"{split}_accuracy"] = (evaluate(net, z, start=-3).argmax(1) == labels).double().mean()
            ratio = target_ratio(z, labels, seed=seed, device=device)
            found |= {f"{split}_{name}": value for name, value in ratio.items()}
        return found

    sgd = partial(torch.optim.SGD, lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    lasts = [last[number] for _, number in variants]
    arrays = over_seeds("resnet_levels", options, make, x, y, measure, variants=variants, epochs=lasts, optimizer=sgd)
    lead = (seeds, len(common), len(stages))  # then moments, with NaN after a network's last
    arrays = {
        name: np.reshape(value, (*lead, *np.shape(value)[2:])) if np.ndim(value) else value
        for name, value in arrays.items()
    }
    write("resnet_levels", arrays | {"stages": np.array(stages), "common": np.array(common), "k0": K0}, options)


if __name__ == "__main__":
    run(main)
