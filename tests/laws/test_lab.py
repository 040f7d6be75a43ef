"""Labs in a live kernel: they ask, train, stop, refuse; every law of the lab in a page that a kernel can keep."""

import contextvars
import html
import re
import sys
import threading

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
from torch.optim.optimizer import register_optimizer_step_post_hook

import fpbook.lab as labs

LAB = dict(
    data=dict(points=12, low=-np.pi, high=np.pi, sines={1: 1, 3: 0.5}),
    network=dict(hidden=[5], activation="tanh"),
    training=dict(name="adam", lr=0.01, steps=40),
    watch=dict(series=["frequencies", "training"], threshold=0.9, names={"training": "<loss>"}, ylabel='error"><b>'),
    choose={
        "training.steps": dict(label="steps", low=10, high=10**6, step=10),
        "data.sines": dict(label="waves", frequencies=True, low=1, high=5, why="12 points cannot tell them apart"),
    },
    question=dict(ask="When?", answers=["<sooner>", "later"], by=["end:k = 1", "recorded end:k = 1"], edges=[1.0]),
    recorded={"training.steps": 20},
    says="<b>{end:training}</b>",
)


class Shown:
    """The widgets of a lab outside a notebook."""

    def __init__(self, box):
        self.box = box
        self.named = {widget.description: widget for widget in box.children if getattr(widget, "description", "")}
        row = next(child for child in box.children if isinstance(child, ipywidgets.HBox))
        self.train, self.stop, self.bar = row.children
        self.note, self.picture = box.children[-2:]

    def press(self, meanwhile=lambda: None):
        """Press "Train", and wait."""
        before = set(threading.enumerate())
        self.train.click()
        meanwhile()
        for thread in set(threading.enumerate()) - before:
            thread.join(60)
        assert not self.train.disabled and self.stop.disabled and self.bar.value == 0
        return self.note.value


class Updates:
    """Counts what optimizers do, in whichever thread; calls `at_each` first."""

    def __init__(self):
        self.count, self.at_each = 0, lambda: None

    def __call__(self, *_):
        self.count += 1
        self.at_each()

    def since(self):
        """Updates since it was last asked."""
        count, self.count = self.count, 0
        return count


@pytest.fixture
def updates():
    updates = Updates()
    hook = register_optimizer_step_post_hook(updates)
    yield updates
    hook.remove()


@pytest.fixture
def opened(monkeypatch, updates, shown):
    """A declared lab as a cell of a notebook shows it."""

    def opened(**declared):
        made = []
        ipywidgets.Widget.on_widget_constructed(made.append)
        monkeypatch.delenv("FPBOOK_BUILD", raising=False)
        labs.lab(**declared)
        ipywidgets.Widget.on_widget_constructed(None)
        number = shown.pop()["application/vnd.jupyter.widget-view+json"]["model_id"]
        return Shown(next(widget for widget in made if widget.model_id == number))

    return opened


@pytest.fixture
def lab(opened):
    return opened(**LAB)


def guess(lab, answer="<sooner>"):
    lab.named["When?"].value = answer


CONTROLS = {  # one of each kind: the control of an entry, its declared value, and what the reader is shown at first
    "training.steps": (dict(label="steps", low=2, high=60, step=2), 40, dict(value=40, min=2, max=60, step=2)),
    "training.lr": (dict(label="rate", low=0.01, high=1, step=0.02), 0.05, dict(value=0.05, min=0.01, step=0.02)),
    "network.factor": (dict(label="by", low=1, high=10**9, step=1), 2, dict(value=2)),
    "network.width": (dict(label="width", options={"slim": 3, "<wide>": 9}), 9, dict(value="<wide>")),
    "network": (dict(label="start", options={"usual": {"start": "default"}, "Xavier": {"start": "xavier"}}),
                {"start": "xavier"}, dict(value="Xavier", options=("usual", "Xavier"))),
    "data.sines": (dict(label="waves", frequencies=True, low=1, high=5), {1: 0.5, 4: 2}, dict(value="1, 4")),
    "data.anywhere": (dict(label="random"), False, dict(value=False)),
    "network.antisymmetric": (dict(label="zero"), True, dict(value=True)),
}  # fmt: skip


