import contextlib
import os

import pytest
import torch

os.environ.setdefault("FPBOOK_BUILD", "1")  # no progress bars
torch.set_num_threads(1)  # small networks: one thread is faster, and sums keep their order

with contextlib.suppress(ImportError):  # a reader's own environment may lack it, and needs the other tests only
    from hypothesis import settings

    settings.register_profile("book", derandomize=True, database=None, deadline=None)
    settings.load_profile("book")


@pytest.fixture(params=["cpu"] + ["cuda"] * torch.cuda.is_available())
def device(request):
    """Every device present: a test that trains runs on each."""
    return request.param
