"""Experiments as labs declare them, trained with PyTorch: the same numbers that trainer.js makes in a page.

Training is in float64 from weights drawn in float32, as there, so that both give the same curves to many digits.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fpbook import pde
from fpbook.networks import MLP, Antisymmetric, Ricker, normal_init, xavier_init
from fpbook.spectra import first_step_below, nudft, relative_error
from fpbook.targets import hypercube
from fpbook.training import Progress, train

Declared = dict[str, Any]
OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
ROD_LOSSES = {"strong form": pde.strong_form_loss, "energy": pde.energy_loss}
MEASURES = {"t", "first", "back", "end", "low", "best", "steps"}
SOLUTIONS = {"exact": "f", "modified": "modified"}  # of which the largest distance is watched
ABOVE = {"seen", "unseen"}  # shares that grow; the others are errors, which fall


def target(data: Declared, x: NDArray) -> NDArray:
    """The target of an experiment on the line, at points x."""
    value = np.zeros(np.shape(x))
    for wave, name in ((np.sin, "sines"), (np.cos, "cosines")):
        for k, size in data.get(name, {}).items():
            value += size * wave(float(k) * x)
    if "halves" in data:
        left, right = data["halves"]
        value += np.where(x <= 0, np.sin(left * x), np.sin(right * x))
    if "drawn" in data:
        value += np.interp(x, np.linspace(data["low"], data["high"], len(data["drawn"])), data["drawn"])
    return value


def numbers(data: Declared, seed: int) -> dict[str, NDArray]:
    """The numbers behind a declaration.

    On the line x, y (n,), fine and f (m,), held and held_y; on the cube x (seen, d), y (seen,), all corners as fine, f
    (2^d,) and the order in which they are seen; on the rod x, y (n,), fine, f and modified (m,): both solutions.
    """
    if "rod" in data:
        x, fine = (-1 + 2 * (np.arange(n) + 0.5) / n for n in (data["rod"], data.get("fine", 200)))
        exact, modified = pde.exact_solution, pde.modified_solution
        return {"x": x, "y": exact(x), "fine": fine, "f": exact(fine), "modified": modified(fine)}
    generator = torch.Generator().manual_seed(1_000_000 + seed)  # apart from the weights
    if "cube" in data:
        corners = hypercube(data["cube"])
        f = np.prod(corners[:, : data["degree"]], axis=1)
        order = torch.randperm(len(f), generator=generator).numpy()
        seen = order[: data["seen"]]
        return {"x": corners[seen], "y": f[seen], "fine": corners, "f": f, "order": order}
    n, low, high = data["points"], data["low"], data["high"]
    if data.get("anywhere"):
        x = np.sort(low + (high - low) * torch.rand(n, generator=generator).double().numpy())
    else:
        x = low + (high - low) * (np.arange(n) + data.get("shift", 0.5)) / n
    held = low + (high - low) * (np.arange(data.get("held", 0)) + 0.25) / max(data.get("held", 0), 1)

    def labels(points: NDArray) -> NDArray:
        y = target(data, points)
        if s := data.get("noise", 0):
            y = y + s * torch.randn(len(points), generator=generator).double().numpy()
        return data["round"] * np.round(y / data["round"]) if data.get("round") else y

    y, held_y = labels(x), labels(held)
    fine = x[0] + (x[-1] - x[0]) * np.arange(data.get("fine", 201)) / (data.get("fine", 201) - 1)
    return {"x": x, "y": y, "fine": fine, "f": target(data, fine), "held": held, "held_y": held_y}


def peaks(data: Declared) -> list[int]:
    """Frequencies of the target, those whose relative error is followed."""
    sizes = data.get("sines", {}) | data.get("cosines", {})
    return sorted(int(k) for k, size in sizes.items() if abs(size) > 0.05)


def names(declared: Declared) -> list[str]:
    """What is watched, by name: "k = 1", ... for "frequencies"."""
    out = []
    for name in declared["watch"]["series"]:
        out += [f"k = {k}" for k in peaks(declared["data"])] if name == "frequencies" else [name]
    return out


def network(declared: Declared) -> nn.Module:
    """The untrained network of a declaration, in float64, with the weights of its seed."""
    made, data = declared["network"], declared["data"]
    hidden = (
        [made["width"] if "width" in made else made["hidden"][0]] * made["depth"] if "depth" in made else made["hidden"]
    )
    activation = Ricker(made["a"]) if made["activation"] == "ricker" else made["activation"]
    torch.manual_seed(made.get("seed", 0))
    net: nn.Module = MLP([1 + bool(made.get("kink")) if "rod" in data else data.get("cube", 1), *hidden, 1], activation)
    if made.get("start") == "normal":
        normal_init(net, made["std"])
    if made.get("start") == "xavier":
        xavier_init(net, gain=made.get("gain", 1.0))
    for parameter in net.parameters():
        if parameter.ndim > 1:
            parameter.data *= made.get("factor", 1.0)
    if made.get("kink"):
        net = Kinked(net)
    return (Antisymmetric(net) if made.get("antisymmetric") else net).double()


class Kinked(nn.Module):
    """A network of x and |x|, (n, 1) -> (n, 1): it can make a kink at 0."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.net(torch.cat([x, x.abs()], dim=-1))
        return out


