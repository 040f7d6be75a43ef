"""What a lab declares: completed, checked, changed by its controls."""

import difflib
import json
import math
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from matplotlib.colors import is_color_like, to_hex

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
NEEDED = {"network": {"activation"}, "training": {"lr", "steps"}, "watch": {"series"}, "control": {"label"}}
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
    "network.activation": [*ACTIVATIONS, "ricker"],
    "network.start": ["default", "normal", "xavier"],
    "training.name": [*experiment.OPTIMIZERS],
    "training.loss": [*experiment.ROD_LOSSES],
    "watch.log": ["", "x", "y", "xy"],
}


def _number(low: float = -math.inf) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) and v >= low


def _whole(low: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int) and _number(low)(v)


def _list_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, (list, tuple)) and all(map(kind, v))


def _dict_of(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, dict) and all(map(kind, v.values()))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _increasing(values: Any) -> bool:
    return _list_of(_number())(values) and all(a < b for a, b in zip(values, values[1:]))


KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {  # what an entry is, in words: its test, and all such entries
    "a whole number from 0 on": (_whole(0), "data.held network.seed training.steps watch.bars"),
    "a whole number from 1 on": (
        _whole(1), "data.points data.cube data.degree data.seen data.rod network.width network.depth"),
    "a whole number from 2 on": (_whole(2), "data.fine"),
    "a number": (_number(), "data.low data.high data.shift network.factor control.low control.high"),
    "a number from 0 on": (_number(0), "data.noise data.round training.momentum training.weight"),
    "a positive number": (
        lambda v: _number(0)(v) and v > 0, "network.a network.std network.gain training.lr control.step"),
    "a number or None": (lambda v: v is None or _number()(v), "training.stop watch.threshold"),
    "True or False": (
        lambda v: isinstance(v, bool),
        "data.anywhere network.antisymmetric network.kink watch.compare watch.heat control.frequencies"),
    "text": (_text, "watch.ylabel control.label control.why question.ask"),
    "a list of numbers": (lambda v: _list_of(_number())(v) and len(v) > 0, "data.drawn"),
    "a list of two numbers": (lambda v: _list_of(_number())(v) and len(v) == 2, "data.halves"),
    "a list of two numbers that increase": (lambda v: _increasing(v) and len(v) == 2, "watch.ylim"),
    "a list of numbers that increase": (_increasing, "question.edges"),
    "a list of whole numbers from 1 on": (_list_of(_whole(1)), "network.hidden"),
    "a list of texts": (_list_of(_text), "watch.series question.answers"),
    "a list of one measure or two": (lambda v: _list_of(_text)(v) and len(v) in (1, 2), "question.by"),
    "a dictionary of whole numbers k and sizes": (
        lambda v: _dict_of(_number())(v) and all(str(k).isdecimal() for k in v), "data.sines data.cosines"),
    "a dictionary of names": (_dict_of(_text), "watch.names"),
    "a dictionary of colours": (_dict_of(is_color_like), "watch.colors"),
    "a dictionary of names and values": (_dict_of(lambda v: True), "control.options"),
}  # fmt: skip
KIND_OF = {path: (words, right) for words, (right, paths) in KINDS.items() for path in paths.split()}
FREQUENCY = re.compile(r"k = \d+")
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
    _check_parts(parts)
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
        _check_control(declared, path, control)
    refuse_unknown("of what is recorded", recorded, declared["choose"])
    _check_question(declared)
    plain: Declared = json.loads(json.dumps(declared, allow_nan=False))  # keys are text, as in a page
    return plain


def _color(name: str) -> str:
    if name.startswith("k = "):
        return FREQUENCY_COLORS[int(name[4:]) % len(FREQUENCY_COLORS)]
    return COLORS[SERIES_COLORS.get(name, "output")]


def refuse_unknown(where: str, given: Iterable[Any], known: Collection[str]) -> None:
    """ValueError for the first name that is not known, with the one that is nearest to it."""
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(filter(None, known)))}"
            raise ValueError(f"unknown key {name!r} {where}; {hint}")


def _check_entries(part: str, given: Any, where: str) -> None:
    """Entries of one part of a declaration: all known, all there that it needs, and each of its kind."""
    if not isinstance(given, dict):
        raise ValueError(f"{where} is a dictionary of entries, not {given!r}")
    refuse_unknown(f"of {where}", given, KEYS[part])
    if missing := NEEDED.get(part, set()) - set(given):
        raise ValueError(f"{where} does not say {', '.join(sorted(missing))}")
    for name, value in given.items():
        path = f"{part}.{name}"
        if path in VALUES:
            refuse_unknown(f"as {path}", [value], VALUES[path])
        elif not (kind := KIND_OF[path])[1](value):
            raise ValueError(f"{name} of {where} is {kind[0]}, not {value!r}")


