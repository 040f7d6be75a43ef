"""Record of figure 1.13: MNIST with five equal hidden layers, low frequency ratio of each layer's effective target during training."""

from functools import partial

import numpy as np
import torch
from common import K0, ROOT, checkpoints, fit, run, target_ratio, write_record

from fpbook.datasets import mnist
from fpbook.networks import MLP, normal_init


def main(
    *, train=10000, test=10000, points=4000, width=500, depth=5, std=0.05, epochs=30, at=(0, 1, 3, 10, 30), batch=500, lr=1e-4, seeds=3,
    device="cpu", out=str(ROOT / "data" / "records"),
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = (t.flatten(1) if t.ndim > 1 else t for t in mnist(train=train, test=test))

    layers = range(depth + 1)  # layer 0 is the data

    @torch.no_grad()
    def measure(net, epoch, seed):
        found = {}
        for split, images, labels in (("train", x.to(device), y), ("test", x_test.to(device), y_test)):
            found[f"{split}_accuracy"] = (net(images).argmax(1).cpu() == labels).double().mean()
            if epoch in at:
                ratios = [
                    target_ratio(net(images[:points], stop=layer).cpu(), labels[:points], seed=seed, device=device)
                    for layer in layers
                ]
                found |= {f"{split}_{name}": np.array([ratio[name] for ratio in ratios]) for name in ratios[0]}
        return found

    histories = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        net = normal_init(MLP([784, *[width] * depth, 10], "tanh"), std).to(device)
        histories.append(
            fit(
                net,
                x,
                y,
                epochs=epochs,
                batch=batch,
                seed=seed,
                measure=partial(measure, seed=seed),
                optimizer=partial(torch.optim.Adam, lr=lr),
                checkpoint=checkpoints("layer_targets", options) / f"seed{seed}.pt",
            )  # fmt: skip
        )
    arrays = {name: np.stack([h[name] for h in histories]) for name in histories[0]}
    seconds = arrays.pop(
        "seconds"
    ).sum()  # accuracies (seeds, epochs + 1); lfr (seeds, at, layers 0 to depth, cut-offs)
    write_record("layer_targets", arrays | {"at": np.array(sorted(set(at))), "k0": K0}, options, seconds)


if __name__ == "__main__":
    run(main)
