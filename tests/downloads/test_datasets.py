"""Data: the same images from every source, and no damaged or half-written file ever taken for a whole one."""

import gzip
import hashlib
import http.server
import importlib.util
import io
import logging
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fpbook import _official, datasets
from fpbook.datasets import DataError, cifar10, mnist, unpack_planes, zscore

ROOT = Path(datasets.__file__).parents[1]
ARCHIVE = "t10k-labels-idx1-ubyte.gz"
CONTENT = np.random.default_rng(0).bytes(400_000)  # what the archive holds in the tests of downloads


def load_make_subset():
    spec = importlib.util.spec_from_file_location("make_subset", ROOT / "data" / "make_subset.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_subset = load_make_subset()


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def md5(content):
    return hashlib.md5(content).hexdigest()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# --- what is embedded


def test_embedded_mnist_is_the_official_one_byte_for_byte():
    with np.load(ROOT / "data" / "mnist.npz", allow_pickle=False) as archive:
        for split, stem in (("train", "train"), ("test", "t10k")):
            images, labels = archive[f"{split}_images"], archive[f"{split}_labels"]
            assert md5(idx(images[:, 0])) == _official.MNIST_MD5[f"{stem}-images-idx3-ubyte"]
            assert md5(idx(labels)) == _official.MNIST_MD5[f"{stem}-labels-idx1-ubyte"]


@pytest.mark.skipif("FPBOOK_DATA" not in os.environ, reason="needs the official files in FPBOOK_DATA")
@pytest.mark.parametrize("load, train, test", [(mnist, 60000, 10000), (cifar10, 6000, 2000)])
def test_embedded_images_are_the_first_official_ones(load, train, test, monkeypatch, tmp_path):
    embedded = load(train=train, test=test)
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    for ours, official in zip(embedded, load(train=train, test=test)):
        assert torch.equal(ours, official)


def test_shapes_ranges_and_first_labels():
    for load, shape, first in ((mnist, (1, 28, 28), [5, 0, 4, 1, 9]), (cifar10, (3, 32, 32), [6, 9, 9, 4, 1])):
        x, y, x_test, y_test = load(train=200, test=30)
        assert x.shape == (200, *shape) and x_test.shape == (30, *shape) and x.dtype == torch.float32
        assert y.dtype == y_test.dtype == torch.int64 and y[:5].tolist() == first and len(y_test) == 30
        assert x.min() == 0 and x.max() == 1 and set(y.tolist()) == set(range(10))


def test_embedded_files_stay_within_the_budget():
    size = sum(path.stat().st_size for path in (ROOT / "data").rglob("*") if path.is_file())
    assert size < 30e6


def test_the_source_is_logged_and_nothing_is_printed(capsys, caplog):
    caplog.set_level(logging.INFO, "fpbook.datasets")
    mnist(train=1, test=1)
    assert "embedded file" in caplog.text
    assert capsys.readouterr() == ("", "")


# --- options


def test_zscore_takes_its_numbers_from_the_training_images():
    plain, scaled = mnist(train=300, test=50), mnist(train=300, test=50, normalise="zscore")
    mean, std = plain[0].mean(0), plain[0].std(0, unbiased=False)
    moving = std > 0
    assert not moving.all()  # corner pixels never change: they become 0, not NaN
    assert (scaled[0][:, ~moving] == 0).all() and (scaled[2][:, ~moving] == 0).all()
    torch.testing.assert_close(
        scaled[0][:, moving].std(0, unbiased=False), torch.ones(int(moving.sum())), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(scaled[2][:, moving], ((plain[2] - mean) / std)[:, moving])


def test_channel_normalisation_has_one_mean_a_channel():
    x, _, x_test, _ = cifar10(train=300, test=20, normalise="channel")
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(x.std((0, 2, 3), unbiased=False), torch.ones(3), rtol=1e-4, atol=0)
    raw, _, raw_test, _ = cifar10(train=300, test=20)
    torch.testing.assert_close(x_test, zscore(raw_test, raw, dims=(0, 2, 3)))


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(train=60001, test=0), "60000 train images"),
        (dict(train=1, test=-1), "10000 test images"),
        (dict(train=1, test=1, normalise="yes"), "normalise must be one of"),
        (dict(train=0, test=1, normalise="zscore"), "ask for some"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        mnist(**options)


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (7, 3, 32, 32)])
def test_packing_loses_nothing(shape):
    images = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert (unpack_planes(make_subset.pack_planes(images)) == images).all()


# --- one set, four sources


