"""Files that are read as data: bounded in size, checked by their sums, never run, and written whole or not at all."""

import hashlib
import io
import logging
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data"  # what the book brings along
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


def checked(path: Path, algorithm: str, known: str) -> bytes:
    """Content of a file; DataError if it cannot be read, is far too large, or its sum is not the known one."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise DataError(f"{path} is damaged: it has {path.stat().st_size} bytes; restore or delete it")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    found = hashlib.new(algorithm, content).hexdigest()
    if found != known:
        raise DataError(f"{path} is damaged: its {algorithm} is {found}, not {known}; restore or delete it")
    LOG.info("read %s", path)
    return content


def arrays_of(content: bytes, path: Path) -> dict[str, NDArray]:
    """The arrays in the bytes of an npz file; DataError if they are none, hold objects, or claim too much memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > ARRAY_BYTES:
                raise ValueError(f"its arrays would take more than {ARRAY_BYTES} bytes")
            return {m.filename.removesuffix(".npy"): _array(archive.open(m).read(m.file_size)) for m in members}
    except DAMAGE as error:
        raise DataError(f"{path} is damaged ({error!r}); restore or delete it") from error


def _array(content: bytes) -> NDArray:
    """One array in the npy format; ValueError if its header claims another size than its bytes have."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("an array of objects would need pickle, which runs code")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"an array claims the shape {shape} of {dtype}, which is not the size of its bytes")
    stream.seek(0)
    return np.load(stream, allow_pickle=False)


def replace(path: Path, content: bytes) -> None:
    """Write bytes so that the file is whole or as it was before, whenever the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
