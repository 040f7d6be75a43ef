"""What a lab declares: completed, checked, changed by its controls."""

import difflib
import json
import math
from collections.abc import Collection, Iterable
from typing import Any

from matplotlib.colors import to_hex

from fpbook.lab import experiment
from fpbook.lab.messages import measures_in, say
from fpbook.networks import ACTIVATIONS
from fpbook.plotting import COLORS

Declared = dict[str, Any]
KEYS = {
    "data": {
        *("points", "low", "high", "shift", "anywhere", "noise", "round", "held", "fine"),
        *("sines", "cosines", "halves", "drawn", "cube", "degree", "seen", "rod"),
    },
    "network": {
        *(
            "hidden",
            "width",
            "depth",
            "activation",
            "a",
            "antisymmetric",
            "start",
            "std",
            "gain",
            "factor",
            "seed",
            "kink",
        ),
    },
    "training": {"name", "lr", "momentum", "steps", "stop", "weight", "loss"},
    "watch": {"series", "threshold", "ylim", "ylabel", "log", "names", "colors", "bars", "compare", "heat"},
    "control": {"label", "low", "high", "step", "options", "frequencies", "why"},
    "question": {"ask", "answers", "by", "edges"},
}
NEEDED = {"network": {"activation"}, "training": {"lr", "steps"}, "watch": {"series"}}
NEEDED["question"] = KEYS["question"]
SERIES = {  # what a reader calls the quantities that can be watched
    "training": "at the training points",
    "between": "between the points",
    "left": "left half",
    "right": "right half",
    "held": "at held-out points",
    "seen": "seen corners",
    "unseen": "unseen corners",
    "exact": "from the exact solution",
    "modified": "from the modified solution",
}
VALUES = {
    "network.activation": {*ACTIVATIONS, "ricker"},
    "network.start": {"default", "normal", "xavier"},
    "training.name": set(experiment.OPTIMIZERS),
    "training.loss": set(experiment.ROD_LOSSES),
}
# Of the frequencies 0, 1, 2, ...; 1, 3 and 5 are the book's low, middle and high.
FREQUENCY_COLORS = [
    *(COLORS["easy"], COLORS["low"], "#7a5cc0", COLORS["middle"], COLORS["hard"], COLORS["high"], "#7f0000"),
    *("#332288", "#999933", "#44aa99", "#882255", "#6f4e37", "#5b7a1f"),
]
SERIES_COLORS = {"held": "test", "between": "output", "left": "hard", "right": "easy", "seen": "training"}
SERIES_COLORS |= {"unseen": "test", "training": "training", "exact": "target", "modified": "points"}


def complete(
    parts: Declared, choose: dict[str, Declared], question: Declared | None, says: str, recorded: Iterable[str] = ()
) -> Declared:
    """A declaration with names, colours and the control of the seed filled in; ValueError if it contradicts itself."""
    for part in ("data", "network", "training", "watch"):
        _check_part(part, parts[part])
    _check_values(parts)
    names = experiment.names(parts)
    labels, colors = parts["watch"].get("names", {}), parts["watch"].get("colors", {})
    given = {"label": "seed", "low": 0, "high": 2**32 - 1, "step": 1}
    watch = {"log": "xy", "ylim": [1e-3, 3], "threshold": None, "bars": 20} | parts["watch"]
    watch["names"] = {name: labels.get(name, SERIES.get(name, name)) for name in names}
    watch["colors"] = {name: to_hex(colors.get(name, _color(name))) for name in [*names, "output"]}
    declared = parts | {"watch": watch, "choose": choose | {"network.seed": given}, "says": says}
    declared["question"] = question
    declared["order"] = list(declared["choose"])  # a notebook stores its keys sorted
    for path, control in declared["choose"].items():
        _check_path(declared, path)
        refuse_unknown(f"of the control {path}", control, KEYS["control"])
        check(declared, path, value_at(declared, path))
    refuse_unknown("of what is recorded", recorded, declared["choose"])
    _check_question(declared)
    plain: Declared = json.loads(json.dumps(declared, allow_nan=False))  # keys are text, as in a page
    return plain


def _color(name: str) -> str:
    if name.startswith("k = "):
        return FREQUENCY_COLORS[int(name[4:]) % len(FREQUENCY_COLORS)]
    return COLORS[SERIES_COLORS.get(name, "output")]


