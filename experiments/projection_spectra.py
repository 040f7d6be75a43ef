"""Record of figure 1.8: spectra of image labels and of a network's output along the first principal component.

The defaults are those for MNIST; README.md has the options for CIFAR-10.
"""

from functools import partial

import numpy as np
import torch
from _runs import fit, run, seeds

from fpbook.convnets import evaluate, plain_convnet
from fpbook.datasets import cifar10, mnist, zscore
from fpbook.networks import MLP, xavier_init
from fpbook.spectra import nudft, principal_direction
from fpbook.training import seeded

OPTIONS = {"data": "mnist", "train": 60000, "skip": 5000, "test": 10000, "component": 3, "k_max": 3.2, "epochs": 40}
OPTIONS |= {"batch": 500, "lr": 1e-3, "seeds": 3, "device": "cpu"}
TINY = {"train": 48, "skip": 16, "test": 24, "epochs": 2, "batch": 16, "seeds": 2}
RECORD = "projection_spectra_{data}"
AXES = dict.fromkeys(["k", "f_hat", "rho_hat", "f_train_hat", "rho_train_hat"], "k")
AXES |= dict.fromkeys(["h_hat", "h_train_hat"], "seed epoch k")
AXES |= dict.fromkeys(["train_accuracy", "test_accuracy"], "seed epoch")


def images(o):
    """Training images and labels, then those of both sets, training first."""
    x, y, x_test, y_test = {"mnist": mnist, "cifar10": cifar10}[o.data](train=o.train, test=o.test)
    x, y = x[o.skip :], y[o.skip :]
    if o.data == "mnist":
        x, x_test = zscore(x, x).flatten(1), zscore(x_test, x).flatten(1)
    return x, y, torch.cat([x, x_test]), torch.cat([y, y_test])


def places(o, x, x_all):
    """Places of the points along the first principal component of the training images, from their mean; and k."""
    projected = x_all.flatten(1).numpy() @ principal_direction(x.flatten(1).numpy())
    return projected - projected[: len(x)].mean(), np.linspace(0, o.k_max, 100)


def case(o, checkpoint, seed):
    x, y, x_all, y_all = images(o)
    n, (projected, k) = len(x), places(o, x, x_all)

    def measure(net, epoch):
        logits = evaluate(net, x_all)
        right = (logits.argmax(1) == y_all).double()
        output = logits.softmax(1)[:, o.component].double().numpy()
        spectra = {"h_hat": nudft(projected, output, k), "h_train_hat": nudft(projected[:n], output[:n], k)}
        return {"train_accuracy": right[:n].mean(), "test_accuracy": right[n:].mean()} | spectra

    def make():
        return xavier_init(MLP([784, 400, 200, 10])) if o.data == "mnist" else plain_convnet()

    how = {"epochs": o.epochs, "batch": o.batch, "optimizer": partial(torch.optim.Adam, lr=o.lr)}
    net = seeded(make, [seed], o.device)[0]
    return fit(net, x, y, seed=seed, measure=measure, checkpoint=checkpoint, **how)


def main(o, each):
    arrays = each(seed=seeds(o))
    x, _, x_all, y_all = images(o)
    projected, k = places(o, x, x_all)
    target = (y_all == o.component).double().numpy()
    for part, rows in (("", slice(None)), ("train_", slice(len(x)))):
        arrays[f"f_{part}hat"] = nudft(projected[rows], target[rows], k)
        arrays[f"rho_{part}hat"] = nudft(projected[rows], np.ones_like(target[rows]), k)
    return arrays | {"k": k}


if __name__ == "__main__":
    run("projection_spectra")
