"""Whatever the bytes are, a parser gives what they hold or a DataError, and no header makes it take much memory."""

import gzip
import hashlib
import io
import struct
import subprocess
import sys
import tarfile
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fpbook
from fpbook import _official
from fpbook._files import DataError, arrays_of, read_bytes, replace, replace_all
from fpbook._official import cifar10_records, idx_array

HERE = Path("file")
ROOT = Path(fpbook.__file__).parents[1]
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def npz(save=np.savez_compressed, **arrays):
    save(buffer := io.BytesIO(), **arrays)
    return buffer.getvalue()


def tar(contents):
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@st.composite
def damaged(draw, content):
    """The content cut, with bytes changed, or with bytes put in between."""
    content = bytearray(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        content[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(content)


def parse(function, *arguments):
    """What a parser gives, or None for the error that it promises."""
    try:
        return function(*arguments)
    except DataError as error:
        assert "file" in str(error)
        return None


@settings(max_examples=300, deadline=None)
@given(damaged(idx(IMAGES)))
def test_an_idx_file_is_read_or_refused(content):
    found = parse(idx_array, content, HERE)
    assert found is None or idx(found) == content


@pytest.mark.parametrize("array", [IMAGES, IMAGES[0, 0], IMAGES[:0]])
def test_a_whole_idx_file_gives_its_array(array):
    np.testing.assert_array_equal(idx_array(idx(array), HERE), array)


def test_an_idx_header_that_claims_the_world_allocates_nothing():
    for shape in ((2**32 - 1,) * 3, (2**31, 28, 28), (1,) * 255):
        with pytest.raises(DataError, match="no idx file"):
            idx_array(struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape), HERE)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 3), st.integers(-2, 2))
