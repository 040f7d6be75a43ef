"""Figures that move without a kernel: recorded runs, packed for the script that draws them in a page or a notebook."""

import base64
import html
import io
import json
import math
import os
import re
import unicodedata
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import NDArray

REPLAY = "application/vnd.fpbook.replay+json"  # the mime type under which the built book finds the data of a replay
REPLAY_BYTES = 150_000  # what one replay may add to its page
STYLE = re.compile(r"(?P<color>C\d|k)?(?P<shape>--|-|:|=|o|\|)")
GREEK = dict(zip("alpha delta Delta theta lambda xi pi sigma omega".split(), "αδΔθλξπσω"))
RUN_KEYS = {"step", "panels"}
CURVE_KEYS = {"x", "curves", "xlabel", "ylabel", "log", "ylim", "styles", "threshold"}
PICTURE_KEYS = {"image", "ylabel", "cmap", "ylim"}
Panel = dict[str, Any]
Runs = dict[str, dict[str, Any]]


def replay(runs: Runs, *, at: float | None = None, over: str = "step", colors: dict[str, str] | None = None) -> None:
    r"""Show recorded runs as a figure that moves: a slider over the steps, and panels that follow it together.

    In the built page a script draws it, without a kernel. In Jupyter and on Colab the output brings that script along.
    The figure plays once when it is first seen, unless the reader's system asks for less motion. Where scripts are off,
    and in print, a picture of one step stands in its place.

    Parameters
    ----------
    runs : dict of name -> dict(step=..., panels=[...])
        One run, or several. The reader chooses between several runs, and can lay two of them over one another. `step`,
        of shape (r,), must increase, and may be any quantity. A panel is a dict in one of three forms:

        - ``dict(x=x, curves={name: y, ...})``: curves over x, shape (n,). A `y` of shape (r, n) moves, and one of shape
          (n,) does not.
        - ``dict(curves={name: y, ...})``: curves over the steps, `y` of shape (r,). In such a panel the reader can
          drag the step.
          With ``threshold=0.1`` a line is drawn at 0.1. On it a full mark stands at the step from which a curve stays
          below. If the curve was below earlier and left again, an empty mark stands at the first such step.
        - ``dict(image=frames)``: pictures of shape (r, a, b), or one of shape (a, b); ``cmap`` names a colour map.

        All panels take ``ylabel``, and ``ylim`` (values outside are drawn at its ends). Curves also take ``xlabel``,
        ``log`` (``"x"``, ``"y"`` or ``"xy"``) and ``styles``, name -> style. A style is one of matplotlib such as
        ``"k--"`` or ``"C1o"``, or it ends in ``"|"`` for stems, or in ``"="`` for a broad line in the background.
        Points (``"o"``) are left out where y is NaN. Labels and names may hold mathematics in ``$...$``.
    at : float, optional
        Step of the picture that stands in place of the figure. By default it is the middle one of the steps.
    over : str
        Name of the quantity in `step`, written before its value in the line of text, for example "epoch".
    colors : dict of name -> matplotlib's colour, optional
        Colours of curves by name, for example those that a section gives its quantities in all its figures. Any other
        curve has the colour of its style, or else the next free one. A name has the same colour in all panels.

    Raises
    ------
    ValueError
        If shapes disagree, a key is unknown, a name has two colours, a value is complex, masked, not finite or not
        positive on a logarithmic axis, or the data exceed 150 kB.

    Notes
    -----
    Curves are stored in 16 bits, so that their error is at most 1/131,070 of their range (on a logarithmic axis, of the
    range of their logarithms). Pictures are stored in 8 bits.
    """
    data = replay_data(runs, at=at, over=over, colors=colors)
    bundle: dict[str, Any] = {
        "image/png": _still(runs, data),
        "text/plain": f"Replay over {len(data['runs'][0]['step'])} values of {over}",
    }
    if os.environ.get("FPBOOK_BUILD") == "1":
        bundle[REPLAY] = data
    else:
        bundle["text/html"] = replay_html(bundle["image/png"], bundle["text/plain"], data)
    display(bundle, raw=True)