def test_each_control_starts_at_what_is_declared_and_means_it_until_it_is_moved(opened):
    parts = {name: dict(LAB[name]) for name in ("data", "network", "training", "watch", "question")}
    parts["network"] = dict(depth=1, activation="tanh", seed=37)
    for path, (_, value, _) in CONTROLS.items():
        part, _, name = path.partition(".")
        parts[part].update({name: value} if name else value)
    lab = opened(**parts, choose={path: control for path, (control, _, _) in CONTROLS.items()})
    for control, _, start in CONTROLS.values():
        assert {name: getattr(lab.named[control["label"]], name) for name in start} == start
    assert lab.named["seed"].value == 37
    guess(lab)
    assert "You said" in lab.press()  # what was asked is judged with the declared values alone
    lab.named["by"].value = 3
    assert "You said" not in lab.press()


def test_a_lab_trains_and_shows_its_figure(lab):
    guess(lab)
    lab.press()
    assert (
        'src="data:image/png;base64' in lab.picture.value
        and "error&quot;&gt;&lt;b&gt; against step" in lab.picture.value
    )
    assert plt.get_fignums() == []


def test_a_lab_asks_first(lab, updates):
    assert "First guess what will happen" in lab.press() and updates.count == 0


def test_the_run_to_compare_with_is_trained_once(lab, updates):
    guess(lab)
    lab.press()
    assert updates.since() == 20 + 40
    lab.press()
    assert updates.since() == 40


@pytest.mark.parametrize("steps", [10, 40, 500])
def test_the_bar_goes_evenly_from_one_end_to_the_other_and_no_more_often_than_one_sees(steps, lab):
    moved = []
    guess(lab)
    lab.press()  # the run to compare with
    lab.named["steps"].value = steps
    lab.bar.observe(lambda change: moved.append(change.new), "value")
    lab.press()
    assert moved.pop() == 0 and len(moved) <= 100
    *parts, rest = np.diff([0, *moved, 1])
    np.testing.assert_allclose(parts, parts[0])
    assert 0 < rest <= parts[0] + 1e-9 and parts[0] <= 0.1


def test_a_lab_can_be_stopped_and_trains_again(lab):
    guess(lab)
    lab.press()
    lab.named["steps"].value = 10**6
    note = lab.press(lab.stop.click)
    assert int(re.search(r"Stopped at step ([\d,]+)", note)[1].replace(",", "")) < 10**6
    lab.named["steps"].value = 40
    assert "Trained for 40 steps" in lab.press()


def test_a_comparison_that_was_stopped_is_not_kept(lab, updates):
    guess(lab)
    updates.at_each = lab.stop.click
    assert "Stopped before" in lab.press() and "<img" not in lab.picture.value
    assert updates.since() < 20
    updates.at_each = lambda: None
    assert "Trained for 40 steps" in lab.press()
    assert updates.since() == 20 + 40


def test_a_guess_is_judged_only_by_what_was_asked_with_any_seed(lab):
    guess(lab)
    assert "You said" in lab.press()
    lab.named["seed"].value = 5
    assert "You said" in lab.press()
    lab.named["steps"].value = 50
    lab.named["When?"].value = None
    note = lab.press()  # another experiment: neither asked nor judged
    assert "Trained for 50 steps" in note and "You said" not in note


def test_words_are_escaped(lab):
    guess(lab)
    note = lab.press()
    assert "<b>" not in note and "<sooner>" not in note and html.escape("<sooner>") in note


def test_a_refusal_gives_the_reason(lab, updates):
    guess(lab)
    lab.named["waves"].value = "1, 9"
    lab.press()
    assert "waves are whole numbers from 1 to 5" in lab.picture.value and "cannot tell them apart" in lab.picture.value
    assert updates.count == 0


def test_an_error_is_shown_as_text(lab, updates):
    def fails():
        raise MemoryError("step <3>")

    guess(lab)
    updates.at_each = fails
    lab.press()
    assert lab.picture.value == "MemoryError: step &lt;3&gt;"


def test_on_colab_a_lab_trains_within_the_click(lab, monkeypatch):
    """Updates from a thread do not arrive there."""
    guess(lab)
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread"))
    assert "Trained for 40 steps" in lab.press()


def test_a_thread_has_the_context_of_its_click(lab, updates):
    """ipykernel 7.0 keeps in it the cell to which an output belongs."""

    cell, seen = contextvars.ContextVar("cell"), []
    updates.at_each = lambda: seen.append(cell.get(None))
    guess(lab)
    cell.set("7")
    lab.press()
    assert set(seen) == {"7"}
