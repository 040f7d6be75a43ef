"""Figures that move without a kernel: recorded runs, packed for the script that draws them in a page or a notebook."""

import base64
import html
import io
import json
import os
import re
import unicodedata
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

REPLAY = "application/vnd.fpbook.replay+json"  # the mime type under which the built book finds the data of a replay
REPLAY_BYTES = 150_000  # what one replay may add to its page
STYLE = re.compile(r"(?P<color>C\d|k)?(?P<shape>--|-|:|o|\|)")
GREEK = dict(zip("alpha delta Delta theta lambda xi pi sigma omega".split(), "αδΔθλξπσω"))


def replay(runs, *, at=None, over="step"):
    r"""Show recorded runs as a figure that moves: a slider over the steps, and panels that follow it together.

    In the built page one script draws it, without a kernel; in Jupyter and on Colab the output carries that script. Where
    scripts are off, and in print, the picture of one step stays.

    Parameters
    ----------
    runs : dict of name -> dict(step=..., panels=[...])
        One run, or several between which the reader chooses. `step`, shape (r,), increases; it may be any quantity.
        A panel is a dict in one of three forms:

        - ``dict(x=x, curves={name: y, ...})``: curves over x, shape (n,); `y` has shape (r, n) if it moves, else (n,).
        - ``dict(curves={name: y, ...})``: curves over the steps, `y` of shape (r,); the reader can drag the step there.
        - ``dict(image=frames)``: pictures of shape (r, a, b), or one of shape (a, b); ``cmap`` names a colour map.

        All take ``ylabel``; curves also ``xlabel``, ``log`` (``"x"``, ``"y"`` or ``"xy"``), ``ylim`` (values outside are drawn at its
        ends) and ``styles``, name -> matplotlib's ``"k--"``, ``"C1o"``, ... or, for stems, ``"C0|"``. A curve without a style
        takes the next colour; one name has one colour in all panels. Labels and names may hold mathematics in ``$...$``.
    at : float, optional
        Step that is shown first and in the picture that stays; the middle of the records without it.
    over : str
        What `step` counts.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite or not positive on a logarithmic axis, or the data exceed 150 kB.

    Notes
    -----
    Curves are stored in 16 bits, an error of at most 1/131,070 of their range, and pictures in 8 bits.
    """
    data = replay_data(runs, at=at, over=over)
    bundle = {
        "image/png": _still(runs, data),
        "text/plain": f"Replay over {len(data['runs'][0]['step'])} values of {over}",
    }
    if os.environ.get("FPBOOK_BUILD") == "1":
        bundle[REPLAY] = data
    else:
        here = Path(__file__).parent
        bundle["text/html"] = (
            f'<div><img src="data:image/png;base64,{bundle["image/png"]}" alt="{bundle["text/plain"]}">'
            f'<script type="application/json" class="replay-data">{replay_json(data)}</script></div>'
            f"<style>{(here / 'replay.css').read_text()}</style><script>{(here / 'replay.js').read_text(encoding='utf8')}</script>"
        )
    display(bundle, raw=True)


