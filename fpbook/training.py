"""The one training loop of the book: for any loss that is a function of the network, and one network or an ensemble."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from tqdm.auto import tqdm

from fpbook._ensembles import as_model

SMALL = 300_000  # parameters of a fully connected network from which more than one thread pays
Net = TypeVar("Net", bound=nn.Module)
Loss = Callable[..., torch.Tensor]  # loss(net, *data, *batch) -> scalar
Progress = Callable[[Sequence[int]], Iterable[int]]


def column(values: ArrayLike, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Values of shape (..., n) as a tensor of shape (..., n, 1), the form in which networks take and give them."""
    return torch.as_tensor(np.asarray(values), dtype=dtype, device=device).unsqueeze(-1)


def seeded(make: Callable[[], Net], seeds: Iterable[int], device: str | torch.device = "cpu") -> list[Net]:
    """One network per seed, made by ``make()`` after ``torch.manual_seed(seed)``: a list of modules on `device`.

    They are made on the CPU and then moved, so that a seed gives the same weights on every device.

    Examples
    --------
    >>> first, again = seeded(lambda: nn.Linear(1, 1), [3, 3])
    >>> bool(first.weight == again.weight)
    True
    """
    nets = []
    for seed in seeds:
        torch.manual_seed(seed)
        nets.append(make().to(device))
    return nets