def test_cifar10_records_are_whole_with_ten_labels_or_refused(start, records, extra):
    content = (start + bytes(3073 * 3))[: max(3073 * records + extra, 0)]
    found = parse(cifar10_records, content, HERE)
    whole = len(content) > 0 and len(content) % 3073 == 0 and all(label < 10 for label in content[::3073])
    assert (found is not None) == whole
    if whole:
        assert found[0].shape == (len(content) // 3073, 3, 32, 32) and found[1].tolist() == list(content[::3073])


@pytest.mark.parametrize("label", [0, 9, 10, 255])
def test_cifar10_has_ten_labels(label):
    found = parse(cifar10_records, bytes([label]) + bytes(3072), HERE)
    assert (found is not None) == (label < 10)


def official(function, archives, parse=parse):
    """What is read from official archives whose published sums are those of these contents."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in archives.items()}
    with tempfile.TemporaryDirectory(prefix="file") as folder, patch.dict(_official.ARCHIVE_SHA256, sums):
        for name, content in archives.items():
            Path(folder, name).write_bytes(content)
        return parse(function, Path(folder))


def mnist_archives(images):
    """Four archives; `images` is the content of the first one."""
    label = gzip.compress(idx(np.arange(2, dtype=np.uint8)))
    return dict(zip([f"{name}.gz" for name in _official.MNIST_MD5], [images, label, gzip.compress(idx(IMAGES)), label]))


@settings(max_examples=150, deadline=None)
@given(damaged(gzip.compress(idx(IMAGES), mtime=0)))
def test_a_damaged_gzip_is_read_or_refused(content):
    found = official(_official.official_mnist, mnist_archives(content))
    assert found is None or idx(found[0][0][:, 0]) == gzip.decompress(content)


@settings(max_examples=150, deadline=None)
@given(damaged(tar({name: bytes(3073) for name in _official.CIFAR10_MD5})))
def test_a_damaged_tar_is_read_or_refused(content):
    found = official(_official.official_cifar10, {"cifar-10-binary.tar.gz": content})
    assert found is None or [len(labels) for _, labels in found] == [5, 1]


def test_whole_archives_are_read():
    (images, labels), _ = official(_official.official_mnist, mnist_archives(gzip.compress(idx(IMAGES))))
    np.testing.assert_array_equal(images[:, 0], IMAGES)
    assert labels.tolist() == [0, 1]
    batches = {name: bytes([i]) + bytes(3072) for i, name in enumerate(_official.CIFAR10_MD5)}
    (_, train), (_, test) = official(_official.official_cifar10, {"cifar-10-binary.tar.gz": tar(batches)})
    assert train.tolist() == [0, 1, 2, 3, 4] and test.tolist() == [5]


def test_an_archive_that_grows_without_end_is_refused():
    """Its content is right but for its size, so that it is refused for that alone."""
    endless = bytes(3073 * 22_000)  # 68 MB, more than any file of the official archives
    images = gzip.compress(struct.pack(">4B3I", 0, 0, 8, 3, 22_000, 7, 439) + endless[: 22_000 * 7 * 439], 1)
    with pytest.raises(DataError, match="file.* unpacks to more than"):
        official(_official.official_mnist, mnist_archives(images), parse=lambda read, folder: read(folder))
    assert len(images) < 1e6
    batches = {name: bytes(3073) for name in _official.CIFAR10_MD5} | {"data_batch_1.bin": endless}
    assert official(_official.official_cifar10, {"cifar-10-binary.tar.gz": tar(batches)}) is None


@settings(max_examples=300, deadline=None)
@given(damaged(npz(a=IMAGES, b=np.arange(3.0))))
def test_a_damaged_npz_is_refused(content):
    parse(arrays_of, content, HERE)


def test_a_whole_npz_gives_its_arrays():
    arrays = {"a": IMAGES, "f": np.asfortranarray(IMAGES[0]), "z": np.float64(2.5), "e": np.zeros((0, 3)), "t": [True]}
    found = arrays_of(npz(**arrays), HERE)
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.asarray(array).dtype


def member(header, content=b""):
    with zipfile.ZipFile(buffer := io.BytesIO(), "w", zipfile.ZIP_DEFLATED) as archive:
        length = struct.pack("<H", len(header))
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + length + header + content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        member(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }\n", bytes(8)),
        member(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -1), }\n", bytes(8)),
        member(b"[" * 60_000),
        member(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"cos\nsystem\n(S'false'\ntR."),
        npz(a=np.array([{}], dtype=object)),
        b"",
        b"PK",
    ],
    ids=["huge", "negative", "brackets", "pickle", "object", "empty", "short"],
)
def test_an_npz_that_lies_is_refused(content):
    with pytest.raises(DataError, match="file is damaged"):
        arrays_of(content, HERE)


def test_arrays_that_would_take_too_much_are_not_unpacked():
    content = npz(a=np.zeros(10**6))
    tracemalloc.start()
    with pytest.raises(DataError, match="more than 1000000 bytes"):
        arrays_of(content, HERE, limit=10**6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6


def test_what_is_no_array_is_refused():
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("a", b"text")
    with pytest.raises(DataError, match="no arrays"):
        arrays_of(buffer.getvalue(), HERE)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path):
    (tmp_path / "file").write_bytes(bytes(100))
    assert read_bytes(tmp_path / "file", limit=100) == bytes(100)
    with pytest.raises(DataError, match="100 bytes"):
        read_bytes(tmp_path / "file", limit=99)


@pytest.mark.parametrize("large", ["first", "second"])
def test_a_write_that_fails_leaves_all_files_as_they_were(large, full_disk, tmp_path):
    first, second = tmp_path / "a" / "first", tmp_path / "b" / "second"
    replace_all({first: b"old", second: b"older"})
    with full_disk(1000):
        replace_all({path: bytes(2000 if path.name == large else 10) for path in (first, second)})
    assert (first.read_bytes(), second.read_bytes()) == (b"old", b"older")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2


WRITER = """import sys
from pathlib import Path
from fpbook._files import replace
print(input(), flush=True)
for _ in range(100):
    replace(Path(sys.argv[1]), sys.argv[2].encode() * 500_000)
"""


def test_two_processes_may_write_one_file_at_once(tmp_path):
    """It is always whole, of one of them."""
    path, pipes = tmp_path / "file", dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    replace(path, b"a" * 500_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, letter], **pipes) for letter in "ab"]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.stdout.readline() for writer in writers] == ["go\n"] * 2
    found = set()
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes()
        found.add((len(content), *set(content)))
    assert [writer.wait() for writer in writers] == [0, 0]
    assert found == {(500_000, *b"a"), (500_000, *b"b")}
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_the_limits_let_through_what_the_book_reads_and_little_more(tmp_path):
    """The archive of CIFAR-10 has 170 MB; MNIST takes 55 MB when unpacked, its training images 47 MB."""
    with (tmp_path / "file").open("wb") as file:
        file.truncate(170_000_000)  # takes no room on the disk
        assert len(read_bytes(tmp_path / "file")) == 170_000_000
        file.truncate(4 * 170_000_000)
    with pytest.raises(DataError, match="it has 680000000 bytes"):
        read_bytes(tmp_path / "file")
    assert arrays_of(npz(np.savez, a=np.zeros(55_000_000, np.uint8)), HERE)["a"].size == 55_000_000
    with pytest.raises(DataError, match="would take more than"):
        arrays_of(npz(np.savez, a=np.zeros(4 * 55_000_000, np.uint8)), HERE)
    images = struct.pack(">4B3I", 0, 0, 8, 3, 60_000, 28, 28) + bytes(60_000 * 28 * 28)
    (found, _), _ = official(_official.official_mnist, mnist_archives(gzip.compress(images, 1)))
    assert found.shape == (60_000, 1, 28, 28)
