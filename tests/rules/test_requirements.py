"""The pins: `requirements.txt` names every direct dependency, `requirements.lock` what those bring in.

Each exactly once.
"""

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][^\s;]*)$", re.MULTILINE)
FREE = {"pip", "fpbook"}
GPU = re.compile(r"^(nvidia|cuda|triton)")  # they follow the wheel of PyTorch, which differs between machines


def name_of(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file):
    return {name_of(name): version for name, version in PIN.findall((ROOT / file).read_text())}


def brought_in(names):
    """Every package that the named ones need here, directly or through one another."""
    found, todo = set(), [(name, ()) for name in names]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for line in metadata.requires(name) or []:
            need = Requirement(line)
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                todo.append((name_of(need.name), tuple(sorted(need.extras))))
    return {name for name, _ in found}


def test_the_constraints_are_named_in_the_first_line():
    asked = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert re.fullmatch(r"(-c|--constraint)[ =]requirements\.lock", asked[0])


def test_the_lock_holds_exact_pins_and_nothing_else():
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not PIN.fullmatch(line)] == []  # no hashes, no addresses
    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(names) and len(names) == len(set(names))


def test_direct_pins_and_lock_agree_and_leave_nothing_free():
    direct, lock = pins("requirements.txt"), pins("requirements.lock")
    assert set(direct) & set(lock) == set()
    needed = {name for name in brought_in(direct) if not GPU.search(name)} - FREE
    assert needed - set(direct) - set(lock) == set(), "add what is missing to requirements.lock"
    assert [name for name in lock if GPU.search(name)] == []


def test_the_pins_are_what_is_installed():
    """So that what the tests say holds for the pins."""
    listed = pins("requirements.txt") | pins("requirements.lock")
    installed = {name_of(d.metadata["Name"]): d.version.partition("+")[0] for d in metadata.distributions()}
    assert {name: installed.get(name) for name in listed if installed.get(name) not in (None, listed[name])} == {}
    assert [name for name in pins("requirements.txt") if name not in installed] == []
