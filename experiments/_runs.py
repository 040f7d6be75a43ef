"""What the scripts of this folder share: options, cases, training that survives a kill, the record and its tiny run."""

import argparse
import datetime
import hashlib
import importlib
import io
import itertools
import json
import math
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from _cases import outcomes
from tqdm.auto import tqdm

from fpbook._files import replace
from fpbook.filtering import low_frequency_part, unit_distance
from fpbook.records import RECORDS, record, save_record, tiny_run
from fpbook.training import cross_entropy, minibatches, train

ROOT = Path(__file__).parents[1]
K0 = 2 ** (np.arange(29) / 4)  # cut-offs for features of unit mean squared distance, 1 to 128
TOLERANCE = 1e-5  # of two tiny runs; see `differences`


def run(name):
    """What a script does when it is called: its tiny run, its cases with the options of the command line, its record.

    A script is a module with

    OPTIONS : dict
        The options and their defaults; "seeds" and "device" among them.
    TINY : dict
        Those that make it a matter of seconds.
    AXES : dict
        The axes of each array of the record, ``{"h": "kind size seed corner"}``.
    case : function
        ``case(o, checkpoint, **settings)`` -> dict of arrays, the part of the work that no other part depends on.
    main : function
        ``main(o, each)`` -> dict of arrays. ``each(seed=..., depth=...)`` gives what the cases of all combinations
        gave, as arrays (seeds, depths, ...): see `Cases`.
    RECORD : str, optional
        Name of the record, with options in braces; without it that of the script.
    """
    script = importlib.import_module(name)
    asked = _command_line(script)
    engine = {key: asked.pop(key) for key in ("jobs", "dask", "first", "out")}
    title = getattr(script, "RECORD", name).format(**asked)
    small, tiny = tiny_arrays(script, asked)  # first, so that a script that cannot end says so within seconds
    o = SimpleNamespace(**asked, first=engine["first"])
    before = _earlier(title, asked, engine, small) if o.first else None
    folder = checkpoints(title, vars(o))
    each = Cases(script, o, folder, jobs=engine["jobs"], dask=engine["dask"])
    arrays = script.main(o, each)
    if before:
        arrays, each.seconds = _joined(before[0], arrays, script.AXES), each.seconds + before[1]["seconds"]
    about = _about(script, asked, each) | {"tiny": {"parameters": tiny, "code": {"commit": _commit()}}}
    save_record(title, arrays, about, axes=script.AXES, tiny=small, folder=Path(engine["out"]))
    shutil.rmtree(folder, ignore_errors=True)


class Cases:
    """The cases of one script: what they gave, how long they took, and where they ran.

    A case that has ended is a file, so that a killed run goes on with the others; one that trains by `fit` goes on from
    its last whole epoch. A case that fails ends none of the others.
    """

    def __init__(self, script: ModuleType, o: SimpleNamespace, folder: Path, *, jobs: int = 1, dask: str = ""):
        self.script, self.o, self.folder, self.jobs, self.dask = script, o, folder, jobs, dask
        self.seconds, self.devices = 0.0, set()

    def __call__(self, **axes):
        """Arrays of all combinations of settings, (first axis, second axis, ...); ended rows keep their last moment.

        Raises
        ------
        SystemExit
            If a case failed, with its settings, after all others have ended.
        """
        combinations = [dict(zip(axes, values)) for values in itertools.product(*axes.values())]
        waiting = [settings for settings in combinations if not self._file(settings).is_file()]
        failed = self._run(waiting)
        if failed:
            raise SystemExit(
                f"{len(failed)} of {len(combinations)} cases failed: {'; '.join(failed)}. What the others gave is "
                "kept, and the same command tries these again."
            )
        found = [self._load(settings) for settings in combinations]
        shape = [len(values) for values in axes.values()]
        rows = {key: _stacked([one[key] for one in found]) for key in found[0]}
        return {key: value.reshape(*shape, *value.shape[1:]) for key, value in rows.items()}

    def _run(self, waiting):
        cases = [
            {"script": self.script.__name__, "options": vars(self.o), "settings": settings, "code": code_here()}
            | {"checkpoint": str(self._file(settings).with_suffix(".pt"))}
            for settings in waiting
        ]
        failed = []
        title = self.script.__name__

        def label(case):
            return _label(case["settings"])

        for case, arrays, error in outcomes(solve, cases, jobs=self.jobs, dask=self.dask, name=title, label=label):
            if error:
                failed.append(label(case))
                tqdm.write(f"{title}, {failed[-1]} failed:\n{error}", file=sys.stderr)
                continue
            np.savez(buffer := io.BytesIO(), **arrays)
            replace(self._file(case["settings"]), buffer.getvalue())
        return failed

    def _file(self, settings):
        return self.folder / f"{_label(settings)}.npz"

    def _load(self, settings):
        with np.load(self._file(settings), allow_pickle=False) as archive:
            arrays = dict(archive)
        self.seconds += float(arrays.pop("seconds"))
        self.devices.add(str(arrays.pop("device")))
        return arrays


