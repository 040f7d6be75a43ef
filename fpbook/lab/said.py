"""What is said and shown at the end of a run, alike in a kernel and in a page."""

import math
import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from fpbook.lab import experiment

Declared = dict[str, Any]


def words(declared: Declared, result: Declared, recorded: Declared | None = None) -> str:
    """What is said at the end of a run."""
    if result["done"] == "lost":
        return "The loss is no longer finite: the learning rate is too large for this network."
    how = {
        "fitted": f"Fitted after {number(result['step'][-1])} steps.",
        "long": f"Not fitted in {number(result['step'][-1])} steps.",
        "stopped": f"Stopped at step {number(result['step'][-1])}.",
    }
    if declared["training"].get("stop") is None and result["done"] == "long":
        how["long"] = f"Trained for {number(result['step'][-1])} steps."

    def value(match: re.Match[str]) -> str:
        found = experiment.measure(match[2], declared, result, recorded)
        if match[1]:
            return f"{100 * found:.0f} %"
        return number(found) if math.isfinite(found) else "never"

    each = [name for name in experiment.names(declared) if name.startswith("k = ")]
    says = declared["says"].replace("{each}", ", ".join(f"{name} at step {{t:{name}}}" for name in each))
    said = re.sub(r"\{(%?)(.*?)\}", value, says).replace("at step never", "never")
    return f"{how[result['done']]} {said}"


def verdict(declared: Declared, result: Declared, recorded: Declared | None = None) -> int | None:
    """Which answer to the question is right; None where the run does not decide it."""
    asked = declared["question"]
    values = [experiment.measure(text, declared, result, recorded) for text in asked["by"]]
    with np.errstate(all="ignore"):  # two that are never reached, or both at step 0, have no ratio
        ratio = values[0] if len(values) == 1 else float(np.divide(values[0], values[1]))
    return None if math.isnan(ratio) else sum(ratio >= edge for edge in asked["edges"])


def number(value: float) -> str:
    """A number as the script writes it: whole ones whole, others to three digits."""
    if value == int(value) and abs(value) < 1e5:
        return f"{int(value):,}".replace("-", "\u2212")
    if not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "\u2212")
    return f"{float(f'{value:.3g}'):g}".replace("-", "\u2212")


ELSEWHERE = " Your guess was for the settings with which the lab begins."  # a guess holds for what was asked


def reply(asked: Declared, guess: int, right: int | None) -> str:
    """What is said to a guess."""
    if right is None:
        return " This run does not decide the question."
    said = asked["answers"][guess]
    return (
        f" You said \u201c{said}\u201d: right."
        if guess == right
        else f" You said \u201c{said}\u201d; it was \u201c{asked['answers'][right]}\u201d."
    )


ABOVE = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 4, "borderaxespad": 0, "fontsize": 9}


def picture(declared: Declared, result: Declared, recorded: Declared | None = None) -> Figure:
    """Output, spectrum and what is watched, as the script draws them; dashed, the recorded run."""
    data, watch = result["data"], declared["watch"]
    with plt.style.context("fpbook.book"):
        fig = Figure(figsize=(7.2, 5.4))
        grid = fig.add_gridspec(2, 2)
        left, right, below = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[0, 1]), fig.add_subplot(grid[1, :])
        bars = experiment.bars(declared, result) if "h" in result else np.zeros(0)
        if "cube" in declared["data"]:
            right.bar(range(len(bars)), bars, color=watch["colors"]["output"])
            right.set(xlabel="degree", ylabel="energy of the output")
            low, high = result["series"]["seen"], result["series"]["unseen"]
            left.bar(
                ["seen", "unseen"], [low[-1], high[-1]], color=[watch["colors"][name] for name in ("seen", "unseen")]
            )
            left.axhline(0.5, color="0.4", linewidth=0.8, linestyle=":")
            left.set(ylabel="share of right signs", ylim=(0, 1.05))
        else:
            left.plot(data["fine"], data["f"], color="0.6", linewidth=4, alpha=0.6, label="target")
            left.plot(data["x"], data["y"], "o", color="C6", markersize=3, label="labels")
            if "h" in result:
                left.plot(data["fine"], result["h"], color=watch["colors"]["output"], label="output")
            left.set(xlabel="x")
            left.legend(**ABOVE)
            watched = {k: color for k in range(len(bars)) if (color := watch["colors"].get(f"k = {k}"))}
            colors = [watched.get(k, "0.5" if watched else watch["colors"]["output"]) for k in range(len(bars))]
            right.vlines(range(len(bars)), 0, bars, color=colors, linewidth=4)
            sizes = declared["data"].get("sines", {}) | declared["data"].get("cosines", {})
            right.plot([int(k) for k in sizes], list(sizes.values()), "o", mfc="none", color="k", label="target")
            right.set(xlabel="k", ylabel="amplitude")
        for one, style in ((recorded or {}, "--"), (result, "-")):
            for name, values in one["series"].items() if one else ():
                label = watch["names"].get(name) if one is result else None
                below.plot(one["step"], values, style, color=watch["colors"].get(name, "0.5"), label=label)
        if watch["threshold"]:
            below.axhline(watch["threshold"], color="0.4", linewidth=0.8, linestyle=":")
        scale = {
            "xscale": "symlog" if "x" in watch["log"] else "linear",
            "yscale": "log" if "y" in watch["log"] else "linear",
        }
        below.set(xlabel="step", ylabel=watch.get("ylabel", "error"), ylim=watch["ylim"], xlim=(0, None), **scale)
        below.legend(**ABOVE)
    return fig