def recorded_steps(steps: int) -> list[int]:
    """Steps that are recorded: all at first, then in steps of two per cent."""
    out = [0]
    while out[-1] < steps:
        out.append(max(out[-1] + 1, math.ceil(out[-1] * 1.02)))
    return [step for step in out if step <= steps]


def run(declared: Declared, progress: Progress | None = None) -> dict[str, Any]:
    """Train what is declared, and measure it.

    Returns ``data`` (see `numbers`), ``step`` (r,), ``loss`` at its end, ``done`` ("fitted", "long", "lost" or
    "stopped"), ``series`` name -> (r,), and the last outputs ``h`` at the fine and ``at`` at the training points.
    """
    training, data = declared["training"], numbers(declared["data"], declared["network"].get("seed", 0))
    net = network(declared)
    x, fine = (torch.as_tensor(data[name]).reshape(len(data[name]), -1) for name in ("x", "fine"))
    y = torch.as_tensor(data["y"])[:, None]
    weight = torch.where(x[:, :1] <= 0, float(training.get("weight", 1)), 1.0)
    weight = weight / weight.mean()
    options = {name: training[name] for name in ("lr", "momentum") if training.get(name)}
    on_rod = "rod" in declared["data"]

    def output(net: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
        return pde.trial(net) if on_rod else net

    record = {"at": lambda net: output(net)(x)[:, 0], "h": lambda net: output(net)(fine)[:, 0]}
    if len(data.get("held", ())):
        held = torch.as_tensor(data["held"])[:, None]
        record["held"] = lambda net: net(held)[:, 0]

    def loss(net: nn.Module) -> torch.Tensor:
        if on_rod:
            return ROD_LOSSES[training["loss"]](net, x)
        return (weight * (net(x) - y) ** 2).mean()

    try:
        history = train(
            net,
            loss,
            steps=training["steps"],
            stop=training.get("stop"),
            optimizer=lambda parameters: OPTIMIZERS[training.get("name", "adam")](parameters, **options),
            record=record,
            every=recorded_steps(training["steps"]),
            progress=progress,
        )
    except FloatingPointError:
        return {
            "data": data,
            "done": "lost",
            "step": np.zeros(1),
            "series": {name: np.ones(1) for name in names(declared)},
        }
    taken = history["step"][-1]
    done = "fitted" if history["stopped"] >= 0 else "long" if taken == training["steps"] else "stopped"
    outputs = {"at": history["at"][-1], "h": history["h"][-1]}
    series = {name: _watched(name, history, data) for name in names(declared)}
    return {
        "data": data,
        "step": history["step"],
        "loss": history["loss"][-1],
        "done": done,
        "series": series,
    } | outputs


def _watched(name: str, history: dict[str, NDArray], data: dict[str, NDArray]) -> NDArray:
    """One watched quantity at all recorded steps."""
    if name.startswith("k = "):
        k = [int(name[4:])]
        return relative_error(nudft(data["x"], history["at"], k), nudft(data["x"], data["y"], k))[:, 0]
    if name in ABOVE:
        n = len(data["y"])
        rows = data["order"][:n] if name == "seen" else data["order"][n:]
        return (history["h"][:, rows] * data["f"][rows] > 0).mean(1)
    if name in SOLUTIONS:
        return abs(history["h"] - data[SOLUTIONS[name]]).max(1)
    square = {
        "training": lambda: (history["at"] - data["y"]) ** 2,
        "held": lambda: (history["held"] - data["held_y"]) ** 2,
        "between": lambda: (history["h"] - data["f"]) ** 2,
        "left": lambda: (history["h"] - data["f"])[:, data["fine"] <= 0] ** 2,
        "right": lambda: (history["h"] - data["f"])[:, data["fine"] > 0] ** 2,
    }
    return square[name]().mean(1)


def energy_by_degree(f: NDArray) -> NDArray:
    """Energy of a function on the corners of a cube by the degree of its Walsh terms; f (2^d,) -> (d + 1,)."""
    d = len(f).bit_length() - 1
    c = np.asarray(f, float).reshape((2,) * d)
    for axis in range(d):
        low, high = np.take(c, 0, axis), np.take(c, 1, axis)
        c = np.stack([low + high, high - low], axis) / 2
    sizes = np.array([bin(s).count("1") for s in range(2**d)])
    return np.bincount(sizes, weights=c.ravel() ** 2, minlength=d + 1)


def share_of_tent(u: NDArray, data: dict[str, NDArray]) -> NDArray:
    """How much of the tent u (m,) has at k = 1, 3, ..., 29: 1 as the exact solution, 0 as the modified one."""
    waves = np.sin(np.arange(1, 30, 2)[:, None] * np.pi / 2 * (data["fine"] + 1))
    return waves @ (data["modified"] - u) / (waves @ (data["modified"] - data["f"]))


def bars(declared: Declared, result: dict[str, Any]) -> NDArray:
    """What the second panel shows: amplitudes at k = 0, 1, ...; on the cube energy by degree, on the rod the tent."""
    if "rod" in declared["data"]:
        return share_of_tent(result["h"], result["data"])
    if "cube" in declared["data"]:
        return energy_by_degree(result["h"])
    k = np.arange(declared["watch"].get("bars", 20) + 1)
    return np.where(k, 2, 1) * abs(nudft(result["data"]["x"], result["at"], k))


def measure(text: str, declared: Declared, result: dict[str, Any], recorded: dict[str, Any] | None = None) -> float:
    """A number of a run by its name.

    "t:NAME" is the step from which NAME stays below the threshold, "first:NAME" the first at which it is below it,
    "back:NAME" the first after that at which it is not (infinity if there is none), "end:NAME" its last value,
    "low:NAME" its smallest, "best:NAME" the step of that;
    "steps" the steps taken (infinity if the tolerance was not met); with "recorded " before it, of the recorded run.
    NaN for what the run cannot tell: the step of something that was not watched, say of a frequency that the reader
    took out of the target.
    """
    if text.startswith("recorded "):
        return measure(text[9:], declared, recorded if recorded is not None else result)
    if text == "steps":
        return float(result["step"][-1]) if result["done"] == "fitted" else math.inf
    kind, name = text.split(":")
    if name not in result["series"]:  # not watched, but the end of an error can be had from the last outputs
        if kind != "end" or name.startswith("k = ") or "h" not in result:
            return math.nan
        last: dict[str, NDArray] = {part: result[part][None] for part in ("h", "at")}
        return float(_watched(name, last, result["data"])[-1])
    values, step = result["series"][name], result["step"]
    threshold = declared["watch"]["threshold"]
    if kind == "t":
        return float(first_step_below(step, values, threshold))
    if kind == "first":
        found = np.flatnonzero(values < threshold)
        return float(step[found[0]]) if len(found) else math.inf
    if kind == "back":
        found = np.flatnonzero(~(values < threshold) & np.maximum.accumulate(values < threshold))
        return float(step[found[0]]) if len(found) else math.inf
    return float({"end": values[-1], "low": values.min(), "best": step[values.argmin()]}[kind])


def with_values(declared: Declared, values: Declared) -> Declared:
    """The declaration with the values of its controls: "network.a" sets one entry, "network" several at once."""
    changed = copy.deepcopy(declared)
    for path, value in values.items():
        *parents, last = path.split(".")
        at = changed
        for part in parents:
            at = at[part]
        if parents:
            at[last] = value
        else:
            at[last].update(value)
    return changed