@pytest.fixture
def small_official(monkeypatch, tmp_path):
    """Small MNIST and CIFAR-10 in the official formats, with sums of their own, and nothing embedded."""
    rng = np.random.default_rng(2)
    arrays = {
        "train-images-idx3-ubyte": (20, 28, 28), "train-labels-idx1-ubyte": (20,),
        "t10k-images-idx3-ubyte": (6, 28, 28), "t10k-labels-idx1-ubyte": (6,),
    }  # fmt: skip
    plain = {name: idx(rng.integers(0, 256, shape, dtype=np.uint8)) for name, shape in arrays.items()}
    records = {name: rng.integers(0, 256, (4, 3073), dtype=np.uint8) for name in _official.CIFAR10_MD5}
    for record in records.values():
        record[:, 0] %= 10
    batches = {name: record.tobytes() for name, record in records.items()}
    monkeypatch.setattr(_official, "MNIST_MD5", {name: md5(content) for name, content in plain.items()})
    monkeypatch.setattr(_official, "CIFAR10_MD5", {name: md5(content) for name, content in batches.items()})
    monkeypatch.setattr(datasets, "DATA", tmp_path / "embedded")
    (tmp_path / "embedded").mkdir()
    (tmp_path / "official" / "cifar-10-batches-bin").mkdir(parents=True)
    for name, content in plain.items():
        (tmp_path / "official" / name).write_bytes(content)
    for name, content in batches.items():
        (tmp_path / "official" / "cifar-10-batches-bin" / name).write_bytes(content)
    archives = {f"{name}.gz": gzip.compress(content) for name, content in plain.items()}
    with tarfile.open(fileobj=(buffer := io.BytesIO()), mode="w:gz") as tar:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    archives["cifar-10-binary.tar.gz"] = buffer.getvalue()
    monkeypatch.setattr(_official, "ARCHIVE_SHA256", {name: sha256(content) for name, content in archives.items()})
    return tmp_path, archives


def test_the_first_images_are_the_same_from_every_source(small_official, server, monkeypatch):
    folder, archives = small_official
    server.files.update(archives)
    (folder / "archives").mkdir()
    for name, content in archives.items():
        (folder / "archives" / name).write_bytes(content)
    for mirrors in ("MNIST_MIRRORS", "CIFAR10_MIRRORS"):
        monkeypatch.setattr(_official, mirrors, [server.at("good")])

    def load():
        return [t for load, n in ((mnist, 15), (cifar10, 11)) for t in load(train=n, test=3)]

    results = []
    for source in ("official", "archives", "downloads"):
        monkeypatch.setenv("FPBOOK_DATA", str(folder / source))
        results.append(load())
    assert len(server.asked) == 5
    monkeypatch.setattr(make_subset, "CIFAR10_SUBSET", (12, 4))
    monkeypatch.setattr(datasets, "EMBEDDED_SHA256", make_subset.main(folder / "official", folder / "embedded"))
    monkeypatch.setenv("FPBOOK_DATA", str(folder / "nowhere"))
    results.append(load())
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other))
    with pytest.raises(DataError):  # a 13th image is not embedded, and the server is asked for it in vain
        server.files.clear()
        cifar10(train=13, test=0)


def test_a_second_load_does_not_ask_the_server_again(small_official, server, monkeypatch):
    folder, archives = small_official
    server.files.update(archives)
    monkeypatch.setattr(_official, "MNIST_MIRRORS", [server.at("good")])
    monkeypatch.setenv("FPBOOK_DATA", str(folder / "downloads"))
    mnist(train=1, test=1)
    mnist(train=2, test=2)
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""], ids=["cut", "bit", "empty"]
)
def test_a_damaged_file_is_named_and_refused(damage, small_official, monkeypatch):
    folder, archives = small_official
    monkeypatch.setenv("FPBOOK_DATA", str(folder / "official"))
    path = folder / "official" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"{path} is damaged"):
        mnist(train=1, test=1)
    path = folder / "official" / "cifar-10-batches-bin" / "data_batch_3.bin"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"{path} is damaged"):
        cifar10(train=1, test=1)
    path = folder / "embedded" / "mnist.npz"
    path.write_bytes(damage((ROOT / "data" / "mnist.npz").read_bytes()))
    with pytest.raises(DataError, match=f"{path} is damaged"):
        mnist(train=1, test=1)


