"""What a lab declares: completed, checked, changed by its controls."""

import json
import math
from typing import Any

from matplotlib.colors import to_hex

from fpbook.lab import experiment

CONTROL_KEYS = {"label", "low", "high", "step", "options", "frequencies", "why"}
SERIES = {  # what a reader calls the quantities that can be watched
    "training": "at the training points",
    "between": "between the points",
    "left": "left half",
    "right": "right half",
    "held": "at held-out points",
    "seen": "seen corners",
    "unseen": "unseen corners",
}
Declared = dict[str, Any]


def complete(parts: Declared, choose: dict[str, Declared], question: Declared | None, says: str) -> Declared:
    """A declaration with names, colours and the control of the seed filled in; ValueError if it contradicts itself."""
    names = experiment.names(parts)
    labels, colors = parts["watch"].get("names", {}), parts["watch"].get("colors", {})
    given = {"label": "seed", "low": 0, "high": 2**32 - 1, "step": 1}
    watch = {"log": "xy", "ylim": [1e-3, 3], "threshold": None, "bars": 20} | parts["watch"]
    watch["names"] = {name: labels.get(name, SERIES.get(name, name)) for name in names}
    watch["colors"] = {name: to_hex(colors.get(name, f"C{i % 7}")) for i, name in enumerate(names)}
    watch["colors"]["output"] = to_hex(colors.get("output", "C3"))
    declared = parts | {"watch": watch, "choose": choose | {"network.seed": given}, "says": says}
    declared["question"] = question
    for path, control in declared["choose"].items():
        if unknown := set(control) - CONTROL_KEYS:
            raise ValueError(f"unknown keys of the control {path}: {sorted(unknown)}")
        check(declared, path, value_at(declared, path))
    if question and len(question["answers"]) != len(question["edges"]) + 1:
        raise ValueError("a question has one edge between each two answers")
    plain: Declared = json.loads(json.dumps(declared, allow_nan=False))  # keys are text, as in a page
    return plain


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
    control = declared["choose"][path]
    low, high, why = control.get("low"), control.get("high"), control.get("why")
    reason = f": {why}" if why else ""
    if "options" in control:
        if value not in control["options"].values():
            raise ValueError(f"{control['label']} is one of {', '.join(control['options'])}")
    elif control.get("frequencies"):
        whole = bool(value) and all(str(k).isdecimal() for k in value)
        if not whole or not all(low <= int(k) <= high for k in value):
            raise ValueError(f"{control['label']} are whole numbers from {low} to {high}{reason if whole else ''}")
    elif low is not None:
        whole = isinstance(control["step"], int)
        if not (math.isfinite(value) and low <= value <= high) or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{control['label']} is {kind} from {low} to {high}{reason}")
    return value
