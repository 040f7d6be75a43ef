"""Labs: an experiment declared once, for a live kernel with controls and PyTorch, for the built page with its script."""

import base64
import html
import io
import itertools
import json
import math
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fpbook.lab import experiment

LAB = "application/vnd.fpbook.lab+json"  # the mime type under which the built book finds the data of a lab
CONTROL_KEYS = {"label", "low", "high", "step", "options", "frequencies", "why"}
SERIES = {  # what a reader calls the quantities that can be watched
    "training": "at the training points",
    "between": "between the points",
    "left": "left half",
    "right": "right half",
    "held": "at held-out points",
    "seen": "seen corners",
    "unseen": "unseen corners",
}
Declared = dict[str, Any]
Progress = Callable[[Sequence[int]], Iterator[int]]


def lab(
    run: Callable[..., Figure] | None = None,
    *,
    data: Declared | None = None,
    network: Declared | None = None,
    training: Declared | None = None,
    watch: Declared | None = None,
    choose: dict[str, Declared] | None = None,
    question: Declared | None = None,
    says: str = "",
    presets: dict[str, Declared] | None = None,
    **controls: Any,
) -> None:
    """An experiment that the reader changes and trains: in a live kernel with PyTorch, in the built page with its script.

    While the book is built the declared run is trained once. It stands in the page before anything is pressed, and its
    picture stays where scripts are off and in print. A page and a kernel have the same defaults, limits and messages,
    and from the same seed the same weights, noise and subsets.

    Parameters
    ----------
    run : function, optional
        In place of a declaration: ``run(progress, **values)`` -> matplotlib figure, with one value for each of
        `controls` (ipywidgets, or values as for `ipywidgets.interact`). Such a lab needs a live kernel. `run` passes
        `progress` on to `fpbook.training.train`.
    data : dict
        On the line ``points``, ``low``, ``high``; optionally ``shift`` (0.5: midpoints), ``anywhere`` (points drawn at
        random), ``noise`` (standard deviation), ``round`` (labels rounded to its multiples), ``held`` (number of
        held-out points), ``fine`` (points at which the output is drawn, 201). The target is a sum of ``sines`` and
        ``cosines``, {k: size}, ``halves`` (frequency for x <= 0 and x > 0) and ``drawn`` (values on a grid). On the cube
        ``cube`` (its dimension), ``degree`` (coordinates that are multiplied), ``seen`` (corners).
    network : dict
        ``hidden`` (widths), or ``width`` and ``depth``; ``activation`` (name, or "ricker" with ``a``); ``antisymmetric``;
        ``start`` ("default", "normal" with ``std``, "xavier" with ``gain``) and ``factor`` of the weights; ``seed``.
    training : dict
        ``name`` ("adam", "sgd"), ``lr``, ``momentum``, ``steps``, ``stop`` (loss), ``batch``, ``weight`` (of points with
        x <= 0).
    watch : dict
        ``series``: "frequencies" for the relative error at each peak of the target, "training", "between", "left",
        "right", "held" for mean squared errors, "seen", "unseen" for shares of right signs; ``threshold``; ``ylim`` and
        ``log`` of their axes; ``names`` and ``colors`` for them; ``rings`` where the target's spectrum can be dragged.
    choose : dict of path -> dict
        The controls: "network.a" is an entry of the declaration, "network" several. With ``label`` and either ``low``,
        ``high``, ``step`` (number), ``options`` (name -> value), ``frequencies`` (a list of whole numbers in ``low`` to
        ``high``) or nothing (switch); ``why`` is the reason that is given when a value is refused.
    question : dict
        ``ask``, ``answers``, and what decides between them: ``by``, one measure or two of which the ratio counts (see
        `experiment.measure`), and ``edges`` between the answers.
    says : str
        What is said at the end, with measures in braces: "fitted at step {t:k = 1}".
    presets : dict of name -> dict
        ``says``, a sentence, and ``values`` of controls.

    Raises
    ------
    ValueError
        If a key is unknown, a path does not exist, or a declared value is outside its control's limits.

    Notes
    -----
    In a kernel, training runs in a thread, because a kernel that is busy does not hear the button. Uses what ipywidgets
    7.7.1 (Colab) and 8 share.
    """
    if run is not None:
        return _kernel_lab(run, {name: _control(name, value) for name, value in controls.items()})
    if controls:
        raise ValueError(f"unknown keys of a lab: {sorted(controls)}")
    if not (data and network and training and watch):
        raise ValueError("a lab declares data, network, training and watch")
    parts = {"data": data, "network": {"seed": 0} | network, "training": training, "watch": watch}
    declared = complete(parts, choose or {}, question, says, presets or {})
    if os.environ.get("FPBOOK_BUILD") == "1":
        recorded = experiment.run(declared)
        display(_bundle(declared, recorded), raw=True)
    else:
        _live(declared)