def test_channels_and_labels_of_cifar10_lie_where_its_description_says(small_official, monkeypatch):
    """A label, then 1024 red, 1024 green, 1024 blue values, row after row: written here byte by byte."""
    folder, _ = small_official
    record = bytes([7]) + bytes([200]) + bytes([10]) * 1023 + bytes([100]) * 1024 + bytes([30]) * 1023 + bytes([90])
    contents = {name: record * 2 for name in _official.CIFAR10_MD5}
    for name, content in contents.items():
        (folder / "official" / "cifar-10-batches-bin" / name).write_bytes(content)
    monkeypatch.setattr(_official, "CIFAR10_MD5", {name: md5(content) for name, content in contents.items()})
    monkeypatch.setenv("FPBOOK_DATA", str(folder / "official"))
    x, y, _, _ = cifar10(train=2, test=0)
    assert y.tolist() == [7, 7]
    red, green, blue = (255 * x[1]).round().int()
    assert red[0, 0] == 200 and (red.flatten()[1:] == 10).all() and (green == 100).all()
    assert blue[31, 31] == 90 and (blue.flatten()[:-1] == 30).all()


def test_all_files_are_read_one_after_the_other(small_official, monkeypatch):
    """The training set is all five batches in their order, the test set the sixth; and so for MNIST's four files."""
    folder, _ = small_official
    monkeypatch.setenv("FPBOOK_DATA", str(folder / "official"))
    contents = [(folder / "official/cifar-10-batches-bin" / name).read_bytes() for name in _official.CIFAR10_MD5]
    contents = [b"".join(contents[:5]), contents[5]]
    records = [np.frombuffer(content, np.uint8).reshape(-1, 3073) for content in contents]
    files = [np.frombuffer((folder / "official" / name).read_bytes(), np.uint8) for name in _official.MNIST_MD5]
    found = [*cifar10(train=20, test=4), *mnist(train=20, test=6)]
    expected = [part for record in records for part in (record[:, 1:], record[:, 0])]
    expected += [part for i in (0, 2) for part in (files[i][16:], files[i + 1][8:])]
    for tensor, values in zip(found, expected, strict=True):
        scale = 255 if tensor.is_floating_point() else 1
        np.testing.assert_array_equal((scale * tensor.numpy().ravel()).round(), values.ravel())


def test_the_embedded_photographs_have_their_colours():
    """Above planes and ships is sky, more blue than red; around frogs is earth, more red than blue."""
    x, y, _, _ = cifar10(train=6000, test=0)
    red, _, blue = x[(y == 0) | (y == 8)][:, :, :4].mean((0, 2, 3))
    assert blue > 1.05 * red
    red, _, blue = x[y == 6].mean((0, 2, 3))
    assert red > 1.1 * blue


@pytest.mark.parametrize("load, train, test", [(mnist, 60000, 10000), (cifar10, 6000, 2000)])
def test_all_embedded_images_and_not_one_more_come_without_a_download(load, train, test, monkeypatch, tmp_path):
    monkeypatch.setenv("FPBOOK_DATA", str(tmp_path))
    for mirrors in ("MNIST_MIRRORS", "CIFAR10_MIRRORS"):
        monkeypatch.setattr(_official, mirrors, [])
    assert [len(part) for part in load(train=train, test=test)] == [train, train, test, test]
    if load is cifar10:
        for more in (dict(train=train + 1, test=0), dict(train=0, test=test + 1)):
            with pytest.raises(DataError, match="could not be downloaded"):
                load(**more)


def test_files_are_looked_for_in_the_folder_that_is_named_or_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache" / name)
    for folder in (tmp_path / "named", tmp_path / "cache" / "fpbook"):
        (folder / "cifar-10-batches-bin").mkdir(parents=True)
        with pytest.raises(DataError, match=re.escape(str(folder / "cifar-10-batches-bin"))):
            monkeypatch.setenv("FPBOOK_DATA", str(folder) if folder.name == "named" else "")
            cifar10(train=6001, test=0)


# --- downloads with real faults


class Server(http.server.ThreadingHTTPServer):
    """Gives `files`, or one file for every name, in the way that the first part of the path asks for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked = {ARCHIVE: CONTENT}, []

    def at(self, manner):
        return f"http://127.0.0.1:{self.server_port}/{manner}/"

    def handle_error(self, request, client_address):
        pass  # clients are cut off on purpose


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        _, manner, name = self.path.split("/")
        self.server.asked.append(self.path)
        if name not in self.server.files or manner == "missing":
            return self.send_error(404)
        content = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        if manner in ("truncated", "reset", "stalled"):
            self.wfile.write(content[:half])
            self.wfile.flush()
            if manner == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            if manner == "stalled":
                time.sleep(60)
        elif manner == "wrong":
            self.wfile.write(content[:half] + bytes(len(content) - half))
        elif manner == "slow":
            for start in range(0, len(content), 40_000):
                self.wfile.write(content[start : start + 40_000])
                time.sleep(0.1)
        else:
            self.wfile.write(content)


@pytest.fixture
def server():
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def quick(monkeypatch):
    """Known sum of the test's archive, a short time-out, and no pause between tries."""
    monkeypatch.setitem(_official.ARCHIVE_SHA256, ARCHIVE, sha256(CONTENT))
    monkeypatch.setattr(_official, "TIMEOUT", 0.5)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setenv("FPBOOK_BUILD", "1")


