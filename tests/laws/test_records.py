"""Records of long runs: arrays and their description belong together, and nothing in them is run."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpbook import records
from fpbook.datasets import DataError
from fpbook.records import record, save_record

SHIPPED = sorted(path.stem for path in records.RECORDS.glob("*.npz"))


@pytest.fixture
def a_record(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RECORDS", tmp_path)
    save_record("run", {"loss": np.arange(3.0), "seed": 7}, {"seeds": [0], "command": "python é.py"}, folder=tmp_path)
    return tmp_path / "run.npz"


def test_what_is_saved_is_loaded(a_record):
    arrays, about = record("run")
    np.testing.assert_array_equal(arrays["loss"], [0, 1, 2])
    assert arrays["seed"] == 7 and about["seeds"] == [0] and about["command"] == "python é.py"
    assert about["arrays"] == {"loss": [[3], "float64"], "seed": [[], "int64"]}
    assert about["sha256"] == hashlib.sha256(a_record.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_record_of_the_book_is_whole_and_says_how_it_was_made(name):
    arrays, about = record(name)
    assert {key: [list(value.shape), str(value.dtype)] for key, value in arrays.items()} == about["arrays"]
    assert {"command", "parameters", "seeds", "versions", "device", "date", "seconds", "code"} <= set(about)
    assert not any(np.isinf(value).any() or np.isnan(value).all() for value in arrays.values())


def test_a_record_that_is_missing_damaged_or_mixed_up(a_record):
    with pytest.raises(DataError, match="no record .*other.json; experiments/README.md"):
        record("other")
    a_record.rename(a_record.with_name("kept"))
    with pytest.raises(DataError, match="run.npz cannot be read"):
        record("run")
    np.savez(a_record, loss=np.arange(4.0))  # arrays of another run
    with pytest.raises(DataError, match="run.npz is damaged"):
        record("run")
    a_record.with_suffix(".json").write_text("{}")
    with pytest.raises(DataError, match="run.json is damaged"):
        record("run")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../b"])
def test_a_name_that_leads_elsewhere_finds_no_record(a_record, name):
    with pytest.raises(DataError):
        record(name)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**4), st.binary(min_size=0, max_size=2))
def test_a_changed_byte_of_the_json_is_seen(a_record, at, put):
    path = a_record.with_suffix(".json")
    whole = path.read_bytes()
    at %= len(whole) + 1
    changed = whole[:at] + put + whole[at + 1 :]
    try:
        path.write_bytes(changed)
        if changed == whole:
            record("run")
        else:
            with pytest.raises(DataError):
                record("run")
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[1]", b"null", b"\xff", b"", b'{"sha256": 5}', b" " * 2**21],
    ids=["brackets", "list", "null", "no text", "empty", "no sums", "long"],
)
def test_a_json_that_is_none_is_refused(a_record, content):
    a_record.with_suffix(".json").write_bytes(content)
    with pytest.raises(DataError, match="run.json is damaged"):
        record("run")


def test_a_json_that_is_far_too_long_is_not_read(a_record, monkeypatch):
    monkeypatch.setattr(records, "ABOUT_BYTES", a_record.with_suffix(".json").stat().st_size - 1)
    monkeypatch.setattr(type(a_record), "read_bytes", lambda path: pytest.fail("read"))
    with pytest.raises(DataError, match="it has .* bytes"):
        record("run")


def test_what_was_loaded_can_be_saved_again_wherever_one_wants(a_record, tmp_path, monkeypatch):
    arrays, about = record("run")
    for folder in (tmp_path / "one", tmp_path / "two"):
        save_record("run", arrays, about, folder=folder)
        assert {path.name for path in folder.iterdir()} == {"run.npz", "run.json"}
        monkeypatch.setattr(records, "RECORDS", folder)
        again, arrays_again = record("run")[1], record("run")[0]
        assert again == about and all((arrays_again[name] == arrays[name]).all() for name in arrays)
    assert {path.name for path in a_record.parent.iterdir()} == {"run.npz", "run.json", "one", "two"}


def test_what_a_record_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="objects"):
        save_record("run", {"loss": np.array([{}], dtype=object)}, {}, folder=tmp_path)
    with pytest.raises(ValueError):
        save_record("run", {}, {"seconds": float("nan")}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_record_never_runs_code(a_record):
    np.savez(a_record, loss=np.array([{"a": 1}], dtype=object))
    about = {"sha256": hashlib.sha256(a_record.read_bytes()).hexdigest()}
    about["sha256_about"] = hashlib.sha256(records._text(about)).hexdigest()
    a_record.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")
    with pytest.raises(DataError, match="pickle"):
        record("run")