def complete(
    parts: Declared, choose: dict[str, Declared], question: Declared | None, says: str, presets: dict[str, Declared]
) -> Declared:
    """A declaration with names, colours and the control of the seed filled in; ValueError if it contradicts itself."""
    names = experiment.names(parts)
    labels, colors = parts["watch"].get("names", {}), parts["watch"].get("colors", {})
    given = {"label": "seed", "low": 0, "high": 2**32 - 1, "step": 1}
    watch = {"log": "xy", "ylim": [1e-3, 3], "threshold": None, "bars": 20} | parts["watch"]
    watch["names"] = {name: labels.get(name, SERIES.get(name, name)) for name in names}
    watch["colors"] = {name: to_hex(colors.get(name, f"C{i % 7}")) for i, name in enumerate(names)}
    declared = parts | {"watch": watch, "choose": choose | {"network.seed": given}, "says": says}
    declared |= {"question": question, "presets": presets}
    for path, control in declared["choose"].items():
        if unknown := set(control) - CONTROL_KEYS:
            raise ValueError(f"unknown keys of the control {path}: {sorted(unknown)}")
        check(declared, path, value_at(declared, path))
    for preset in presets.values():
        for path, value in preset["values"].items():
            check(declared, path, value)
    if question and len(question["answers"]) != len(question["edges"]) + 1:
        raise ValueError("a question has one edge between each two answers")
    json.dumps(declared, allow_nan=False)
    return declared


def value_at(declared: Declared, path: str) -> Any:
    """The present value of a control: an entry of the declaration; for several entries at once, the option they agree with."""
    if "." in path:
        part, name = path.split(".")
        if name not in declared[part]:
            raise ValueError(f"{path} is not declared")
        return declared[part][name]
    for value in declared["choose"][path]["options"].values():
        if all(declared[path].get(name) == one for name, one in value.items()):
            return value
    raise ValueError(f"no option of {path} is what is declared")


def check(declared: Declared, path: str, value: Any) -> Any:
    """The value, if the control allows it; ValueError in words if not."""
    control = declared["choose"][path]
    low, high, why = control.get("low"), control.get("high"), control.get("why")
    reason = f": {why}" if why else ""
    if "options" in control:
        if value not in control["options"].values():
            raise ValueError(f"{control['label']} is one of {', '.join(control['options'])}")
    elif control.get("frequencies"):
        if not value or any(float(k) != int(k) or not low <= int(k) <= high for k in value):
            raise ValueError(f"{control['label']} are whole numbers from {low} to {high}{reason}")
    elif low is not None:
        whole = isinstance(control["step"], int)
        if not (math.isfinite(value) and low <= value <= high) or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{control['label']} is {kind} from {low} to {high}{reason}")
    return value


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
        found = experiment.measure(match[1], declared, result, recorded)
        return number(found) if math.isfinite(found) else "never"

    return how[result["done"]] + " " + re.sub(r"\{(.*?)\}", value, declared["says"])


def verdict(declared: Declared, result: Declared, recorded: Declared | None = None) -> int | None:
    """Which answer to the question is right; None where the run does not decide it."""
    asked = declared["question"]
    values = [experiment.measure(text, declared, result, recorded) for text in asked["by"]]
    ratio = values[0] if len(values) == 1 else values[0] / values[1] if math.isfinite(values[1]) else 0.0
    if len(values) == 2 and not any(map(math.isfinite, values)):
        return None
    return sum(ratio >= edge for edge in asked["edges"])


def number(value: float) -> str:
    """A number as the script writes it: whole ones whole, others to three digits."""
    if value == int(value) and abs(value) < 1e5:
        return f"{int(value):,}".replace("-", "\u2212")
    if not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "\u2212")
    return f"{float(f'{value:.3g}'):g}".replace("-", "\u2212")


