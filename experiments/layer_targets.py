"""Record of figure 1.13: MNIST with five equal hidden layers, LFR of each layer's effective target during training."""

from functools import partial

import numpy as np
import torch
from _runs import K0, OUT, over_seeds, run, target_ratio, write

from fpbook.datasets import mnist
from fpbook.networks import MLP, normal_init


def main(
    *, train=10000, test=10000, points=4000, width=500, depth=5, std=0.05, epochs=30, at=(0, 1, 3, 10, 30),
    batch=500, lr=1e-4, seeds=3, name="layer_targets", device="cpu", out=OUT,
):  # fmt: skip
    options = locals().copy()
    x, y, x_test, y_test = (t.flatten(1) if t.ndim > 1 else t for t in mnist(train=train, test=test))

    @torch.no_grad()
    def measure(net, epoch, seed):
        if epoch not in at:
            return {}
        found = {}
        for split, images, labels in (("train", x.to(device), y), ("test", x_test.to(device), y_test)):
            found[f"{split}_accuracy"] = (net(images).argmax(1).cpu() == labels).double().mean()
            features = [net(images[:points], stop=layer).cpu() for layer in range(depth + 1)]  # layer 0 is the data
            ratios = [target_ratio(z, labels[:points], seed=seed, device=device) for z in features]
            found |= {f"{split}_{key}": np.array([ratio[key] for ratio in ratios]) for key in ratios[0]}
        return found

    def make(_):
        return normal_init(MLP([784, *[width] * depth, 10], "tanh"), std)

    arrays = over_seeds(name, options, make, x, y, measure, optimizer=partial(torch.optim.Adam, lr=lr))
    # accuracies (seeds, at); lfr (seeds, at, layers 0 to depth, cut-offs)
    write(name, arrays | {"at": np.array(sorted(set(at))), "k0": K0}, options)


if __name__ == "__main__":
    run(main)