def mean_squared_error(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over points and outputs of (net(x) - y)^2: a scalar tensor; x (n, d), y (n, c).

    If the output has further leading axes, for example one for many networks, there is one mean for each of them.
    """
    square = (net(x) - y) ** 2
    return square.mean((-2, -1)) if square.ndim > 1 else square.mean()


def cross_entropy(net: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the softmax of net(x), shape (n, classes), with labels y, shape (n,): a scalar tensor."""
    return nn.functional.cross_entropy(net(x), y)


def minibatches(*tensors: torch.Tensor, size: int, seed: int) -> Iterator[tuple[torch.Tensor, ...]]:
    """Endless mini-batches, with each sample once per epoch, in an order that depends on the seed alone.

    Yields tuples of tensors of `size` rows (the last ones of an epoch may have fewer). Each epoch has its own order.
    ValueError if lengths differ or size < 1.
    """
    n = len(tensors[0])
    if any(len(t) != n for t in tensors) or size < 1:
        raise ValueError(f"need tensors of one length and size >= 1, not {[len(t) for t in tensors]} and {size}")
    generator = torch.Generator().manual_seed(seed)
    while True:
        for rows in torch.randperm(n, generator=generator).split(size):
            rows = rows.to(tensors[0].device)
            yield tuple(t[rows] for t in tensors)


def train(
    nets: nn.Module | Sequence[nn.Module],
    loss: Loss,
    *,
    steps: int,
    optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer] | torch.optim.Optimizer,
    schedule: Callable[[torch.optim.Optimizer], Any] | None = None,
    batches: Iterable[tuple] | None = None,
    member_data: tuple[torch.Tensor, ...] = (),
    stop: float | None = None,
    record: dict[str, Callable[[nn.Module], torch.Tensor]] | None = None,
    every: int | Iterable[int] = 1,
    progress: Progress | None = None,
) -> dict[str, NDArray]:
    """Train one network, or an ensemble of networks of one shape, and record what is asked for.

    Parameters
    ----------
    nets : module, or list of modules
        Trained in place. A list is one ensemble: all members take each step together, and each ends as if it had been
        trained alone. Members share no parameters with each other and have no buffers, hence no batch norm.
    loss : function
        ``loss(net, *data, *batch)`` -> scalar tensor, written for one network. It is called with the network, followed
        by the network's own tensors from `member_data` and then by the next mini-batch, where these are given.
    steps : int
        Largest number of updates.
    optimizer : function, or torch.optim.Optimizer
        A function that makes the optimizer from a list of parameters, say ``partial(torch.optim.Adam, lr=1e-3)``. For
        an ensemble the optimizer must update each number independently of all others, as SGD and Adam do. For a single
        network you may also give an optimizer of its parameters, so that the state of the optimizer goes on from one
        call of `train` to the next.
    schedule : function, optional
        A function that makes a learning-rate scheduler from the optimizer. It is stepped after every update.
    batches : iterable of tuples, optional
        Mini-batches, the same for all members; see `minibatches`.
    member_data : tuple of tensors, optional
        Data that differ between members, each tensor with a leading axis of members. For a single network they have no
        such axis.
    stop : float, optional
        A network whose loss falls below this is not trained further: its parameters are left as they are.
    record : dict of name -> function, optional
        ``function(net)`` -> tensor, computed without gradients at the steps that `every` names.
    every : int or sequence of int
        One number is the interval between recorded steps; a sequence lists the steps. The last step is always
        recorded.
    progress : function, optional
        A function that takes the iterable of steps and gives an iterable of steps, used in place of the progress bar.
        If what it gives ends early, training ends there, and that last step is recorded.

    Returns
    -------
    dict of numpy arrays
        In their shapes, [members] is an axis that only an ensemble has.

        - ``"step"``, (r,): the recorded steps.
        - ``"loss"``, (steps taken + 1, [members]): entry t is the loss after t updates. With `batches` it is the loss
          on the batch that is drawn for update t + 1. No batch is drawn after the last update, so that with `batches`
          the last entry is missing, unless `stop` ended the training.
        - ``"stopped"``, ([members]): the first step with loss < `stop`, or -1 if there is none.
        - Each name in `record`, (r, [members], ...).

    Raises
    ------
    ValueError
        If there is no network, the networks differ in more than the values of their parameters, a record takes a
        reserved name, `steps` or `every` is too small, `loss` gives no scalar, `batches` end too soon, or the optimizer
        that was given holds none of the network's parameters.
    FloatingPointError
        If the loss of any member is no longer finite. The message names the step.

    Notes
    -----
    dtype and device are those of the network. Small fully connected networks are trained on one thread, because more
    threads would wait for each other longer than they compute; afterwards the setting is restored. A progress bar is
    shown in a live kernel and in scripts, but not while the book is built.

    Examples
    --------
    >>> from functools import partial
    >>> net, x = torch.nn.Linear(1, 1), torch.linspace(-1, 1, 9)[:, None]
    >>> history = train(net, lambda net: ((net(x) - 2 * x) ** 2).mean(), steps=200,
    ...                 optimizer=partial(torch.optim.SGD, lr=0.5), record={"h": lambda net: net(x)}, every=100)
    >>> history["step"], history["h"].shape, bool(history["loss"][-1] < 1e-6)
    (array([  0, 100, 200]), (3, 9, 1), True)
    """
    record = dict(record or {})
    if reserved := {"step", "loss", "stopped"} & set(record):
        raise ValueError(f"{sorted(reserved)} are names of the history itself; call the record something else")
    model = as_model(nets)
    update = optimizer if isinstance(optimizer, torch.optim.Optimizer) else optimizer(model.parameters)
    held = {id(parameter) for group in update.param_groups for parameter in group["params"]}
    if not held & {id(parameter) for parameter in model.parameters}:
        raise ValueError("this optimizer holds none of the parameters that are trained; give a function, see optimizer")
    scheduler = schedule(update) if schedule else None
    data = iter(batches) if batches is not None else None
    recorded = _recording_steps(every, steps)
    taken: list[int] = []
    history: dict[str, list[torch.Tensor]] = {name: [] for name in ("loss", *record)}
    stopped = torch.tensor(-1)  # ([members]) first step below the tolerance, -1 for none

    with _one_thread(nets):
        for step, last in _mark_last((progress or _bar)(range(steps + 1))):
            if not (last and data):  # a batch is drawn only for an update
                batch = next(data, None) if data else ()
                if batch is None:
                    raise ValueError(f"the batches end at step {step} of {steps}; those of `minibatches` do not end")
                losses = model.losses(loss, member_data, batch)
                if losses.ndim != (0 if isinstance(nets, nn.Module) else 1):
                    raise ValueError(f"the loss of one network is a scalar, not {list(losses.shape)}: take its mean")
                history["loss"].append(_finite(losses.detach(), step))
                stopped = _newly_stopped(stopped, history["loss"][-1], stop, step)
                last = last or bool((stopped >= 0).all())
            if step in recorded or last:
                taken.append(step)
                with torch.no_grad():
                    for name, function in record.items():
                        history[name].append(model.each(_alone(function), member_data, ()).cpu().clone())
            if last:
                break
            _update(update, model.parameters, losses, stopped)
            if scheduler:
                scheduler.step()

    model.write_back()
    arrays = {name: torch.stack(values).cpu().numpy() if values else np.zeros(0) for name, values in history.items()}
    return {"step": np.array(taken), "stopped": stopped.cpu().numpy()[()], **arrays}


