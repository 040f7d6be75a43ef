"""The scripts of long runs at a tiny size: what they write, and that a killed run goes on and ends the same."""

import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from fpbook import records
from fpbook.convnets import evaluate, vgg
from fpbook.filtering import low_frequency_ratio, unit_distance

ROOT = Path(records.__file__).parents[1]
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
        "--train 96 --evaluated 48 --batch 32 --points 40 --stages 2 1 --width 4 --head 8 --epochs 2 --seeds 1".split(),
        "resnet_targets",
    ),
    "resnet_levels": (
        SMALL
        + "--side 8 --stages 2 1 --epochs 1 4 --every 1 2 --width 4 --head 8 --common 0 6 --batch 48 --seeds 1".split(),
        "resnet_levels",
    ),
    "layer_targets": (
        SMALL + "--points 40 --width 12 --depth 3 --epochs 4 --at 0 2 4 --seeds 2".split(),
        "layer_targets",
    ),
}
SHORT = {"parity": "--d 4 --sizes 5 8 --widths 6 4 --steps 3 --seeds 2".split()}  # they keep no checkpoints
LATE = {"date", "sha256_about"}  # what differs between two runs that found the same
SPECTRA = dict.fromkeys(["k", "f_hat", "f_train_hat", "rho_hat", "rho_train_hat"], (100,))
CURVES = ["train_accuracy", "test_accuracy"]
RATIOS = {
    f"{split}_{name}": shape
    for split in ("train", "test")
    for name, shape in (("lfr", (29,)), ("lfr_shuffled", (29,)), ("scale", ()))
}
SHAPES = {
    "hard_samples": dict.fromkeys(["predicted", "probability"], (1, 3, 48))
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
    "resnet_levels": {name: (1, 2, 2, 3, *more) for name, more in RATIOS.items()}
    | dict.fromkeys([*CURVES, "epoch"], (1, 2, 2, 3))
    | {"stages": (2,), "common": (2,), "k0": (29,)},
    "layer_targets": {name: (2, 3, 4, *more) for name, more in RATIOS.items()}
    | dict.fromkeys(CURVES, (2, 3))
    | {"at": (3,), "k0": (29,)},
}


def start(run, out, *more):
    """The script as a process of its own, on one core, so that sums are taken in the same order each time."""
    words = SHORT[run] if run in SHORT else RUNS[run][0]
    command = [sys.executable, SCRIPTS / f"{run.split()[0]}.py", *words, *more, "--out", out]
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
        late = np.index_exp[:, :, 0, 2] if run == "resnet_levels" and value.ndim > 3 else ()
        assert np.isfinite(value).all() or (late and np.isnan(value[late]).all() and np.isnan(value).mean() == 1 / 6)

    monkeypatch.setattr(records, "RECORDS", tmp_path / "records")
    arrays, about = records.record(name)
    assert set(arrays) == set(loaded[1]) and {
        "command",
        "parameters",
        "seeds",
        "versions",
        "device",
        "date",
        "seconds",
        "code",
    } <= set(about)
    assert (
        about["command"].startswith(f"python experiments/{run.split()[0]}.py --") and "--train 96" in about["command"]
    )
    assert str(tmp_path) not in json.dumps(about)
    assert {f"experiments/{run.split()[0]}.py", "experiments/_runs.py", "fpbook/training.py"} <= set(
        about["code"]["files"]
    )


def test_a_record_grows_by_a_seed_as_if_all_had_been_trained_at_once(tmp_path):
    def found(folder):
        file = tmp_path / folder / "hard_samples.json"
        return {key: value for key, value in json.loads(file.read_text()).items() if key not in {"seconds", *LATE}}

    finish(start("hard_samples", tmp_path / "whole", "--seeds", "2"))
    finish(start("hard_samples", tmp_path / "grown", "--seeds", "1"))
    finish(start("hard_samples", tmp_path / "grown", "--first", "1", "--seeds", "2"))
    assert found("grown") == found("whole")  # the arrays too: their sum is in it


@pytest.mark.parametrize("asked", [{"first": 2, "seeds": 3}, {"lr": 0.2}, {}])
def test_a_record_that_a_seed_cannot_be_added_to_is_left_and_nothing_is_trained(asked, tmp_path, monkeypatch, runs):
    about = {"command": "python x.py", "seeds": [0], "parameters": {"seeds": 1, "lr": 0.1}, "code": {}}
    records.save_record("run", {"loss": np.zeros(1)}, about, folder=tmp_path)
    monkeypatch.setattr(runs, "change_since", lambda name, about: "" if asked else "older than a change of x.py")
    options = {"seeds": 2, "first": 1, "lr": 0.1, "out": str(tmp_path)} | asked
    with pytest.raises(SystemExit, match="was made with" if asked else "older than a change of x.py"):
        runs.over_seeds("run", options, lambda _: pytest.fail("trained"), None, None, None)


