"""Record of figures 1.11 and 1.12 at equal fit: small residual networks, each trained until it fits.

Their heads have as many inputs as the last stage has channels, or, after a 1 x 1 convolution, all `common` ones.
"""

from functools import partial

import numpy as np
import torch
from _runs import K0, OUT, one_cycle, over_seeds, run, target_ratio, write
from torch import nn

from fpbook.convnets import Layers, evaluate, resnet
from fpbook.datasets import cifar10


def with_common_width(net, channels, common, head):
    """The network with a 1 x 1 convolution to `common` channels before pooling, so that all heads are the same."""
    *stages, pool = list(net.layers)[:-3]
    narrow = nn.Sequential(nn.Conv2d(channels, common, 1, bias=False), nn.BatchNorm2d(common), nn.ReLU())
    return Layers([*stages, narrow, pool, *list(resnet(1, width=common, head=head).layers)[-3:]])


def main(
    *, train=1000, test=1000, side=16, stages=(4, 3, 2, 1), epochs=(24, 28, 48, 140), every=(1, 1, 2, 7), width=8,
    head=32, common=(0, 32), batch=40, lr=0.05, seeds=4, device="cpu", out=OUT,
):  # fmt: skip
    options = locals().copy()
    shrink = partial(torch.nn.functional.adaptive_avg_pool2d, output_size=side)
    x, y, x_test, y_test = (
        t if t.ndim == 1 else shrink(t) for t in cifar10(train=train, test=test, normalise="channel")
    )
    interval = dict(zip(stages, every))

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

    by_stage = []  # a dict each: (seeds, common, moments, ...), "seconds"
    for number, last in zip(stages, epochs, strict=True):
        how = one_cycle(lr, last * -(-train // batch))
        variants = [(channels, number) for channels in common]
        lasts = [last] * len(variants)
        by_stage.append(
            over_seeds("resnet_levels", options, make, x, y, measure, variants=variants, epochs=lasts, **how)
        )
    arrays = {"seconds": sum(found.pop("seconds") for found in by_stage)}
    longest = max(found["epoch"].shape[2] for found in by_stage)
    for name in by_stage[0]:  # (seeds, common, stages, moments, ...); a network's last moment is repeated
        rows = [found[name].astype(np.float32) for found in by_stage]
        ends = [[(0, 0), (0, 0), (0, longest - row.shape[2])] + [(0, 0)] * (row.ndim - 3) for row in rows]
        arrays[name] = np.stack([np.pad(row, end, mode="edge") for row, end in zip(rows, ends)], axis=2)
    write("resnet_levels", arrays | {"stages": np.array(stages), "common": np.array(common), "k0": K0}, options)


if __name__ == "__main__":
    run(main)
