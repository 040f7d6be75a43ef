"""The experiment of the first page with a run of it that plays before the reader has one: `web/landing-run.js`.

The page trains what is declared here. Its run has the same numbers, since trainer and PyTorch agree. Where scripts are
off, the page shows both networks as `_static/diagrams/draw.py` draws them from this file.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fpbook.lab import experiment
from fpbook.spectra import nudft, relative_error
from fpbook.training import mean_squared_error, train

SCRIPT = Path(__file__).parents[1] / "web" / "landing-run.js"
SCALES = (0.3, 0.1)  # of the activation: broad, narrow
NEXT_FRAME = 1.08  # outputs are kept at steps that grow by this factor
HEAD = "// The experiment of the first page and a recorded run of it. Written by experiments/landing_run.py.\n"


def declare(a: float, seed: int = 0) -> dict[str, Any]:
    """What is trained, in the form of `fpbook.lab`."""
    data = {"points": 41, "low": -np.pi, "high": np.pi, "shift": 0.5, "sines": {"1": 1, "3": 1, "5": 1}, "fine": 201}
    network = {"hidden": [64, 64, 64], "activation": "ricker", "a": a, "start": "normal", "std": 0.125}
    training = {"name": "adam", "lr": 1e-3, "steps": 3000, "stop": 1e-3}
    watch = {"series": ["frequencies"], "threshold": 0.1, "bars": 5}
    return {
        "data": data,
        "network": network | {"antisymmetric": True, "seed": seed},
        "training": training,
        "watch": watch,
    }


def record(declared: dict[str, Any]) -> dict[str, Any]:
    """Rows [step, relative error at each frequency] and frames {step, at} of one run, rounded as they are drawn.

    The last frame also holds ``h``, the output between the points.
    """
    data, training = experiment.numbers(declared["data"], 0), declared["training"]
    x, y, fine = (torch.as_tensor(data[name])[:, None] for name in ("x", "y", "fine"))  # in double precision, as there
    net = experiment.network(declared)
    history = train(
        net,
        lambda net: mean_squared_error(net, x, y),
        steps=training["steps"],
        stop=training["stop"],
        optimizer=lambda parameters: experiment.OPTIMIZERS[training["name"]](parameters, lr=training["lr"]),
        record={"at": lambda net: net(x)[:, 0]},
    )
    k = experiment.peaks(declared["data"])
    error = relative_error(nudft(data["x"], history["at"], k), nudft(data["x"], data["y"], k))
    last = len(error) - 1
    watched, kept = [*experiment.recorded_steps(last - 1), last], [0]
    while kept[-1] < last:
        kept.append(min(max(kept[-1] + 1, round(kept[-1] * NEXT_FRAME)), last))
    frames: list[dict[str, Any]] = [{"step": step, "at": _short(history["at"][step])} for step in kept]
    frames[-1]["h"] = _short(net(fine)[:, 0].detach().numpy())
    return {
        "rows": [[step, *(round(float(v), 3) for v in error[step])] for step in watched],
        "frames": frames,
        "done": "fitted" if history["stopped"] >= 0 else "long",
    }


def _short(values: NDArray) -> list[float]:
    return [round(float(v), 2) for v in values]


def main() -> None:
    declared = [declare(a) for a in SCALES]
    runs = [one | {"declared": made} for made in declared for one in [record(made)]]
    text = json.dumps(runs, separators=(",", ":"), allow_nan=False)
    SCRIPT.write_text(f"{HEAD}window.fpLandingRuns = {text};\n", "utf8")


if __name__ == "__main__":
    main()
