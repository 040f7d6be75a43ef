"""For the pytest of a second run: its kernel is reached through files, as in a build; a port could be taken first."""

from functools import partial
from tempfile import TemporaryDirectory

import nbval.kernel

SOCKETS = TemporaryDirectory(prefix="fpbook")  # until the process ends
nbval.kernel.KernelManager = partial(nbval.kernel.KernelManager, transport="ipc", ip=f"{SOCKETS.name}/kernel")
