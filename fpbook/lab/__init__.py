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
    r"""An experiment that the reader changes and trains: in a live kernel with PyTorch, in the page with its script.

    While the book is built the declared run is trained once. It stands in the page before anything is pressed, and its
    picture stays where scripts are off and in print. A page and a kernel have the same defaults, limits and messages,
    and from the same seed the same weights, noise and subsets.

    Parameters
    ----------
    data : dict
        On the line ``points``, ``low``, ``high``; optionally ``shift`` (0.5: midpoints), ``anywhere`` (points drawn at
        random), ``noise`` (standard deviation), ``round`` (labels rounded to its multiples), ``held`` (number of
        held-out points), ``fine`` (points at which the output is drawn, 201). The target is a sum of ``sines`` and
        ``cosines``, {k: size}, ``halves`` (frequency for x <= 0 and x > 0) and ``drawn`` (values on a grid). On the
        cube: ``cube`` (its dimension), ``degree`` (coordinates that are multiplied), ``seen`` (corners). On the rod of
        `fpbook.pde`: ``rod`` (points).
    network : dict
        ``hidden`` (widths), or ``width`` and ``depth``; ``activation`` (name, or "ricker" with ``a``);
        ``antisymmetric``; ``start`` ("default", "normal" with ``std``, "xavier" with ``gain``) and ``factor`` of
        the weights; ``seed``; on the rod ``kink``, to give the network \|x\| as well.
    training : dict
        ``name`` ("adam", "sgd"), ``lr``, ``momentum``, ``steps``, ``stop`` (loss), ``weight`` (of points with x <= 0);
        on the rod ``loss`` ("strong form" or "energy").
    watch : dict
        ``series``: "frequencies" for the relative error at each peak of the target, "training", "between", "left",
        "right", "held" for mean squared errors, "seen", "unseen" for shares of right signs, "exact", "modified" for
        the largest distance from a solution; ``threshold``; ``ylim``,
        ``ylabel`` and ``log`` of their axes; ``names`` and ``colors`` for them, and ``colors`` for the "output", where
        they are not those of the book; ``bars``, the largest frequency of the spectrum; ``compare``, to lay runs over
        one another although their data differ; ``heat``, for a heat map of frequency over
        step in the page.
    choose : dict of path -> dict
        The controls: "network.a" is an entry of the declaration, "network" several. With ``label`` and either ``low``,
        ``high``, ``step`` (number), ``options`` (name -> value), ``frequencies`` (a list of whole numbers in ``low`` to
        ``high``) or nothing (switch); ``why`` is the reason that is given when a value is refused.
    question : dict
        ``ask``, ``answers``, and what decides between them: ``by``, one measure or two of which the ratio counts (see
        `experiment.measure`), and ``edges`` between the answers.
    says : str
        What is said at the end, with measures in braces: "fitted at step {t:k = 1}", as a share "{%end:unseen}";
        "{each}" names all frequencies with their steps.
    recorded : dict of path -> value, optional
        Values of controls in the recorded run, where it is not the declared one: what the reader's run is laid over.

    Raises
    ------
    ValueError
        If a key or a value is unknown, with the nearest one that is known; if something needed is missing, a path does
        not exist, or a declared value is outside its control's limits.

    Notes
    -----
    In a kernel, training runs in a thread, because a kernel that is busy does not hear the button; on Colab, where
    updates from a thread do not arrive, it runs at once, and there is no Stop. Uses what ipywidgets 7.7.1 (Colab) and 8
    share.
    """
    parts = {"data": data, "network": {"seed": 0} | network, "training": training, "watch": watch}
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
