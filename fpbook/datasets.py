"""Real images: MNIST and CIFAR-10.

Images come from the first place that holds enough of them: the files embedded in ``data/``, the official files in the folder that
the environment variable FPBOOK_DATA names, or a download of the official archives into that folder (without the variable: a cache
folder of the user). The first n images are the same whichever place they come from, and every file is checked against its
published sum each time it is read. Which place was used goes to the logger ``fpbook.datasets``.
"""

import gzip
import hashlib
import io
import logging
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import torch

EMBEDDED = Path(__file__).parents[1] / "data"
TIMEOUT = 30  # seconds without a byte
LOG = logging.getLogger(__name__)

# Sums of the embedded files, made by data/make_subset.py.
EMBEDDED_SHA256 = {
    "mnist.npz": "9cc0d138ec454534a0298fdeb17b8fecdf2469efe0e21d031ebd6e03c8e6b12a",
    "cifar10.npz": "d1c272ca66334d047a046a0e478f3f976aba3f9a78e771966dfc8235fb042e5d",
}

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


class DataError(RuntimeError):
    """Data are missing, damaged or out of reach; the message names the file and says what to do."""


def mnist(*, train, test, normalise="none"):
    """The first images of MNIST in their original order, with labels.

    Parameters
    ----------
    train, test : int
        How many, at most 60,000 and 10,000. All are embedded in the book.
    normalise : {"none", "zscore", "channel"}
        "none": values in [0, 1]. "zscore": each pixel minus its mean, divided by its standard deviation, both over the training
        images returned; a pixel that is constant there becomes 0. "channel": the same with one mean and deviation a channel.

    Returns
    -------
    tuple of tensors
        Training images (train, 1, 28, 28) float32 and labels (train,) int64, then the same for the test set.

    Raises
    ------
    DataError
        If a file is damaged or cannot be fetched.
    ValueError
        If a number or `normalise` is out of range.

    Source: LeCun et al. (1998).

    Examples
    --------
    >>> x, y, x_test, y_test = mnist(train=5, test=2)
    >>> x.shape, y.tolist(), y_test.tolist()
    (torch.Size([5, 1, 28, 28]), [5, 0, 4, 1, 9], [7, 2])
    """
    return _images("mnist", (train, test), (60000, 10000), normalise, official_mnist)


def cifar10(*, train, test, normalise="none"):
    """The first images of CIFAR-10 in their original order (binary version), with labels; see `mnist` for the options.

    Returns
    -------
    tuple of tensors
        Training images (train, 3, 32, 32) float32 and labels (train,) int64, then the same for the test set.

    Notes
    -----
    6,000 training and 2,000 test images are embedded in the book. The other 52,000 need FPBOOK_DATA or a download of 170 MB.

    Source: Krizhevsky (2009).

    Examples
    --------
    >>> x, y, x_test, y_test = cifar10(train=4, test=0)
    >>> x.shape, y.tolist()
    (torch.Size([4, 3, 32, 32]), [6, 9, 9, 4])
    """
    return _images("cifar10", (train, test), (50000, 10000), normalise, official_cifar10)


def zscore(x, reference, *, dims=0):
    """`x` minus the mean of `reference`, divided by its standard deviation, over the axes `dims`; 0 where that is 0."""
    mean, std = reference.mean(dims, keepdim=True), reference.std(dims, keepdim=True, unbiased=False)
    return torch.where(std > 0, (x - mean) / std, 0)


def unpack_planes(residuals):
    """Images from their packed form: undo the differences along columns and rows, add green to red and to blue.

    uint8 (3, n, height, width) -> uint8 (n, 3, height, width); all arithmetic is modulo 256, so that nothing is lost.
    """
    planes = np.cumsum(np.cumsum(residuals, 2, dtype=np.uint8), 3, dtype=np.uint8)
    planes[[0, 2]] += planes[1]
    return planes.swapaxes(0, 1)


