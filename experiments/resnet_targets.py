"""Record of figures 1.11 and 1.12: ResNet-18 cut to 4 to 1 stages, and LFR of the target that its head has to fit."""

import numpy as np
from _runs import K0, OUT, joined, one_cycle, over_seeds, run, target_ratio, write
from hard_samples import flip_and_shift

from fpbook.convnets import evaluate, resnet
from fpbook.datasets import cifar10


def main(
    *, train=50000, evaluated=5000, points=2000, stages=(4, 3, 2, 1), width=16, head=256, epochs=8, batch=128, lr=0.1,
    seeds=3, first=0, device="cpu", out=OUT,
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = cifar10(train=train, test=evaluated, normalise="channel")
    splits = (("train", x[:evaluated], y[:evaluated]), ("test", x_test, y_test))

    def measure(net, epoch, seed, variant):
        found = {}
        for split, images, labels in splits:
            z = evaluate(net, images, stop=-3)
            found[f"{split}_accuracy"] = (evaluate(net, z, start=-3).argmax(1) == labels).double().mean()
            ratio = target_ratio(z[:points], labels[:points], seed=seed, device=device)
            found |= {f"{split}_{name}": value for name, value in ratio.items()}
        return found

    def make(number):
        return resnet(number, width=width, head=head)

    how = one_cycle(lr, epochs * -(-train // batch)) | {"augment": flip_and_shift}
    arrays = over_seeds("resnet_targets", options, make, x, y, measure, variants=stages, **how)
    arrays = joined("resnet_targets", arrays, options)  # (seeds, stages, epochs + 1, ...)
    write("resnet_targets", arrays | {"stages": np.array(stages), "k0": K0}, options)


if __name__ == "__main__":
    run(main)