def solve(case):
    """What one case gives, with how long it took and where; on one thread, so that a sum has one order everywhere."""
    if case["code"] != code_here():
        raise RuntimeError("code or versions differ here from those where the command was given: update this checkout")
    torch.set_num_threads(1)
    o, begin = SimpleNamespace(**case["options"]), time.perf_counter()
    arrays = importlib.import_module(case["script"]).case(o, ROOT / case["checkpoint"], **case["settings"])
    gpu = o.device.startswith("cuda")
    where = torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads"
    return {"seconds": time.perf_counter() - begin, **arrays, "device": where}


@cache
def code_here():
    """What another machine must have alike to find the same numbers: versions, and a checksum of the code."""
    files = sorted([*(ROOT / "fpbook").rglob("*.py"), *(ROOT / "experiments").glob("*.py")])
    text = "\0".join(path.read_text(encoding="utf8") for path in files)
    return [torch.__version__.partition("+")[0], np.__version__, hashlib.sha256(text.encode()).hexdigest()]


def tiny_arrays(script, parameters, tiny=None):
    """What a script finds with the options of a record at a tiny size. Returns arrays, and all options they had."""
    options = script.OPTIONS | parameters | (script.TINY if tiny is None else tiny) | {"device": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        o, threads = SimpleNamespace(**options, first=0), torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return script.main(o, Cases(script, o, Path(folder))), options
        finally:
            torch.set_num_threads(threads)


def differences(then, now):
    """The arrays in which two tiny runs differ by more than rounding: name -> how much, as a share of the array's size.

    Rounding is what another processor may do, 2e-7 when it was measured (half floats: 3e-4), and less than 1e-5 (1e-3).
    Names, shapes and places without a number must be alike.
    """
    found = dict.fromkeys(sorted(then.keys() ^ now.keys()), math.inf)
    for name in sorted(then.keys() & now.keys()):
        a, b = (np.asarray(arrays[name]) for arrays in (then, now))
        if a.shape != b.shape or not np.array_equal(np.isnan(a), np.isnan(b)):
            found[name] = math.inf
            continue
        a, b = (np.nan_to_num(value.astype(complex)) for value in (a, b))
        share = float(np.linalg.norm(a - b) / (np.linalg.norm(a) or 1))
        if share > (1e-3 if then[name].dtype == np.float16 else TOLERANCE):
            found[name] = share
    return found


def stands(name, *, folder=None):
    """Why a record is not of today's code: its tiny run, repeated, gave other arrays; "" if it gave the same."""
    then, about = tiny_run(name, folder=folder), record(name, folder=folder)[1]
    script = importlib.import_module(Path(about["command"].split()[1]).stem)
    found = differences(then, tiny_arrays(script, about["tiny"]["parameters"])[0])
    if not found:
        return ""
    parts = ", ".join(f"{array} by {share:.1g}" for array, share in found.items())
    return (
        f"the record {name} is not of today's code: its tiny run differs in {parts}; make it again: {about['command']}"
    )


def renew_tiny_run(name, *, folder=RECORDS):
    """Store a tiny run with today's options in a record whose tiny run today's code repeats; SystemExit otherwise."""
    (arrays, about), then = record(name, folder=folder), tiny_run(name, folder=folder)
    script = importlib.import_module(Path(about["command"].split()[1]).stem)
    if found := differences(then, tiny_arrays(script, {}, about["tiny"]["parameters"])[0]):
        raise SystemExit(
            f"other code made the record {name}, its tiny run differs in {', '.join(found)}; make the record again: "
            f"{about['command']}"
        )
    small, tiny = tiny_arrays(script, about["parameters"])
    axes = {array: " ".join(listed["axes"]) for array, listed in about.pop("arrays").items()}
    about |= {"tiny": {"parameters": tiny, "code": {"commit": _commit()}}}
    save_record(name, arrays, about, axes=axes, tiny=small, folder=folder)


def checkpoints(name, options):
    """Folder of what has been done of one record with one set of options, so that other options start anew."""
    key = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return ROOT / "experiments" / "checkpoints" / f"{name}-{key}"


def seeds(o):
    """The seeds that are to be trained."""
    return range(o.first, o.seeds)


def _command_line(script):
    parser = argparse.ArgumentParser(
        description=script.__doc__, formatter_class=argparse.RawTextHelpFormatter, prog=f"{script.__name__}.py"
    )
    engine = {"jobs": 1, "dask": "", "first": 0, "out": str(RECORDS)}
    words = {
        "jobs": "processes on this machine",
        "dask": "address of a Dask scheduler whose workers train instead, tcp://host:8786",
        "first": "the first seed to train: those before are in the record at hand",
        "out": "folder of the record",
    }
    for name, default in (script.OPTIONS | engine).items():
        kind, many = (type(default[0]), "+") if isinstance(default, tuple) else (type(default), None)
        text = f"{words.get(name, '')} default: {default}".strip()
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, nargs=many, default=default, help=text)
    return vars(parser.parse_args())


