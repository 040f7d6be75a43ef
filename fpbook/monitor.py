"""Watch any model learn, frequency by frequency: what this book measures, for your own data and your own loop."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from fpbook._arrays import finite, points_of
from fpbook.filtering import low_frequency_part
from fpbook.spectra import nudft


class FrequencyMonitor:
    r"""Relative error of a model's output during training, at chosen frequencies or on either side of a cut-off.

    With frequencies `k` the projection method: the error of the nonuniform DFT at each of them,

    .. math:: \Delta_F(k) = \Vert\hat h_k - \hat y_k\Vert \, / \, \Vert\hat y_k\Vert .

    With a filter variance `delta` the filtering method: the error of the part of frequencies below the cut-off
    k0 = 1 / sqrt(delta), and that of the rest,

    .. math:: e_\mathrm{low} = \Vert h^\mathrm{low} - y^\mathrm{low}\Vert / \Vert y^\mathrm{low}\Vert, \qquad
        e_\mathrm{high} = \Vert h^\mathrm{high} - y^\mathrm{high}\Vert / \Vert y^\mathrm{high}\Vert,
        \qquad y^\mathrm{high} = y - y^\mathrm{low} .

    Parameters
    ----------
    x : array, shape (n,) or (n, d)
        Data points, training or held out. For images project them on one direction first (`principal_direction`), or
        use `delta`.
    y : array, shape (n,) or (n, c)
        Their labels; of c classes, one-hot and centred.
    k : array, shape (m,) or (m, d), optional
        Angular frequencies, rad per unit of `x`: peaks of the labels' spectrum.
    delta : float, optional
        Filter variance, in units of x squared. Give either this or `k`.

    Attributes
    ----------
    step : array, shape (r,)
        Steps at which the model was measured.
    error : array, shape (r, m)
        Relative error at each frequency; with `delta` (r, 2), low then high.

    Raises
    ------
    ValueError
        If shapes disagree, both or neither of `k` and `delta` are given, or the labels have nothing at a frequency or
        on one side of the cut-off.

    Notes
    -----
    O(n m) a measurement with `k`, O(n^2 d) with `delta`: take a few thousand points.

    Source: Xu et al. (2020), eqs. 2 and 8-11.

    Examples
    --------
    >>> x = 2 * np.pi * np.arange(20) / 20
    >>> monitor = FrequencyMonitor(x, np.sin(x) + np.sin(4 * x), k=[1, 4])
    >>> for step, part in enumerate([0.0, 0.5, 1.0]):       # in your loop: monitor(step, model(inputs))
    ...     monitor(step, np.sin(x) + part * np.sin(4 * x))
    >>> monitor.error.round(6) + 0.0
    array([[0. , 1. ],
           [0. , 0.5],
           [0. , 0. ]])
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, *, k: ArrayLike | None = None, delta: float | None = None):
        if (k is None) == (delta is None):
            raise ValueError("give either the frequencies k or a filter variance delta")
        self.x, self.k, self.delta = points_of("x", x), k, delta
        self._shape = np.shape(y)
        self._labels = self._parts(finite("y", y))  # (parts, numbers)
        self._size = np.linalg.norm(self._labels, axis=1)
        if not (self._size > 1e-12 * self._size.max()).all():
            raise ValueError("the labels have nothing at a frequency, or on one side of the cut-off: no relative error")
        self._steps: list[float] = []
        self._errors: list[NDArray[np.float64]] = []

    def __call__(self, step: float, output: ArrayLike | torch.Tensor) -> None:
        """Measure the model's output on `x`, of the shape of `y`, at this step; a tensor may lie on any device."""
        values = output.detach().cpu().numpy() if isinstance(output, torch.Tensor) else np.asarray(output)
        if values.size != np.prod(self._shape, dtype=int) or len(values) != len(self.x):
            raise ValueError(f"the output must have the shape of the labels, {self._shape}, not {values.shape}")
        parts = self._parts(finite("the output", values.reshape(self._shape)))
        self._steps.append(step)
        self._errors.append(np.linalg.norm(parts - self._labels, axis=1) / self._size)

    @property
    def step(self) -> NDArray:
        return np.array(self._steps)

    @property
    def error(self) -> NDArray[np.float64]:
        return np.array(self._errors).reshape(-1, len(self._size))

    def _parts(self, values: NDArray) -> NDArray:
        """What is compared, a row a frequency or a side of the cut-off."""
        if self.k is not None:
            return np.atleast_2d(nudft(self.x, values.T, self.k)).T
        low = low_frequency_part(self.x, values, self.delta or 0.0)
        return np.stack([low.ravel(), (values - low).ravel()])