def replay_html(picture: str, alt: str, data: dict[str, Any]) -> str:
    """A replay as HTML that needs nothing else; without scripts it is `picture` (PNG in base64) with the text `alt`."""
    here = Path(__file__).parent
    return (
        f'<div><img src="data:image/png;base64,{picture}" alt="{html.escape(alt)}">'
        f'<script type="application/json" class="replay-data">{replay_json(data)}</script></div>'
        f"<style>{(here / 'replay.css').read_text()}</style>"
        f"<script>{(here / 'replay.js').read_text(encoding='utf8')}</script>"
    )


def replay_json(data: dict[str, Any]) -> str:
    """The data of a replay as JSON for a page, escaped so that no text in it can end the HTML element around it."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def replay_data(
    runs: Runs, *, at: float | None = None, over: str = "step", colors: dict[str, str] | None = None
) -> dict[str, Any]:
    """What the script needs to draw a replay, as plain lists and dicts; arguments and errors are those of `replay`."""
    if not runs:
        raise ValueError("a replay needs a run")
    given, out = dict(colors or {}), []
    colors = dict(given)
    for name, run in runs.items():
        _only("a run", run, RUN_KEYS)
        step = _finite("step", run["step"], (None,))
        if len(step) < 2 or (np.diff(step) <= 0).any():
            raise ValueError("a replay needs at least two steps, and they must increase")
        panels = [
            _picture(panel, len(step)) if "image" in panel else _curves(panel, step, colors, given, over)
            for panel in run["panels"]
        ]
        numbers = [int(s) if s == int(s) else float(s) for s in step]
        out.append({"name": _markup(name), "step": numbers, "panels": panels})
    steps = out[0]["step"]
    shown = steps[len(steps) // 2] if at is None else float(_finite("at", at, ()))
    data = {"over": _markup(over), "at": shown, "runs": out}
    if (size := len(replay_json(data).encode())) > REPLAY_BYTES:
        raise ValueError(
            f"this replay has {size // 1000} kB, more than {REPLAY_BYTES // 1000}: give it fewer steps or points"
        )
    return data


def _only(what: str, given: Panel, keys: set[str]) -> None:
    if unknown := set(given) - keys:
        raise ValueError(f"unknown keys of {what}: {sorted(unknown)}; it takes {sorted(keys)}")


def _limits(panel: Panel) -> tuple[float, float] | None:
    if "ylim" not in panel:
        return None
    low, high = _finite("ylim", panel["ylim"], (2,))
    if not low < high or ("y" in panel.get("log", "") and low <= 0):
        raise ValueError(f"ylim = {panel['ylim']} is no range of this axis")
    return float(low), float(high)


def _curves(panel: Panel, step: NDArray, colors: dict[str, str], given: dict[str, str], over: str) -> dict[str, Any]:
    """One panel of curves, packed; `colors` remembers each name's colour, `given` are those that the caller chose."""
    _only("a panel of curves", panel, CURVE_KEYS)
    log, styles, along = panel.get("log", ""), panel.get("styles", {}), "x" not in panel
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log is 'x', 'y' or 'xy', not {log!r}")
    x = step if along else _finite("x", panel["x"], (None,))
    if unknown := set(styles) - set(panel["curves"]):
        raise ValueError(f"styles for curves that do not exist: {sorted(unknown)}")
    limits, ys, curves = _limits(panel), [], []
    for name, values in panel["curves"].items():
        style = STYLE.fullmatch(styles.get(name, "-"))
        if not style:
            raise ValueError(f"{styles[name]!r} is no style of a replay")
        moving = not along and np.ndim(values) == 2
        y = _finite(name, values, (len(step), len(x)) if moving else (len(x),), gaps=style["shape"] == "o")
        if limits:
            y = np.clip(y, *limits)
        ys.append(y)
        curves.append(
            {"name": _markup(name), "moving": moving, "style": style["shape"]}
            | {"color": _color(name, style["color"], colors, given)}
        )
    xlim = _range(x, "x" in log, margin=0 if along else 0.02, zero=along)
    finite = np.concatenate([y[~np.isnan(y)] for y in ys])
    ylim = _range(finite, "y" in log, margin=0.04)
    if "y" not in log and finite.min() >= 0 and any(curve["style"] == "|" for curve in curves):
        ylim[0] = 0.0  # stems stand on zero
    for curve, y in zip(curves, ys):
        curve["y"] = _pack(y, "y" in log)
    labels = {"xlabel": _markup(panel.get("xlabel", over if along else "")), "ylabel": _markup(panel.get("ylabel", ""))}
    packed: dict[str, Any] = {} if along else {"x": _pack(x, "x" in log)}
    if "threshold" in panel:
        if not along:
            raise ValueError("a threshold belongs to curves over the steps")
        packed = {"threshold": float(_finite("threshold", panel["threshold"], ()))}
    return labels | packed | {"log": log, "xlim": xlim, "ylim": list(limits or ylim), "curves": curves}


