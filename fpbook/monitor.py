"""Watch any model learn, frequency by frequency: what this book measures, for your own data and your own loop."""

import math
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fpbook._arrays import as_points, finite, numbers
from fpbook._columns import Columns
from fpbook._inputs import (
    PARALLEL,
    axis_of,
    batches_of,
    no_probabilities,
    one_hot,
    other_process,
    softmax_of,
    some,
    warn_of_class_numbers,
    warn_of_one_feature,
)
from fpbook._measures import DOUBTFUL, NOTHING, Filters, Grid, Measure, Shells, Waves, grid_step
from fpbook.filtering import cutoffs
from fpbook.spectra import first_step_below, peaks


class FrequencyMonitor:
    r"""Relative error of a model's output during training, at frequencies, in bands, or on either side of a cut-off.

    Make a monitor from your points and their labels, call its `watch` in your training loop, and print its `table` at
    the end. What it measures depends on which of `k`, `delta` and `bands` you give.

    With frequencies `k` it uses the projection method, and measures the error of the amplitude at each frequency:

    .. math:: \Delta_F(k) = \Vert\hat h_k - \hat y_k\Vert \, / \, \Vert\hat y_k\Vert .

    The amplitudes are fitted by least squares with waves and a constant. On a regular grid this gives the DFT. On
    scattered points the terms of the DFT leak into each other. The fitted amplitudes do not, because all waves in `k`
    are fitted together; only frequencies that are not in `k` still leak into them.

    With filter variances `delta` it uses the filtering method. It measures the error of the part below each cut-off
    k0 = 1 / sqrt(delta), and the error of the rest:

    .. math:: e_\mathrm{low} = \Vert h^\mathrm{low} - y^\mathrm{low}\Vert / \Vert y^\mathrm{low}\Vert, \qquad
        e_\mathrm{high} = \Vert h^\mathrm{high} - y^\mathrm{high}\Vert / \Vert y^\mathrm{high}\Vert,
        \qquad y^\mathrm{high} = y - y^\mathrm{low} .

    With `bands` it measures the error in each band of frequencies.

    With none of them it chooses. On a line, or on a grid of at most three dimensions, it takes the strongest waves
    above the noise. Elsewhere it takes the cut-off at which the filter keeps half of the energy. ``print(monitor)``
    says what was chosen, and which of the errors can be relied on.

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Points, of the training set or held out. Project images on one direction first, for example on
        `fpbook.spectra.principal_direction`, or use `delta`.
    y : array, shape (n,) or (n, ...)
        Their labels; classes are one-hot. Points with a coordinate or label that is masked or NaN are left out.
    k : array, shape (m,) or (m, d), optional
        Angular frequencies, rad per unit of `x`. If `period` is given, cycles per period instead.
    period : float or array of shape (d,), optional
        If it is given, frequencies are cycles per this length (in units of `x`) instead of radians per unit of `x`. For
        example, it is 1 for cycles per unit of `x`, and 360 for waves round a circle with `x` in degrees. It applies to
        `k`, to `bands` and to waves that the monitor chooses, and cannot be given with `delta`.
    bands : array, shape (m,), optional
        Edges of \|k\|, in the unit of `k`. There is a band below the first edge, one between each two neighbouring
        edges, and one above the last. On a grid of at most three dimensions the bands are computed by the FFT,
        elsewhere as differences of Gaussian filters.
    delta : float or array of shape (m,), optional
        Filter variances, in units of `x` squared. For each there are two errors, below and above its cut-off.
    choose : int
        Largest number of frequencies that the monitor chooses.
    method : {"lstsq", "dft"}
        "lstsq" fits the waves by least squares. "dft" computes the sum (1/n) sum y exp(-ikx) as it was published. It
        does so on any points, without checking whether they tell the frequencies apart, and needs `k`.
    centre : bool
        Whether the means of labels and outputs are subtracted before they are compared. The error of the mean is
        `offset`.
    softmax : bool, optional
        Whether outputs are logits. Set it to True if your classifier returns logits, of shape (n, classes) or one
        column for two classes. If this is not given, an output is taken as logits only if the labels are one-hot and
        the output, or each of its batches, has ``.logits``. All other outputs are compared with the labels unchanged.
        The monitor warns once if the labels are 0 and 1 but an output that it left unchanged clearly holds no
        probabilities.
    axis : int, optional
        Axis of `y` and of outputs that runs along the points, the first by default. For fields of shape (fields, n) it
        is 1.
    every : int
        `watch` measures at the steps that are multiples of this.
    memory : float
        Bytes that stored waves or kernels may take. Kernels that need more are computed again at each call, whereas
        waves that need more raise ValueError.

    Attributes
    ----------
    step : array, shape (r,)
        Steps at which the model was measured.
    names : list of str
        Names of the m parts (waves, bands or sides of a cut-off) that are measured.
    error : array, shape (r, m)
        Relative error of each part. It is 0 for a part that is fitted, 1 for an output that does not have this part,
        and above 1 for an output that is worse than that. If the output was not finite, the row is NaN.
    leak : array, shape (r, m)
        Standard error of each number in `error`. It is 0 unless waves are measured. It is estimated from what these
        waves leave unexplained in the difference of output and labels, that is from noise and from errors at other
        frequencies. NaN if there are too few points for that.
    offset : array, shape (r,)
        Error of the mean of the output, divided by the root mean square of the labels. If `centre` is true, that is
        the root mean square about their mean.
    share : array, shape (m,)
        Share of the labels' energy that each part has. If `centre` is true, this is the energy about their mean.
    floor : array, shape (m,)
        Relative error that a model equal to the noise-free function would still show, because the labels are noisy. All
        that the waves leave unexplained in the labels is counted as noise. It is 0 unless waves are measured, and NaN
        if there are too few points to estimate the noise.
    resolved : array of bool, shape (m,)
        Whether `error` can be relied on. It cannot in three cases: `floor` is above 1/3; the labels have nothing in the
        band; or the points can hardly tell the wave from the others, so that noise is amplified five times or more. If
        `floor` is NaN, noise is not known and not asked for.

    Raises
    ------
    ValueError
        If the data cannot give what is asked for. For example, shapes disagree, two frequencies are aliases of each
        other, the labels are constant or have nothing at a frequency, no wave stands above the noise, or `x` holds
        dates.

    Notes
    -----
    With `k` a call takes O(n m) time. With `bands` on a grid it takes O(n log n). With `delta`, and with `bands`
    elsewhere, it takes O(n^2 m). Making the kernels takes O(n^2 (d + m)): once if they fit into `memory`, and otherwise
    at each call.

    An output must hold all points in the order of `y`, computed in evaluation mode; `watch` does this for you. The
    points that a network is trained on say nothing about what it does between them. So measure a coordinate network
    also on a grid, one that resolves the highest frequency you ask about.

    Source: Xu et al. (2020), eqs. 2 and 8-11.

    Examples
    --------
    A linear model of two waves starts at zero. Its slow input is twice as large, so that it is learned first:

    >>> x = torch.tensor(np.random.default_rng(0).uniform(-3, 3, (200, 1)))
    >>> y = torch.sin(x) + torch.sin(4 * x) + 0.1 * torch.sin(9 * x)
    >>> inputs = torch.cat([2 * torch.sin(x), torch.sin(4 * x)], 1)
    >>> model = torch.nn.Linear(2, 1, bias=False).double()
    >>> model.weight.data *= 0
    >>> monitor = FrequencyMonitor(x, y, k=[1, 4])
    >>> for step in range(31):
    ...     errors = monitor.watch(step, model, inputs)
    ...     model.zero_grad()
    ...     ((model(inputs) - y) ** 2).mean().backward()
    ...     model.weight.data -= 0.1 * model.weight.grad
    >>> print(monitor.table())
    name  share  error    leak    first below  stays below
    k=1   0.478  0.00884  0.0104  4            4
    k=4   0.54   0.0313   0.0104  14           14

    If you have the outputs already, call the monitor itself:

    >>> x = np.random.default_rng(0).uniform(-3, 3, 200)
    >>> monitor = FrequencyMonitor(x, np.sin(x) + np.sin(4 * x))
    >>> for step, part in enumerate([0.0, 0.5, 1.0]):
    ...     errors = monitor(step, np.sin(x) + part * np.sin(4 * x))
    >>> monitor.names, monitor.error.round(6) + 0.0
    (['k=1', 'k=4'], array([[0. , 1. ],
           [0. , 0.5],
           [0. , 0. ]]))
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        k: Any = None,
        period: ArrayLike | None = None,
        bands: ArrayLike | None = None,
        delta: ArrayLike | None = None,
        choose: int = 8,
        method: str = "lstsq",
        centre: bool = True,
        softmax: bool | None = None,
        axis: int | None = None,
        every: int = 1,
        memory: float = 2**30,
    ):
        if sum(part is not None for part in (k, bands, delta)) > 1:
            raise ValueError("give one of k, bands and delta, or none of them and the monitor chooses")
        if method not in ("lstsq", "dft") or every < 1:
            raise ValueError(f"need method 'lstsq' or 'dft' and every >= 1, not {method!r} and {every}")
        points = as_points("x", some("x", numbers("x", x)))
        if np.iscomplexobj(points):
            raise ValueError("x is complex; give real and imaginary part as two columns")
        labels = some("y", numbers("y", y))
        self.centre, self.softmax, self.every, self.axis = centre, softmax, every, axis_of(labels, len(points), axis)
        self._shape = labels.shape
        if softmax and sum(size > 1 for size in labels.shape) > 1 + (len(points) > 1):
            raise ValueError(
                f"softmax=True needs labels of shape ({len(points)}, classes), not {labels.shape}; "
                "apply the softmax along the axis of the classes and hand in probabilities"
            )
        labels = np.moveaxis(labels, self.axis, 0).reshape(len(points), -1)
        if np.isinf(points).any() or np.isinf(labels).any():
            raise ValueError("x or y has infinite values, which are not finite; mark what is missing by NaN")
        self.kept = ~(np.isnan(points).any(1) | np.isnan(labels).any(1))
        if not self.kept.any():
            raise ValueError("no point has both coordinates and labels: nothing is left to measure")
        self.x, self._one_hot = points[self.kept], one_hot(labels[self.kept])
        if len(self.x) > 1 and (self.x == self.x[0]).all():
            raise ValueError("all points are the same: there is no frequency to measure")
        self._mean = labels[self.kept].mean(0) if centre else np.zeros(labels.shape[1])
        self._labels = labels[self.kept] - self._mean  # (n, c)
        self._spread = float(np.linalg.norm(self._labels)) / math.sqrt(len(self.x))
        if not self._spread > NOTHING * (np.abs(self._mean).max() + self._spread):
            raise ValueError("the labels are constant: there is no frequency in them")
        warn_of_class_numbers(labels[self.kept])
        self.measure = self._measure(k, period, bands, delta, choose, method, memory)
        if isinstance(self.measure, Filters):
            warn_of_one_feature(self.x)
        self._size = self.measure.sizes(self._labels)
        nothing = ~(self._size > NOTHING * self._size.max())
        if nothing.any() and bands is None:
            named = ", ".join(np.array(self.names)[nothing])
            raise ValueError(f"the labels have nothing at {named}: no relative error; leave it out")
        self._size[nothing] = np.nan  # a band without labels has no relative error either, but the others have
        self.share = self.measure.shares(self._labels)
        self.floor = self.measure.leak(self._labels) / self._size
        self.resolved = ~(self.floor > 1 / 3) & (self.measure.amplification < DOUBTFUL) & ~nothing
        self._steps: list[float] = []
        self._rows: list[NDArray[np.float64]] = []  # errors, leaks, offset
        self._warned = False

    # What is measured

    def _measure(self, k: Any, period: Any, bands: Any, delta: Any, choose: int, method: str, memory: float) -> Measure:
        d, scale = self.x.shape[1], 1.0
        if period is not None:
            period = finite("period", period)
            if (period <= 0).any():
                raise ValueError(f"period must be positive, in units of x, not {period}")
            if delta is not None:
                raise ValueError("period= is the unit of k and bands; delta is a variance in units of x squared")
            scale = 2 * np.pi / period
        if k is None and bands is None and delta is None:
            k, delta = self._chosen(choose)
            given = None if k is None else k / scale
        elif k is not None:
            given = finite("k", k)
            given = given[None] if given.ndim == 1 and d > 1 and len(given) == d else as_points("k", given)
            if given.shape[1] != d:
                raise ValueError(f"x has dimension {d} but k has dimension {given.shape[1]}; give k of shape (m, {d})")
            k = given * scale
        if k is not None and given is not None:
            names = _names(given, period)
            if method == "lstsq":
                self._refuse_aliases(k, names, scale, period)
                self._name_those_below_one_period(k, names, period)
            complex_ = np.iscomplexobj(self._labels)
            return Waves(self.x, k, names, complex_=complex_, dft=method == "dft", memory=memory)
        if method == "dft":
            raise ValueError('method="dft" needs frequencies k')
        if bands is not None:
            return self._bands(finite("bands", bands), period, memory)
        delta = np.atleast_1d(finite("delta", delta))
        if delta.ndim > 1 or (delta <= 0).any():
            raise ValueError(
                "delta must be positive, one number or a 1-D array: it is the variance of the Gaussian filter"
            )
        names = [f"{side} k0={1 / math.sqrt(one):.3g}" for one in delta for side in ("below", "above")]
        return Filters(self.x, delta, names, bands=False, memory=memory)

    def _bands(self, edges: NDArray, period: Any, memory: float) -> Measure:
        edges = np.atleast_1d(edges)
        if edges.ndim > 1 or edges[0] <= 0 or (np.diff(edges) <= 0).any():
            raise ValueError(f"bands are edges of |k|, positive and increasing, not {edges}")
        shown = [f"{edge:.4g}" for edge in edges]
        names = [f"|k|<{shown[0]}", *(f"{a}<=|k|<{b}" for a, b in zip(shown, shown[1:])), f"|k|>={shown[-1]}"]
        if period is not None:
            if np.ndim(period):
                raise ValueError("with bands the period is one number: |k| needs one unit for all directions")
            edges = edges * 2 * np.pi / float(period)
        if grid := Grid.of(self.x):
            return Shells(grid, edges, names)
        return Filters(self.x, 1 / edges**2, names, bands=True, memory=memory)

    def _chosen(self, most: int) -> tuple[NDArray | None, NDArray | None]:
        """Frequencies of the strongest waves on a line or a grid, the filter variance of half the energy elsewhere."""
        if self.x.shape[1] == 1 and len(self.x) >= 5 and not np.iscomplexobj(self._labels):
            k = peaks(self.x, self._labels, most=most)[:, None]
        elif (grid := Grid.of(self.x)) and not np.iscomplexobj(self._labels):
            k = grid.peaks(self._labels, most)
        else:
            labels = np.concatenate([self._labels.real, self._labels.imag], 1)
            return None, 1 / cutoffs(self.x, labels, [0.5]) ** 2
        if not len(k):
            raise ValueError(
                "no wave in the labels stands above their noise; give k, bands or delta to measure all the same"
            )
        return k, None

    def _refuse_aliases(self, k: NDArray, names: list[str], scale: Any, period: Any) -> None:
        unit, hint = "cycles", "is the period in the unit of x?"
        if period is None:
            unit, hint = "rad per unit of x", "is x in the unit of k? With period= k counts cycles"
        for axis, (column, per) in enumerate(zip(self.x.T, np.broadcast_to(scale, self.x.shape[1]))):
            if (step := grid_step(column)) is None:
                continue
            for one, name in zip(k[:, axis], names):
                if abs(one) > (1 + 1e-6) * np.pi / step:
                    alias = abs(one - 2 * np.pi / step * round(one * step / (2 * np.pi)))
                    raise ValueError(
                        f"{name} is above the Nyquist frequency of these points, {np.pi / step / per:.4g} {unit} "
                        f"(they lie on a grid of spacing {step:.4g}), and cannot be told from {alias / per:.4g}; {hint}"
                    )

    def _name_those_below_one_period(self, k: NDArray, names: list[str], period: Any) -> None:
        low = []
        for one, name in zip(k, names):
            along = self.x @ one
            levels = max(len(np.unique(along)), 2)
            if np.ptp(along) * levels / (levels - 1) < 0.9 * 2 * np.pi:
                low.append(name)
        if low:
            unit = "; if k counts cycles, give period=" if period is None else ""
            warnings.warn(f"less than one period of {', '.join(low)} fits into the points{unit}", stacklevel=4)

    # In the loop

    def __call__(self, step: float, output: Any) -> dict[str, float]:
        """Measure the model's output on `x`, in the order of `y`, at this step; returns the relative errors by name.

        The output is an array or tensor of any type and device, a list of batches, or an object with ``.logits``. If it
        is not finite, NaN is recorded and no error is raised, so that the training goes on.
        """
        values = numbers("output", output)
        batches = output if isinstance(output, (list, tuple)) and not hasattr(output, "logits") else [output]
        named = all(hasattr(batch, "logits") for batch in batches)
        logits = self.softmax or (self.softmax is None and "hot" in self._one_hot and named)
        if values.size != math.prod(self._shape) or values.shape[self.axis : self.axis + 1] != (len(self.kept),):
            one_hot = "; labels that are class numbers must be one-hot" if len(values.shape) > len(self._shape) else ""
            raise ValueError(
                f"the output must have the shape of the labels, {self._shape}, not {values.shape}{one_hot}"
            )
        values = np.moveaxis(values.reshape(self._shape), self.axis, 0).reshape(len(self.kept), -1)[self.kept]
        if np.iscomplexobj(values) and not np.iscomplexobj(self._labels):
            raise ValueError("the output is complex and the labels are real; give both as real and imaginary part")
        row = np.full(2 * len(self.names) + 1, np.nan)
        if np.isfinite(values).all():
            row = self._row(softmax_of(values) if logits else self._as_probabilities(values))
        if self._steps and step < self._steps[-1]:
            warnings.warn(
                f"step {step:g} comes after step {self._steps[-1]:g}: `fitted` needs steps that grow; "
                "count them through all epochs, and take a new monitor for a new run",
                stacklevel=2,
            )
        self._steps.append(float(step))
        self._rows.append(row)
        return dict(zip(self.names, row[: len(self.names)].tolist()))

    def watch(
        self, step: float, model: Callable, inputs: Any, *, batch_size: int | None = None
    ) -> dict[str, float] | None:
        """Measure a model if the step is a multiple of `every`: in evaluation mode, without gradients, in batches.

        Parameters
        ----------
        step : int
        model : module or function
            Afterwards each of its modules is again in the mode it had. In distributed training only the first process
            measures.
        inputs : tensor, or iterable of batches
            All inputs in the order of `y`, on the device of the model. A batch may be the inputs alone, a list or tuple
            whose first item is the inputs, or a dictionary. The entries of a dictionary are passed to the model by
            name, all but ``labels``.
        batch_size : int, optional
            Rows per batch, if `inputs` is a tensor. By default it is one batch.

        Returns
        -------
        dict of name -> float, or None
            The relative errors. None if the step is no multiple of `every`, or if it is the step that was measured
            last. In distributed training also None in all processes but the first.

        Raises
        ------
        ValueError
            If `inputs` is a DataLoader that shuffles, because then the outputs would not be in the order of `y`.
        """
        if step % self.every or step in self._steps[-1:] or other_process():
            return None
        sampler = type(getattr(inputs, "sampler", None)).__name__
        if sampler not in ("NoneType", "SequentialSampler"):
            raise ValueError(
                f"the loader draws its samples by a {sampler}; give one with shuffle=False, in the order of y"
            )
        model = getattr(model, "module", model) if isinstance(model, PARALLEL) else model
        modules = list(model.modules()) if isinstance(model, torch.nn.Module) else []
        modes = [module.training for module in modules]
        try:
            for module in modules:
                module.training = False
            with torch.no_grad():
                outputs = [
                    model(**batch) if isinstance(batch, dict) else model(batch)
                    for batch in batches_of(inputs, batch_size)
                ]
        finally:
            for module, mode in zip(modules, modes):
                module.training = mode
        return self(step, outputs if len(outputs) > 1 else outputs[0])

    def _row(self, values: NDArray) -> NDArray[np.float64]:
        mean = values.mean(0) if self.centre else np.zeros(values.shape[1])
        difference = (values - mean) - self._labels
        error, leak = self.measure.sizes(difference), self.measure.leak(difference)
        offset = np.linalg.norm(values.mean(0) - self._mean - self._labels.mean(0)) / self._spread
        return np.r_[error / self._size, leak / self._size, offset]

    def _as_probabilities(self, values: NDArray) -> NDArray:
        """Values as they are; a warning, once, where labels are those of classes and these are no probabilities."""
        if self.softmax is None and not self._warned and no_probabilities(values, self._one_hot):
            self._warned = True
            warnings.warn(
                f"labels are {self._one_hot} and the output holds no probabilities: say softmax=True if it holds "
                "logits of shape (n, classes) or of one column, hand in probabilities if it holds others, and say "
                "softmax=False if the model was trained to give such numbers",
                stacklevel=3,
            )
        return values

    # What was measured

    @property
    def names(self) -> list[str]:
        return list(self.measure.names)

    @property
    def step(self) -> NDArray[np.float64]:
        return np.array(self._steps)

    @property
    def error(self) -> NDArray[np.float64]:
        return self._columns(0, len(self.names))

    @property
    def leak(self) -> NDArray[np.float64]:
        return self._columns(len(self.names), 2 * len(self.names))

    @property
    def offset(self) -> NDArray[np.float64]:
        return self._columns(2 * len(self.names), 2 * len(self.names) + 1)[:, 0]

    def _columns(self, start: int, stop: int) -> NDArray[np.float64]:
        return np.array(self._rows).reshape(len(self._rows), 2 * len(self.names) + 1)[:, start:stop]

    def fitted(self, below: float = 0.2) -> Columns:
        """Steps at which each error first was below a threshold, and from which it stayed there; inf if never.

        A dictionary of columns that prints as a table. ValueError if nothing was measured yet.
        """
        error = np.where(np.isnan(self.error), np.inf, self.error)
        if not len(error):
            raise ValueError("nothing was measured yet: call monitor(step, output) in your loop")
        under = error < below
        first = np.where(under.any(0), self.step[under.argmax(0)], np.inf)
        stays = first_step_below(self.step, np.minimum(error, sys.float_info.max), below)
        return Columns({"name": self.names, "first below": first.tolist(), "stays below": stays.tolist()})

    def table(self, below: float = 0.2) -> Columns:
        """Per name: share of energy, last error, leak (if waves are measured) and `fitted`; prints as a table."""
        fitted = self.fitted(below)
        marks = ["" if fine else "not resolved" for fine in self.resolved]
        columns = {"name": self.names, "share": self.share.tolist(), "error": self.error[-1].tolist()}
        leaks = {"leak": self.leak[-1].tolist()} if isinstance(self.measure, Waves) else {}
        remarks = {"": marks} if any(marks) else {}
        return Columns({**columns, **leaks, **{key: fitted[key] for key in list(fitted)[1:]}, **remarks})

    def plot(self, ax: Any = None, *, heat: bool = False) -> Any:
        """Draw the error of each name against the step, or with `heat` one map of step and name; returns the axes."""
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError("a plot needs matplotlib: pip install matplotlib") from error
        if not self._rows:
            raise ValueError("nothing was measured yet: call monitor(step, output) in your loop")
        ax = plt.gca() if ax is None else ax
        if heat:
            edges = np.r_[self.step, 2 * self.step[-1] - self.step[-2]] if len(self.step) > 1 else self.step + [0, 1]
            drawn = ax.pcolormesh(edges, np.arange(len(self.names) + 1), self.error.T, vmin=0, vmax=1, cmap="viridis")
            ax.set_yticks(np.arange(len(self.names)) + 0.5, self.names)
            ax.figure.colorbar(drawn, ax=ax, label="relative error")
            ax.set_xlabel("step")
            return ax
        colors = plt.get_cmap("viridis")(np.linspace(0, 0.8, len(self.names)))
        for name, curve, color, fine in zip(self.names, self.error.T, colors, self.resolved):
            ax.plot(
                self.step, curve, label=name + ("" if fine else ", not resolved"), color=color, ls="-" if fine else ":"
            )
        ax.set(xlabel="step", ylabel="relative error")
        ax.legend()
        return ax

    def validate(self, *, seed: int = 0) -> Columns:
        """Test the monitor on your points: give it outputs with known errors, and compare what it reports.

        Each output is the labels with one part changed. The part is left out (true error 1), halved (1/2), or, if it is
        a wave, moved by a quarter of a period (sqrt 2). In the table that is returned, "expected" is this true error
        and "reported" is what the monitor gives for the part. All other parts are right, so "others", the largest error
        that it gives for one of them, should be 0. With filters the parts overlap, and "others" shows how much.

        In the last row the output is the labels with white noise of a tenth of their size. In this row the two columns
        mean something else: "reported" is the smallest and "others" the largest error over all parts.
        """
        rows = []
        for i, name in enumerate(self.names):
            plants = {"absent": (0, 1.0), "halved": (0.5, 0.5), "shifted": (1j, math.sqrt(2))}
            for plant, (factor, expected) in plants.items():
                if plant == "shifted" and not isinstance(self.measure, Waves):
                    continue
                error = self._row(self._labels + self.measure.part(self._labels, i, factor - 1) + self._mean)[
                    : len(self.names)
                ]
                rows.append((f"{name} {plant}", expected, error[i], np.delete(error, i).max(initial=0)))
        noise = np.random.default_rng(seed).normal(size=self._labels.shape) * self._spread / 10
        noise /= math.sqrt(self._labels.shape[1])
        error = self._row(self._labels + noise + self._mean)[: len(self.names)]
        rows.append(("noise of a tenth", 0.0, error.min(), error.max()))
        names, *numbers_ = zip(*rows)
        return Columns(dict(zip(("planted", "expected", "reported", "others"), (names, *map(list, numbers_)))))

    def to_dict(self) -> dict[str, list[float]]:
        """Steps and errors by name, as lists that can be written as JSON (NaN as Python's json writes it)."""
        return {"step": self.step.tolist()} | {n: column.tolist() for n, column in zip(self.names, self.error.T)}

    def state_dict(self) -> dict[str, Any]:
        """What was measured so far, in plain lists and numbers, for `load_state_dict` of a new monitor."""
        return {"names": self.names, "step": list(self._steps), "rows": [row.tolist() for row in self._rows]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from the `state_dict` of a monitor that measures the same; ValueError if it measures something else."""
        rows = [np.array(row, dtype=np.float64) for row in state["rows"]]
        wrong = len(rows) != len(state["step"]) or any(len(row) != 2 * len(self.names) + 1 for row in rows)
        if wrong or list(state["names"]) != list(self.names):
            raise ValueError(f"this state is of a monitor of {state['names']}, and this one measures {self.names}")
        self._steps, self._rows = [float(step) for step in state["step"]], rows

    def __repr__(self) -> str:
        return f"FrequencyMonitor({len(self.x)} points, {', '.join(self.names)}; {len(self._steps)} measurements)"

    def __str__(self) -> str:
        left_out = int((~self.kept).sum())
        kind = {Waves: "waves by least squares", Shells: "bands by the FFT", Filters: "Gaussian filter"}[
            type(self.measure)
        ]
        if isinstance(self.measure, Waves) and self.measure.dft:
            kind = "waves by the DFT, one by one"
        lines = [
            f"{len(self.x)} points, {kind}"
            + (f"; {left_out} without coordinates or labels left out" if left_out else "")
        ]
        columns = {"name": self.names, "share of energy": self.share.tolist()}
        if isinstance(self.measure, Waves):
            columns["floor"] = self.floor.tolist()
        reasons = [_reason(*one) for one in zip(self._size, self.floor, self.measure.amplification)]
        lines.append(str(Columns({**columns, "can be judged": reasons})))
        if isinstance(self.measure, Waves):
            lines.append(f"these waves hold {self._explained():.3g} of the labels' energy about their mean")
        return "\n".join(lines)

    def _explained(self) -> float:
        assert isinstance(self.measure, Waves)
        if self.measure.dft:
            return float(self.share.sum())
        return float((abs(self.measure.q.conj().T @ self._labels) ** 2).sum() / (abs(self._labels) ** 2).sum())


def _names(k: NDArray, period: Any) -> list[str]:
    """A name for each row of k: to four digits, or to six where four do not tell the frequencies apart."""
    for digits in (4, 6):
        shown = [", ".join(f"{value:.{digits}g}" for value in row) for row in k]
        if len(set(shown)) == len(shown):
            break
    shown = [f"({row})" for row in shown] if k.shape[1] > 1 else shown
    return [f"k={row}" if period is None else f"{row} cycle{'' if row == '1' else 's'}" for row in shown]


def _reason(size: float, floor: float, amplification: float) -> str:
    if np.isnan(size):
        return "no: the labels have nothing there"
    if amplification >= DOUBTFUL:
        return f"no: close to another wave, noise counts {amplification:.0f} times"
    if floor > 1 / 3:
        return "no: below the noise floor"
    return "yes" if np.isfinite(floor) else "yes, but noise is not known: too few points"