def _check_parts(parts: Declared) -> None:
    """All entries of the four parts of an experiment, and whether they fit together."""
    for part in ("data", "network", "training", "watch"):
        _check_entries(part, parts[part], part)
    _check_data(parts)
    _check_network(parts)
    _check_watch(parts)


def _check_data(parts: Declared) -> None:
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
    if "low" in kind and data["low"] >= data["high"]:
        raise ValueError(f"low of data is below high, and {data['low']} is not below {data['high']}")
    if "cube" in kind and (data["degree"] > data["cube"] or data["seen"] > 2 ** data["cube"]):
        raise ValueError(
            f"a cube of dimension {data['cube']} has {2 ** data['cube']} corners: degree {data['degree']} or "
            f"{data['seen']} seen corners are too many"
        )


def _check_network(parts: Declared) -> None:
    network, training = parts["network"], parts["training"]
    if not (network.get("hidden") is not None or {"width", "depth"} <= set(network)):
        raise ValueError("network says neither hidden nor width and depth")
    if network.get("start") == "normal" and "std" not in network:
        raise ValueError("a network that starts from normal weights says their std")
    if network["activation"] == "ricker" and "a" not in network:
        raise ValueError("a network with the Ricker activation says its a")
    if training.get("momentum") and training.get("name", "adam") != "sgd":
        raise ValueError("momentum is an option of sgd")


def _check_watch(parts: Declared) -> None:
    data, watch = parts["data"], parts["watch"]
    series = {"k = " if FREQUENCY.fullmatch(name) else name for name in watch["series"]}
    refuse_unknown("in watch.series", sorted(series - {"k = "}), [*SERIES, "frequencies"])
    if bool({"seen", "unseen"} & series) != ("cube" in data):
        raise ValueError("seen and unseen corners are watched on the cube, and only they")
    if bool(set(experiment.SOLUTIONS) & series) != ("rod" in data):
        raise ValueError("distances from both solutions are watched on the rod, and only they")
    if {"cube", "rod"} & set(data) and watch.get("heat"):
        raise ValueError("a heat map is of frequencies on the line")
    if "held" in series and not data.get("held"):
        raise ValueError("watch.series has held-out points, and data do not say how many are held")
    if {"k = ", "frequencies"} & series and watch.get("threshold") is None:
        raise ValueError("watch.series has frequencies, and watch does not say the threshold that they are to reach")
    for entry, more in (("names", []), ("colors", ["output"])):
        given = [name for name in watch.get(entry, {}) if not FREQUENCY.fullmatch(name)]
        refuse_unknown(f"in watch.{entry}", given, [*SERIES, *more])


def _check_control(declared: Declared, path: str, control: Any) -> None:
    """A control: of something that there is, of one kind, with the declared value among those it allows."""
    _check_path(declared, path)
    _check_entries("control", control, f"the control {path}")
    number = {"low", "high", "step"}
    need = number - {"step"} if control.get("frequencies") else number if number & set(control) else set()
    if "options" not in control and (missing := need - set(control)):
        raise ValueError(f"the control {path} does not say {', '.join(sorted(missing))}")
    several = "." not in path
    if several and not all(isinstance(value, dict) for value in control.get("options", {"": 0}).values()):
        raise ValueError(f"the control {path} changes several entries, so it needs options that are dictionaries")
    check(declared, path, value_at(declared, path))
    for value in _ends(control):
        try:
            _check_parts(experiment.with_values(declared, {path: value}))
        except ValueError as error:
            raise ValueError(f"the control {path} allows {value!r}, but {error}") from error


def _ends(control: Declared) -> list[Any]:
    """Values of a control beyond which it allows none, or all of them if they are few."""
    if "options" in control:
        return list(control["options"].values())
    if control.get("frequencies"):
        return []
    return [control["low"], control["high"]] if "low" in control else [True, False]


def _check_path(declared: Declared, path: str) -> None:
    part, *name = path.split(".")
    refuse_unknown(f"in the control {path}", [part], {"data", "network", "training"})
    if name:
        refuse_unknown(f"in the control {path}", name, KEYS[part])


def _check_question(declared: Declared) -> None:
    question = declared["question"]
    named = measures_in(declared["says"].replace("{each}", ""))
    if question:
        _check_entries("question", question, "the question")
        if len(question["answers"]) != len(question["edges"]) + 1:
            raise ValueError("a question has one edge between each two answers")
        named += question["by"]
    for text in named:
        kind, _, name = text.removeprefix("recorded ").partition(":")
        refuse_unknown(f"as a measure ({text!r})", [kind], experiment.MEASURES)
        if not FREQUENCY.fullmatch(name) and (name or kind != "steps"):
            refuse_unknown(f"in the measure {text!r}", [name], SERIES)
        if kind in ("t", "first", "back") and declared["watch"]["threshold"] is None:
            raise ValueError(f"the measure {text!r} needs a threshold, and watch does not say it")


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
