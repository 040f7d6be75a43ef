"""The scripts of long runs at a tiny size: records are of today's code, and a killed run ends as one that was not."""

import importlib
import os
import pickle
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import _runs as runs
import dask
import numpy as np
import pytest
import torch
from distributed import LocalCluster

from fpbook.convnets import evaluate, vgg
from fpbook.filtering import low_frequency_ratio, unit_distance
from fpbook.records import RECORDS, record, tiny_run

SCRIPTS = Path(runs.__file__).parent
SHIPPED = sorted(path.stem for path in RECORDS.glob("*.npz"))
MODULES = [importlib.import_module(path.stem) for path in SCRIPTS.glob("*.py")]
NAMES = [module.__name__ for module in MODULES if hasattr(module, "AXES")]


def script_of(name):
    return importlib.import_module(Path(record(name)[1]["command"].split()[1]).stem)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_record_is_of_todays_code(name):
    assert runs.stands(name) == ""


def test_every_script_has_a_record_and_is_listed():
    assert {script_of(name).__name__ for name in SHIPPED} == set(NAMES)
    listed = (SCRIPTS / "README.md").read_text("utf8")
    assert [name for name in NAMES if f"`{name}.py`" not in listed] == []
    assert [name for name in SHIPPED if f"`{name}`" not in listed] == []
    for name in SHIPPED:
        script, about = script_of(name), record(name)[1]
        assert set(about["parameters"]) == set(script.OPTIONS) and script.TINY.keys() <= script.OPTIONS.keys()
        assert {key: " ".join(value["axes"]) for key, value in about["arrays"].items()} == script.AXES
        assert f"| {about['seconds'] / 60:.0f} min |" in listed, f"what {name} cost"


def test_a_tiny_run_is_renewed_where_only_its_options_have_changed(tmp_path, monkeypatch):
    for end in ("json", "npz"):
        shutil.copy(RECORDS / f"parity.{end}", tmp_path)
    script = importlib.import_module("parity")
    monkeypatch.setitem(script.TINY, "steps", 20)
    assert runs.stands("parity", folder=tmp_path)
    runs.renew_tiny_run("parity", folder=tmp_path)
    assert runs.stands("parity", folder=tmp_path) == ""
    (before, known), (after, about) = record("parity"), record("parity", folder=tmp_path)
    assert all((before[name] == after[name]).all() for name in before) and before.keys() == after.keys()
    assert {key for key in known if known[key] != about[key]} == {"tiny", "sha256"}
    case = script.case
    monkeypatch.setattr(
        script, "case", lambda o, *rest, **how: case(SimpleNamespace(**vars(o) | {"std": 2 * o.std}), *rest, **how)
    )
    with pytest.raises(SystemExit, match="other code made the record parity"):
        runs.renew_tiny_run("parity", folder=tmp_path)


@pytest.mark.parametrize(
    "change", [{"std": 0.1}, {"lr": 5e-3}, {"steps": 31}, {"widths": (4, 6)}, {"first": 1, "seeds": 3}], ids=str
)
def test_a_run_of_another_meaning_is_told_from_rounding(change, tmp_path):
    """A doubled deviation, half the rate, one step more, layers the other way round, the seeds that follow."""
    script = importlib.import_module("parity")
    o = SimpleNamespace(**script.OPTIONS | script.TINY | {"first": 0} | change)
    now = script.main(o, runs.Cases(script, o, tmp_path))
    assert "h" in runs.differences(tiny_run("parity"), now)


def test_rounding_is_no_difference_and_everything_else_is():
    then = {"a": np.linspace(1, 2, 50), "z": np.exp(1j * np.arange(9))}
    then |= {"n": np.array([1, 2]), "gap": np.array([1, np.nan])}
    rounded = then | {"a": then["a"] * (1 + 1e-7), "z": then["z"] * (1 - 1e-7j)}
    assert runs.differences(then, rounded) == {}
    changes = {
        "a": [-then["a"], np.where(np.arange(50) == 7, -then["a"], then["a"]), then["a"] + 1e-3, then["a"][:-1]],
        "z": [then["z"].conj(), then["z"] * np.exp(0.01j)],
        "n": [np.array([1, 3]), np.array([2, 1])],
        "gap": [np.array([1.0, 2.0]), np.array([np.nan, 1.0])],
    }
    for name, values in changes.items():
        for value in values:
            assert list(runs.differences(then, then | {name: value})) == [name]
    assert set(runs.differences(then, {"a": then["a"], "new": then["a"]})) == {"z", "n", "gap", "new"}


def words_for(name, out, *more):
    """The command of a script with the options of its tiny run."""
    tiny = importlib.import_module(name).TINY
    words = " ".join(f"--{key} {' '.join(map(str, np.atleast_1d(value)))}" for key, value in tiny.items())
    return [str(SCRIPTS / f"{name}.py"), *words.split(), *more, "--out", str(out)]


def call(name, words):
    """What the command of a script does, in a process of its own."""
    sys.argv = words
    runs.run(name)


