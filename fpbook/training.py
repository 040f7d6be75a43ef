"""The one training loop of the book: any loss that is a function of the network, one network or an ensemble of equal shape."""

import contextlib
import os

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from fpbook._ensembles import as_model

SMALL = 300_000  # parameters of a fully connected network from which more than one thread pays


def column(values, device="cpu", dtype=torch.float32):
    """Values of shape (..., n) as a tensor of shape (..., n, 1), the form in which networks take and give them."""
    return torch.as_tensor(np.asarray(values), dtype=dtype, device=device).unsqueeze(-1)


def seeded(make, seeds, device="cpu"):
    """One network a seed: `make()` is called after ``torch.manual_seed(seed)``, on the CPU, so that a seed means the same everywhere.

    Returns a list of modules, moved to `device`.

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


def mean_squared_error(net, x, y):
    """Mean over points and outputs of (net(x) - y)^2: a scalar tensor; x (n, d), y (n, c)."""
    return ((net(x) - y) ** 2).mean()


def cross_entropy(net, x, y):
    """Mean cross-entropy of the softmax of net(x), shape (n, classes), with labels y, shape (n,): a scalar tensor."""
    return nn.functional.cross_entropy(net(x), y)


def minibatches(*tensors, size, seed):
    """Endless mini-batches, each sample once an epoch, in an order that depends on the seed alone.

    Yields tuples of tensors of `size` rows (the last of an epoch may be shorter). ValueError if lengths differ or size < 1.
    """
    n = len(tensors[0])
    if any(len(t) != n for t in tensors) or size < 1:
        raise ValueError(f"need tensors of one length and size >= 1, not {[len(t) for t in tensors]} and {size}")
    generator = torch.Generator().manual_seed(seed)
    while True:
        for rows in torch.randperm(n, generator=generator).split(size):
            rows = rows.to(tensors[0].device)
            yield tuple(t[rows] for t in tensors)


def _recording_steps(every, steps):
    """The steps at which records are taken: every so many, or those given; the last step always."""
    chosen = range(0, steps + 1, every) if isinstance(every, int) else (int(s) for s in every)
    return {s for s in chosen if 0 <= s <= steps} | {steps}


def _bar(steps):
    return tqdm(steps, disable=os.environ.get("FPBOOK_BUILD") == "1", leave=False)


def _mark_last(steps):
    """Pairs (step, is it the last?), however early the iterable ends."""
    steps = iter(steps)
    step = next(steps)
    for following in steps:
        yield step, False
        step = following
    yield step, True


def train(
    nets,
    loss,
    *,
    steps,
    optimizer,
    schedule=None,
    batches=None,
    member_data=(),
    stop=None,
    record=None,
    every=1,
    progress=None,
):
    """Train one network, or an ensemble of networks of one shape, and record what is asked for.

    Parameters
    ----------
    nets : module, or list of modules
        Trained in place. A list is one ensemble: all members take each step together, and each ends as if trained alone. Members share
        no parameters and have no buffers (no batch norm).
    loss : function
        ``loss(net, *data, *batch)`` -> scalar tensor, written for one network; `data` is the member's part of
        `member_data`, `batch` the next item of `batches`.
    steps : int
        Number of updates, at most.
    optimizer : function, or torch.optim.Optimizer
        Parameters -> optimizer, say ``partial(torch.optim.Adam, lr=1e-3)``. It must act on each number apart, as SGD and Adam do. For a
        single network also an optimizer of its parameters, whose state then goes on from one call to the next.
    schedule : function, optional
        Optimizer -> learning-rate scheduler, stepped after every update.
    batches : iterable of tuples, optional
        Mini-batches, the same for all members; see `minibatches`.
    member_data : tuple of tensors, optional
        Data that differ between members, with a leading axis (members, ...); without it for a single network.
    stop : float, optional
        A network stops when its loss falls below this: its parameters are left as they are.
    record : dict of name -> function, optional
        ``function(net)`` -> tensor, taken without gradients at the steps `every` names.
    every : int or sequence of int
        Interval, or the steps themselves. The last step is always recorded.
    progress : function, optional
        Iterable of steps -> iterable of steps, in place of the progress bar. Where it ends early, so does training,
        and that last step is recorded.

    Returns
    -------
    dict of numpy arrays
        ``"step"`` (r,), recorded steps; ``"loss"`` (steps taken + 1, [members]), entry t after t updates (with `batches` one entry
        less: on the batch of the update that follows); ``"stopped"``
        ([members]), first step with loss < stop, -1 if none; and each record, (r, [members], ...).

    Raises
    ------
    ValueError
        If the networks differ in shape, there is no network, or a record takes a reserved name.
    FloatingPointError
        When the loss stops being finite, with the step.

    Notes
    -----
    dtype and device follow the network. Small fully connected networks train on one thread, and the setting is restored: more threads
    would wait for each other longer than they compute. A progress bar is shown in a live kernel and in scripts, none while the book is built.

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
    update = optimizer(model.parameters) if callable(optimizer) else optimizer
    scheduler = schedule(update) if schedule else None
    batches = iter(batches) if batches is not None else None
    recorded = _recording_steps(every, steps)
    history = {name: [] for name in ("step", "loss", *record)}
    stopped = None  # ([members]) first step below the tolerance, -1 for none

    with _one_thread(nets):
        for step, last in _mark_last((progress or _bar)(range(steps + 1))):
            if not (last and batches):  # a batch is drawn only for an update
                losses = model.each(loss, member_data, next(batches) if batches else ())
                history["loss"].append(_finite(losses.detach(), step))
                stopped = _newly_stopped(stopped, history["loss"][-1], stop, step)
                last = last or bool((stopped >= 0).all())
            if step in recorded or last:
                history["step"].append(step)
                with torch.no_grad():
                    for name, function in record.items():
                        history[name].append(model.each(lambda net, *_: function(net), member_data, ()).cpu().clone())
            if last:
                break
            _update(update, model.parameters, losses, stopped)
            if scheduler:
                scheduler.step()

    model.write_back()
    history["step"] = np.array(history["step"])
    history["loss"] = torch.stack(history["loss"]).cpu().numpy() if history["loss"] else np.zeros(0)
    stopped = np.int64(-1) if stopped is None else stopped.cpu().numpy()
    return history | {"stopped": stopped} | {name: torch.stack(history[name]).numpy() for name in record}