def picture(declared: Declared, result: Declared, recorded: Declared | None = None) -> Figure:
    """Output, spectrum and what is watched, as the script draws them; dashed, the recorded run."""
    data, watch = result["data"], declared["watch"]
    with plt.style.context("fpbook.book"):
        fig = Figure(figsize=(7.2, 5.4))
        grid = fig.add_gridspec(2, 2)
        left, right, below = fig.add_subplot(grid[0, 0]), fig.add_subplot(grid[0, 1]), fig.add_subplot(grid[1, :])
        bars = experiment.bars(declared, result) if "h" in result else []
        if "cube" in declared["data"]:
            right.bar(range(len(bars)), bars, color="C0")
            right.set(xlabel="degree", ylabel="energy of the output")
            low, high = result["series"]["seen"], result["series"]["unseen"]
            left.bar(["seen", "unseen"], [low[-1], high[-1]], color=list(watch["colors"].values()))
            left.axhline(0.5, color="0.4", linewidth=0.8, linestyle=":")
            left.set(ylabel="share of right signs", ylim=(0, 1.05))
        else:
            left.plot(data["fine"], data["f"], color="0.6", linewidth=4, alpha=0.6, label="target")
            left.plot(data["x"], data["y"], "o", color="C6", markersize=3, label="labels")
            if "h" in result:
                left.plot(data["fine"], result["h"], color="C0", label="output")
            left.set(xlabel="x")
            left.legend()
            right.vlines(range(len(bars)), 0, bars, color="C0", linewidth=4)
            sizes = declared["data"].get("sines", {}) | declared["data"].get("cosines", {})
            right.plot([int(k) for k in sizes], list(sizes.values()), "o", mfc="none", color="k", label="target")
            right.set(xlabel="k", ylabel="amplitude")
        for one, style in ((recorded, "--"), (result, "-")):
            for name, values in (one or {"series": {}})["series"].items():
                color = watch["colors"].get(name, "0.5")
                below.plot(
                    one["step"], values, style, color=color, label=watch["names"].get(name) if one is result else None
                )
        if watch["threshold"]:
            below.axhline(watch["threshold"], color="0.4", linewidth=0.8, linestyle=":")
        scale = {
            "xscale": "symlog" if "x" in watch["log"] else "linear",
            "yscale": "log" if "y" in watch["log"] else "linear",
        }
        below.set(xlabel="step", ylabel=watch.get("ylabel", "error"), ylim=watch["ylim"], xlim=(0, None), **scale)
        below.legend()
    return fig


