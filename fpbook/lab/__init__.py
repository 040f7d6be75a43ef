"""Labs: an experiment declared once, for a live kernel and for the built page."""

import base64
import io
import os
from typing import Any

from IPython.display import display

from fpbook.lab import experiment
from fpbook.lab.kernel import live
from fpbook.lab.messages import picture, words
from fpbook.lab.spec import Declared, complete, with_choice

LAB = "application/vnd.fpbook.lab+json"  # the mime type under which the built book finds the data of a lab


def lab(
    *,
    data: Declared,
    network: Declared,
    training: Declared,
    watch: Declared,
    choose: dict[str, Declared] | None = None,
    question: Declared | None = None,
    says: str = "",
    recorded: Declared | None = None,
) -> None:
    r"""An experiment that the reader changes and trains, in a live kernel with PyTorch and in the page with a script.

    While the book is built, one run is trained and recorded. The page shows it dashed, for comparison. If the recorded
    run has the reader's starting settings, it is hidden until the reader has trained, because it would give the answer
    away. In print and where scripts are off, its picture stands in the page.

    A page and a kernel have the same defaults, limits and messages. From the same seed they also have the same weights,
    noise and subsets.

    Parameters
    ----------
    data : dict
        Data of one of three kinds:

        - On the line: ``points`` (their number), ``low`` and ``high`` (the interval). The target is the sum of those of
          the following that are given: ``sines`` and ``cosines`` ({k: size}), ``halves`` (frequency of a sine for x <=
          0, and for x > 0), ``drawn`` (values on a grid). Optional are ``shift`` (by what part of the spacing the first
          point lies above ``low``; 0.5 by default), ``anywhere`` (points drawn at random), ``noise`` (standard
          deviation), ``round`` (labels are rounded to its multiples), ``held`` (number of held-out points) and ``fine``
          (number of points at which the output is drawn, 201 by default).
        - On the cube: ``cube`` (its dimension), ``degree`` (number of coordinates that are multiplied to give the
          target), ``seen`` (number of corners in the training set).
        - On the rod of `fpbook.pde`: ``rod`` (number of points).
    network : dict
        The layers are ``hidden`` (list of widths), or ``width`` and ``depth``. ``activation`` is a name that
        `fpbook.networks.MLP` knows, or "ricker" with its scale ``a``. Optional are ``antisymmetric`` (whether the
        output starts at zero), ``start`` ("default", "normal" with ``std``, or "xavier" with ``gain``), ``factor`` (by
        which the initial weights are multiplied), ``seed``, and on the rod ``kink`` (whether \|x\| is a second input).
    training : dict
        ``lr`` and ``steps``. Optional are ``name`` ("adam", the default, or "sgd"), ``momentum`` (of sgd), ``stop``
        (loss below which training ends) and ``weight`` (of points with x <= 0 in the loss, relative to the others). The
        rod needs ``loss`` ("strong form" or "energy").
    watch : dict
        What is measured and drawn:

        - ``series``, a list. "frequencies" is the relative error at each peak of the target, "k = 3" that at one
          frequency. "training", "between", "left", "right" and "held" are mean squared errors: at the training points,
          between them, in the left and in the right half, and at held-out points. "seen" and "unseen" are shares of
          right signs at the corners of the cube. "exact" and "modified" are the largest distances from these solutions
          on the rod.
        - ``threshold``, the level that a series shall reach. Frequencies need one, and so do the measures "t:",
          "first:" and "back:" below.
        - ``ylim`` and ``ylabel`` of the axes on which the series are drawn. ``log`` says which of these are
          logarithmic: "xy" (the default), "x", "y" or "".
        - ``names`` and ``colors`` of the series, and the colour of "output", where they are not those of the book.
        - ``bars``, the largest frequency of the spectrum that is drawn.
        - ``compare``, whether runs are laid over one another although their data differ.
        - ``heat``, whether the page also has a heat map of the error over step and frequency.
    choose : dict of path -> dict
        The controls that the reader has. One for the seed is always added. A path names what a control changes:
        "network.a" is the entry ``a`` of `network`, and "network" stands for several of its entries at once. Each
        control has a ``label``, and what kind it is depends on its other keys:

        - ``low``, ``high`` and ``step``: a number.
        - ``options``, name -> value: a choice.
        - ``frequencies`` (true), ``low`` and ``high``: a list of whole numbers.
        - none of these: a switch.

        ``why`` is the reason that is given when a value is refused.
    question : dict
        What the reader guesses before training: ``ask`` (the question) and ``answers`` (a list). ``by`` is a list with
        the measure that decides which answer is right (see the notes). With two measures their ratio decides, the first
        over the second. ``edges`` are the values, in increasing order, at which one answer gives way to the next.
    says : str
        What is said after a run, with measures in braces (see the notes). For example, "fitted at step {t:k = 1}", or
        as a percentage "{%end:unseen}". "{each}" names all frequencies with their steps.
    recorded : dict of path -> value, optional
        Values of controls in the recorded run that differ from the declared ones. Without them, the recorded run is the
        declared one. The reader's runs are compared with the recorded run.

    Raises
    ------
    ValueError
        If a key or a value is unknown; the message names the nearest one that is known. Also if something needed is
        missing, a path does not exist, or a declared value is outside the limits of its control.

    Notes
    -----
    A measure is a number of a run. For a series NAME, "t:NAME" is the step from which it stays below the threshold,
    "first:NAME" the first step at which it is below it, "back:NAME" the first step after that at which it is not
    (infinity if there is none), "end:NAME" its last value, "low:NAME" its smallest value, and "best:NAME" the step of
    that value. "steps" is the number of steps taken, infinity if the loss did not fall below ``stop``. For a measure of
    the recorded run, write "recorded " before it, as in "recorded t:k = 1".

    In a kernel, training runs in a thread, because otherwise the kernel would not hear the Stop button. On Colab the
    updates from a thread are lost. Training therefore runs without a thread there, and cannot be stopped. The lab uses
    only what ipywidgets 7.7.1 (the version on Colab) has in common with version 8.
    """
    network = {"seed": 0, **network} if isinstance(network, dict) else network
    parts = {"data": data, "network": network, "training": training, "watch": watch}
    for name, given in (("choose", choose), ("recorded", recorded), ("question", question)):
        if not isinstance(given or {}, dict):
            raise ValueError(f"{name} is a dictionary, not {given!r}")
    if not isinstance(says, str):
        raise ValueError(f"says is a text, not {says!r}")
    declared = complete(parts, choose or {}, question, says, recorded or {})
    if os.environ.get("FPBOOK_BUILD") == "1":
        display(_bundle(declared, recorded or {}), raw=True)
    else:
        live(declared, recorded or {})


def _bundle(declared: Declared, values: Declared) -> dict[str, Any]:
    """What a cell leaves for the page: the declaration with the recorded run, its picture, a line of text."""
    png = io.BytesIO()
    changed = with_choice(declared, values)
    recorded = experiment.run(changed)
    picture(changed, recorded).savefig(png, dpi=160)
    rows = [
        [int(step), *(float(f"{v:.4g}") for v in values)]
        for step, *values in zip(recorded["step"], *recorded["series"].values())
    ]
    last = {name: [float(f"{v:.4g}") for v in recorded[name]] for name in ("h", "at")}
    last["bars"] = [float(f"{v:.4g}") for v in experiment.bars(declared, recorded)]
    return {
        LAB: declared | {"recorded": {"rows": rows, "done": recorded["done"], "values": values} | last},
        "image/png": base64.b64encode(png.getvalue()).decode(),
        "text/plain": words(changed, recorded),
    }