def test_a_killed_run_goes_on_and_ends_the_same(tmp_path, forked):
    """Killed in a case that trains; the record is then that of a run which was not, and holds its own tiny run."""

    def begun():
        return set((SCRIPTS / "checkpoints").glob("projection_spectra_mnist-*/*.pt"))

    def start():
        process = forked.Process(target=call, args=("projection_spectra", words_for("projection_spectra", tmp_path)))
        process.start()
        return process

    before, process = begun(), start()
    while not begun() - before:
        assert process.is_alive()
        time.sleep(0.005)
    process.kill()
    process.join()
    assert process.exitcode != 0 and not list(tmp_path.iterdir())
    process = start()
    process.join(timeout=600)
    assert process.exitcode == 0
    assert not begun() - before
    arrays, about = record("projection_spectra_mnist", folder=tmp_path)
    assert runs.differences(tiny_run("projection_spectra_mnist"), arrays) == {}
    assert runs.differences(tiny_run("projection_spectra_mnist", folder=tmp_path), arrays) == {}
    assert about["command"].startswith("python experiments/projection_spectra.py --data mnist --train 48")
    assert about["seconds"] >= 0 and about["device"] == "CPU, 1 threads" and str(tmp_path) not in str(about)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A script called in this process."""

    def make(name, *more):
        monkeypatch.setattr(sys, "argv", words_for(name, tmp_path, *more))
        runs.run(name)

    return make


def test_a_record_grows_by_a_seed_as_if_all_had_been_trained_at_once(make, tmp_path):
    make("layer_targets", "--seeds", "1")
    make("layer_targets", "--first", "1", "--seeds", "2")
    arrays, about = record("layer_targets", folder=tmp_path)
    assert about["seeds"] == [0, 1]
    assert runs.differences(tiny_run("layer_targets"), arrays) == {}


def test_a_record_that_a_seed_cannot_be_added_to_is_left(make, tmp_path):
    make("parity")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for more in (["--first", "1", "--seeds", "3"], ["--first", "2", "--seeds", "3", "--lr", "0.2"]):
        with pytest.raises(SystemExit, match="the record parity was made with"):
            make("parity", *more)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


STUBBORN = """
import os, signal
from pathlib import Path
import numpy as np

OPTIONS = {"seeds": 3, "device": "cpu", "place": "", "harm": ""}
AXES = {"value": "seed depth draw"}

def case(o, checkpoint, seed, depth):
    with open(Path(o.place) / f"{seed}-{depth}", "a") as begun:
        begun.write(f"{os.getpid()} ")
    once = Path(o.place) / "harmed"
    if o.harm and (seed, depth) == (1, 5) and not once.exists():
        once.touch()
        if o.harm == "raise":
            raise ValueError("no such depth")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": np.random.default_rng([seed, depth]).normal(size=2)}

def main(o, each):
    return each(seed=range(o.seeds), depth=(3, 5))
