"""Records of long runs: arrays and their description belong together, and nothing in them is run."""

import hashlib
import json

import numpy as np
import pytest

from fpbook import records
from fpbook.datasets import DataError
from fpbook.records import record


@pytest.fixture
def a_record(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "EMBEDDED", tmp_path)
    (tmp_path / "records").mkdir()
    path = tmp_path / "records" / "run.npz"
    np.savez(path, loss=np.arange(3.0))
    path.with_suffix(".json").write_text(
        json.dumps({"seeds": [0], "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    )
    return path


def test_a_record_is_its_arrays_and_its_json(a_record):
    arrays, about = record("run")
    np.testing.assert_array_equal(arrays["loss"], [0, 1, 2])
    assert about["seeds"] == [0]


def test_a_record_that_is_missing_damaged_or_mixed_up(a_record):
    with pytest.raises(DataError, match="no record .*other.npz; experiments/README.md"):
        record("other")
    np.savez(a_record, loss=np.arange(4.0))  # arrays of another run
    with pytest.raises(DataError, match="run.npz is damaged"):
        record("run")
    a_record.with_suffix(".json").write_text("{}")
    with pytest.raises(DataError, match="run.json is damaged"):
        record("run")


def test_a_record_never_runs_code(a_record):
    np.savez(a_record, loss=np.array([{"a": 1}], dtype=object))
    a_record.with_suffix(".json").write_text(json.dumps({"sha256": hashlib.sha256(a_record.read_bytes()).hexdigest()}))
    with pytest.raises(DataError, match="pickle"):
        record("run")