def _update(optimizer, parameters, losses, stopped):
    """One update of all members; those that have stopped keep their parameters."""
    optimizer.zero_grad()
    losses.sum().backward()
    kept = [p.detach().clone() for p in parameters] if (stopped >= 0).any() else []
    optimizer.step()
    with torch.no_grad():
        for parameter, old in zip(parameters, kept):
            parameter[stopped >= 0] = old[stopped >= 0]


def _newly_stopped(stopped, values, stop, step):
    """First step below the tolerance of each member, brought up to date with the losses of this step."""
    if stopped is None:
        stopped = torch.full_like(values, -1, dtype=torch.int64)
    return stopped if stop is None else torch.where((stopped < 0) & (values < stop), step, stopped)


def _finite(values, step):
    if not torch.isfinite(values).all():
        raise FloatingPointError(
            f"the loss is no longer finite at step {step}; lower the learning rate or check the data"
        )
    return values


@contextlib.contextmanager
def _one_thread(nets):
    """One thread while small fully connected networks train on a CPU; the setting is restored."""
    parameters = list((nets[0] if isinstance(nets, (list, tuple)) else nets).parameters())
    before, small = (
        torch.get_num_threads(),
        sum(p.numel() for p in parameters) < SMALL and all(p.ndim <= 2 for p in parameters),
    )
    try:
        if small:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(before)
