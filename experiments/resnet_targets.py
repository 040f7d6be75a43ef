"""Record of figures 1.11 and 1.12: ResNet-18 cut to 4, 3, 2, 1 stages, its accuracy and the LFR of the effective target before the head."""

from functools import partial

import numpy as np
import torch
from common import K0, ROOT, checkpoints, fit, run, target_ratio, write_record

from fpbook.convnets import evaluate, resnet
from fpbook.datasets import cifar10


def main(
    *, train=10000, test=2000, points=2000, stages=(4, 3, 2, 1), width=16, head=256, epochs=12, batch=128, lr=0.1, seeds=3,
    device="cpu", out=str(ROOT / "data" / "records"),
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = cifar10(train=train, test=test, normalise="channel")
    steps = epochs * -(-train // batch)

    def measure(net, epoch, seed):
        found = {}
        for split, images, labels in (("train", x, y), ("test", x_test, y_test)):
            z = evaluate(net, images, stop=-3)
            found[f"{split}_accuracy"] = (evaluate(net, z, start=-3).argmax(1) == labels).double().mean()
            ratio = target_ratio(z[:points], labels[:points], seed=seed, device=device)
            found |= {f"{split}_{name}": value for name, value in ratio.items()}
        return found

    histories = []
    for seed in range(seeds):
        for number in stages:
            torch.manual_seed(seed)
            net = resnet(number, width=width, head=head).to(device)
            histories.append(
                fit(
                    net,
                    x,
                    y,
                    epochs=epochs,
                    batch=batch,
                    seed=seed,
                    measure=partial(measure, seed=seed),
                    optimizer=partial(torch.optim.SGD, lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4),
                    schedule=partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=lr, total_steps=steps),
                    checkpoint=checkpoints("resnet_targets", options) / f"stages{number}-seed{seed}.pt",
                )  # fmt: skip
            )
    arrays = {
        name: np.stack([h[name] for h in histories]).reshape(seeds, len(stages), *histories[0][name].shape)
        for name in histories[0]
    }
    seconds = arrays.pop("seconds").sum()  # the others: (seeds, stages, epochs + 1, ...)
    write_record("resnet_targets", arrays | {"stages": np.array(stages), "k0": K0}, options, seconds)


if __name__ == "__main__":
    run(main)
