"""The official files of MNIST and CIFAR-10: their published sums, their formats, and where they are downloaded."""

import gzip
import io
import os
import shutil
import struct
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fpbook._files import DAMAGE, LOG, DataError, checked

Splits = list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]  # images and labels of the training set, of the test set
TIMEOUT = 30.0  # seconds without a byte

# Published MD5 of the official files: they guard against damage, the SHA-256 of the archives against malice too.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
CIFAR10_MD5 = {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
}
ARCHIVE_SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    "cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}
MNIST_MIRRORS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
]
CIFAR10_MIRRORS = [
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
    "https://www.cs.toronto.edu/~kriz/",
]
CIFAR10_RECORD = 1 + 3 * 32 * 32  # bytes: a label, then the red, the green and the blue plane
MEMBER_BYTES = 2**26  # what one file may take when unpacked; the largest, MNIST's training images, has 47 MB


def official_mnist(folder: Path) -> Splits:
    """All of MNIST from the idx files in a folder, plain or gzipped; what is missing is downloaded."""
    arrays = []
    for name, md5 in MNIST_MD5.items():
        path = folder / name
        if path.is_file():
            arrays.append(idx_array(checked(path, "md5", md5), path))
        else:
            path = folder / f"{name}.gz"
            arrays.append(idx_array(_unzipped(archive(folder, path.name, MNIST_MIRRORS), path), path))
    images, labels = [x[:, None] for x in arrays[::2]], arrays[1::2]
    return list(zip(images, labels))


def official_cifar10(folder: Path) -> Splits:
    """All of CIFAR-10 from the binary version in a folder, unpacked or not; it is downloaded if missing."""
    plain, packed = folder / "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
    if plain.is_dir():
        contents = [checked(plain / name, "md5", md5) for name, md5 in CIFAR10_MD5.items()]
    else:
        contents = _members(archive(folder, packed, CIFAR10_MIRRORS), folder / packed)
    splits = []
    for content in (b"".join(contents[:5]), contents[5]):
        splits.append(cifar10_records(content, folder))
    return splits


def idx_array(content: bytes, path: Path) -> NDArray[np.uint8]:
    """The array of an idx file of bytes; DataError if its header is none, or claims another size than the file has."""
    try:
        zero, kind, axes = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
        if (zero, kind) != (0, 8):
            raise ValueError("its first three bytes are not 0, 0, 8")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)  # a view: it must fit
    except (ValueError, struct.error) as error:
        raise DataError(f"{path} is no idx file of bytes ({error}); restore or delete it") from error


def cifar10_records(content: bytes, path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (n, 3, 32, 32), red first, and labels (n,) of CIFAR-10's records; DataError if they are not whole."""
    if not content or len(content) % CIFAR10_RECORD:
        raise DataError(f"{path}: {len(content)} bytes are no records of CIFAR-10; restore or delete them")
    records = np.frombuffer(content, np.uint8).reshape(-1, CIFAR10_RECORD)
    if records[:, 0].max() > 9:
        raise DataError(f"{path} holds the label {records[:, 0].max()}, and CIFAR-10 has 0 to 9; restore or delete it")
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]


def _unzipped(content: bytes, path: Path) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(MEMBER_BYTES + 1)
    except DAMAGE as error:
        raise DataError(f"{path} is damaged ({error!r}); restore or delete it") from error
    if len(plain) > MEMBER_BYTES:
        raise DataError(f"{path} unpacks to more than {MEMBER_BYTES} bytes; restore or delete it")
    return plain


def _members(content: bytes, path: Path) -> list[bytes]:
    """The six batches of CIFAR-10's archive."""
    contents = []
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            for name in CIFAR10_MD5:
                member = tar.extractfile(f"cifar-10-batches-bin/{name}")
                if member is None:
                    raise ValueError(f"{name} is no file")
                contents.append(member.read(MEMBER_BYTES))
    except (*DAMAGE, tarfile.TarError) as error:
        raise DataError(f"{path} is damaged ({error!r}); restore or delete it") from error
    return contents


def archive(folder: Path, name: str, mirrors: list[str]) -> bytes:
    """Content of an official archive in a folder, downloaded first if it is not there."""
    if not (folder / name).is_file():
        try:
            _download(folder, name, mirrors)
        except OSError as error:  # a full or read-only disk
            raise DataError(
                f"{name} cannot be stored in {folder}: {error}; set FPBOOK_DATA to a folder with space"
            ) from error
    return checked(folder / name, "sha256", ARCHIVE_SHA256[name])


def _download(folder: Path, name: str, mirrors: list[str]) -> None:
    """Fetch an archive from the first mirror that gives it whole. Only a file with the right sum ever gets its name."""
    import pooch
    import requests
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel("WARNING")
    quiet = os.environ.get("FPBOOK_BUILD") == "1"
    failures = []
    with FileLock(folder / "download.lock"):  # a second process waits here; the lock of a killed one is free
        if (folder / name).is_file():
            return
        partial = folder / "partial"
        shutil.rmtree(partial, ignore_errors=True)  # left by a killed download
        for mirror in mirrors:
            LOG.info("downloading %s%s", mirror, name)
            store = pooch.create(partial, mirror, registry={name: f"sha256:{ARCHIVE_SHA256[name]}"}, retry_if_failed=2)
            get = pooch.HTTPDownloader(progressbar=not quiet, chunk_size=2**16, timeout=TIMEOUT)
            try:
                os.replace(store.fetch(name, downloader=get), folder / name)
                partial.rmdir()
                return
            except (requests.RequestException, ValueError) as error:
                failures.append(f"{mirror}: {error}")
                LOG.warning("%s", failures[-1])
        raise DataError(
            f"{name} could not be downloaded. Put it into a folder yourself and set FPBOOK_DATA to that folder.\n"
            + "\n".join(failures)
        )
