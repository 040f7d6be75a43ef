"""The scripts of long runs at a tiny size: what they write, and that a killed run goes on and ends the same."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fpbook import datasets, records

ROOT = Path(datasets.__file__).parents[1]
SCRIPTS = ROOT / "experiments"
SMALL = "--train 96 --test 48 --batch 32".split()
RUNS = {
    "hard_samples": (
        SMALL + "--width 0.0625 --head 8 --epochs 2 --reference 60 --neighbours 3".split(),
        "hard_samples",
    ),
    "projection_spectra": (SMALL + "--skip 16 --epochs 3 --seeds 2".split(), "projection_spectra_mnist"),
    "projection_spectra cifar10": (
        SMALL + "--data cifar10 --skip 0 --component 8 --epochs 2 --seeds 1".split(),
        "projection_spectra_cifar10",
    ),
    "resnet_targets": (
        SMALL + "--points 40 --stages 2 1 --width 4 --head 8 --epochs 2 --seeds 1".split(),
        "resnet_targets",
    ),
    "layer_targets": (
        SMALL + "--points 40 --width 12 --depth 3 --epochs 4 --at 0 2 4 --seeds 2".split(),
        "layer_targets",
    ),
}
SPECTRA = {"k": (100,), "f_hat": (100,), "f_train_hat": (100,)}
CURVES = ["train_accuracy", "test_accuracy"]
RATIOS = {"train_lfr": (29,), "test_lfr": (29,), "train_scale": (), "test_scale": ()}
SHAPES = {
    "hard_samples": {name: (1, 3, n) for name, n in (("test_accuracy", 3), ("predicted", 48), ("probability", 48))}
    | {"disagreement": (48,), "high_frequency": (11, 48), "k0": (11,), "label": (48,)},
    "projection_spectra": SPECTRA
    | dict.fromkeys(CURVES, (2, 4))
    | dict.fromkeys(["h_hat", "h_train_hat"], (2, 4, 100)),
    "projection_spectra cifar10": SPECTRA
    | dict.fromkeys(CURVES, (1, 3))
    | dict.fromkeys(["h_hat", "h_train_hat"], (1, 3, 100)),
    "resnet_targets": {name: (1, 2, 3, *more) for name, more in RATIOS.items()}
    | dict.fromkeys(CURVES, (1, 2, 3))
    | {"stages": (2,), "k0": (29,)},
    "layer_targets": {name: (2, 3, 4, *more) for name, more in RATIOS.items()}
    | dict.fromkeys(CURVES, (2, 5))
    | {"at": (3,), "k0": (29,)},
}


def start(run, out):
    """The script as a process of its own, on one core, so that sums are taken in the same order each time."""
    command = [sys.executable, SCRIPTS / f"{run.split()[0]}.py", *RUNS[run][0], "--out", out]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "FPBOOK_BUILD": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def finish(process):
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors


def the_checkpoints(run, before):
    return set((SCRIPTS / "checkpoints").glob(f"{run.split()[0]}*/*.pt")) - before


@pytest.mark.parametrize("run", RUNS)
def test_a_killed_run_goes_on_and_ends_the_same(run, tmp_path, monkeypatch):
    name = RUNS[run][1]
    finish(start(run, tmp_path / "whole"))

    before = the_checkpoints(run, set())
    process = start(run, tmp_path / "records")
    while not the_checkpoints(run, before):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL and not (tmp_path / "records").exists()
    finish(start(run, tmp_path / "records"))
    assert not the_checkpoints(run, before)

    loaded = []
    for folder in ("whole", "records"):
        with np.load(tmp_path / folder / f"{name}.npz", allow_pickle=False) as archive:
            loaded.append(dict(archive))
    assert {key: value.shape for key, value in loaded[0].items()} == SHAPES[run]
    for key, value in loaded[0].items():
        np.testing.assert_array_equal(value, loaded[1][key], err_msg=key)
        assert np.isfinite(value).all()

    monkeypatch.setattr(records, "EMBEDDED", tmp_path)
    arrays, about = records.record(name)
    assert set(arrays) == set(loaded[1]) and {
        "command",
        "parameters",
        "seeds",
        "versions",
        "device",
        "date",
        "seconds",
    } <= set(about)
    assert (
        about["command"].startswith(f"python experiments/{run.split()[0]}.py --") and "--train 96" in about["command"]
    )
    assert str(tmp_path) not in json.dumps(about)


@pytest.mark.parametrize("killed_at", [0, 1, 3])
def test_fit_goes_on_where_it_stopped(killed_at, tmp_path, monkeypatch):
    """In one process, to see that the epochs before the stop are not trained again; with batch norm, momentum and a schedule."""
    monkeypatch.syspath_prepend(SCRIPTS)
    fit = importlib.import_module("common").fit
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 5, generator=generator), torch.randint(0, 3, (40,), generator=generator)

    def run(checkpoint, stop):
        seen = []

        def measure(net, epoch):
            if epoch == stop:
                raise KeyboardInterrupt
            seen.append(epoch)
            return {"weight": net[0].weight.detach().clone()} | ({"late": epoch} if epoch > 2 else {})

        torch.manual_seed(1)
        net = torch.nn.Sequential(
            torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
        )
        try:
            return seen, fit(
                net, x, y, epochs=4, batch=16, seed=7, measure=measure, checkpoint=checkpoint,
                optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.9),
                schedule=partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=12),
                augment=lambda part, generator: part + 0.1 * torch.randn(part.shape, generator=generator),
            )  # fmt: skip
        except KeyboardInterrupt:
            return seen, None

    seen, whole = run(tmp_path / "whole.pt", None)
    assert seen == [0, 1, 2, 3, 4] and whole["weight"].shape == (5, 8, 5) and whole["late"].tolist() == [3, 4]
    assert all((a != b).any() for a, b in zip(whole["weight"], whole["weight"][1:]))
    assert run(tmp_path / "killed.pt", killed_at) == (list(range(killed_at)), None)
    seen, resumed = run(tmp_path / "killed.pt", None)
    assert seen == list(range(killed_at, 5))
    np.testing.assert_array_equal(resumed["weight"], whole["weight"])
    seen, again = run(tmp_path / "killed.pt", None)  # a finished run is read, not trained
    assert seen == [] and (again["weight"] == whole["weight"]).all()


def test_lfr_of_a_record_is_a_share(tmp_path):
    finish(start("layer_targets", tmp_path))
    with np.load(tmp_path / "layer_targets.npz") as arrays:
        for split in ("train", "test"):
            lfr = arrays[f"{split}_lfr"]
            assert (lfr >= 0).all() and (lfr <= 1 + 1e-9).all() and (lfr[..., -1] > lfr[..., 0]).all()
            np.testing.assert_array_equal(
                lfr[:, 0, 0], lfr[:, -1, 0]
            )  # layer 0 is the data: training does not change it
            assert (lfr[:, 0, -1] != lfr[:, -1, -1]).any()


def test_every_script_with_a_record_is_tested_and_listed():
    listed = (SCRIPTS / "README.md").read_text()
    makers = [
        path.stem for path in SCRIPTS.glob("*.py") if "write_record(" in path.read_text() and path.stem != "common"
    ]
    assert {run.split()[0] for run in RUNS} == set(makers)
    assert all(f"`{name}.py`" in listed for name in makers)
