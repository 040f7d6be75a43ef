"""Labs in a live kernel: they train, stop, refuse, and are one line while the book is built."""

import re
import threading
from functools import partial

import ipywidgets
import matplotlib.pyplot as plt
import pytest
import torch

import fpbook.lab as labs
from fpbook.lab import kernel
from fpbook.training import train


def click(lab_run, monkeypatch, meanwhile=lambda box: None, **controls):
    """Press "Train" of a lab outside a notebook, and wait for it; returns its box of widgets."""
    shown = []
    monkeypatch.delenv("FPBOOK_BUILD", raising=False)
    monkeypatch.setattr(kernel, "display", shown.append)
    before = set(threading.enumerate())
    labs.lab(lab_run, **controls)
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
    history = train(
        torch.nn.Linear(1, 1), lambda net: (net.weight**2).sum(), steps=steps, optimizer=sgd, progress=progress
    )
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
    box = click(
        trained_steps,
        monkeypatch,
        lambda box: box.children[-2].children[1].click(),
        steps=ipywidgets.IntText(value=10**7),
    )
    assert 1 <= int(re.search(r"loss &lt;(\d+)&gt;", box.children[-1].value)[1]) < 10**6


@pytest.mark.parametrize(
    "error, message",
    [
        (ValueError("a <= 1"), "Please choose again: a &lt;= 1"),
        (FloatingPointError("step 3"), "FloatingPointError: step 3"),
    ],
)
def test_a_lab_shows_an_error_as_text(monkeypatch, error, message):
    def fails(progress, a):
        raise error

    assert click(fails, monkeypatch, a=ipywidgets.IntText()).children[-1].value == message


def test_a_lab_is_one_line_while_the_book_is_built(monkeypatch, capsys):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    labs.lab(lambda progress, steps: 1 / 0, steps=ipywidgets.IntText(value=3))
    assert capsys.readouterr().out.count("\n") == 1


def test_the_second_run_of_the_book_tries_its_labs(monkeypatch, capsys):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    monkeypatch.setenv("FPBOOK_TRY_LABS", "1")
    labs.lab(trained_steps, steps=ipywidgets.IntText(value=10**6))
    assert capsys.readouterr().out.count("\n") == 1 and plt.get_fignums() == []
    with pytest.raises(ZeroDivisionError):
        labs.lab(lambda progress, steps: 1 / 0, steps=ipywidgets.IntText(value=3))