"""
EXPECTED = np.array([[np.random.default_rng([s, d]).normal(size=2) for d in (3, 5)] for s in range(3)])


class Stubborn:
    """A script with six cases, one of which fails, or kills its process, the first time."""

    def __init__(self, folder):
        (folder / "begun").mkdir()
        (folder / "stubborn.py").write_text(STUBBORN)
        self.folder, self.script = folder, importlib.import_module("stubborn")

    def run(self, harm, **engine):
        o = SimpleNamespace(seeds=3, device="cpu", place=str(self.folder / "begun"), harm=harm)
        return self.script.main(o, runs.Cases(self.script, o, self.folder / "kept", **engine))["value"]

    def begun_by(self):
        """Per case the processes that began it."""
        return {path.name: path.read_text().split() for path in (self.folder / "begun").glob("*-*")}


@pytest.fixture
def stubborn(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stubborn", raising=False)
    return Stubborn(tmp_path)


def test_a_case_that_fails_is_named_and_the_others_are_kept(stubborn, capsys):
    with pytest.raises(SystemExit, match="1 of 6 cases failed: seed1-depth5.* is kept, and the same command"):
        stubborn.run("raise")
    assert "ValueError: no such depth" in capsys.readouterr().err
    np.testing.assert_array_equal(stubborn.run("raise"), EXPECTED)
    times = {name: len(processes) for name, processes in stubborn.begun_by().items()}
    assert times == {f"{s}-{d}": 2 if (s, d) == (1, 5) else 1 for s in range(3) for d in (3, 5)}


def test_a_process_that_is_killed_ends_the_run_and_the_same_command_goes_on(stubborn):
    with pytest.raises(SystemExit, match="a process was killed.* Under way were .*seed1-depth5"):
        stubborn.run("kill", jobs=2)
    np.testing.assert_array_equal(stubborn.run("kill", jobs=2), EXPECTED)


@pytest.mark.usefixtures("forked")
def test_a_cluster_of_which_a_worker_is_killed_loses_nothing_and_counts_nothing_twice(stubborn, tmp_path):
    script, parameters = importlib.import_module("parity"), record("parity")[1]["tiny"]["parameters"]
    o = SimpleNamespace(**parameters, first=0)
    workers = dict(n_workers=2, threads_per_worker=2, dashboard_address=None, host="127.0.0.1")
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}),
        LocalCluster(**workers) as cluster,
    ):
        found = stubborn.run("kill", dask=cluster.scheduler_address)
        same = script.main(o, runs.Cases(script, o, tmp_path / "parity", dask=cluster.scheduler_address))
    np.testing.assert_array_equal(found, EXPECTED)
    begun = stubborn.begun_by()
    assert len(set(begun["1-5"])) == 2 and set(begun) == {f"{s}-{d}" for s in range(3) for d in (3, 5)}
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 6
    assert runs.differences(tiny_run("parity"), same) == {}


def test_there_must_be_a_scheduler_and_workers_of_the_same_code(stubborn):
    with pytest.raises(SystemExit, match="no Dask scheduler at tcp://127.0.0.1:1"):
        stubborn.run("", dask="tcp://127.0.0.1:1")
    o = {"seeds": 3, "device": "cpu", "place": str(stubborn.folder / "begun"), "harm": ""}
    case = {"script": "stubborn", "options": o, "settings": {"seed": 0, "depth": 3}, "checkpoint": "x"}
    assert runs.solve(case | {"code": runs.code_here()})["value"].shape == (2,)
    with pytest.raises(RuntimeError, match="code or versions differ"):
        runs.solve(case | {"code": ["other"]})


def small_data():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(40, 5, generator=generator), torch.randint(0, 3, (40,), generator=generator)


def small_net():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


SMALL_FIT = {"batch": 16, "optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9)}


@pytest.mark.parametrize("killed_at", [0, 1, 3])
def test_fit_goes_on_where_it_stopped(killed_at, tmp_path):
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


def test_every_epoch_has_an_order_of_its_own_and_so_has_every_seed(tmp_path):
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


def test_a_network_trains_in_the_precision_asked_for_and_is_evaluated_in_float32():
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


def test_other_options_have_other_checkpoints():
    options = {"epochs": 3, "at": (0, 1), "lr": 0.1}
    same = runs.checkpoints("run", dict(reversed(options.items())))
    others = [runs.checkpoints("other", options)]
    others += [runs.checkpoints("run", options | change) for change in ({"epochs": 4}, {"at": (0, 2)}, {"lr": 0.2})]
    assert same == runs.checkpoints("run", options) and len({same, *others}) == 5


class Evil:
    def __reduce__(self):
        return os.mkdir, (str(Evil.folder),)


def test_a_checkpoint_is_never_run(tmp_path):
    Evil.folder = tmp_path / "ran"
    torch.save({"done": Evil()}, tmp_path / "evil.pt")
    x, y = small_data()
    with pytest.raises(pickle.UnpicklingError):
        runs.fit(
            small_net(), x, y, epochs=1, seed=0, measure=lambda *_: {}, checkpoint=tmp_path / "evil.pt", **SMALL_FIT
        )
    assert not Evil.folder.exists()


def test_a_checkpoint_is_whole_when_the_disk_is_full(tmp_path, full_disk):
    x, y = small_data()
    go = partial(runs.fit, x=x, y=y, seed=0, measure=lambda net, _: {"w": net[0].weight.detach().clone()}, **SMALL_FIT)
    go(small_net(), epochs=1, checkpoint=tmp_path / "run.pt")
    whole = (tmp_path / "run.pt").read_bytes()
    with full_disk(len(whole) // 2):
        go(small_net(), epochs=2, checkpoint=tmp_path / "run.pt")
    assert (tmp_path / "run.pt").read_bytes() == whole
    resumed = go(small_net(), epochs=2, checkpoint=tmp_path / "run.pt")
    np.testing.assert_array_equal(resumed["w"], go(small_net(), epochs=2, checkpoint=tmp_path / "new.pt")["w"])


def test_the_ratio_of_an_effective_target_is_that_of_centred_labels():
    """With a wide filter nothing is left of centred labels, and of others their mean; with a narrow one all is left."""
    k0 = np.array([1e-3, 1.0, 1e3])
    z, y = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 5 // 2
    found = runs.target_ratio(3 * z, y, seed=0, k0=k0)
    for name in ("lfr", "lfr_shuffled"):
        np.testing.assert_allclose(found[name][[0, 2]], [0, 1], atol=1e-5)
    labels = np.eye(3)[y] - np.eye(3)[y].mean(0)
    x, scale = unit_distance(3 * z.numpy())
    np.testing.assert_allclose(found["lfr"], low_frequency_ratio(x, labels, 1 / k0**2))
    assert found["scale"] == pytest.approx(scale) and 9 * unit_distance(z.numpy())[1] == pytest.approx(scale, rel=1e-5)
    other, again = (runs.target_ratio(3 * z, y, seed=seed, k0=k0)["lfr_shuffled"][1] for seed in (1, 0))
    assert other != found["lfr_shuffled"][1] == again
    smooth = (z[:, 0] > 0).long()
    ratio = runs.target_ratio(z, smooth, seed=0, k0=k0)
    assert ratio["lfr"][1] > 1.5 * ratio["lfr_shuffled"][1]
