import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
from types import SimpleNamespace

import pytest

os.environ.setdefault("FPBOOK_BUILD", "1")  # no progress bars
os.environ["OMP_NUM_THREADS"] = "1"  # small networks: one thread is faster, and sums keep their order

with contextlib.suppress(ImportError):  # a reader's own environment may lack it, and needs the other tests only
    from hypothesis import settings

    settings.register_profile("book", derandomize=True, database=None, deadline=None)
    settings.load_profile("book")


@pytest.fixture(scope="session")
def showing():
    """While the block runs, a shell is there, and what its cells display is kept: bundles, mime type -> data."""
    shells = pytest.importorskip("IPython.core.interactiveshell")
    from IPython.core.formatters import DisplayFormatter

    @contextlib.contextmanager
    def showing():
        bundles = []
        publisher = SimpleNamespace(publish=lambda data, **how: bundles.append(data))
        shell = SimpleNamespace(display_pub=publisher, display_formatter=DisplayFormatter())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shells.InteractiveShell, "initialized", lambda: True)
            patch.setattr(shells.InteractiveShell, "instance", lambda: shell)
            yield bundles

    return showing


@pytest.fixture
def shown(showing):
    """What cells of a notebook display from here on: a list of bundles, each mime type -> data."""
    with showing() as bundles:
        yield bundles


@pytest.fixture(scope="session")
def full_disk():
    """While the block runs, no file grows beyond so many bytes: a write fails half-way, as on a full disk."""
    resource = pytest.importorskip("resource")  # not on Windows

    @contextlib.contextmanager
    def full_disk(room):
        usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
        try:
            with pytest.raises(OSError, match="File too large"):
                yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))

    return full_disk


@pytest.fixture(scope="session")
def forked():
    """A context of multiprocessing whose processes begin with PyTorch imported, which takes each of them seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fpbook.monitor", "torch.nn.parallel", "torch._dynamo", "distributed"])
    multiprocessing.forkserver.ensure_running()
    return context


def pytest_generate_tests(metafunc):
    """Every device present: a test that trains runs on each."""
    if "device" in metafunc.fixturenames:
        import torch  # takes seconds, and a run of the rules or of the pages needs it not at all or in its workers only

        metafunc.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
