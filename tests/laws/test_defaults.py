"""An option that is left out has the value that its documentation states, and another value is another result."""

import contextlib
import copy
import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import fpbook.lab as labs
from fpbook.convnets import evaluate, plain_convnet, resnet, vgg
from fpbook.datasets import mnist, zscore
from fpbook.filtering import cutoffs, equidistant_cutoff, neighbour_disagreement, ratio_density
from fpbook.lab import experiment
from fpbook.lab.spec import complete
from fpbook.monitor import FrequencyMonitor
from fpbook.networks import MLP, xavier_init
from fpbook.plotting import band
from fpbook.replay import replay_data
from fpbook.spectra import peaks
from fpbook.training import column, train

n = 60
x = 2 * np.pi * np.arange(n) / n
y = sum(np.cos(k * x) / k for k in range(1, 11))
POINTS, CLASSES = np.random.default_rng(0).normal(size=(n, 2)), np.arange(n) % 3


def shapes(net):
    return [tuple(p.shape) for p in net.parameters()]


def seeded(make):
    torch.manual_seed(0)
    return make()


def sizes(net, **options):
    """How many rows the network is given at a time."""
    seen = []

    class Watched(torch.nn.Linear):
        def forward(self, x, start=0, stop=None):
            seen.append((len(x), start, stop))
            return super().forward(x)

    evaluate(Watched(1, 1), torch.ones(501, 1), **options)
    return seen


def trained(**options):
    net = seeded(lambda: torch.nn.Linear(1, 1))
    record = {"w": lambda net: net.weight}
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    return train(net, lambda net: (net.weight**2).sum(), steps=4, optimizer=sgd, record=record, **options)["w"]


def monitored(**options):
    monitor = FrequencyMonitor(x, y + 3, **options)
    monitor.watch(1, lambda inputs: 0.7 * inputs, torch.tensor(y + 1))
    return monitor.names, monitor.error


def watched(method, **options):
    monitor = FrequencyMonitor(x, y, k=[1, 2])
    for step, part in enumerate([0, 0.5, 0.95]):
        monitor(step, part * y)
    found = getattr(monitor, method)(**options)
    return list(found.values()) if isinstance(found, dict) else len(found.collections)


def lab(**changes):
    data = dict(points=9, low=-1, high=1, sines={1: 1}) | changes.pop("data", {})
    network = dict(hidden=[4], activation="tanh", seed=0, start="xavier") | changes.pop("network", {})
    training = dict(lr=0.01, steps=3) | changes.pop("training", {})
    declared = complete(dict(data=data, network=network, training=training, watch=changes | {"series": ["training"]}),
                        {}, None, "")  # fmt: skip
    run = experiment.run(declared, iter)
    return (
        run["h"],
        run["at"],
        experiment.bars(declared, run),
        *map(declared["watch"].get, ("log", "ylim", "threshold")),
    )


def cell(**options):
    """What a cell with a lab leaves for the page, as text."""
    parts = dict(data=dict(points=9, low=-1, high=1, sines={1: 1}), network=dict(hidden=[4], activation="tanh"),
                 training=dict(lr=0.01, steps=3), watch=dict(series=["training"]))  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as text:
        labs.lab(**parts, **options)
    return text.getvalue()


def drawn(**options):
    ax = Figure().add_subplot()
    band(ax, [0, 1], [[1, 2], [3, 4]], label="h", color="k", **options)
    return ax.lines[0].get_linestyle()


def replayed(**options):
    data = replay_data({"": {"step": [0, 5, 9, 10], "panels": [{"curves": {"h": [1, 2, 3, 4]}}]}}, **options)
    return data["over"], float(data["at"]), str(data["runs"])


