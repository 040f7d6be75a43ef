"""The picture of the README, `_static/strip.png`: one network of section 1.1 at four moments of its training."""

from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from fpbook.networks import MLP, Antisymmetric, Ricker, normal_init
from fpbook.spectra import first_step_below, nudft, relative_error
from fpbook.targets import sines
from fpbook.training import column, mean_squared_error, seeded, train

PICTURE = Path(__file__).parents[1] / "_static" / "strip.png"


def main(n=41, steps=250, seed=0, lr=2e-4, a=0.3):
    k, x, fine = (1, 3, 5), np.pi * (2 * np.arange(n) + 1 - n) / n, np.linspace(-np.pi, np.pi, 400)
    points, everywhere, labels = column(x), column(fine), column(sines(x, k))
    net = seeded(lambda: Antisymmetric(normal_init(MLP([1, 200, 200, 200, 100, 1], Ricker(a)), 200**-0.5)), [seed])[0]
    seen = {"h": lambda net: net(everywhere)[:, 0], "h_train": lambda net: net(points)[:, 0]}
    adam = partial(torch.optim.Adam, lr=lr)
    history = train(net, lambda net: mean_squared_error(net, points, labels), steps=steps, optimizer=adam, record=seen)
    error = relative_error(nudft(x, history["h_train"], k), nudft(x, sines(x, k), k))
    moments = [0, *first_step_below(history["step"], error, 0.1).astype(int)]

    with plt.style.context("fpbook.book"):
        fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.5), sharey=True)
        for ax, step, learned in zip(axes, moments, ("nothing yet", "k = 1", "k = 1, 3", "k = 1, 3, 5")):
            ax.plot(fine, sines(fine, k), color="0.7", linewidth=1.2)
            ax.plot(x, sines(x, k), "o", color="0.6", markersize=2.5)
            ax.plot(fine, history["h"][step], color="C3")
            ax.set(
                title=f"step {step}: {learned}", xticks=[-np.pi, 0, np.pi], xticklabels=["−π", "0", "π"], ylim=(-3, 3)
            )
        axes[0].set(ylabel="target (grey), network")
        fig.savefig(PICTURE, dpi=110, pil_kwargs={"optimize": True, "dpi": (160, 160)})  # shown smaller than drawn


if __name__ == "__main__":
    main()
