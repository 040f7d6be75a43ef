import os

import pytest
import torch

os.environ.setdefault("FPBOOK_BUILD", "1")  # no progress bars
torch.set_num_threads(1)  # small networks: one thread is faster, and sums keep their order


@pytest.fixture(params=["cpu"] + ["cuda"] * torch.cuda.is_available())
def device(request):
    """Every device present: a test that trains runs on each."""
    return request.param
