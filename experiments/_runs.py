"""What the scripts of this folder share: options, networks over seeds, training that survives a kill, the record."""

import argparse
import datetime
import hashlib
import inspect
import io
import json
import math
import platform
import shutil
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from _code import ROOT, change_since, code_of
from tqdm.auto import tqdm

from fpbook._files import replace
from fpbook.filtering import low_frequency_part, unit_distance
from fpbook.records import RECORDS, record, save_record
from fpbook.training import cross_entropy, minibatches, train

K0 = 2 ** (np.arange(29) / 4)  # cut-offs for features of unit mean squared distance, 1 to 128
ASIDE = {"out", "first"}  # options that a record does not depend on


def run(main):
    """Call `main` with the options of the command line: its keyword arguments, with their defaults."""
    about = sys.modules[main.__module__].__doc__
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    for name, parameter in inspect.signature(main).parameters.items():
        default = parameter.default
        kind, many = (type(default[0]), "+") if isinstance(default, tuple) else (type(default), None)
        words = f"--{name.replace('_', '-')}"
        parser.add_argument(words, type=kind, nargs=many, default=default, help=f"default: {default}")
    main(**vars(parser.parse_args()))


def checkpoints(name, options):
    """Folder of the checkpoints of one record with one set of options, so that other options start anew."""
    key = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return ROOT / "experiments" / "checkpoints" / f"{name}-{key}"


def over_seeds(name, options, make, x, y, measure, *, variants=None, epochs=None, **how):
    """Train one network a seed and variant, one after the other, and measure each epoch.

    Parameters
    ----------
    name, options : str, dict
        Of the record; `options` has seeds (0 to that number), batch, device, epochs, and may have `first`, the first
        seed to train: see `joined`.
    make : function
        ``make(variant)`` -> network, called after ``torch.manual_seed(seed)``.
    x, y : tensors
        Training data.
    measure : function
        ``measure(net, epoch, seed)`` -> dict of arrays, called for epochs 0 to the last; with variants
        ``measure(net, epoch, seed, variant)``.
    variants : sequence, optional
        Depths, say.
    epochs : sequence of int, optional
        One number a variant, in place of that of the options.
    how : dict
        ``optimizer``, ``schedule``, ``augment`` of `fit`.

    Returns
    -------
    dict of arrays
        Each measure as (seeds, [variants], epochs measured, ...), NaN after the last of a variant that has fewer; and
        "seconds".
    """
    earlier(name, options)  # if it will not do, that is said before anything is trained
    chosen = variants or [None]
    epochs = epochs or [options["epochs"]] * len(chosen)
    histories, seeds = [], range(options.get("first", 0), options["seeds"])
    for seed in seeds:
        for variant, last in zip(chosen, epochs, strict=True):
            torch.manual_seed(seed)
            net = make(variant).to(options["device"])
            file = checkpoints(name, options) / f"{variant}-seed{seed}.pt"
            own = {"epochs": last, "batch": options["batch"], "seed": seed}
            own["measure"] = partial(measure, seed=seed, **({"variant": variant} if variants else {}))
            histories.append(fit(net, x, y, checkpoint=file, **own, **how))
    lead = (len(seeds), *([len(chosen)] if variants else []))
    seconds = sum(float(h.pop("seconds")) for h in histories)
    arrays = {key: _ragged([h[key] for h in histories]) for key in histories[0]}
    return {key: value.reshape(*lead, *value.shape[1:]) for key, value in arrays.items()} | {"seconds": seconds}


def earlier(name, options):
    """Arrays and about of the record that has the first `options["first"]` seeds; (None, None) where there are none.

    Raises
    ------
    SystemExit
        If the record in the folder `options["out"]` has other seeds, or if other options or other code made it.
    """
    if not options.get("first"):
        return None, None
    arrays, about = record(name, folder=Path(options["out"]))
    asked = {key: value for key, value in options.items() if key not in ASIDE} | {"seeds": options["first"]}
    if about["parameters"] != json.loads(json.dumps(asked)):
        raise SystemExit(f"the record {name} was made with {about['parameters']}, not {asked}: train all seeds anew")
    if change := change_since(name, about):
        raise SystemExit(change)
    return arrays, about


def joined(name, arrays, options):
    """What a script trained from the seed `options["first"]` on, behind the seeds of the earlier record.

    Parameters
    ----------
    name, options : str, dict
        Of the record.
    arrays : dict of arrays
        As the record has them, (seeds, ...) each; and "seconds".

    Returns
    -------
    dict of arrays
        The same for all seeds from 0 on.
    """
    before, about = earlier(name, options)
    if before is None:
        return arrays
    both = {key: np.concatenate([before[key], value]) for key, value in arrays.items() if key != "seconds"}
    return both | {"seconds": about["seconds"] + arrays["seconds"]}


def _ragged(rows):
    """Arrays as one, filled with NaN where some are shorter along the first axis."""
    longest = max(len(row) for row in rows)
    if all(len(row) == longest for row in rows):
        return np.stack(rows)
    return np.stack([np.concatenate([row, np.full((longest - len(row), *row.shape[1:]), np.nan)]) for row in rows])


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
    for epoch in tqdm(range(done, epochs + 1), desc=checkpoint.stem, initial=done, total=epochs + 1):
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


def target_ratio(z, y, *, seed, device="cpu"):
    """LFR of the effective target z -> y at the cut-offs K0, for features of unit size and centred one-hot labels.

    Returns a dict: "lfr" (len(K0),); "lfr_shuffled", the same for the labels shuffled over the points with `seed`; and
    "scale", the features' mean squared distance. The raw features have the same LFR at K0 / sqrt(scale).
    """
    x, scale = unit_distance(z.flatten(1).numpy())
    labels = np.eye(int(y.max()) + 1)[y]
    labels -= labels.mean(0)
    both = np.hstack([labels, np.random.default_rng(seed).permutation(labels)])
    low = low_frequency_part(x, both, 1 / K0**2, device=device)  # (len(K0), n, 2 * classes)
    true, shuffled = (low**2).sum(1).reshape(len(K0), 2, -1).sum(2).T / (labels**2).sum()
    return {"lfr": true, "lfr_shuffled": shuffled, "scale": np.array(scale)}


def write(name, arrays, options):
    """Write the record: its arrays but "seconds", the command, and what ran where; then drop the checkpoints."""
    shown = {key: value for key, value in options.items() if key not in ASIDE}
    text = {key: " ".join(map(str, v)) if isinstance(v, tuple | list) else v for key, v in shown.items()}
    words = [f"--{key.replace('_', '-')} {value}" for key, value in text.items()]
    script, gpu = Path(sys.argv[0]), options["device"].startswith("cuda")
    about = {
        "command": " ".join(["python", f"experiments/{script.name}", *words]),
        "parameters": shown,
        "seeds": list(range(options["seeds"])),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(float(arrays["seconds"])),
        "code": code_of(script),
    }
    save_record(name, {k: v for k, v in arrays.items() if k != "seconds"}, about, folder=Path(options["out"]))
    shutil.rmtree(checkpoints(name, options), ignore_errors=True)


OUT = str(RECORDS)
