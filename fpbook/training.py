"""The one training loop of the book: any loss that is a function of the network, one network or an ensemble of equal shape."""

import copy
import os

import numpy as np
import torch
from torch.func import functional_call, stack_module_state, vmap
from tqdm.auto import tqdm


def column(values, device="cpu", dtype=torch.float32):
    """Values of shape (n,) as a tensor of shape (n, 1), the form in which networks take and give them."""
    return torch.as_tensor(np.asarray(values), dtype=dtype, device=device).reshape(-1, 1)


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


class _Ensemble:
    """Networks of one shape with stacked parameters; `each` maps a function of one network over all of them."""

    def __init__(self, nets):
        shapes = [[(name, p.shape, p.dtype) for name, p in net.named_parameters()] for net in nets]
        if any(s != shapes[0] for s in shapes):
            raise ValueError("an ensemble needs networks of one shape; train other shapes in a loop")
        if any(True for _ in nets[0].buffers()):
            raise ValueError("an ensemble cannot hold buffers (batch norm); train such networks in a loop")
        self.nets = nets
        self.state, _ = stack_module_state(nets)
        self.base = copy.deepcopy(nets[0]).to("meta")
        self.parameters = list(self.state.values())

    def each(self, function, member_data, batch):
        def of_one(state, *data):
            return function(lambda *args, **kw: functional_call(self.base, state, args, kw), *data, *batch)

        return vmap(of_one, randomness="different")(self.state, *member_data)

    @torch.no_grad()
    def write_back(self):
        for i, net in enumerate(self.nets):
            for name, parameter in net.named_parameters():
                parameter.copy_(self.state[name][i])


class _Single:
    """One network behind the interface of `_Ensemble`."""

    def __init__(self, net):
        self.net = net
        self.parameters = [p for p in net.parameters() if p.requires_grad]

    def each(self, function, member_data, batch):
        return function(self.net, *member_data, *batch)

    def write_back(self):
        pass


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


def train(nets, loss, *, steps, optimizer, schedule=None, batches=None, member_data=(), stop=None, record=None, every=1, progress=None):
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
    optimizer : function
        Parameters -> optimizer, say ``partial(torch.optim.Adam, lr=1e-3)``. It must act on each number apart, as SGD and Adam do.
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
        ``"step"`` (r,), recorded steps; ``"loss"`` (steps taken + 1, [members]), entry t after t updates; ``"stopped"``
        ([members]), first step with loss < stop, -1 if none; and each record, (r, [members], ...).

    Raises
    ------
    ValueError
        If the networks differ in shape, there is no network, or a record takes a reserved name.
    FloatingPointError
        When the loss stops being finite, with the step.

    Notes
    -----
    dtype and device follow the network. A progress bar is shown in a live kernel and in scripts, none while the book is built.

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
    if isinstance(nets, (list, tuple)) and not nets:
        raise ValueError("no network to train: the list is empty")
    model = _Ensemble(nets) if isinstance(nets, (list, tuple)) else _Single(nets)
    update = optimizer(model.parameters)
    scheduler = schedule(update) if schedule else None
    batches = iter(batches) if batches is not None else None
    recorded = _recording_steps(every, steps)
    history = {name: [] for name in ("step", "loss", *record)}
    stopped = None  # (members,) first step below the tolerance, -1 for none

    for step, last in _mark_last((progress or _bar)(range(steps + 1))):
        losses = model.each(loss, member_data, next(batches) if batches else ())
        values = losses.detach()
        if not torch.isfinite(values).all():
            raise FloatingPointError(f"the loss is no longer finite at step {step}; lower the learning rate or check the data")
        history["loss"].append(values)
        if stopped is None:
            stopped = torch.full_like(values, -1, dtype=torch.int64)
        if stop is not None:
            stopped = torch.where((stopped < 0) & (values < stop), step, stopped)
        last = last or bool((stopped >= 0).all())
        if step in recorded or last:
            history["step"].append(step)
            with torch.no_grad():
                for name, function in record.items():
                    history[name].append(model.each(lambda net, *_: function(net), member_data, ()).cpu().clone())
        if last:
            break
        update.zero_grad()
        losses.sum().backward()
        kept = [p.detach().clone() for p in model.parameters] if (stopped >= 0).any() else []
        update.step()
        with torch.no_grad():
            for parameter, old in zip(model.parameters, kept):
                parameter[stopped >= 0] = old[stopped >= 0]
        if scheduler:
            scheduler.step()

    model.write_back()
    history["step"] = np.array(history["step"])
    history["loss"] = torch.stack(history["loss"]).cpu().numpy()
    return history | {"stopped": stopped.cpu().numpy()} | {name: torch.stack(history[name]).numpy() for name in record}
