"""Replay figures, the half in Python: what is stored, what is refused. tests/test_site.py drives the drawn figure in a browser."""

import base64
import json
import re
import threading
from functools import partial

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from fpbook import widgets
from fpbook.training import train

STEP, X = np.array([0, 5, 10, 50]), np.linspace(-1, 1, 7)
H = np.random.default_rng(0).normal(size=(4, 7))  # (steps, x)


def run(panel, step=STEP):
    return {"a run": dict(step=step, panels=[panel])}


def unpacked(packed):
    values = np.frombuffer(base64.b64decode(packed["data"]), "<u2")
    values = packed["lo"] + (packed["hi"] - packed["lo"]) * values / 65535
    return 10**values if packed["log"] else values


def only_panel(panel):
    return widgets.replay_data(run(panel))["runs"][0]["panels"][0]


@pytest.mark.parametrize("log, values", [("", H), ("y", 10 ** (3 * H))])
def test_stored_curve_is_the_recorded_one(log, values):
    curve = only_panel(dict(x=X, curves={"h": values}, log=log))["curves"][0]
    stored = unpacked(curve["y"]).reshape(4, 7)
    scale = np.log10 if log else np.asarray
    assert curve["moving"]
    np.testing.assert_allclose(scale(stored), scale(values), atol=np.ptp(scale(values)) / 131_070 * 1.01)


def test_one_name_has_one_colour_in_all_panels():
    panels = [dict(x=X, curves={"f": H[0], "h": H}, styles={"f": "k--"}), dict(curves={"loss": H[:, 0], "h": H[:, 1]})]
    data = widgets.replay_data({"": dict(step=STEP, panels=panels)})
    first, second = ({curve["name"]: curve["color"] for curve in panel["curves"]} for panel in data["runs"][0]["panels"])
    assert first["f"] == "#000000" and first["h"] == second["h"] != second["loss"]


def test_pictures_keep_their_grey_values():
    frames = np.arange(24.0).reshape(4, 2, 3)
    panel = only_panel(dict(image=frames))
    levels = np.frombuffer(base64.b64decode(panel["image"]["data"]), "u1").reshape(frames.shape)
    palette = np.frombuffer(base64.b64decode(panel["palette"]["data"]), "u1").reshape(256, 3)
    np.testing.assert_allclose(palette[levels][..., 0] / 255 * 23, frames, atol=0.1)


