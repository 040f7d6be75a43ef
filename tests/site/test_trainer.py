"""The trainer of the labs against PyTorch, in a browser: equal losses, equal initial weights, the same events in a run.

Weights, seeds and losses are made here by PyTorch and sent to the browser; nothing is stored.
"""

import json
import re

import numpy as np
import pytest
import torch
from conftest import CHROMIUM, FIREFOX, ROOT, posted_by_firefox

from fpbook import networks
from fpbook.lab import experiment
from fpbook.lab.spec import value_at, with_choice
from fpbook.networks import MLP, Antisymmetric, Ricker, empirical_ntk, normal_init, xavier_init

SOURCE = "".join((ROOT / "web" / name).read_text("utf8") for name in ("trainer.js", "rod.js", "experiment.js"))
ACTIVATIONS = [*networks.ACTIVATIONS, "ricker"]
OPTIMIZERS = {
    "gradient descent": ({"name": "sgd", "lr": 0.05}, lambda p: torch.optim.SGD(p, lr=0.05)),
    "momentum": ({"name": "sgd", "lr": 0.02, "momentum": 0.9}, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
    "Adam": ({"name": "adam", "lr": 1e-3}, lambda p: torch.optim.Adam(p, lr=1e-3)),
}
LOSSES = """cases => cases.map(({net, optimizer, data, parameters, steps}) => {
  const training = new fpTrainer.Training(net, optimizer, data, parameters);
  return Array.from({length: steps}, () => { const loss = training.step(); training.update(); return loss; });
})"""
FIRST_WEIGHTS = "cases => cases.map(net => fpTrainer.firstParameters(net).map(part => Array.from(part)))"
RUNS = """cases => cases.map(declared => {
  const run = new fpExperiment.Run(declared);
  let report = {};
  while (!report.done) report = run.advance(1e9);
  return {rows: run.rows, done: report.done, h: Array.from(report.h), bars: Array.from(report.bars),
          x: Array.from(run.data.x), y: Array.from(run.data.y), names: fpExperiment.names(declared)};
})"""

if not CHROMIUM:
    pytest.skip("no Chromium on this machine: the labs' trainer is not tested", allow_module_level=True)


def in_firefox(folder, source, function, cases):
    """The page asks for the cases and posts what it found."""
    page = '<meta charset="utf-8"><script src="trainer.js"></script><script src="go.js"></script>'
    folder.joinpath("index.html").write_text(page)
    folder.joinpath("trainer.js").write_text(source)
    folder.joinpath("cases.json").write_text(json.dumps(cases))
    post = "answer => fetch('answer', {method: 'POST', body: JSON.stringify(answer)})"
    go = f"fetch('cases.json').then(response => response.json()).then({function}).then({post})"
    folder.joinpath("go.js").write_text(go)
    return posted_by_firefox(folder, folder)


@pytest.fixture(
    params=["Chromium", pytest.param("Firefox", marks=pytest.mark.skipif(not FIREFOX, reason="no Firefox"))]
)
def ask(request, browser, tmp_path):
    """A function of the trainer's page, called with cases, in each browser there is."""

    def ask(function, cases, source=SOURCE):
        if request.param == "Firefox":
            return in_firefox(tmp_path, source, function, cases)
        page = browser.new_page()
        page.add_script_tag(content=source)
        try:
            return page.evaluate(function, cases)
        finally:
            page.close()

    return ask


def flat(net):
    return [parameter.detach().flatten().tolist() for parameter in net.parameters()]


def activation_of(name):
    return Ricker(0.3) if name == "ricker" else name


def loss_case(activation, optimizer, asi=False, weighted=False, seed=0, steps=100):
    """One training in PyTorch, in float64, and the same as a case for the trainer."""
    torch.manual_seed(seed)
    inputs, n = 2, 17
    made = MLP([inputs, 13, 10, 1], activation_of(activation))
    net = (Antisymmetric(made) if asi else made).double()
    x, y, weights = torch.randn(n, inputs).double(), torch.randn(n, 1).double(), 0.5 + torch.rand(n, 1).double()
    description, make = OPTIMIZERS[optimizer]
    update, losses = make(net.parameters()), []
    for _ in range(steps):
        loss = ((weights if weighted else 1) * (net(x) - y) ** 2).mean()
        losses.append(loss.item())
        update.zero_grad()
        loss.backward()
        update.step()
    data = {"x": x.flatten().tolist(), "y": y.flatten().tolist()}
    case = {
        "net": {"widths": [inputs, 13, 10, 1], "activation": activation, "a": 0.3, "antisymmetric": asi},
        "optimizer": description,
        "data": data | ({"weights": weights.flatten().tolist()} if weighted else {}),
        "parameters": first_parameters(seed, inputs, activation),
        "steps": steps,
    }
    return case, losses


def first_parameters(seed, inputs, activation):
    """The parameters at the start: those of the same seed once more."""
    torch.manual_seed(seed)
    return flat(MLP([inputs, 13, 10, 1], activation_of(activation)))


def cases():
    for activation in ACTIVATIONS:
        for optimizer in OPTIMIZERS:
            yield loss_case(activation, optimizer)
    yield loss_case("ricker", "Adam", asi=True)
    yield loss_case("tanh", "momentum", asi=True, weighted=True)
    yield loss_case("gelu", "Adam", weighted=True)


def test_both_languages_know_the_same_activations_and_optimizers(ask):
    """One that is known to one of them alone would build a page whose lab cannot train."""
    known = ask("() => [Object.keys(fpTrainer.ACTIVATIONS), fpTrainer.OPTIMIZERS, fpRod.ROD_LOSSES]", [])
    assert set(known[0]) == set(ACTIVATIONS)
    compared = {description["name"] for description, _ in OPTIMIZERS.values()}
    assert set(known[1]) == set(experiment.OPTIMIZERS) == compared, "each has a case in OPTIMIZERS above"
    assert set(known[2]) == set(experiment.ROD_LOSSES)


ROD_LOSSES = LOSSES.replace("fpTrainer.Training(", "fpRod.RodTraining(")


def test_the_losses_of_the_rod_are_those_of_the_package(ask):
    """First and second derivatives, and gradients through them, against automatic differentiation."""
    chosen, expected = [], []
    for name, loss in experiment.ROD_LOSSES.items():
        for kink in (False, True):
            made = dict(data={"rod": 30}, network=dict(hidden=[11, 7], activation="tanh", kink=kink, seed=2))
            net, x = experiment.network(made), experiment.numbers(made["data"], 0)["x"]
            parameters, points = flat(net), torch.as_tensor(x)[:, None]
            adam, losses = torch.optim.Adam(net.parameters(), lr=5e-3), []
            for _ in range(100):
                adam.zero_grad()
                value = loss(net, points)
                losses.append(value.item())
                value.backward()
                adam.step()
            expected.append(losses)
            chosen.append(
                {
                    "net": {"widths": [1 + kink, 11, 7, 1], "activation": "tanh"},
                    "optimizer": {"name": "adam", "lr": 5e-3, "loss": name},
                    "data": {"x": x.tolist(), "y": x.tolist()},
                    "parameters": parameters,
                    "steps": 100,
                }
            )
    found = ask(ROD_LOSSES, chosen)
    assert np.abs(np.array(found, float) / expected - 1).max() < 1e-9


def test_the_same_weights_give_the_same_losses(ask):
    chosen = list(cases())
    found = ask(LOSSES, [case for case, _ in chosen])
    assert max(np.abs(np.array(a, float) / b - 1).max() for a, (_, b) in zip(found, chosen)) < 1e-9


# What a wrong trainer would do, put in behind the right one: each must show in the losses.
BEFORE = """const {METHOD} = fpTrainer.Training.prototype;
fpTrainer.Training.prototype.METHOD = function () { FAULT; return METHOD.call(this); };"""
EACH = "for (const net of this.nets) net.PARTS.forEach((part, at) => part.forEach((v, i) => { part[i] = CHANGED; }))"
OTHER = "this.optimizer = {...this.optimizer, CHANGED}"
FAULTS = {
    "sign of the gradient": ("update", EACH.replace("PARTS", "gradients").replace("CHANGED", "-v")),
    "gradient of the biases": ("update", EACH.replace("PARTS", "gradients").replace("CHANGED", "at % 2 ? 0 : v")),
    "first step counted as the second": ("update", "this.t ||= 1"),  # Adam's bias correction
    "learning rate, a millionth": ("update", OTHER.replace("CHANGED", "lr: this.optimizer.lr * (1 + 1e-6)")),
    "momentum": ("update", OTHER.replace("CHANGED", "momentum: 0")),
    "weights of the points": ("step", "this.weights = null"),
    "sign of the second copy": ("step", "this.signs = this.signs.map(Math.abs)"),
    "first parameters, a hundred millionth": (
        "step", "if (!this.t) " + EACH.replace("PARTS", "parameters").replace("CHANGED", "v * (1 + 1e-8)"),
    ),
}  # fmt: skip


def test_a_trainer_with_a_fault_is_noticed(browser):
    """Of each fault at least one case differs, by more than what is allowed; without one none does."""
    cases = [loss_case("tanh", "momentum", asi=True, weighted=True), loss_case("ricker", "Adam", weighted=True)]
    for name, (method, fault) in ({"none": ("step", "")} | FAULTS).items():
        page = browser.new_page()
        patch = BEFORE.replace("METHOD", method).replace("FAULT", fault)
        page.add_script_tag(content=f"{SOURCE}(() => {{ {patch} }})();")
        found = page.evaluate(LOSSES, [case for case, _ in cases])
        page.close()
        off = max(np.abs(np.array(mine, float) / theirs - 1).max() for mine, (_, theirs) in zip(found, cases))
        assert (off > 1e-9) == (name != "none"), (name, off)


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_the_same_seed_gives_the_same_first_weights(ask, seed):
    shape = [3, 40, 11, 5, 1]  # arrays of 120, 440, 55 numbers and of fewer than 16
    makers = [
        ({}, lambda net: net),
        ({"factor": 3**0.5}, lambda net: scaled(net, 3**0.5)),
        ({"start": "xavier", "gain": 1.5}, lambda net: xavier_init(net, gain=1.5)),
        ({"start": "normal", "std": 0.2}, lambda net: normal_init(net, 0.2)),
    ]
    found = ask(FIRST_WEIGHTS, [{"widths": shape, "seed": seed} | options for options, _ in makers])
    for parts, (options, make) in zip(found, makers):
        torch.manual_seed(seed)
        for mine, parameter in zip(parts, make(MLP(shape)).parameters()):
            theirs = parameter.detach().flatten().numpy()
            ulp = np.spacing(2 * np.abs(theirs).max())  # PyTorch's vectorised logarithm and cosine are good to that
            assert (np.abs(np.array(mine) - theirs) <= ulp).all(), options


def scaled(net, factor):
    for layer in net.layers:
        layer.weight.data *= factor
    return net


LINE = {"points": 41, "low": -np.pi, "high": np.pi}
EXPERIMENTS = {
    "sines, Ricker, ASI": dict(
        data=LINE | {"sines": {"1": 1, "3": 1, "5": 1}},
        network=dict(hidden=[24, 24], activation="ricker", a=0.3, antisymmetric=True, start="normal", std=0.2, seed=4),
        training=dict(name="adam", lr=2e-3, steps=150, stop=1e-3),
        watch=dict(series=["frequencies", "between", "training"]),
    ),
    "halves, weighted": dict(
        data=LINE | {"halves": [5, 1]},
        network=dict(hidden=[20, 20], activation="tanh", seed=1),
        training=dict(name="sgd", lr=0.05, steps=80, weight=20),  # Adam would not see the size of the weights
        watch=dict(series=["left", "right"]),
    ),
    "noise, rounding, held out": dict(
        data=LINE | {"shift": 0, "sines": {"1": 1}, "noise": 0.1, "round": 0.5, "held": 50},
        network=dict(hidden=[20, 20], activation="tanh", start="normal", std=0.2, seed=2),
        training=dict(lr=5e-3, steps=80),
        watch=dict(series=["training", "held", "between"], bars=6),
    ),
    "cube": dict(
        data={"cube": 6, "degree": 2, "seen": 30},
        network=dict(hidden=[20, 10], activation="tanh", start="normal", std=0.05, seed=3),
        training=dict(lr=4e-3, steps=60),
        watch=dict(series=["seen", "unseen"]),
    ),
    "rod, strong form": dict(
        data={"rod": 40},
        network=dict(hidden=[12, 9], activation="tanh", seed=5),
        training=dict(lr=5e-3, steps=60, loss="strong form"),
        watch=dict(series=["exact", "modified"]),
    ),
    "rod, energy, kink": dict(
        data={"rod": 40, "fine": 90},
        network=dict(hidden=[12, 9], activation="tanh", kink=True, start="xavier", gain=1.2, seed=6),
        training=dict(name="sgd", lr=0.02, steps=60, loss="energy"),
        watch=dict(series=["exact", "modified"]),
    ),
    "points anywhere, drawn, depth, momentum": dict(
        data=LINE | {"drawn": [0, 1, -1, 0.5], "cosines": {"3": 1}, "anywhere": True, "noise": 0.1},
        network=dict(hidden=[20], depth=3, activation="tanh", start="xavier", gain=1.4, factor=1.2, seed=3),
        training=dict(name="sgd", momentum=0.9, lr=1e-2, steps=60),
        watch=dict(series=["frequencies"]),
    ),
} | {
    f"start {start}, factor, ASI {asi}": dict(  # no symmetry: Adam enlarges rounding
        data=LINE | {"shift": 0, "sines": {"2": 1}, "cosines": {"1": 0.5}},
        network=dict(
            hidden=[16, 16], activation="tanh", antisymmetric=asi, start=start, std=0.3, gain=0.7, factor=3**0.5
        ),
        training=dict(lr=5e-3, steps=40),
        watch=dict(series=["frequencies", "between"]),
    )
    for start in ("default", "normal", "xavier")
    for asi in (False, True)
}  # fmt: skip


STORED = re.compile(r'<script type="application/json" class="lab-data">(.*?)</script>', re.S)
PAGES = {page.stem: page.read_text("utf8") for page in sorted((ROOT / "_build/html/chapters").glob("*.html"))}


def runs_of_pages():
    """Of each lab of the built pages: what it declares, what was recorded, each option and each switch; 40 steps."""
    for page, text in PAGES.items():
        for stored in map(json.loads, STORED.findall(text)):
            chosen = [{}, stored["recorded"]["values"]]
            for path, control in stored["choose"].items():
                if "options" in control:
                    chosen += [{path: value} for value in control["options"].values()]
                elif "low" not in control:
                    chosen.append({path: not value_at(stored, path)})
            for values in chosen:
                declared = with_choice(stored, values)
                declared["training"]["steps"] = 40
                yield f"{page} with {values}", declared


def with_an_ulp(declared):
    """The same experiment, its first weights larger by the last digit of float32."""
    network = declared["network"]
    return declared | {"network": network | {"factor": network.get("factor", 1.0) * (1 + 2**-23)}}


def compare(ask, experiments):
    """Data, noise, subsets, what is watched, and the bars: from the declaration alone.

    The languages draw first weights that agree to the last digit. What such a digit becomes in training is measured.
    """
    found = ask(RUNS, list(experiments.values()))
    for (name, declared), theirs in zip(experiments.items(), found, strict=True):
        mine, near = experiment.run(declared), experiment.run(with_an_ulp(declared))
        series, other = (np.stack([run["step"], *run["series"].values()], axis=1) for run in (mine, near))
        digit = 10 * np.maximum.accumulate(abs(other - series).max(1))[:, None]
        np.testing.assert_allclose(theirs["y"], mine["data"]["y"], atol=1e-6, err_msg=name)
        np.testing.assert_array_less(abs(theirs["rows"] - series), 1e-5 + 1e-4 * abs(series) + digit, err_msg=name)
        bars, others = (experiment.bars(declared, run) for run in (mine, near))
        for given, known, off in (("h", mine["h"], near["h"]), ("bars", bars, others)):
            atol = 1e-4 + 10 * abs(off - known).max()
            np.testing.assert_allclose(theirs[given], known, atol=atol, err_msg=name)
        assert theirs["done"] == mine["done"] and theirs["names"] == list(mine["series"])


def test_an_experiment_is_the_same_in_both_languages(ask):
    compare(ask, EXPERIMENTS)


def test_what_the_pages_declare_and_offer_is_the_same_in_both_languages(ask):
    if not PAGES:
        pytest.skip("no book is built")
    experiments = dict(runs_of_pages())
    assert experiments
    compare(ask, experiments)


def test_the_frequencies_are_fitted_at_the_recorded_steps(ask):
    """A whole run of section 1.1, smaller: the step t of each frequency within 3 %."""
    declared = EXPERIMENTS["sines, Ricker, ASI"] | {"training": dict(lr=3e-3, steps=1500, stop=1e-3)}
    declared["watch"] = dict(series=["frequencies"], threshold=0.1)
    mine = experiment.run(declared)
    (theirs,) = ask(RUNS, [declared])
    rows = np.array(theirs["rows"])
    again = mine | {"step": rows[:, 0], "series": dict(zip(theirs["names"], rows[:, 1:].T))}
    assert mine["done"] == theirs["done"] == "fitted"
    for k in (1, 3, 5):
        t = [experiment.measure(f"t:k = {k}", declared, run) for run in (mine, again)]
        np.testing.assert_allclose(t[1], t[0], rtol=0.03)


def test_the_forecast_is_the_quadratic_form_of_the_kernel_at_the_start(ask):
    """One number a peak of the target, however small: s K s / s s with the sine or the cosine that is in it."""
    declared = EXPERIMENTS["sines, Ricker, ASI"] | {"data": LINE | {"sines": {"1": 1, "4": 0.1}, "cosines": {"2": -1}}}
    (theirs,) = ask("cases => cases.map(declared => new fpExperiment.Run(declared).forecast())", [declared])
    x = experiment.numbers(declared["data"], 0)["x"]
    kernel = empirical_ntk(experiment.network(declared), torch.as_tensor(x)[:, None]).numpy()
    waves = [np.sin(x), np.cos(2 * x), np.sin(4 * x)]
    assert theirs[len(waves) :] == [None, None]  # what is watched beside frequencies has no forecast
    np.testing.assert_allclose(theirs[: len(waves)], [s @ kernel @ s / (s @ s) for s in waves], rtol=1e-5)