def lab_json(packed: Declared) -> str:
    """The data of a lab as they stand in a page: no text in them can end the element around them."""
    return json.dumps(packed, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _bundle(declared: Declared, recorded: Declared) -> dict[str, Any]:
    """What a cell leaves for the page: the declaration with the recorded run, its picture, a line of text."""
    png = io.BytesIO()
    picture(declared, recorded).savefig(png, dpi=160)
    rows = [
        [int(step), *(float(f"{v:.4g}") for v in values)]
        for step, *values in zip(recorded["step"], *recorded["series"].values())
    ]
    last = {name: [float(f"{v:.4g}") for v in recorded[name]] for name in ("h", "at")}
    last["bars"] = [float(f"{v:.4g}") for v in experiment.bars(declared, recorded)]
    return {
        LAB: declared | {"recorded": {"rows": rows, "done": recorded["done"]} | last},
        "image/png": base64.b64encode(png.getvalue()).decode(),
        "text/plain": words(declared, recorded),
    }


def _live(declared: Declared) -> None:
    """Controls for a live kernel, from the declaration."""
    widgets, recorded = {path: _widget(declared, path) for path in declared["choose"]}, {}
    names = {path: path.replace(".", "_") for path in widgets}
    asked = declared["question"]
    guess = None
    if asked:
        guess = ipywidgets.RadioButtons(options=asked["answers"], value=None, description=asked["ask"])
        guess.style.description_width = "initial"
    note = ipywidgets.HTML()

    def run(progress: Progress, **values: Any) -> Figure:
        if guess is not None and guess.value is None:
            raise ValueError("first guess what will happen")
        chosen = {path: check(declared, path, _chosen(declared, path, values[name])) for path, name in names.items()}
        if not recorded:
            recorded.update(experiment.run(declared, lambda steps: iter(steps)))
        changed = experiment.with_values(declared, chosen)
        changed["watch"] |= {"names": {}, "colors": {}}
        changed = complete(
            {part: changed[part] for part in ("data", "network", "training", "watch")}, {}, asked, declared["says"], {}
        )
        result = experiment.run(changed, progress)
        text = html.escape(words(changed, result, recorded))
        if guess is not None:
            right = verdict(changed, result, recorded)
            text += html.escape(reply(asked, asked["answers"].index(guess.value), right))
        note.value = text
        return picture(changed, result, recorded)

    extra = [guess] if guess is not None else []
    _kernel_lab(run, {names[path]: widget for path, widget in widgets.items()}, before=extra, after=[note])


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


def _widget(declared: Declared, path: str) -> ipywidgets.Widget:
    """The ipywidget of a control."""
    control, value = declared["choose"][path], value_at(declared, path)
    if "options" in control:
        options = control["options"]
        shown = next(name for name, one in options.items() if one == value)
        widget = ipywidgets.Dropdown(options=list(options), value=shown)
    elif control.get("frequencies"):
        widget = ipywidgets.Text(value=", ".join(str(k) for k in value))
    elif "low" in control and control["high"] > 1e6:
        widget = ipywidgets.IntText(value=value)
    elif "low" in control:
        kind = ipywidgets.IntSlider if isinstance(control["step"], int) else ipywidgets.FloatSlider
        widget = kind(value=value, min=control["low"], max=control["high"], step=control["step"])
    else:
        widget = ipywidgets.Checkbox(value=bool(value))
    widget.description = control["label"]
    widget.style.description_width = "initial"
    return widget


def _chosen(declared: Declared, path: str, value: Any) -> Any:
    """What a widget's value means for the declaration."""
    control = declared["choose"][path]
    if "options" in control:
        return control["options"][value]
    if control.get("frequencies"):
        return {part.strip(): 1.0 for part in value.split(",")}
    return value


def _kernel_lab(
    run: Callable[..., Figure],
    controls: dict[str, ipywidgets.Widget],
    before: Iterable[ipywidgets.Widget] = (),
    after: Iterable[ipywidgets.Widget] = (),
) -> None:
    """Controls, a button that trains with their values, one that stops, and the figure; a line while the book is built."""
    if os.environ.get("FPBOOK_BUILD") == "1":
        print("This lab trains again with your own choice. It needs a live kernel: open this page in Jupyter or Colab.")
        if (
            os.environ.get("FPBOOK_TRY_LABS") == "1"
        ):  # the second run: a lab that fails or cannot be stopped fails there
            values = {name: control.value for name, control in controls.items()}
            plt.close(run(lambda steps: itertools.islice(steps, 3), **values))
        return
    button, stop = ipywidgets.Button(description="Train"), ipywidgets.Button(description="Stop", disabled=True)
    bar, shown, stopped = ipywidgets.FloatProgress(max=1.0), ipywidgets.HTML(), threading.Event()

    def progress(steps: Sequence[int]) -> Iterator[int]:
        for done, step in enumerate(steps):
            if done % max(len(steps) // 50, 1) == 0:
                bar.value = done / len(steps)
            yield step
            if stopped.is_set():
                return

    def work(values: dict[str, Any]) -> None:
        try:
            shown.value = _picture_html(run(progress, **values))
        except ValueError as error:
            shown.value = html.escape(f"Please choose again: {error}")
        except Exception as error:  # a thread's exception would be lost
            shown.value = html.escape(f"{type(error).__name__}: {error}")
        finally:
            bar.value, button.disabled, stop.disabled = 0.0, False, True

    def on_click(_: ipywidgets.Button) -> None:
        button.disabled, stop.disabled = True, False
        stopped.clear()
        shown.value = "Training …"
        values = {name: control.value for name, control in controls.items()}
        threading.Thread(target=work, args=(values,)).start()

    button.on_click(on_click)
    stop.on_click(lambda _: stopped.set())
    display(ipywidgets.VBox([*before, *controls.values(), ipywidgets.HBox([button, stop, bar]), *after, shown]))


def _control(name: str, value: Any) -> ipywidgets.Widget:
    """The widget for a value; ValueError if there is none."""
    if isinstance(value, ipywidgets.Widget):
        return value
    widget = ipywidgets.interactive.widget_from_abbrev(value)
    if widget is None:
        raise ValueError(
            f"no control for {name} = {value!r}: give a number, a text, a list, a (low, high, step) or a widget"
        )
    widget.description = widget.description or name
    return widget


def _picture_html(fig: Figure) -> str:
    """A figure as an element of a page; the text for those who do not see it names its axes."""
    fig.savefig(png := io.BytesIO(), format="png", dpi=120)
    plt.close(fig)  # or the next cell would show it again
    names = html.escape("; ".join(f"{ax.get_ylabel()} against {ax.get_xlabel()}" for ax in fig.axes))
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return f'<img src="{source}" alt="{names}" style="max-width: 100%">'