def _earlier(name, asked, engine, small):
    """Arrays and about of the record that has the seeds before the first one; SystemExit if none can be added to it."""
    arrays, about = record(name, folder=Path(engine["out"]))
    parameters = json.loads(json.dumps(asked | {"seeds": engine["first"]}))
    if about["parameters"] != parameters:
        raise SystemExit(f"the record {name} was made with {about['parameters']}, not {parameters}: train all seeds")
    if found := differences(tiny_run(name, folder=Path(engine["out"])), small):
        raise SystemExit(
            f"other code made the record {name}, its tiny run differs in {', '.join(found)}: train all seeds"
        )
    return arrays, about


def _joined(before, arrays, axes):
    """The arrays that have an axis of seeds, one behind the other; the others are the same in both."""
    where = {name: axes[name].split().index("seed") for name in arrays if "seed" in axes[name].split()}
    return arrays | {name: np.concatenate([before[name], arrays[name]], axis) for name, axis in where.items()}


def _stacked(rows):
    """Arrays as one; where some are shorter along the first axis, their last entry is repeated."""
    longest = max(len(row) if row.ndim else 0 for row in rows)
    if not longest:
        return np.stack(rows)
    return np.stack([np.concatenate([row, np.repeat(row[-1:], longest - len(row), axis=0)]) for row in rows])


def _label(settings):
    return "-".join(f"{key}{value}" for key, value in settings.items())


def _about(script, asked, each):
    """What is known about a run: the command, what ran where, when, and how long."""
    text = {key: " ".join(map(str, v)) if isinstance(v, tuple | list) else v for key, v in asked.items()}
    words = [f"--{key.replace('_', '-')} {value}" for key, value in text.items()]
    return {
        "command": " ".join(["python", f"experiments/{script.__name__}.py", *words]),
        "parameters": asked,
        "seeds": list(range(asked["seeds"])),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": ", ".join(sorted(each.devices)),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(each.seconds),
        "code": {"commit": _commit()},
    }


def _commit():
    """The commit at hand, with ``+`` where files differ from it; None where there is no repository or no git."""
    try:
        commit, changes = (
            subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for words in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", "fpbook", "experiments"])
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changes else "")


