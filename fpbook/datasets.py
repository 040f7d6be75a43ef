"""Real images: MNIST and CIFAR-10.

Images come from the files embedded in ``data/`` if these hold enough of them. Otherwise they come from the official
files in the folder that the environment variable FPBOOK_DATA names, or in a cache folder of the user if it is not set.
Official archives that are missing there are downloaded.

The first n images are the same wherever they come from. The checksum of every file is compared with the known one each
time the file is read. The logger ``fpbook.datasets`` says which files were used.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fpbook._files import DATA, LOG, DataError, arrays_of, checked
from fpbook._official import Splits, official_cifar10, official_mnist

__all__ = ["DataError", "cifar10", "mnist", "unpack_planes", "zscore"]

# Sums of the embedded files, made by data/make_subset.py.
EMBEDDED_SHA256 = {
    "mnist.npz": "9cc0d138ec454534a0298fdeb17b8fecdf2469efe0e21d031ebd6e03c8e6b12a",
    "cifar10.npz": "d1c272ca66334d047a046a0e478f3f976aba3f9a78e771966dfc8235fb042e5d",
}
Images = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def mnist(*, train: int, test: int, normalise: str = "none") -> Images:
    """The first images of MNIST in their original order, with labels.

    Parameters
    ----------
    train, test : int
        Numbers of images, at most 60,000 and 10,000. All of them are embedded in the book.
    normalise : {"none", "zscore", "channel"}
        "none" leaves values in [0, 1]. "zscore" subtracts the mean of each pixel and divides by its standard deviation,
        both over the training images returned. A pixel that is constant there becomes 0. "channel" does the same with
        one mean and one deviation per channel.

    Returns
    -------
    tuple of tensors
        Training images (train, 1, 28, 28) float32 and labels (train,) int64, then the same for the test set.

    Raises
    ------
    DataError
        If a file is damaged or cannot be fetched.
    ValueError
        If a number or `normalise` is out of range, or if `normalise` needs training images and `train` is 0.

    Notes
    -----
    Source: LeCun et al. (1998).

    Examples
    --------
    >>> x, y, x_test, y_test = mnist(train=5, test=2)
    >>> x.shape, y.tolist(), y_test.tolist()
    (torch.Size([5, 1, 28, 28]), [5, 0, 4, 1, 9], [7, 2])
    """
    return _images("mnist", (train, test), (60000, 10000), normalise, official_mnist)


def cifar10(*, train: int, test: int, normalise: str = "none") -> Images:
    """The first images of CIFAR-10 in their original order (binary version), with labels.

    The options and errors are those of `mnist`. There are at most 50,000 training and 10,000 test images.

    Returns
    -------
    tuple of tensors
        Training images (train, 3, 32, 32) float32 and labels (train,) int64, then the same for the test set.

    Notes
    -----
    6,000 training and 2,000 test images are embedded in the book. The other 52,000 need FPBOOK_DATA or a download of
    170 MB.

    Source: Krizhevsky (2009).

    Examples
    --------
    >>> x, y, x_test, y_test = cifar10(train=4, test=0)
    >>> x.shape, y.tolist()
    (torch.Size([4, 3, 32, 32]), [6, 9, 9, 4])
    """
    return _images("cifar10", (train, test), (50000, 10000), normalise, official_cifar10)


def zscore(x: torch.Tensor, reference: torch.Tensor, *, dims: int | tuple[int, ...] = 0) -> torch.Tensor:
    """`x` minus the mean of `reference` over the axes `dims`, divided by its standard deviation; 0 if that is 0."""
    mean, std = reference.mean(dims, keepdim=True), reference.std(dims, keepdim=True, unbiased=False)
    return torch.where(std > 0, (x - mean) / std, 0)


def unpack_planes(residuals: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images from their packed form: undo the differences along columns and rows, then add green to red and to blue.

    uint8 (3, n, height, width) -> uint8 (n, 3, height, width). All arithmetic is modulo 256, so that nothing is lost.
    """
    planes = np.cumsum(np.cumsum(residuals, 2, dtype=np.uint8), 3, dtype=np.uint8)
    planes[[0, 2]] += planes[1]
    return planes.swapaxes(0, 1)


def _images(
    name: str, wanted: tuple[int, int], most: tuple[int, int], normalise: str, official: Callable[[Path], Splits]
) -> Images:
    """The shared body of `mnist` and `cifar10`."""
    for split, n, limit in zip(("train", "test"), wanted, most):
        if not 0 <= n <= limit:
            raise ValueError(f"{name} has {limit} {split} images; {n} cannot be returned")
    dims = {"none": (), "zscore": (0,), "channel": (0, 2, 3)}
    if normalise not in dims:
        raise ValueError(f"normalise must be one of {sorted(dims)}, not {normalise!r}")
    if normalise != "none" and wanted[0] == 0:
        raise ValueError(f"normalise={normalise!r} takes mean and deviation from training images; ask for some")
    splits = _embedded(name, wanted) or official(_folder())
    x, x_test = (torch.from_numpy(images[:n].copy()).float() / 255 for (images, _), n in zip(splits, wanted))
    y, y_test = (torch.from_numpy(labels[:n].astype(np.int64)) for (_, labels), n in zip(splits, wanted))
    if normalise != "none":
        x, x_test = zscore(x, x, dims=dims[normalise]), zscore(x_test, x, dims=dims[normalise])
    return x, y, x_test, y_test


def _embedded(name: str, wanted: tuple[int, int]) -> Splits | None:
    """Images and labels of the training set and of the test set from ``data/``; None if it holds too few."""
    path = DATA / f"{name}.npz"
    if not path.is_file():
        return None
    arrays = arrays_of(checked(path, "sha256", EMBEDDED_SHA256[path.name]), path)
    try:
        splits = [(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in ("train", "test")]
    except KeyError as error:
        raise DataError(f"{path} is damaged: it has no {error}; restore it") from error
    if any(n > len(labels) for n, (_, labels) in zip(wanted, splits)):
        return None
    LOG.info("%s from the embedded file %s", name, path)
    return [(unpack_planes(x), y) for x, y in splits] if name == "cifar10" else splits


def _folder() -> Path:
    """Where official files lie or are downloaded to."""
    if named := os.environ.get("FPBOOK_DATA"):
        return Path(named)
    try:
        import pooch
    except ImportError as error:
        raise DataError(
            "images are downloaded by pooch: pip install 'fpbook[data]', or name a folder in FPBOOK_DATA"
        ) from error
    return Path(pooch.os_cache("fpbook"))