DEFAULTS = {  # of a call with options: each option with the value that is documented, and another one
    "ratio_density": (lambda **o: ratio_density([1, 2, 4], [0.1, 0.5, 0.6], **o), {"log": (False, True)}),
    "equidistant_cutoff": (lambda **o: equidistant_cutoff(9, **o), {"share": (0.5, 0.6)}),
    "cutoffs": (lambda **o: cutoffs(POINTS, CLASSES, **o), {"shares": ([0.5], [0.6])}),
    "neighbours": (lambda **o: neighbour_disagreement(POINTS, CLASSES, **o), {"neighbours": (10, 9)}),
    "peaks": (lambda **o: peaks(x, y, **o), {"most": (8, 7)}),
    "column": (lambda **o: column([1.0], **o).dtype, {"dtype": (torch.float32, torch.float64)}),
    "train": (trained, {"every": (1, 2), "stop": (None, 1e9)}),
    "MLP": (lambda **o: seeded(lambda: MLP([1, 3, 1], **o)(torch.ones(1, 1))), {"activation": ("tanh", "relu")}),
    "xavier_init": (
        lambda **o: seeded(lambda: xavier_init(MLP([1, 3, 1]), **o)(torch.ones(1, 1))), {"gain": (1.0, 2.0)}),
    "vgg": (lambda **o: shapes(vgg(9, **o)), {"width": (1.0, 0.5), "head": (512, 511), "classes": (10, 9)}),
    "resnet": (lambda **o: shapes(resnet(1, **o)), {"width": (64, 63), "head": (512, 511), "classes": (10, 9)}),
    "plain_convnet": (lambda **o: shapes(plain_convnet(**o)), {
        "channels": ((64, 128), (64, 127)), "hidden": ((800, 400, 400, 400), (800,)), "classes": (10, 9)}),
    "evaluate": (lambda **o: sizes(evaluate, **o), {"start": (0, 1), "stop": (None, 1), "batch": (500, 499)}),
    "zscore": (lambda **o: zscore(torch.eye(3), torch.arange(9.0).reshape(3, 3), **o), {"dims": (0, 1)}),
    "mnist": (lambda **o: mnist(train=3, test=1, **o)[0], {"normalise": ("none", "channel")}),
    "monitor": (monitored, {
        "choose": (8, 2), "method": ("lstsq", "dft"), "centre": (True, False), "every": (1, 2)}),
    "fitted": (lambda **o: watched("fitted", **o), {"below": (0.2, 0.6)}),
    "table": (lambda **o: watched("table", **o), {"below": (0.2, 0.6)}),
    "validate": (lambda **o: watched("validate", **o), {"seed": (0, 1)}),
    "plot": (lambda **o: watched("plot", ax=Figure().add_subplot(), **o), {"heat": (False, True)}),
    "band": (drawn, {"linestyle": ("-", "--")}),
    "replay": (replayed, {"over": ("step", "epoch"), "at": (9, 5), "colors": (None, {"h": "C3"})}),
    "lab": (lambda **o: lab(**o), {
        "log": ("xy", "x"), "ylim": ([1e-3, 3], [0, 1]), "bars": (20, 19), "threshold": (None, 1)}),
    "cell of a lab": (cell, {
        "choose": (None, {"training.lr": dict(label="rate", low=0.01, high=1, step=0.01)}),
        "question": (None, dict(ask="?", answers=["low", "high"], by=["end:training"], edges=[1.0])),
        "says": ("", "{end:training}"), "recorded": (None, {"network.seed": 1})}),
    "data of a lab": (lambda **o: lab(data=o), {
        "shift": (0.5, 0.4), "noise": (0, 1), "round": (0, 0.5), "fine": (201, 200), "anywhere": (False, True)}),
    "network of a lab": (lambda **o: lab(network=o), {
        "factor": (1.0, 2.0), "gain": (1.0, 2.0), "antisymmetric": (False, True)}),
    "start of a lab": (lambda **o: lab(network={"start": "default"} | o), {"start": ("default", "xavier")}),
    "training of a lab": (lambda **o: lab(training=o), {
        "name": ("adam", "sgd"), "weight": (1, 3), "stop": (None, 1e9)}),
    "momentum of a lab": (lambda **o: lab(training={"name": "sgd"} | o), {"momentum": (0, 0.9)}),
}  # fmt: skip


def text(found):
    """All digits of what was found."""
    if isinstance(found, (list, tuple)):
        return [text(part) for part in found]
    return found.tolist() if hasattr(found, "tolist") else str(found)


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_left_out_is_what_is_documented(name):
    call, options = DEFAULTS[name]
    plain = text(call())
    for option, (documented, other) in options.items():
        assert text(call(**{option: copy.copy(documented)})) == plain
        assert text(call(**{option: other})) != plain
