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

import fpbook.lab as labs
from fpbook.lab import experiment, kernel

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


@pytest.fixture
def trained(monkeypatch):
    """The declarations that were trained, without a progress bar."""
    ran, run = [], experiment.run

    def counted(declared, progress=None):
        ran.append(declared)
        return run(declared, progress or iter)

    monkeypatch.setattr(experiment, "run", counted)
    return ran


@pytest.fixture
def lab(monkeypatch, trained):
    kept = []
    monkeypatch.delenv("FPBOOK_BUILD", raising=False)
    monkeypatch.setattr(kernel, "display", kept.append)
    labs.lab(**LAB)
    return Shown(kept[0])


def guess(lab, answer="<sooner>"):
    lab.named["When?"].value = answer


def test_a_lab_trains_and_shows_its_figure(lab):
    guess(lab)
    lab.press()
    assert (
        'src="data:image/png;base64' in lab.picture.value
        and "error&quot;&gt;&lt;b&gt; against step" in lab.picture.value
    )
    assert plt.get_fignums() == []


def test_a_lab_asks_first(lab, trained):
    assert "First guess what will happen" in lab.press() and trained == []


def test_the_run_to_compare_with_is_trained_once(lab, trained):
    guess(lab)
    lab.press()
    lab.press()
    assert [one["training"]["steps"] for one in trained] == [20, 40, 40]


def test_a_lab_can_be_stopped_and_trains_again(lab, trained):
    guess(lab)
    lab.press()
    lab.named["steps"].value = 10**6
    note = lab.press(lab.stop.click)
    assert int(re.search(r"Stopped at step ([\d,]+)", note)[1].replace(",", "")) < 10**6
    lab.named["steps"].value = 40
    assert "Trained for 40 steps" in lab.press()


def test_a_comparison_that_was_stopped_is_not_kept(lab, monkeypatch, trained):
    guess(lab)
    run, answers = experiment.run, iter(["stopped", "long", "long"])
    monkeypatch.setattr(experiment, "run", lambda declared, progress: run(declared, iter) | {"done": next(answers)})
    assert "Stopped before" in lab.press() and "<img" not in lab.picture.value
    assert "Trained for 40 steps" in lab.press()
    assert [one["training"]["steps"] for one in trained] == [20, 20, 40]


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


def test_a_refusal_gives_the_reason(lab, trained):
    guess(lab)
    lab.named["waves"].value = "1, 9"
    lab.press()
    assert "waves are whole numbers from 1 to 5" in lab.picture.value and "cannot tell them apart" in lab.picture.value
    assert trained == []


def test_an_error_is_shown_as_text(lab, monkeypatch):
    def fails(*_):
        raise FloatingPointError("step <3>")

    guess(lab)
    monkeypatch.setattr(experiment, "run", fails)
    lab.press()
    assert lab.picture.value == "FloatingPointError: step &lt;3&gt;"


def test_on_colab_a_lab_trains_within_the_click(lab, monkeypatch):
    """Updates from a thread do not arrive there."""
    guess(lab)
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread"))
    assert "Trained for 40 steps" in lab.press()


def test_a_thread_has_the_context_of_its_click(lab, monkeypatch):
    """ipykernel 7.0 keeps in it the cell to which an output belongs."""

    cell, seen = contextvars.ContextVar("cell"), []
    run = experiment.run
    monkeypatch.setattr(experiment, "run", lambda *given: seen.append(cell.get(None)) or run(*given))
    guess(lab)
    cell.set("7")
    lab.press()
    assert set(seen) == {"7"}
