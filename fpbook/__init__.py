"""Code behind the executable textbook on the frequency principle of neural networks.

One module per concept: `targets` (what is fitted), `networks` and `convnets` (what fits), `training` (the one loop),
`spectra` and `filtering` (what is measured), `monitor` (both on any model), `pde`, `datasets`, `records`, `claims`,
`plotting`, `lab` and `replay`. Nothing is re-exported: ``from fpbook.spectra import nudft``.

With FPBOOK_DETERMINISTIC=1 in the environment PyTorch uses deterministic algorithms only, as the book's GPU build does.
"""

import os

__version__ = "0.2.0"

if os.environ.get("FPBOOK_DETERMINISTIC") == "1":
    import torch

    torch.use_deterministic_algorithms(True)