def _color(name: str, style: str | None, colors: dict[str, str], given: dict[str, str]) -> str:
    """The colour of a name, the same in all panels; ValueError if a style says otherwise than the map does."""
    if style and to_hex(given.get(name, style)) != to_hex(style):
        raise ValueError(f"{name!r} has two colours, {given[name]} by the map and {style} by its style")
    if style:
        colors.setdefault(name, style)
        return to_hex(style)
    if name not in colors:
        taken = {to_hex(color) for color in colors.values()}
        free = [f"C{i}" for i in range(7) if to_hex(f"C{i}") not in taken]
        colors[name] = free[0] if free else f"C{len(colors) % 7}"
    return to_hex(colors[name])


def _picture(panel: Panel, steps: int) -> dict[str, Any]:
    """One panel of pictures, packed in 8 bits with the 256 colours of its colour map."""
    _only("a picture", panel, PICTURE_KEYS)
    shape = (steps, None, None) if np.ndim(panel["image"]) == 3 else (None, None)
    frames = _finite("image", panel["image"], shape)
    lo, hi = _limits(panel) or (frames.min(), frames.max())
    if not math.isfinite(float(hi) - float(lo)):
        raise ValueError("the values of an image span more than a number can hold")
    levels = (255 * np.clip((frames - lo) / ((hi - lo) or 1), 0, 1)).round().astype("u1")
    palette = (255 * plt.get_cmap(panel.get("cmap", "gray"))(np.arange(256))[:, :3]).round().astype("u1")
    packed = {"image": _base64(levels), "palette": _base64(palette)}
    return packed | {"shape": frames.shape[-2:], "moving": frames.ndim == 3, "ylabel": _markup(panel.get("ylabel", ""))}


def _finite(name: str, values: Any, shape: tuple[int | None, ...], *, gaps: bool = False) -> NDArray[np.float64]:
    """Real numbers of this shape, all of them finite; with `gaps` NaN is left out of what is drawn."""
    if np.ma.isMaskedArray(values) or np.iscomplexobj(values):
        raise ValueError(f"{name} is masked or complex; give real numbers, and leave out what is not shown")
    values = np.asarray(values, dtype=float)
    if values.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, values.shape)):
        raise ValueError(f"{name} has shape {values.shape}, not {shape}")
    if not (np.isfinite(values) | (gaps & np.isnan(values))).all() or not np.isfinite(values).any():
        raise ValueError(f"{name} holds values that are not finite")
    return values


def _range(values: NDArray, log: bool, *, margin: float, zero: bool = False) -> list[float]:
    """Limits of an axis, with a margin; `zero`: on a logarithmic axis step 0 stands at the left end."""
    if log:
        positive = values[values > 0]
        if not len(positive) or len(positive) + zero < len(values):
            raise ValueError("a logarithmic axis needs positive values; give ylim to cut the others off")
        values = np.log10(positive)
    low, high = values.min(), values.max()
    room = margin * (high - low) or (0.5 if high == low else 0)
    ends = np.array([low - room, high + room])
    return [float(v) for v in (10**ends if log else ends)]


def _base64(values: NDArray) -> dict[str, Any]:
    return {"bits": 8 * values.itemsize, "data": base64.b64encode(values.tobytes()).decode()}


def _pack(values: NDArray, log: bool) -> dict[str, Any]:
    """Values in 16 bits between their extremes, decimal logarithms where `log`; where there is none, a gap."""
    gaps = np.flatnonzero(np.isnan(values))
    values = np.where(np.isnan(values), np.nanmax(values), values)
    values = np.log10(np.maximum(values, values[values > 0].min())) if log else values
    lo, hi = float(values.min()), float(values.max())
    levels = (65535 * (values - lo) / ((hi - lo) or 1)).round().astype("<u2")
    packed = _base64(levels) | {"lo": lo, "hi": hi, "log": log}
    return packed | ({"gaps": gaps.tolist()} if len(gaps) else {})


