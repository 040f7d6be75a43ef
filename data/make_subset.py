"""Make the embedded files from the official ones: python data/make_subset.py FOLDER

FOLDER holds MNIST's idx files and CIFAR-10's binary version, as published; missing ones are downloaded into it. Every
file is checked against its published sum. MNIST is embedded whole, CIFAR-10 as its first 6,000 training and 2,000 test
images.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from fpbook._official import official_cifar10, official_mnist  # noqa: E402

CIFAR10_SUBSET = (6000, 2000)


def pack_planes(images):
    """Inverse of `unpack_planes`: red and blue less green, then differences along rows and columns, modulo 256.

    uint8 (n, 3, height, width) -> uint8 (3, n, height, width), whose values crowd around 0 and compress well.
    """
    planes = images.swapaxes(0, 1).copy()
    planes[[0, 2]] -= planes[1]
    for axis in (2, 3):
        planes = np.diff(planes, axis=axis, prepend=np.uint8(0))
    return planes


def write(path, arrays):
    """A compressed npz whose bytes depend on its content alone; returns its SHA-256."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def named(splits):
    return {
        f"{split}_{kind}": array
        for split, pair in zip(("train", "test"), splits)
        for kind, array in zip(("images", "labels"), pair)
    }


def main(folder, out=HERE):
    """Write both embedded files into `out`; returns their sums."""
    mnist = official_mnist(folder)
    cifar10 = [(pack_planes(x[:n]), y[:n]) for (x, y), n in zip(official_cifar10(folder), CIFAR10_SUBSET)]
    return {
        f"{name}.npz": write(out / f"{name}.npz", named(splits))
        for name, splits in (("mnist", mnist), ("cifar10", cifar10))
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, sha256 in main(Path(sys.argv[1])).items():
        print(f"{sha256}  {name}")