def _recording_steps(every: int | Iterable[int], steps: int) -> set[int]:
    """The steps at which records are taken: every so many, or those given; the last step always."""
    if steps < 0 or (isinstance(every, (int, np.integer)) and every < 1):
        raise ValueError(f"need steps >= 0 and every >= 1, not {steps} and {every}")
    chosen = range(0, steps + 1, int(every)) if isinstance(every, (int, np.integer)) else (int(s) for s in every)
    return {s for s in chosen if 0 <= s <= steps} | {steps}


def _bar(steps: Sequence[int]) -> Iterable[int]:
    return tqdm(steps, disable=os.environ.get("FPBOOK_BUILD") == "1", leave=False)


def _mark_last(steps: Iterable[int]) -> Iterator[tuple[int, bool]]:
    """Pairs (step, is it the last?), however early the iterable ends."""
    remaining = iter(steps)
    step = next(remaining)
    for following in remaining:
        yield step, False
        step = following
    yield step, True


def _alone(function: Callable[[nn.Module], torch.Tensor]) -> Callable[..., torch.Tensor]:
    """A record's function, which takes the network and no data."""
    return lambda net, *_: function(net)


def _update(
    optimizer: torch.optim.Optimizer, parameters: list[torch.Tensor], losses: torch.Tensor, stopped: torch.Tensor
) -> None:
    """One update of all members; those that have stopped keep their parameters."""
    optimizer.zero_grad()
    losses.sum().backward()
    kept = [p.detach().clone() for p in parameters] if (stopped >= 0).any() else []
    optimizer.step()
    with torch.no_grad():
        for parameter, old in zip(parameters, kept):
            parameter[stopped >= 0] = old[stopped >= 0]


def _newly_stopped(stopped: torch.Tensor, values: torch.Tensor, stop: float | None, step: int) -> torch.Tensor:
    """First step below the tolerance of each member, brought up to date with the losses of this step."""
    stopped = stopped.to(values.device).expand(values.shape)
    return stopped if stop is None else torch.where((stopped < 0) & (values < stop), step, stopped)


def _finite(values: torch.Tensor, step: int) -> torch.Tensor:
    """The losses; FloatingPointError if one of them, of whichever member, is not finite."""
    if not torch.isfinite(values).all():
        where = f" of member {int((~torch.isfinite(values)).nonzero()[0])}" if values.ndim else ""
        raise FloatingPointError(
            f"the loss{where} is no longer finite at step {step}; lower the learning rate or check the data"
        )
    return values


@contextlib.contextmanager
def _one_thread(nets: nn.Module | Sequence[nn.Module]) -> Iterator[None]:
    """One thread while small fully connected networks train on a CPU; the setting is restored."""
    parameters = list((nets if isinstance(nets, nn.Module) else nets[0]).parameters())
    small = sum(p.numel() for p in parameters) < SMALL and all(p.ndim <= 2 for p in parameters)
    before = torch.get_num_threads()
    try:
        if small:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(before)
