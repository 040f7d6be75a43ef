"""What is said and shown at the end of a run, alike in a kernel and in a page: the sentences stand in words.js."""

import json
import math
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from fpbook.lab import experiment
from fpbook.plotting import COLORS

Declared = dict[str, Any]
MEASURE = re.compile(r"\{(%?)(.*?)\}")  # in a sentence of a lab; with % as a share


def _sentences() -> dict[str, str]:
    text = Path(__file__).with_name("words.js").read_text("utf8")
    sentences: dict[str, str] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return sentences


WORDS = _sentences()


def say(sentence: str, /, **values: Any) -> str:
    """The sentence of this name with its {places} filled."""
    return re.sub(r"\{(\w+)\}", lambda place: str(values[place[1]]), WORDS[sentence])


def measures_in(says: str) -> list[str]:
    """Names of the measures in a sentence of a lab."""
    return [text for _, text in MEASURE.findall(says)]


def words(declared: Declared, result: Declared, recorded: Declared | None = None) -> str:
    """What is said of a run: how it ended, then the sentence of its lab with the measures in its braces."""
    if result["done"] == "lost":
        return say("lost")
    long = "not fitted" if declared["training"].get("stop") else "trained"
    ended = say(long if result["done"] == "long" else result["done"], steps=number(result["step"][-1]))

    def value(match: re.Match[str]) -> str:
        if match[2].removeprefix("recorded ").startswith("t:"):
            return when(match[2], declared, result, recorded)
        found = experiment.measure(match[2], declared, result, recorded)
        if match[1]:
            return f"{math.floor(100 * found + 0.5)} %"
        return number(found) if math.isfinite(found) else say("never")

    reached_all = ", ".join(reached(name, declared, result) for name in _frequencies(declared))
    each = say("each", threshold=declared["watch"]["threshold"], list=reached_all)
    says = declared["says"].replace("{each}", each)
    return f"{ended} {MEASURE.sub(value, says)}".replace("at step never", "never")


def _frequencies(declared: Declared) -> list[str]:
    return [name for name in experiment.names(declared) if name.startswith("k = ")]


def reached(name: str, declared: Declared, result: Declared) -> str:
    """From which step on a frequency is below the threshold."""
    told = when(f"t:{name}", declared, result)
    return say("not reached", name=name) if told == say("never") else say("reached", name=name, when=told)


def when(measure: str, declared: Declared, result: Declared, recorded: Declared | None = None) -> str:
    """The step of a measure "t:NAME"; if the error came back above the threshold, its first crossing and return too."""
    texts = (measure.replace("t:", f"{kind}:", 1) for kind in ("t", "first", "back"))
    step, first, back = (experiment.measure(text, declared, result, recorded) for text in texts)
    if not math.isfinite(first):
        return say("never")
    if first == step:
        return number(step)
    steps = {"first": number(first), "back": number(back), "step": number(step) if math.isfinite(step) else ""}
    return say("came back" if math.isfinite(step) else "left", threshold=declared["watch"]["threshold"], **steps)


def order(declared: Declared, result: Declared) -> str:
    """In which order the frequencies were learned, if first crossings and the steps t_k agree about it; else ""."""
    names = _frequencies(declared)
    found = {
        _order([experiment.measure(f"{kind}:{name}", declared, result) for name in names]) for kind in ("t", "first")
    }
    kind = found.pop()
    return say(kind) if kind and not found and result["done"] != "lost" else ""


def _order(steps: list[float]) -> str:
    if len(steps) < 2 or not all(map(math.isfinite, steps)):
        return ""
    if max(steps) < 2 * min(steps):
        return "together"
    for kind, one in (("in order", steps), ("reversed", steps[::-1])):
        if one == sorted(set(one)) and one[-1] > 2 * one[0]:
            return kind
    return ""


def verdict(declared: Declared, result: Declared, recorded: Declared | None = None) -> int | None:
    """Which answer to the question is right; None where the run does not decide it.

    Steps t are asked for as first crossings too, so that an error that comes back for a moment does not decide.
    """
    asked = declared["question"]

    def answer(texts: list[str]) -> int | None:
        values = [experiment.measure(text, declared, result, recorded) for text in texts]
        with np.errstate(all="ignore"):  # two that are never reached, or both at step 0, have no ratio
            ratio = values[0] if len(values) == 1 else float(np.divide(values[0], values[1]))
        return None if math.isnan(ratio) else sum(ratio >= edge for edge in asked["edges"])

    stays, first = answer(asked["by"]), answer([re.sub(r"\bt:", "first:", text) for text in asked["by"]])
    return stays if stays == first else None


def number(value: float) -> str:
    """A number as the pages write it: whole ones whole, others to three digits, small ones to two."""
    size = abs(value)
    if value == int(value) and size < 1e9:
        text = f"{int(value):,}"
    elif size >= 1e5 or size < 1e-6:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    else:
        text = np.format_float_positional(float(f"{value:.{2 if size < 1e-3 else 3}g}"), trim="-")
    return text.replace("-", "\u2212")


def reply(asked: Declared, guess: int, right: int | None) -> str:
    """What is said to a guess."""
    if right is None:
        return say("undecided")
    answers = {"guess": asked["answers"][guess], "answer": asked["answers"][right]}
    return say("right" if guess == right else "wrong", **answers)


def answer(declared: Declared, result: Declared, recorded: Declared | None = None) -> str:
    """The answer to the question of a lab with other settings than it asks about; "" where a run does not decide it."""
    right = verdict(declared, result, recorded) if result["done"] in {"fitted", "long"} else None
    return "" if right is None else say("elsewhere", answer=declared["question"]["answers"][right])


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
        elif "rod" in declared["data"]:
            left.plot(data["fine"], data["f"], color=COLORS["target"], linewidth=4, alpha=0.6, label="exact")
            left.plot(data["fine"], data["modified"], "k--", label="modified")
            if "h" in result:
                left.plot(data["fine"], result["h"], color=watch["colors"]["output"], label="output")
            left.set(xlabel="x", ylim=(-0.9, 0.3))
            left.legend(**ABOVE)
            right.plot(1 + 2 * np.arange(len(bars)), bars, "o", color=watch["colors"]["output"])
            right.set(xlabel="odd k", ylabel="share of the tent", ylim=(-0.3, 1.5))
        else:
            left.plot(data["fine"], data["f"], color=COLORS["target"], linewidth=4, alpha=0.6, label="target")
            left.plot(data["x"], data["y"], "o", color=COLORS["points"], markersize=3, label="labels")
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
