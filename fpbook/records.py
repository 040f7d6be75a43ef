"""Records of long runs: arrays, and beside them the command, seeds, versions, code, date and device that made them."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpbook._files import DAMAGE, DATA, DataError, arrays_of, checked, replace

RECORDS = DATA / "records"
ABOUT_BYTES = 2**20  # more than any JSON of a record has
SUMS = ("sha256", "sha256_about")  # of the arrays' file, and of the JSON without this last line


def record(name: str, *, folder: Path | None = None) -> tuple[dict[str, NDArray], dict]:
    """Arrays of a long run made by a script in ``experiments/``, and what is known about that run.

    Parameters
    ----------
    name : str
        ``"hard_samples"`` for ``data/records/hard_samples.npz``.
    folder : Path, optional
        Another place than ``data/records``.

    Returns
    -------
    dict of arrays, dict
        The second is the JSON beside the arrays: command, parameters, seeds, versions, code, device, date, duration.

    Raises
    ------
    DataError
        If one of the two files is missing or damaged, or they do not belong together.
    """
    arrays, about = ((folder or RECORDS) / f"{name}.{end}" for end in ("npz", "json"))
    known = _about(about)
    return arrays_of(checked(arrays, "sha256", known["sha256"]), arrays), known


def save_record(name: str, arrays: Mapping[str, ArrayLike], about: Mapping, *, folder: Path = RECORDS) -> None:
    """Write a record: NAME.npz, and NAME.json with the sums of both, which `record` compares.

    Parameters
    ----------
    name : str
    arrays : dict of arrays
        No objects: a record never holds code.
    about : dict
        What is known about the run, of what JSON holds. Shapes and sums are added.
    folder : Path
        Each of the two files is written whole or not at all.

    Raises
    ------
    ValueError
        If `about` has something that JSON does not have, NaN included, or an array holds objects.
    """
    plain = {key: np.asarray(value) for key, value in arrays.items()}
    if objects := [key for key, value in plain.items() if value.dtype.hasobject]:
        raise ValueError(f"{objects} hold objects; a record has numbers only")
    np.savez_compressed(buffer := io.BytesIO(), **plain)  # type: ignore[arg-type]
    known = {key: value for key, value in about.items() if key not in SUMS}
    known["arrays"] = {key: [list(value.shape), str(value.dtype)] for key, value in plain.items()}
    known["sha256"] = hashlib.sha256(buffer.getvalue()).hexdigest()
    text = _text(known | {"sha256_about": hashlib.sha256(_text(known)).hexdigest()})
    replace(folder / f"{name}.npz", buffer.getvalue())
    replace(folder / f"{name}.json", text)


def _about(path: Path) -> dict:
    """What a JSON says about its record; DataError unless it is, byte for byte, what was written."""
    if not path.is_file():
        raise DataError(f"there is no record {path}; experiments/README.md names the command that makes it")
    try:
        if path.stat().st_size > ABOUT_BYTES:
            raise ValueError(f"it has {path.stat().st_size} bytes")
        content = path.read_bytes()
        about = json.loads(content)
        rest = {key: value for key, value in about.items() if key != "sha256_about"}
        if content != _text(about) or about["sha256_about"] != hashlib.sha256(_text(rest)).hexdigest():
            raise ValueError("its own sum is not the one it names")
        return about
    except DAMAGE as error:
        raise DataError(f"the record {path} is damaged ({error!r}); restore both files with git checkout") from error


def _text(about: Mapping) -> bytes:
    return (json.dumps(about, indent=1, allow_nan=False) + "\n").encode()