def refuse_unknown(where: str, given: Iterable[str], known: Collection[str]) -> None:
    """ValueError for the first name that is not known, with the one that is nearest to it."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise ValueError(f"unknown key {name!r} {where}; {hint}")


def _check_part(part: str, given: Declared) -> None:
    """Keys of one part of a declaration: all known, and all there that it needs."""
    refuse_unknown(f"of {part}", given, KEYS[part])
    if missing := NEEDED.get(part, set()) - set(given):
        raise ValueError(f"{part} does not say {', '.join(sorted(missing))}")


def _check_values(parts: Declared) -> None:
    for path, known in VALUES.items():
        part, name = path.split(".")
        if name in parts[part] and parts[part][name] not in known:
            refuse_unknown(f"as {path}", [parts[part][name]], known)
    data, network, training = parts["data"], parts["network"], parts["training"]
    kind = {"cube", "degree", "seen"} if "cube" in data else {"points", "low", "high"}
    if "rod" in data:
        kind = {"rod"}
        if network["activation"] != "tanh" or network.get("antisymmetric"):
            raise ValueError("the network on the rod has the activation tanh, and is one network")
    if ("rod" in data) != ("loss" in training) or ("kink" in network and "rod" not in data):
        raise ValueError("on the rod training says its loss; loss and kink belong to the rod")
    if missing := kind - set(data):
        raise ValueError(f"data do not say {', '.join(sorted(missing))}")
    if not ("hidden" in network or {"width", "depth"} <= set(network)):
        raise ValueError("network says neither hidden nor width and depth")
    if network.get("start") == "normal" and "std" not in network:
        raise ValueError("a network that starts from normal weights says their std")
    if network["activation"] == "ricker" and "a" not in network:
        raise ValueError("a network with the Ricker activation says its a")
    if training.get("momentum") and training.get("name", "adam") != "sgd":
        raise ValueError("momentum is an option of sgd")
    for name in parts["watch"]["series"]:
        if not name.startswith("k = "):
            refuse_unknown("in watch.series", [name], {*SERIES, "frequencies"})
    on_cube = {"seen", "unseen"} & set(parts["watch"]["series"])
    if bool(on_cube) != ("cube" in data):
        raise ValueError("seen and unseen corners are watched on the cube, and only they")
    on_rod = set(experiment.SOLUTIONS) & set(parts["watch"]["series"])
    if bool(on_rod) != ("rod" in data):
        raise ValueError("distances from both solutions are watched on the rod, and only they")
    if {"cube", "rod"} & set(data) and parts["watch"].get("heat"):
        raise ValueError("a heat map is of frequencies on the line")


def _check_path(declared: Declared, path: str) -> None:
    part, *name = path.split(".")
    refuse_unknown(f"in the control {path}", [part], {"data", "network", "training"})
    if name:
        refuse_unknown(f"in the control {path}", name, KEYS[part])


def _check_question(declared: Declared) -> None:
    question = declared["question"]
    named = measures_in(declared["says"].replace("{each}", ""))
    if question:
        refuse_unknown("of the question", question, KEYS["question"])
        if missing := NEEDED["question"] - set(question):
            raise ValueError(f"the question does not say {', '.join(sorted(missing))}")
        if len(question["answers"]) != len(question["edges"]) + 1:
            raise ValueError("a question has one edge between each two answers")
        named += question["by"]
    for text in named:
        kind, _, name = text.removeprefix("recorded ").partition(":")
        refuse_unknown(f"as a measure ({text!r})", [kind], experiment.MEASURES)
        if name and not name.startswith("k = "):
            refuse_unknown(f"in the measure {text!r}", [name], SERIES)


def with_choice(declared: Declared, values: Declared) -> Declared:
    """The declaration with other values of its controls, each checked; names and colours follow."""
    for path, value in values.items():
        check(declared, path, value)
    changed = experiment.with_values(declared, values)
    parts = {part: changed[part] for part in ("data", "network", "training", "watch")}
    return complete(parts, {}, declared["question"], declared["says"])


def value_at(declared: Declared, path: str) -> Any:
    """The present value of a control: an entry of the declaration; for several entries, the option they agree with."""
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
    if problem := _find_problem(declared["choose"][path], value):
        raise ValueError(problem)
    return value


def _find_problem(control: Declared, value: Any) -> str:
    """Why a control refuses a value, in the words of the pages (findProblem in controls.js); "" if it does not."""
    low: Any = control.get("low")
    high: Any = control.get("high")
    because = say("because", why=control["why"]) if "why" in control else ""
    if "options" in control:
        known = value in control["options"].values()
        return "" if known else say("one of", **control | {"options": ", ".join(control["options"])})
    if control.get("frequencies"):
        sizes = value.items() if isinstance(value, dict) else ()
        whole = bool(sizes) and all(str(k).isdecimal() and abs(size) <= 10 for k, size in sizes)
        if whole and all(low <= int(k) <= high for k, _ in sizes):
            return ""
        too_high = whole and any(int(k) > high for k, _ in sizes)
        return say("frequencies", **control) + (because if too_high else "")
    if low is None:
        return "" if isinstance(value, bool) else say("switch", **control)
    whole = isinstance(control["step"], int)
    if isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high:
        if not whole or value == int(value):
            return ""
    return say("whole" if whole else "number", **control) + because