def fit(net, x, y, *, epochs, batch, seed, optimizer, schedule=None, augment=None, measure, checkpoint):
    """Train a classifier with `fpbook.training.train`, one epoch a call; measure and save after each.

    After a kill the same call goes on from the last whole epoch, and ends as if it had not been killed.

    Parameters
    ----------
    net : module
        Trained in place on the device it lies on.
    x, y : tensors
        Training data, on any device.
    optimizer, schedule : functions
        As in `train`; the schedule is stepped after every update.
    augment : function, optional
        ``augment(x, generator)`` -> changed batch.
    measure : function
        ``measure(net, epoch)`` -> dict of arrays; a name may be left out at some epochs.
    checkpoint : Path
        Numbers only: it is never run.

    Returns
    -------
    dict of arrays
        Each measure with a leading axis of epochs, and "seconds", the time all this took.
    """
    device = next(net.parameters()).device
    x, y, steps = x.to(device), y.to(device), math.ceil(len(x) / batch)
    update = optimizer(net.parameters())
    scheduler = schedule(update) if schedule else None
    parts = {"net": net, "optimizer": update} | ({"schedule": scheduler} if schedule else {})
    done, seconds, history = 0, 0.0, {}
    if checkpoint.is_file():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        done, seconds, history = saved["done"], saved["seconds"], saved["history"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    bar = {"desc": checkpoint.stem, "initial": done, "total": epochs + 1, "leave": False, "disable": None}
    for epoch in tqdm(range(done, epochs + 1), **bar):
        start = time.perf_counter()
        if epoch > 0:
            net.train()
            batches = _epoch(x, y, batch, 10_000 * seed + epoch, augment)
            stepping = schedule and (lambda _: scheduler)
            train(net, cross_entropy, steps=steps, optimizer=update, schedule=stepping, batches=batches)
        for name, value in measure(net, epoch).items():
            history.setdefault(name, []).append(torch.as_tensor(np.asarray(value)))
        seconds += time.perf_counter() - start
        state = {name: part.state_dict() for name, part in parts.items()}
        torch.save(state | {"done": epoch + 1, "seconds": seconds, "history": history}, buffer := io.BytesIO())
        replace(checkpoint, buffer.getvalue())
    return {name: torch.stack(values).numpy() for name, values in history.items()} | {"seconds": np.array(seconds)}


def _epoch(x, y, size, seed, augment):
    """The mini-batches of one epoch, in the order of its own seed."""
    generator = torch.Generator().manual_seed(seed)
    for part, labels in minibatches(x, y, size=size, seed=seed):
        yield (augment(part, generator) if augment else part), labels


def one_cycle(lr, steps):
    """How VGG and ResNet are trained: momentum, weight decay, a rate that rises to `lr` and falls again in `steps`."""
    return {
        "optimizer": partial(torch.optim.SGD, lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4),
        "schedule": partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=lr, total_steps=steps),
    }


def trained_in(precision, net):
    """The network, which now computes in `precision` while it trains, say "bfloat16"; evaluation stays in float32.

    Its parameters, its optimizer and its loss are float32 throughout.
    """
    exact = net.forward

    def forward(x, **part):
        with torch.autocast(x.device.type, getattr(torch, precision), enabled=net.training and precision != "float32"):
            return exact(x, **part).float()

    net.forward = forward
    return net


def target_ratio(z, y, *, seed, device="cpu", k0=K0):
    """LFR of the effective target z -> y at the cut-offs k0, for features of unit size and centred one-hot labels.

    Returns a dict: "lfr" (len(k0),); "lfr_shuffled", the same for the labels shuffled over the points with `seed`; and
    "scale", the features' mean squared distance. The raw features have the same LFR at k0 / sqrt(scale).
    """
    x, scale = unit_distance(z.flatten(1).numpy())
    labels = np.eye(int(y.max()) + 1)[y]
    labels -= labels.mean(0)
    both = np.hstack([labels, np.random.default_rng(seed).permutation(labels)])
    low = low_frequency_part(x, both, 1 / k0**2, device=device)  # (len(k0), n, 2 * classes)
    true, shuffled = (low**2).sum(1).reshape(len(k0), 2, -1).sum(2).T / (labels**2).sum()
    return {"lfr": true, "lfr_shuffled": shuffled, "scale": np.array(scale)}


if __name__ == "__main__":
    for title in sys.argv[1:]:
        renew_tiny_run(title)
