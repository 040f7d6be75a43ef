"""Records of long runs: arrays, and beside them the command, seeds, versions, code, date and device that made them.

A record is two files, ``NAME.npz`` and ``NAME.json``. Beside the arrays of the long run it holds those of a *tiny run*,
which takes seconds. If you repeat the tiny run and get the same arrays, today's code still computes what the code of
the record computed.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpbook._files import DAMAGE, DATA, DataError, arrays_of, read_bytes, replace_all

RECORDS = DATA / "records"
TINY = "tiny/"  # what the names of the tiny run's arrays begin with in the npz


def record(name: str, *, folder: Path | None = None) -> tuple[dict[str, NDArray], dict]:
    """Arrays of a long run made by a script in ``experiments/``, and what is known about that run.

    Parameters
    ----------
    name : str
        Name of its files without the ending, ``"hard_samples"`` for ``data/records/hard_samples.npz``.
    folder : Path, optional
        Folder of the files, if it is not ``data/records``.

    Returns
    -------
    dict of arrays, dict
        The arrays, and the JSON beside them. It has command, parameters, seeds, versions, code, device, date, duration,
        and under "arrays" the axes, shape and dtype of each array.

    Raises
    ------
    DataError
        If one of the two files is missing or damaged, or they do not belong together.
    """
    arrays, about = _read(name, folder or RECORDS)
    return {key: value for key, value in arrays.items() if not key.startswith(TINY)}, about


def tiny_run(name: str, *, folder: Path | None = None) -> dict[str, NDArray]:
    """Arrays of the tiny run that is stored in a record.

    The options of that run are ``about["tiny"]["parameters"]``, where ``_, about = record(name)``.
    """
    arrays, _ = _read(name, folder or RECORDS)
    return {key.removeprefix(TINY): value for key, value in arrays.items() if key.startswith(TINY)}


def save_record(
    name: str,
    arrays: Mapping[str, ArrayLike],
    about: Mapping,
    *,
    folder: Path,
    axes: Mapping[str, str],
    tiny: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Write a record, both of its files or none.

    Parameters
    ----------
    name : str
    arrays : dict of arrays
        Arrays of plain values. Arrays of Python objects are refused, because those could hold code.
    about : dict
        What is known about the run, as far as JSON can hold it. Shapes and a checksum are added.
    folder : Path
        Where the two files are written.
    axes : dict
        Names of the axes of each array, for example ``{"h": "seed epoch k"}``. For a single number it is "".
    tiny : dict of arrays, optional
        Arrays of the tiny run.

    Raises
    ------
    ValueError
        If `about` has something that JSON cannot hold, such as NaN, if an array holds objects, or if `axes` does not
        name each axis of each array.
    """
    plain = {key: np.asarray(value) for key, value in arrays.items()}
    whole = plain | {f"{TINY}{key}": np.asarray(value) for key, value in (tiny or {}).items()}
    if objects := [key for key, value in whole.items() if value.dtype.hasobject]:
        raise ValueError(f"{objects} hold objects; a record has numbers only")
    named = {key: axes[key].split() for key in plain if key in axes}
    if wrong := [key for key, value in plain.items() if len(named.get(key, [None])) != value.ndim or key not in named]:
        shapes = ", ".join(f"{key} {plain[key].shape} is named {axes.get(key)!r}" for key in wrong)
        raise ValueError(f"name each axis of each array: {shapes}")
    np.savez_compressed(buffer := io.BytesIO(), **whole)  # type: ignore[arg-type]
    listed = {
        key: {"axes": named[key], "shape": list(value.shape), "dtype": str(value.dtype)} for key, value in plain.items()
    }
    known = {**about, "arrays": listed, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    text = json.dumps(known, indent=1, allow_nan=False) + "\n"
    replace_all({folder / f"{name}.npz": buffer.getvalue(), folder / f"{name}.json": text.encode()})


def _read(name: str, folder: Path) -> tuple[dict[str, NDArray], dict]:
    """All arrays and the JSON of a record; DataError unless both are what was written."""
    file, beside = (folder / f"{name}.{end}" for end in ("npz", "json"))
    if not beside.is_file():
        raise DataError(f"there is no record {beside}; experiments/README.md names the command that makes it")
    try:
        about = json.loads(read_bytes(beside))
        known = str(about["sha256"])
    except DAMAGE as error:
        raise DataError(f"the record {beside} is damaged ({error!r}); restore both files with git checkout") from error
    content = read_bytes(file)
    if hashlib.sha256(content).hexdigest() != known:
        raise DataError(f"the record {file} {_cause(content, known)}")
    return arrays_of(content, file), about


def _cause(content: bytes, known: str) -> str:
    """Why an npz is not the one that its JSON names, and what helps."""
    if hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() == known or b"\r\n" in content[:200]:
        return (
            "has other line ends than were written: git changed them (core.autocrlf). Say "
            "`git config core.autocrlf false`, delete the file, and restore it with git checkout"
        )
    if content.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS and not the file: fetch it with git lfs pull"
    if content.startswith(b"PK") and _opens(content):
        return "is a whole file of another run than its JSON: restore both files of the record with git checkout"
    return f"is damaged ({len(content):,} bytes): restore both files of the record with git checkout"


def _opens(content: bytes) -> bool:
    try:
        return bool(arrays_of(content, Path()))
    except DataError:
        return False