def _markup(label: str) -> str:
    r"""A label as HTML, what labels use of mathtext: letters, Greek, ``\hat``, ``\mathrm``, sub- and superscripts."""
    if not isinstance(label, str):
        raise ValueError(f"a name or label is text, not {label!r}")
    out = []
    for i, part in enumerate(label.split("$")):
        if i % 2 == 0:
            out.append(html.escape(part))
            continue
        part = re.sub(r"\\hat\s*\{?(\w)\}?", lambda m: unicodedata.normalize("NFC", m[1] + "\u0302"), part)
        part = re.sub(rf"\\({'|'.join(GREEK)})(?![a-zA-Z])", lambda m: GREEK[m[1]], part)
        for raised, group, roman, char in re.findall(
            r"([_^]?)(?:\{([^{}]*)\}|\\mathrm\{(\w+)\}|(\w\u0302|[^\\{}]))", part
        ):
            text = html.escape((group or roman or char).replace("-", "\u2212"))
            text = text if roman or not any(c.isalpha() for c in text) or text.startswith("&") else f"<i>{text}</i>"
            tag = {"_": "sub", "^": "sup"}.get(raised)
            out.append(f"<{tag}>{text}</{tag}>" if tag else text)
        if re.search(r"\\(?!mathrm\{)", part):
            raise ValueError(f"a replay cannot write {part!r}")
    return "".join(out)


def _still(runs: Runs, data: dict[str, Any]) -> str:
    """The first run at the step `at`, as a PNG in base64; panels over the steps take a whole row, as in the page."""
    (run, *_), packed = runs.values(), data["runs"][0]
    frame = int(np.argmin(np.abs(np.asarray(packed["step"]) - data["at"])))
    places: list[tuple[int, Any]] = []
    row = column = 0
    for panel in run["panels"]:
        wide = "x" not in panel and "image" not in panel
        if column == 2 or (wide and column):
            row, column = row + 1, 0
        places.append((row, slice(None) if wide else column))
        column = 2 if wide else column + 1
    places = [(row, slice(None) if sum(other == row for other, _ in places) == 1 else column) for row, column in places]
    columns = 2 if len(places) > 1 else 1
    with plt.style.context("fpbook.book"):
        fig = Figure(figsize=(7.2, 2.8 * (row + 1)))
        grid = fig.add_gridspec(row + 1, columns)
        for place, panel, drawn in zip(places, run["panels"], packed["panels"]):
            ax = fig.add_subplot(grid[place])
            if "image" in panel:
                frames = np.asarray(panel["image"])
                lo, hi = panel.get("ylim", (frames.min(), frames.max()))
                ax.imshow(
                    frames[frame] if frames.ndim == 3 else frames, cmap=panel.get("cmap", "gray"), vmin=lo, vmax=hi
                )
                ax.set(xticks=[], yticks=[], title=panel.get("ylabel", ""))
            else:
                _draw(ax, panel, drawn, packed["step"], frame)
                below = panel.get("xlabel", "" if "x" in panel else html.unescape(data["over"]))
                ax.set(ylabel=panel.get("ylabel", ""), xlabel=below)
        png = io.BytesIO()
        fig.savefig(png, dpi=160)
    return base64.b64encode(png.getvalue()).decode()


def _draw(ax: Axes, panel: Panel, drawn: dict[str, Any], step: list[float], frame: int) -> None:
    """One panel of curves at one step, on matplotlib axes."""
    x = np.asarray(panel.get("x", step))
    for (name, values), curve in zip(panel["curves"].items(), drawn["curves"]):
        y = np.asarray(values)[frame] if curve["moving"] else np.asarray(values)
        if curve["style"] == "|":
            ax.vlines(x, drawn["ylim"][0], y, color=curve["color"])
        shape = {"|": "o", "=": "-"}.get(curve["style"], curve["style"])
        (line,) = ax.plot(x, y, shape, color=curve["color"], label=name)
        if curve["style"] == "=":
            line.set(linewidth=5, alpha=0.4)
    if "x" not in panel:
        ax.axvline(step[frame], color="k", linewidth=0.8)
    if "threshold" in panel:
        ax.axhline(panel["threshold"], color="0.4", linewidth=0.8, linestyle=":")
    ax.set(xscale="log" if "x" in drawn["log"] else "linear", yscale="log" if "y" in drawn["log"] else "linear")
    ax.set(xlim=drawn["xlim"], ylim=drawn["ylim"])
    ax.legend()
