"""Files that are read as data: bounded in size, compared with a checksum, never run, written whole or not at all."""

import hashlib
import io
import logging
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

BOOK = Path(__file__).parents[1]  # the repository; of an installed package, the folder of all packages
DATA = BOOK / "data" if (BOOK / "pyproject.toml").is_file() else Path("data")  # embedded files; never among packages
FILE_BYTES = 2**28  # the largest file that is read at all; the archive of CIFAR-10 has 170 MB
ARRAY_BYTES = 2**27  # what the arrays of one file may take when unpacked; MNIST takes 55 MB
LOG = logging.getLogger("fpbook.datasets")

# What a reader raises on bytes that are not what they should be. Each becomes a DataError.
DAMAGE = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError, RuntimeError,
    MemoryError, RecursionError, zlib.error, zipfile.BadZipFile,
)  # fmt: skip


class DataError(RuntimeError):
    """Data are missing, damaged or out of reach; the message names the file and says what to do."""


def read_bytes(path: Path, *, limit: int = FILE_BYTES) -> bytes:
    """Content of a file; DataError if it cannot be read or is far too large."""
    try:
        if path.stat().st_size > limit:
            raise DataError(f"{path} is damaged: it has {path.stat().st_size} bytes; restore or delete it")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def checked(path: Path, algorithm: str, known: str) -> bytes:
    """Content of a file; DataError if it cannot be read, is far too large, or its checksum is not the known one."""
    content = read_bytes(path)
    found = hashlib.new(algorithm, content).hexdigest()
    if found != known:
        raise DataError(f"{path} is damaged: its {algorithm} is {found}, not {known}; restore or delete it")
    LOG.info("read %s", path)
    return content


def arrays_of(content: bytes, path: Path, *, limit: int = ARRAY_BYTES) -> dict[str, NDArray]:
    """The arrays in the bytes of an npz file; DataError if they are none, hold objects, or claim too much memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > limit:
                raise ValueError(f"its arrays would take more than {limit} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
            arrays = dict(loaded)
        if strange := [name for name, value in arrays.items() if not isinstance(value, np.ndarray)]:
            raise ValueError(f"{strange} are no arrays")
        return arrays
    except DAMAGE as error:
        raise DataError(f"{path} is damaged ({error!r}); restore or delete it") from error


def replace(path: Path, content: bytes) -> None:
    """Write bytes so that the file is whole or as it was before, whenever the process ends."""
    replace_all({path: content})


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """The same for files that belong together: none takes its name before all are written."""
    parts = {path: path.with_name(f"{path.name}.{os.getpid()}.part") for path in contents}
    try:
        for path, part in parts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(contents[path])
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
