"""Cases that do not depend on one another, side by side: in processes of this machine, or on a Dask cluster."""

import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from joblib import Parallel, delayed
from tqdm.auto import tqdm

Outcome = tuple[Any, Any, str]  # a case, what it gave, and "", or None and why it failed
ONE_AT_A_TIME = threading.Lock()  # PyTorch's random numbers belong to a process; a Dask worker may have more threads


def outcomes(
    function: Callable,
    cases: Sequence,
    *,
    jobs: int = 1,
    dask: str = "",
    name: str = "",
    label: Callable[[Any], str] = str,
) -> Iterator[Outcome]:
    """The outcome of each case as it ends, in any order; a case that fails ends none of the others.

    Parameters
    ----------
    function : function of a module
        ``function(case)`` -> result. It is called in another process, where its module must be importable.
    cases : sequence
        Plain data.
    jobs : int
        Processes on this machine.
    dask : str
        Address of a Dask scheduler, ``"tcp://host:8786"``, whose workers take the cases instead. What a worker had
        begun when it died is begun again on another one; a case that four workers died of has failed.
    name : str
        Of the progress bar.
    label : function
        What a case is called in a message.

    Raises
    ------
    SystemExit
        If there is no scheduler at the address, or a process of this machine is killed; then with the cases that had
        begun and not ended.
    """
    found = _on_cluster(function, cases, dask) if dask else _here(function, cases, jobs, label)
    yield from tqdm(found, desc=name, total=len(cases), disable=None if cases else True)


def _attempt(function: Callable, case: Any) -> Outcome:
    with ONE_AT_A_TIME:
        try:
            return case, function(case), ""
        except Exception:
            return case, None, traceback.format_exc()


def _here(function: Callable, cases: Sequence, jobs: int, label: Callable[[Any], str]) -> Iterator[Outcome]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    under_way: list[str] = []

    def tasks() -> Iterator[Any]:
        for case in cases:
            under_way.append(label(case))
            yield delayed(_attempt)(function, case)

    run = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
    try:
        for outcome in run(tasks()):
            under_way.remove(label(outcome[0]))
            yield outcome
    except TerminatedWorkerError as error:
        raise SystemExit(
            f"a process was killed, perhaps for want of memory: fewer --jobs need less. Under way were "
            f"{', '.join(under_way)} ({error})"
        ) from None


def _on_cluster(function: Callable, cases: Sequence, address: str) -> Iterator[Outcome]:
    from distributed import Client, as_completed

    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise SystemExit(f"there is no Dask scheduler at {address}: {error}") from None
    with client:
        begun = {client.submit(partial(_attempt, function), case, pure=False): case for case in cases}
        for future in as_completed(begun):
            error = future.exception()
            yield future.result() if error is None else (begun[future], None, f"{type(error).__name__}: {error}")