def test_parity_is_trained_on_the_corners_that_were_drawn(tmp_path, monkeypatch):
    finish(start("parity", tmp_path))
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    arrays, about = records.record("parity")
    assert arrays["h"].shape == arrays["count"].shape == (2, 2, 2, 16)  # (kinds, sizes, seeds, corners)
    assert (arrays["count"].sum(-1) == arrays["sizes"][:, None]).all() and (arrays["count"][1] <= 1).all()
    assert np.isfinite(arrays["h"]).all() and (arrays["h"][:, :, 0] != arrays["h"][:, :, 1]).any()
    assert "fpbook/targets.py" in about["code"]["files"]


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("_runs")


def small_data():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, 5, generator=generator), torch.randint(0, 3, (40,), generator=generator)


def small_net():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


SMALL_FIT = {"batch": 16, "optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9)}


@pytest.mark.parametrize("killed_at", [0, 1, 3])
def test_fit_goes_on_where_it_stopped(killed_at, tmp_path, runs):
    """In one process, to see that the epochs before the stop are not trained again; with all that has a state."""
    x, y = small_data()

    def run(checkpoint, stop):
        seen = []

        def measure(net, epoch):
            if epoch == stop:
                raise KeyboardInterrupt
            seen.append(epoch)
            net.eval()  # as a measure may leave it: training goes on in training mode
            found = {"weight": net[0].weight.detach().clone(), "mean": net[1].running_mean.clone()}
            return found | ({"late": epoch} if epoch > 2 else {})

        try:
            return seen, runs.fit(
                small_net(), x, y, epochs=4, seed=7, measure=measure, checkpoint=checkpoint, **SMALL_FIT,
                schedule=partial(torch.optim.lr_scheduler.OneCycleLR, max_lr=0.1, total_steps=12),
                augment=lambda part, generator: part + 0.1 * torch.randn(part.shape, generator=generator),
            )  # fmt: skip
        except KeyboardInterrupt:
            return seen, None

    seen, whole = run(tmp_path / "whole.pt", None)
    assert seen == [0, 1, 2, 3, 4] and whole["weight"].shape == (5, 8, 5) and whole["late"].tolist() == [3, 4]
    for name in ("weight", "mean"):
        assert all((a != b).any() for a, b in zip(whole[name], whole[name][1:]))
    assert run(tmp_path / "killed.pt", killed_at) == (list(range(killed_at)), None)
    seen, resumed = run(tmp_path / "killed.pt", None)
    assert seen == list(range(killed_at, 5))
    np.testing.assert_array_equal(resumed["weight"], whole["weight"])
    seen, again = run(tmp_path / "killed.pt", None)  # a finished run is read, not trained
    assert seen == [] and (again["weight"] == whole["weight"]).all()


def test_every_epoch_has_an_order_of_its_own_and_so_has_every_seed(tmp_path, runs):
    x, y = torch.arange(40.0)[:, None].expand(40, 5).contiguous(), small_data()[1]
    orders, drawn = {}, []
    for seed in (0, 1):
        parts = []

        def keep(part, generator, parts=parts):
            parts.append(part[:, 0].clone())
            drawn.append(torch.rand(1, generator=generator).item())
            return part

        runs.fit(
            small_net(),
            x,
            y,
            epochs=3,
            seed=seed,
            measure=lambda *_: {},
            augment=keep,
            checkpoint=tmp_path / f"{seed}",
            **SMALL_FIT,
        )
        orders |= {(seed, epoch): torch.cat(parts[3 * epoch : 3 * epoch + 3]).tolist() for epoch in range(3)}
    assert all(sorted(order) == list(range(40)) for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 6
    assert len(set(drawn)) == len(drawn) == 18  # and so have the changes that are made to a batch


def test_seeds_differ_in_weights_and_in_order_and_variants_share_them(tmp_path, runs, monkeypatch):
    monkeypatch.setattr(runs, "checkpoints", lambda name, options: tmp_path)
    x, y = small_data()
    made, called = [], []

    def make(variant):
        made.append(torch.nn.Linear(5, 3))
        return made[-1]

    def measure(net, epoch, seed, variant):
        called.append((seed, variant, epoch))
        return {"weight": net.weight.detach().clone()}

    options = {"seeds": 2, "epochs": 1, "batch": 40, "device": "cpu"}
    how = {"optimizer": partial(torch.optim.SGD, lr=0.1)}
    arrays = runs.over_seeds("run", options, make, x, y, measure, variants=["a", "b"], **how)
    assert arrays["weight"].shape == (2, 2, 2, 3, 5)
    assert called == [(seed, variant, epoch) for seed in (0, 1) for variant in "ab" for epoch in (0, 1)]
    assert (arrays["weight"][:, 0] == arrays["weight"][:, 1]).all() and (
        arrays["weight"][0, 0, 0] != arrays["weight"][1, 0, 0]
    ).all()
    assert {path.name for path in tmp_path.iterdir()} == {f"{v}-seed{s}.pt" for v in "ab" for s in (0, 1)}


def test_a_network_trains_in_the_precision_asked_for_and_is_evaluated_in_float32(runs):
    x = torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain, half, same = (vgg(9, width=1 / 16, head=8) for _ in range(3))
    half.load_state_dict(plain.state_dict())
    same.load_state_dict(plain.state_dict())
    half, same = runs.trained_in("bfloat16", half), runs.trained_in("float32", same)
    exact, rough = plain(x), half(x)
    assert rough.dtype == torch.float32 and torch.equal(same(x), exact) and not torch.equal(rough, exact)
    torch.testing.assert_close(rough, exact, atol=0.03, rtol=0)
    rough.sum().backward()
    assert {p.dtype for p in half.parameters()} == {p.grad.dtype for p in half.parameters()} == {torch.float32}
    half.load_state_dict(plain.state_dict())
    assert torch.equal(evaluate(half, x), evaluate(plain, x)) and half.training


def test_other_options_have_other_checkpoints(runs):
    options = {"epochs": 3, "at": (0, 1), "lr": 0.1}
    same = runs.checkpoints("run", dict(reversed(options.items())))
    others = [runs.checkpoints("other", options)]
    others += [runs.checkpoints("run", options | change) for change in ({"epochs": 4}, {"at": (0, 2)}, {"lr": 0.2})]
    assert same == runs.checkpoints("run", options) and len({same, *others}) == 5


class Evil:
    def __reduce__(self):
        return os.mkdir, (str(Evil.folder),)


def test_a_checkpoint_is_never_run(tmp_path, runs):
    Evil.folder = tmp_path / "ran"
    torch.save({"done": Evil()}, tmp_path / "evil.pt")
    x, y = small_data()
    with pytest.raises(pickle.UnpicklingError):
        runs.fit(
            small_net(), x, y, epochs=1, seed=0, measure=lambda *_: {}, checkpoint=tmp_path / "evil.pt", **SMALL_FIT
        )
    assert not Evil.folder.exists()


def test_a_checkpoint_is_whole_when_the_disk_is_full(tmp_path, runs, monkeypatch):
    x, y = small_data()
    go = partial(runs.fit, x=x, y=y, seed=0, measure=lambda net, _: {"w": net[0].weight.detach().clone()}, **SMALL_FIT)
    go(small_net(), epochs=1, checkpoint=tmp_path / "run.pt")
    whole, write = (tmp_path / "run.pt").read_bytes(), Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        with pytest.raises(OSError, match="disk full"):
            go(small_net(), epochs=2, checkpoint=tmp_path / "run.pt")
    assert (tmp_path / "run.pt").read_bytes() == whole
    resumed = go(small_net(), epochs=2, checkpoint=tmp_path / "run.pt")
    np.testing.assert_array_equal(resumed["w"], go(small_net(), epochs=2, checkpoint=tmp_path / "new.pt")["w"])


def test_the_ratio_of_an_effective_target_is_that_of_centred_labels(runs, monkeypatch):
    """With a wide filter nothing is left of centred labels, and of others their mean; with a narrow one all is left."""
    monkeypatch.setattr(runs, "K0", np.array([1e-3, 1.0, 1e3]))
    z, y = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 5 // 2
    found = runs.target_ratio(3 * z, y, seed=0)
    for name in ("lfr", "lfr_shuffled"):
        np.testing.assert_allclose(found[name][[0, 2]], [0, 1], atol=1e-5)
    labels = np.eye(3)[y] - np.eye(3)[y].mean(0)
    x, scale = unit_distance(3 * z.numpy())
    np.testing.assert_allclose(found["lfr"], low_frequency_ratio(x, labels, 1 / runs.K0**2))
    assert found["scale"] == pytest.approx(scale) and 9 * unit_distance(z.numpy())[1] == pytest.approx(scale, rel=1e-5)
    other, again = (runs.target_ratio(3 * z, y, seed=seed)["lfr_shuffled"][1] for seed in (1, 0))
    assert other != found["lfr_shuffled"][1] == again
    smooth = (z[:, 0] > 0).long()
    ratio = runs.target_ratio(z, smooth, seed=0)
    assert ratio["lfr"][1] > 1.5 * ratio["lfr_shuffled"][1]


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
    makers = [path.stem for path in SCRIPTS.glob("*.py") if " write(" in path.read_text() and path.stem != "_runs"]
    assert {run.split()[0] for run in RUNS} | set(SHORT) == set(makers)
    assert all(f"`{name}.py`" in listed for name in makers)