@pytest.mark.parametrize(
    "panel, message",
    [
        (dict(x=X, curves={"h": H[:, :5]}), "shape"),
        (dict(x=X, curves={"h": H[:3]}), "shape"),
        (dict(x=X, curves={"h": np.full(7, np.nan)}), "finite"),
        (dict(curves={"loss": H}), "shape"),
        (dict(x=X, curves={"h": H}, log="y"), "positive"),
        (dict(x=X, curves={"h": H}, styles={"f": "k--"}), "do not exist"),
        (dict(x=X, curves={"h": H}, styles={"h": "wavy"}), "no style"),
        (dict(x=X, curves={r"$\frac{1}{2}$": H}), "cannot write"),
        (dict(image=np.zeros((3, 2, 2))), "shape"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panel, message):
    with pytest.raises(ValueError, match=message):
        widgets.replay_data(run(panel))


@pytest.mark.parametrize("step", [[3], [0, 2, 1], [0, 1, 1]])
def test_steps_must_increase(step):
    with pytest.raises(ValueError, match="increase"):
        widgets.replay_data(run(dict(curves={"loss": np.zeros(len(step))}), step))


def test_size_limit():
    x, step = np.arange(500.0), np.arange(200)
    with pytest.raises(ValueError, match="kB"):
        widgets.replay_data(run(dict(x=x, curves={"h": np.zeros((200, 500))}), step))
    small = widgets.replay_data(run(dict(x=x, curves={"h": np.zeros((60, 500))}), step[:60]))
    assert len(widgets.replay_json(small)) < widgets.REPLAY_BYTES


@pytest.mark.parametrize(
    "label, html",
    [
        ("loss & more", "loss &amp; more"),
        (r"error $\Delta_F(k)$", "error <i>Δ</i><sub><i>F</i></sub>(<i>k</i>)"),
        (r"$|\hat h_k|$", "|<i>ĥ</i><sub><i>k</i></sub>|"),
        (r"$\hat{f}$", "<i>f\u0302</i>"),
        (r"$\mathrm{LFR}(k_0)$", "LFR(<i>k</i><sub>0</sub>)"),
        (r"$1/\delta = 10^{-3}$", "1/<i>δ</i> = 10<sup>−3</sup>"),
    ],
)
def test_mathematics_in_labels(label, html):
    assert widgets._markup(label) == html


def test_no_text_ends_the_element_around_the_data():
    data = widgets.replay_data({"</script>": dict(step=STEP, panels=[dict(curves={"</script>": H[:, 0]})])})
    text = widgets.replay_json(data)
    assert "<" not in text and json.loads(text) == data


@pytest.mark.parametrize("building", [True, False])
def test_output_of_a_cell(monkeypatch, building):
    shown = []
    monkeypatch.setattr(widgets, "display", lambda bundle, raw: shown.append(bundle))
    monkeypatch.setenv("FPBOOK_BUILD", "1" if building else "")
    for _ in range(2):
        widgets.replay(run(dict(x=X, curves={"h": H})), at=10)
    once, twice = shown
    assert base64.b64decode(once["image/png"]).startswith(b"\x89PNG")
    assert once == twice  # a second run of the book compares outputs
    assert (widgets.REPLAY in once) == building  # the page gets the data, a live notebook the whole figure
    assert ("replay-data" in once.get("text/html", "")) != building


def click(lab_run, monkeypatch, meanwhile=lambda box: None, **controls):
    """Press "Train" of a lab outside a notebook, and wait for it; returns its box of widgets."""
    shown = []
    monkeypatch.delenv("FPBOOK_BUILD", raising=False)
    monkeypatch.setattr(widgets, "display", shown.append)
    before = set(threading.enumerate())
    widgets.lab(lab_run, **controls)
    (box,) = shown
    buttons = box.children[-2].children
    buttons[0].click()
    meanwhile(box)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    assert not buttons[0].disabled and buttons[1].disabled
    return box


def trained_steps(progress, steps):
    """What a lab does: train, and draw the loss."""
    sgd = partial(torch.optim.SGD, lr=1e-6)
    history = train(torch.nn.Linear(1, 1), lambda net: (net.weight**2).sum(), steps=steps, optimizer=sgd, progress=progress)
    fig, ax = plt.subplots()
    ax.plot(history["loss"])
    ax.set(xlabel="step", ylabel=f"loss <{len(history['loss'])}>")
    return fig


def test_a_lab_trains_and_shows_its_figure(monkeypatch):
    box = click(trained_steps, monkeypatch, steps=ipywidgets.IntSlider(value=7, max=10))
    assert 'src="data:image/png;base64' in box.children[-1].value
    assert 'alt="loss &lt;8&gt; against step"' in box.children[-1].value
    assert plt.get_fignums() == []


def test_a_lab_can_be_stopped(monkeypatch):
    box = click(trained_steps, monkeypatch, lambda box: box.children[-2].children[1].click(), steps=ipywidgets.IntText(value=10**7))
    assert 1 <= int(re.search(r"loss &lt;(\d+)&gt;", box.children[-1].value)[1]) < 10**6


@pytest.mark.parametrize(
    "error, message",
    [(ValueError("a <= 1"), "Please choose again: a &lt;= 1"), (FloatingPointError("step 3"), "FloatingPointError: step 3")],
)
def test_a_lab_shows_an_error_as_text(monkeypatch, error, message):
    def fails(progress, a):
        raise error

    assert click(fails, monkeypatch, a=ipywidgets.IntText()).children[-1].value == message


def test_a_lab_is_one_line_while_the_book_is_built(monkeypatch, capsys):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    widgets.lab(lambda progress, steps: 1 / 0, steps=ipywidgets.IntText(value=3))
    assert capsys.readouterr().out.count("\n") == 1


def test_the_second_run_of_the_book_tries_its_labs(monkeypatch, capsys):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    monkeypatch.setenv("FPBOOK_TRY_LABS", "1")
    widgets.lab(trained_steps, steps=ipywidgets.IntText(value=10**6))
    assert capsys.readouterr().out.count("\n") == 1 and plt.get_fignums() == []
    with pytest.raises(ZeroDivisionError):
        widgets.lab(lambda progress, steps: 1 / 0, steps=ipywidgets.IntText(value=3))
