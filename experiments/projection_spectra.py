"""Record of figure 1.8: spectra of image labels and of a network's output along the first principal component."""

from functools import partial

import numpy as np
import torch
from _runs import OUT, joined, over_seeds, run, write

from fpbook.convnets import evaluate, plain_convnet
from fpbook.datasets import cifar10, mnist, zscore
from fpbook.networks import MLP, xavier_init
from fpbook.spectra import nudft, principal_direction


def main(
    *, data="mnist", train=60000, skip=5000, test=10000, component=3, k_max=3.2, epochs=40, batch=500, lr=1e-3, seeds=3,
    first=0, device="cpu", out=OUT,
):  # fmt: skip
    """The defaults are those for MNIST; README.md has the options for CIFAR-10."""
    options = locals().copy()
    x, y, x_test, y_test = {"mnist": mnist, "cifar10": cifar10}[data](train=train, test=test)
    x, y = x[skip:], y[skip:]
    if data == "mnist":
        x, x_test = zscore(x, x).flatten(1), zscore(x_test, x).flatten(1)
    x_all, y_all, n, k = torch.cat([x, x_test]), torch.cat([y, y_test]), len(x), np.linspace(0, k_max, 100)
    projected = x_all.flatten(1).numpy() @ principal_direction(x.flatten(1).numpy())
    projected -= projected[:n].mean()
    target = (y_all == component).double().numpy()

    def measure(net, epoch, seed):
        logits = evaluate(net, x_all)
        right = (logits.argmax(1) == y_all).double()
        output = logits.softmax(1)[:, component].double().numpy()
        spectra = {"h_hat": nudft(projected, output, k), "h_train_hat": nudft(projected[:n], output[:n], k)}
        return {"train_accuracy": right[:n].mean(), "test_accuracy": right[n:].mean()} | spectra

    def make(_):
        return xavier_init(MLP([784, 400, 200, 10])) if data == "mnist" else plain_convnet()

    name = f"projection_spectra_{data}"
    arrays = over_seeds(name, options, make, x, y, measure, optimizer=partial(torch.optim.Adam, lr=lr))
    arrays = joined(name, arrays, options)  # spectra of the output: (seeds, epochs + 1, k)
    for part, rows in (("", slice(None)), ("train_", slice(n))):
        arrays[f"f_{part}hat"] = nudft(projected[rows], target[rows], k)
        arrays[f"rho_{part}hat"] = nudft(projected[rows], np.ones_like(target[rows]), k)
    write(name, arrays | {"k": k}, options)


if __name__ == "__main__":
    run(main)
