"""What the scripts of this folder share: options, training by epochs that survives a kill, and records."""

import argparse
import datetime
import hashlib
import inspect
import io
import json
import math
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from fpbook.filtering import low_frequency_part, unit_distance
from fpbook.training import minibatches, train

ROOT = Path(__file__).parents[1]
K0 = 2 ** (np.arange(29) / 4)  # cut-offs for features of unit mean squared distance, 1 to 128


def run(main):
    """Call `main` with the options of the command line: its keyword arguments, with their defaults."""
    parser = argparse.ArgumentParser(
        description=sys.modules[main.__module__].__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for name, parameter in inspect.signature(main).parameters.items():
        default = parameter.default
        kind, many = (type(default[0]), "+") if isinstance(default, tuple) else (type(default), None)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, nargs=many, default=default, help=f"default: {default}"
        )
    main(**vars(parser.parse_args()))


def replace(path, content):
    """Write bytes so that the file is whole or absent, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, path)


def checkpoints(name, options):
    """Folder of the checkpoints of one script with one set of options, so that other options start anew."""
    key = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return ROOT / "experiments" / "checkpoints" / f"{name}-{key}"


def cross_entropy(net, x, y):
    return torch.nn.functional.cross_entropy(net(x), y)


def fit(net, x, y, *, epochs, batch, seed, optimizer, schedule=None, augment=None, measure, checkpoint):
    """Train a classifier with `fpbook.training.train`, one epoch a call; measure and save after each.

    Parameters
    ----------
    net : module
        Trained in place on the device it lies on. After a kill the same call goes on from the last whole epoch, and ends as if not killed.
    x, y : tensors
        Training data, on any device.
    optimizer, schedule : functions
        As in `train`; the schedule is stepped after every update.
    augment : function, optional
        ``augment(x, generator)`` -> changed batch.
    measure : function
        ``measure(net, epoch)`` -> dict of arrays, called for epochs 0 to `epochs`; a name may be left out at some epochs.
    checkpoint : Path

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
            batches = minibatches(x, y, size=batch, seed=10_000 * seed + epoch)
            if augment:
                generator = torch.Generator().manual_seed(10_000 * seed + epoch)
                batches = ((augment(part, generator), labels) for part, labels in batches)
            net.train()
            train(
                net,
                cross_entropy,
                steps=steps,
                optimizer=lambda _: update,
                schedule=schedule and (lambda _: scheduler),
                batches=batches,
            )
        for name, value in measure(net, epoch).items():
            history.setdefault(name, []).append(torch.as_tensor(np.asarray(value)))
        seconds += time.perf_counter() - start
        state = {name: part.state_dict() for name, part in parts.items()}
        torch.save(state | {"done": epoch + 1, "seconds": seconds, "history": history}, buffer := io.BytesIO())
        replace(checkpoint, buffer.getvalue())
    return {name: torch.stack(values).numpy() for name, values in history.items()} | {"seconds": np.array(seconds)}


def target_ratio(z, y, *, seed, device="cpu"):
    """LFR of the effective target z -> y at the cut-offs K0, for features of unit size and centred one-hot labels; and controls beside it.

    Returns a dict: "lfr" (len(K0),), "lfr_shuffled", the same for the labels shuffled over the points with `seed`, and "scale", the features'
    mean squared distance. The raw features have the same LFR at K0 / sqrt(scale).
    """
    x, scale = unit_distance(z.flatten(1).numpy())
    labels = np.eye(int(y.max()) + 1)[y]
    labels -= labels.mean(0)
    both = np.hstack([labels, np.random.default_rng(seed).permutation(labels)])
    low = low_frequency_part(x, both, 1 / K0**2, device=device)  # one pass over the kernels: (len(K0), n, 2 * classes)
    true, shuffled = (low**2).sum(1).reshape(len(K0), 2, -1).sum(2).T / (labels**2).sum()
    return {"lfr": true, "lfr_shuffled": shuffled, "scale": np.array(scale)}


def write_record(name, arrays, options, seconds):
    """Write NAME.npz, and NAME.json with its checksum, which `fpbook.datasets.record` compares; then drop the checkpoints."""
    folder = Path(options["out"])
    shown = {key: value for key, value in options.items() if key != "out"}
    words = [
        f"--{key.replace('_', '-')} {' '.join(map(str, v)) if isinstance(v, tuple | list) else v}"
        for key, v in shown.items()
    ]
    np.savez_compressed(buffer := io.BytesIO(), **arrays)
    about = {
        "command": " ".join(["python", f"experiments/{Path(sys.argv[0]).name}", *words]),
        "parameters": shown,
        "seeds": list(range(options["seeds"])),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "device": torch.cuda.get_device_name()
        if options["device"].startswith("cuda")
        else f"CPU, {torch.get_num_threads()} threads",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "seconds": round(float(seconds)),
        "arrays": {key: [list(value.shape), str(value.dtype)] for key, value in arrays.items()},
        "sha256": hashlib.sha256(buffer.getvalue()).hexdigest(),
    }
    replace(folder / f"{name}.npz", buffer.getvalue())
    replace(folder / f"{name}.json", (json.dumps(about, indent=1) + "\n").encode())
    shutil.rmtree(checkpoints(name, options), ignore_errors=True)