def whole_or_absent(folder):
    """True if the archive is whole, False if it is absent; anything else fails the test."""
    path = folder / ARCHIVE
    assert not path.exists() or path.read_bytes() == CONTENT
    return path.exists()


def test_a_good_download_leaves_only_the_file(server, quick, tmp_path):
    assert _official.archive(tmp_path / "new", ARCHIVE, [server.at("good")]) == CONTENT
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {ARCHIVE, "download.lock"}


@pytest.mark.parametrize("fault, tries", [("truncated", 3), ("reset", 3), ("stalled", 3), ("wrong", 3), ("missing", 3)])
def test_a_fault_is_retried_then_reported(fault, tries, server, quick, tmp_path):
    with pytest.raises(DataError, match="could not be downloaded(.|\n)*FPBOOK_DATA"):
        _official.archive(tmp_path, ARCHIVE, [server.at(fault)])
    assert len(server.asked) == tries and not whole_or_absent(tmp_path)


@pytest.mark.parametrize("fault", ["truncated", "reset", "stalled", "wrong", "missing"])
def test_the_second_mirror_serves_when_the_first_is_bad(fault, server, quick, tmp_path):
    assert _official.archive(tmp_path, ARCHIVE, [server.at(fault), server.at("good")]) == CONTENT


def test_no_server_at_all(server, quick, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(DataError, match="could not be downloaded"):
        _official.archive(tmp_path, ARCHIVE, [closed])


def test_a_slow_server_is_waited_for(server, quick, tmp_path):
    assert _official.archive(tmp_path, ARCHIVE, [server.at("slow")]) == CONTENT


def test_a_damaged_archive_in_the_folder_is_refused(server, quick, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(CONTENT[:1000])
    with pytest.raises(DataError, match="is damaged"):
        _official.archive(tmp_path, ARCHIVE, [server.at("good")])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc stands for a folder that nobody can write to")
def test_a_read_only_folder(server, quick):
    with pytest.raises(DataError, match="cannot be stored in /proc/fpbook"):
        _official.archive(Path("/proc/fpbook"), ARCHIVE, [server.at("good")])


def fetch_in_a_process(folder, mirror, before=""):
    """A process of its own that fetches the archive and prints its length."""
    code = f"""
import sys
from pathlib import Path
from fpbook import _official, datasets
{before}
_official.ARCHIVE_SHA256["{ARCHIVE}"] = "{sha256(CONTENT)}"
try:
    print(len(_official.archive(Path(sys.argv[1]), "{ARCHIVE}", [sys.argv[2]])))
except datasets.DataError as error:
    print("DataError", error)
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FPBOOK_BUILD": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, folder, mirror], env=environment, stdout=subprocess.PIPE, text=True
    )


def test_a_full_disk(server, tmp_path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    answer, _ = fetch_in_a_process(tmp_path, server.at("good"), limit).communicate(timeout=60)
    assert answer.startswith("DataError") and "cannot be stored" in answer and "File too large" in answer
    assert not whole_or_absent(tmp_path) and not list((tmp_path / "partial").iterdir())


def test_two_processes_at_once_download_once(server, tmp_path):
    both = [fetch_in_a_process(tmp_path, server.at("slow")) for _ in range(2)]
    assert [process.communicate(timeout=60)[0] for process in both] == [f"{len(CONTENT)}\n"] * 2
    assert whole_or_absent(tmp_path) and len(server.asked) == 1


def test_a_killed_download_is_done_again(server, tmp_path):
    process = fetch_in_a_process(tmp_path, server.at("stalled"))
    while not any(path.stat().st_size for path in (tmp_path / "partial").glob("*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not whole_or_absent(tmp_path)
    answer, _ = fetch_in_a_process(tmp_path, server.at("good")).communicate(timeout=60)
    assert answer == f"{len(CONTENT)}\n" and whole_or_absent(tmp_path)
    assert not (tmp_path / "partial").exists()
