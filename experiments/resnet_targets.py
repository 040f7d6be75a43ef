"""Record of figures 1.11 and 1.12: ResNet-18 cut to 4 to 1 stages, and LFR of the target that its head has to fit."""

import numpy as np
from _runs import K0, fit, one_cycle, run, seeds, target_ratio
from hard_samples import flip_and_shift

from fpbook.convnets import evaluate, resnet
from fpbook.datasets import cifar10
from fpbook.training import seeded

OPTIONS = {"train": 50000, "evaluated": 5000, "points": 2000, "stages": (4, 3, 2, 1), "width": 16, "head": 256}
OPTIONS |= {"epochs": 8, "batch": 128, "lr": 0.1, "seeds": 3, "device": "cpu"}
TINY = {"train": 96, "evaluated": 48, "points": 40, "stages": (2, 1), "width": 4, "head": 8, "epochs": 2, "batch": 32}
TINY |= {"seeds": 1}
AXES = {"stages": "stage", "k0": "cut-off"}
for split in ("train", "test"):
    AXES |= dict.fromkeys([f"{split}_lfr", f"{split}_lfr_shuffled"], "seed stage epoch cut-off")
    AXES |= dict.fromkeys([f"{split}_accuracy", f"{split}_scale"], "seed stage epoch")


def case(o, checkpoint, seed, stages):
    x, y, x_test, y_test = cifar10(train=o.train, test=o.evaluated, normalise="channel")
    splits = (("train", x[: o.evaluated], y[: o.evaluated]), ("test", x_test, y_test))

    def measure(net, epoch):
        found = {}
        for split, images, labels in splits:
            z = evaluate(net, images, stop=-3)
            found[f"{split}_accuracy"] = (evaluate(net, z, start=-3).argmax(1) == labels).double().mean()
            ratio = target_ratio(z[: o.points], labels[: o.points], seed=seed, device=o.device)
            found |= {f"{split}_{name}": value for name, value in ratio.items()}
        return found

    net = seeded(lambda: resnet(stages, width=o.width, head=o.head), [seed], o.device)[0]
    how = one_cycle(o.lr, o.epochs * -(-o.train // o.batch)) | {"epochs": o.epochs, "batch": o.batch, "seed": seed}
    return fit(net, x, y, measure=measure, augment=flip_and_shift, checkpoint=checkpoint, **how)


def main(o, each):
    return each(seed=seeds(o), stages=o.stages) | {"stages": np.array(o.stages), "k0": K0}


if __name__ == "__main__":
    run("resnet_targets")
