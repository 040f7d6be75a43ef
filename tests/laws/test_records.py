"""Records of long runs: arrays and their description belong together, and nothing in them is run."""

import hashlib
import json

import numpy as np
import pytest

from fpbook.datasets import DataError
from fpbook.records import RECORDS, record, save_record, tiny_run

SHIPPED = sorted(path.stem for path in RECORDS.glob("*.npz"))
ARRAYS = {"loss": np.arange(3.0), "seed": 7}
AXES = {"loss": "step", "seed": ""}


@pytest.fixture
def folder(tmp_path):
    """A folder with one record."""
    about = {"seeds": [0], "command": "python é.py"}
    save_record("run", ARRAYS, about, folder=tmp_path, axes=AXES, tiny={"loss": [5.0, 6.0]})
    return tmp_path


def test_what_is_saved_is_loaded(folder):
    arrays, about = record("run", folder=folder)
    assert set(arrays) == {"loss", "seed"} and about["seeds"] == [0] and about["command"] == "python é.py"
    np.testing.assert_array_equal(arrays["loss"], [0, 1, 2])
    assert about["arrays"]["loss"] == {"axes": ["step"], "shape": [3], "dtype": "float64"}
    assert about["arrays"]["seed"] == {"axes": [], "shape": [], "dtype": "int64"}
    tiny = tiny_run("run", folder=folder)
    assert set(tiny) == {"loss"} and tiny["loss"].tolist() == [5, 6]
    with np.load(folder / "run.npz", allow_pickle=False) as plain:  # numpy alone reads it, too
        np.testing.assert_array_equal(plain["loss"], [0, 1, 2])


def test_what_was_loaded_can_be_saved_again(folder, tmp_path):
    arrays, about = record("run", folder=folder)
    save_record("run", arrays, about, folder=tmp_path / "again", axes=AXES, tiny=tiny_run("run", folder=folder))
    assert {path.name for path in (tmp_path / "again").iterdir()} == {"run.npz", "run.json"}
    again, about_again = record("run", folder=tmp_path / "again")
    assert about_again == about and all((again[name] == arrays[name]).all() for name in arrays)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_record_of_the_book_is_whole_and_says_how_it_was_made(name):
    arrays, about = record(name)
    assert set(arrays) == set(about["arrays"])
    for key, value in arrays.items():
        listed = about["arrays"][key]
        assert (listed["shape"], listed["dtype"]) == (list(value.shape), str(value.dtype))
        assert len(listed["axes"]) == value.ndim
        assert not np.isinf(value).any() and not np.isnan(value).all()
    assert {"command", "parameters", "seeds", "versions", "device", "date", "seconds", "code", "tiny"} <= set(about)
    sizes = {}  # an axis of one name has one size
    for listed in about["arrays"].values():
        for axis, size in zip(listed["axes"], listed["shape"], strict=True):
            assert sizes.setdefault(axis, size) == size
    assert sizes.get("seed", len(about["seeds"])) == len(about["seeds"])


def git_changes_line_ends(path):
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def of_another_run(path):
    np.savez(path, loss=np.arange(4.0))


def pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


@pytest.mark.parametrize(
    ("harm", "cause"),
    [
        (lambda path: path.unlink(), "run.npz cannot be read"),
        (git_changes_line_ends, "git changed them .core.autocrlf."),
        (cut, r"is damaged \(.* bytes\): restore"),
        (of_another_run, "of another run"),
        (pointer, "pointer of Git LFS"),
    ],
)
def test_damaged_arrays_are_named_with_the_cause(folder, harm, cause):
    harm(folder / "run.npz")
    with pytest.raises(DataError, match=cause):
        record("run", folder=folder)


def test_line_ends_that_git_changed_do_no_harm_to_a_json(folder):
    whole = record("run", folder=folder)[1]
    git_changes_line_ends(folder / "run.json")
    assert record("run", folder=folder)[1] == whole


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[1]", b"null", b"\xff", b"", b"{}", b'{"sha256": '],
    ids=["brackets", "list", "null", "no text", "empty", "no checksum", "cut"],
)
def test_a_json_that_is_none_is_refused(folder, content):
    (folder / "run.json").write_bytes(content)
    with pytest.raises(DataError, match="run.json is damaged.*git checkout"):
        record("run", folder=folder)


@pytest.mark.parametrize("name", ["other", "../x", "/etc/passwd", "a/../../b"])
def test_a_name_without_a_record(folder, name):
    with pytest.raises(DataError, match="there is no record .*experiments/README.md"):
        record(name, folder=folder)


@pytest.mark.parametrize(
    ("arrays", "about", "axes", "message"),
    [
        ({"loss": np.array([{}], dtype=object)}, {}, {"loss": "step"}, "hold objects"),
        ({"loss": np.zeros(2)}, {"seconds": float("nan")}, {"loss": "step"}, "JSON"),
        ({"loss": np.zeros(2)}, {}, {}, r"name each axis of each array: loss \(2,\) is named None"),
        ({"loss": np.zeros((2, 3))}, {}, {"loss": "step"}, r"loss \(2, 3\) is named 'step'"),
        ({"loss": np.float64(1)}, {}, {}, r"loss \(\) is named None"),
    ],
)
def test_what_a_record_cannot_hold_is_refused(tmp_path, arrays, about, axes, message):
    with pytest.raises(ValueError, match=message):
        save_record("run", arrays, about, folder=tmp_path, axes=axes)
    assert not list(tmp_path.iterdir())


def test_a_record_never_runs_code(folder):
    np.savez(folder / "run.npz", loss=np.array([{"a": 1}], dtype=object))
    about = {"sha256": hashlib.sha256((folder / "run.npz").read_bytes()).hexdigest()}
    (folder / "run.json").write_text(json.dumps(about))
    with pytest.raises(DataError, match="allow_pickle"):
        record("run", folder=folder)


@pytest.mark.parametrize(
    ("loss", "about"),
    [(np.random.default_rng(0).normal(size=2000), {}), (np.ones(5), {"note": "words " * 2000})],
    ids=["npz", "json"],
)
def test_a_disk_that_is_full_leaves_the_record_as_it_was(folder, full_disk, loss, about):
    """Whichever of the two files cannot be written."""
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with full_disk(5000):
        save_record("run", {"loss": loss, "seed": 8}, about, folder=folder, axes=AXES)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