def _images(name, wanted, most, normalise, official):
    """The shared body of `mnist` and `cifar10`."""
    for split, n, limit in zip(("train", "test"), wanted, most):
        if not 0 <= n <= limit:
            raise ValueError(f"{name} has {limit} {split} images; {n} cannot be returned")
    dims = {"none": None, "zscore": 0, "channel": (0, 2, 3)}
    if normalise not in dims:
        raise ValueError(f"normalise must be one of {sorted(dims)}, not {normalise!r}")
    if normalise != "none" and wanted[0] == 0:
        raise ValueError(f"normalise={normalise!r} takes mean and deviation from training images; ask for some")
    splits = _embedded(name, wanted) or official(_folder())
    tensors = []
    for (images, labels), n in zip(splits, wanted):
        tensors += [torch.from_numpy(images[:n].copy()).float() / 255, torch.from_numpy(labels[:n].astype(np.int64))]
    if normalise != "none":
        tensors[0], tensors[2] = (zscore(x, tensors[0], dims=dims[normalise]) for x in (tensors[0], tensors[2]))
    return tuple(tensors)


def _embedded(name, wanted):
    """[(images, labels) of the training set, of the test set] from ``data/``; None if it holds too few."""
    path = EMBEDDED / f"{name}.npz"
    if not path.is_file():
        return None
    content = checked(path, "sha256", EMBEDDED_SHA256[path.name])
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        labels = [archive[f"{split}_labels"] for split in ("train", "test")]
        if any(n > len(y) for n, y in zip(wanted, labels)):
            return None
        LOG.info("%s from the embedded file %s", name, path)
        images = [archive[f"{split}_images"] for split in ("train", "test")]
    if name == "cifar10":
        images = [unpack_planes(residuals) for residuals in images]
    return list(zip(images, labels))


def official_mnist(folder):
    """All of MNIST from the idx files in a folder, plain or gzipped; what is missing is downloaded."""
    arrays = []
    for name, md5 in MNIST_MD5.items():
        if (folder / name).is_file():
            content = checked(folder / name, "md5", md5)
        else:
            content = gzip.decompress(_archive(folder, f"{name}.gz", MNIST_MIRRORS))
        shape = np.frombuffer(content, ">u4", count=content[3], offset=4)  # byte 3 of an idx file is its number of axes
        arrays.append(np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape))
    images, labels = [x[:, None] for x in arrays[::2]], arrays[1::2]
    return list(zip(images, labels))


def official_cifar10(folder):
    """All of CIFAR-10 from the binary version in a folder, unpacked or not; it is downloaded if missing."""
    plain = folder / "cifar-10-batches-bin"
    if plain.is_dir():
        contents = [checked(plain / name, "md5", md5) for name, md5 in CIFAR10_MD5.items()]
    else:
        archive = _archive(folder, "cifar-10-binary.tar.gz", CIFAR10_MIRRORS)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            contents = [tar.extractfile(f"cifar-10-batches-bin/{name}").read() for name in CIFAR10_MD5]
    splits = []
    for content in (b"".join(contents[:5]), contents[5]):
        records = np.frombuffer(content, np.uint8).reshape(-1, 3073)  # a label, then 1024 red, green and blue values
        splits.append((records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]))
    return splits


def _folder():
    """Where official files lie or are downloaded to."""
    if named := os.environ.get("FPBOOK_DATA"):
        return Path(named)
    import pooch

    return Path(pooch.os_cache("fpbook"))


def checked(path, algorithm, known):
    """Content of a file; DataError if it cannot be read or its sum is not the known one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    found = hashlib.new(algorithm, content).hexdigest()
    if found != known:
        raise DataError(f"{path} is damaged: its {algorithm} is {found}, not {known}; restore or delete it")
    LOG.info("read %s", path)
    return content


def _archive(folder, name, mirrors):
    """Content of an official archive in a folder, downloaded first if it is not there."""
    if not (folder / name).is_file():
        try:
            _download(folder, name, mirrors)
        except OSError as error:  # a full or read-only disk
            raise DataError(
                f"{name} cannot be stored in {folder}: {error}; set FPBOOK_DATA to a folder with space"
            ) from error
    return checked(folder / name, "sha256", ARCHIVE_SHA256[name])


def _download(folder, name, mirrors):
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
