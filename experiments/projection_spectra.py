"""Record of figure 1.8: spectra along the first principal component of the labels of real images and of a network's output."""

from functools import partial

import numpy as np
import torch
from common import ROOT, checkpoints, fit, run, write_record
from torch import nn

from fpbook.convnets import evaluate, plain_convnet
from fpbook.datasets import cifar10, mnist, zscore
from fpbook.networks import MLP, xavier_init
from fpbook.spectra import nudft, principal_direction


class FlatMLP(nn.Sequential):
    """A fully connected network on images, with the calling form of the convolutional ones."""

    def forward(self, x, start=0, stop=None):
        return self[0](x.flatten(1), start, stop)


def main(
    *, data="mnist", train=60000, skip=5000, test=10000, component=3, k_max=3.2, epochs=40, batch=500, lr=1e-3, seeds=3,
    device="cpu", out=str(ROOT / "data" / "records"),
):  # fmt: skip
    """MNIST by default; for CIFAR-10: --data cifar10 --train 50000 --skip 0 --component 8 --k-max 2.2 --lr 1e-4 --batch 50."""
    options = locals().copy()
    name = f"projection_spectra_{data}"
    x, y, x_test, y_test = {"mnist": mnist, "cifar10": cifar10}[data](train=train, test=test)
    x, y = x[skip:], y[skip:]
    if data == "mnist":
        x, x_test = zscore(x, x), zscore(x_test, x)
    k = np.linspace(0, k_max, 100)
    x_all, y_all = torch.cat([x, x_test]), torch.cat([y, y_test])
    projected = x_all.flatten(1).numpy() @ principal_direction(x.flatten(1).numpy())
    projected -= projected[: len(x)].mean()
    target = (y_all == component).double().numpy()

    def measure(net, epoch):
        logits = evaluate(net, x_all)
        right = (logits.argmax(1) == y_all).double()
        output = logits.softmax(1)[:, component].double().numpy()
        accuracy = {"train_accuracy": right[: len(x)].mean(), "test_accuracy": right[len(x) :].mean()}
        return accuracy | {
            "h_hat": nudft(projected, output, k),
            "h_train_hat": nudft(projected[: len(x)], output[: len(x)], k),
        }

    histories = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        net = xavier_init(FlatMLP(MLP([784, 400, 200, 10])) if data == "mnist" else plain_convnet()).to(device)
        histories.append(
            fit(
                net,
                x,
                y,
                epochs=epochs,
                batch=batch,
                seed=seed,
                measure=measure,
                optimizer=partial(torch.optim.Adam, lr=lr),
                checkpoint=checkpoints(name, options) / f"seed{seed}.pt",
            )  # fmt: skip
        )
    arrays = {key: np.stack([h[key] for h in histories]) for key in histories[0]}  # (seeds, epochs + 1, ...)
    seconds = arrays.pop("seconds").sum()
    arrays |= {
        "k": k,
        "f_hat": nudft(projected, target, k),
        "f_train_hat": nudft(projected[: len(x)], target[: len(x)], k),
    }
    write_record(name, arrays, options, seconds)


if __name__ == "__main__":
    run(main)