def replay_json(data):
    """The data of a replay as they stand in a page: no text in them can end the element around them."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def replay_data(runs, *, at=None, over="step"):
    """What the script needs to draw `replay`: plain lists and dicts; arguments and errors as there."""
    colors, out = {}, []
    for name, run in runs.items():
        step = _finite("step", run["step"], (None,))
        if len(step) < 2 or (np.diff(step) <= 0).any():
            raise ValueError("a replay needs at least two steps, and they must increase")
        panels = [_picture(p, len(step)) if "image" in p else _curves(p, step, colors, over) for p in run["panels"]]
        out.append(
            {"name": _markup(name), "step": [int(s) if s == int(s) else float(s) for s in step], "panels": panels}
        )
    step = out[0]["step"]
    data = {"over": over, "at": step[len(step) // 2] if at is None else float(at), "runs": out}
    if (size := len(replay_json(data).encode())) > REPLAY_BYTES:
        raise ValueError(
            f"this replay has {size // 1000} kB, more than {REPLAY_BYTES // 1000}: give it fewer steps or points"
        )
    return data


def _curves(panel, step, colors, over):
    """One panel of curves, packed; `colors` remembers the colour of each name."""
    log, styles, along = panel.get("log", ""), panel.get("styles", {}), "x" not in panel
    x = step if along else _finite("x", panel["x"], (None,))
    if unknown := set(styles) - set(panel["curves"]):
        raise ValueError(f"styles for curves that do not exist: {sorted(unknown)}")
    ys, curves = [], []
    for name, values in panel["curves"].items():
        moving = not along and np.ndim(values) == 2
        y = _finite(name, values, (len(step), len(x)) if moving else (len(x),))
        if "ylim" in panel:
            y = np.clip(y, *panel["ylim"])
        style = STYLE.fullmatch(styles.get(name, "-"))
        if not style:
            raise ValueError(f"{styles[name]!r} is no style of a replay")
        colors.setdefault(name, style["color"] or f"C{sum(c != 'k' for c in colors.values())}")
        ys.append(y)
        curves.append(
            {"name": _markup(name), "moving": moving, "style": style["shape"], "color": style["color"] or colors[name]}
        )
    xlim = _range(x, "x" in log, margin=0 if along else 0.02, zero=along)
    ylim = _range(np.concatenate([y.ravel() for y in ys]), "y" in log, margin=0.04)
    if "y" not in log and min(y.min() for y in ys) >= 0 and any(curve["style"] == "|" for curve in curves):
        ylim[0] = 0.0  # stems stand on zero
    for curve, y in zip(curves, ys):
        curve["color"] = to_hex(curve["color"])
        curve["y"] = _pack(y, "y" in log)
    labels = {"xlabel": _markup(panel.get("xlabel", over if along else "")), "ylabel": _markup(panel.get("ylabel", ""))}
    packed = {} if along else {"x": _pack(x, "x" in log)}
    return labels | packed | {"log": log, "xlim": xlim, "ylim": list(panel.get("ylim", ylim)), "curves": curves}


def _picture(panel, steps):
    """One panel of pictures, packed in 8 bits with the 256 colours of its colour map."""
    frames = np.asarray(panel["image"])
    frames = _finite("image", frames, (steps, None, None) if frames.ndim == 3 else (None, None))
    lo, hi = panel.get("ylim", (frames.min(), frames.max()))
    levels = (255 * np.clip((frames - lo) / ((hi - lo) or 1), 0, 1)).round().astype("u1")
    palette = (255 * plt.get_cmap(panel.get("cmap", "gray"))(np.arange(256))[:, :3]).round().astype("u1")
    packed = {"image": _base64(levels), "palette": _base64(palette)}
    return packed | {"shape": frames.shape[-2:], "moving": frames.ndim == 3, "ylabel": _markup(panel.get("ylabel", ""))}


def _finite(name, values, shape):
    values = np.asarray(values, dtype=float)
    if values.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, values.shape)):
        raise ValueError(f"{name} has shape {values.shape}, not {shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite")
    return values


def _range(values, log, *, margin, zero=False):
    """Limits of an axis, with a margin; `zero`: on a logarithmic axis a value of zero, as step 0 is, stands at the left end."""
    if log:
        positive = values[values > 0]
        if not len(positive) or len(positive) + zero < len(values):
            raise ValueError("a logarithmic axis needs positive values; give ylim to cut the others off")
        values = np.log10(positive)
    low, high = values.min(), values.max()
    room = margin * (high - low) or (0.5 if high == low else 0)
    ends = np.array([low - room, high + room])
    return [float(v) for v in (10**ends if log else ends)]


def _base64(values):
    return {"bits": 8 * values.itemsize, "data": base64.b64encode(values.tobytes()).decode()}


def _pack(values, log):
    """Values in 16 bits between their extremes, decimal logarithms where `log`."""
    values = np.log10(np.maximum(values, values[values > 0].min())) if log else values
    lo, hi = float(values.min()), float(values.max())
    levels = (65535 * (values - lo) / ((hi - lo) or 1)).round().astype("<u2")
    return _base64(levels) | {"lo": lo, "hi": hi, "log": log}


def _markup(label):
    r"""A label as HTML, the part of mathtext that labels use: letters, Greek, ``\hat``, ``\mathrm``, sub- and superscripts."""
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


def _still(runs, data):
    """The first run at the step shown first, as a PNG in base64; panels over the steps take a whole row, as in the page."""
    (run, *_), packed = runs.values(), data["runs"][0]
    frame = int(np.argmin(np.abs(np.asarray(packed["step"]) - data["at"])))
    places, row, column = [], 0, 0
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
                ax.set(ylabel=panel.get("ylabel", ""), xlabel=panel.get("xlabel", "" if "x" in panel else data["over"]))
        png = io.BytesIO()
        fig.savefig(png, dpi=160)
    return base64.b64encode(png.getvalue()).decode()


def _draw(ax, panel, drawn, step, frame):
    """One panel of curves at one step, on matplotlib axes."""
    x = np.asarray(panel.get("x", step))
    for (name, values), curve in zip(panel["curves"].items(), drawn["curves"]):
        y = np.asarray(values)[frame] if curve["moving"] else np.asarray(values)
        if curve["style"] == "|":
            ax.vlines(x, drawn["ylim"][0], y, color=curve["color"])
        ax.plot(x, y, {"|": "o"}.get(curve["style"], curve["style"]), color=curve["color"], label=name)
    if "x" not in panel:
        ax.axvline(step[frame], color="k", linewidth=0.8)
    ax.set(xscale="log" if "x" in drawn["log"] else "linear", yscale="log" if "y" in drawn["log"] else "linear")
    ax.set(xlim=drawn["xlim"], ylim=drawn["ylim"])
    ax.legend()
