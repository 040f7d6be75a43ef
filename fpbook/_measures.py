"""What a monitor measures: the sizes of the parts of a function on given points, by waves, shells or filters.

Each part is linear in the values. So the relative error of an output is the size of a part of (output - labels) over
the size of that part of the labels.
"""

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from fpbook._kernels import filters, gaussian_means
from fpbook.filtering import SINGLE_FROM

REFUSED = 1e3  # an amplification of noise from which two waves are one: what is asked cannot be answered
DOUBTFUL = 5.0  # from here the answer is marked
NOTHING = 1e-12  # part of the labels, relative to the largest, below which there is nothing to learn


class Measure(Protocol):
    """Parts of values (n, c): their names, sizes and shares of the energy, and what noise does to them."""

    names: list[str]
    amplification: NDArray[np.float64]  # (m,) of noise, 1 on a grid

    def sizes(self, values: NDArray) -> NDArray[np.float64]: ...

    def shares(self, values: NDArray) -> NDArray[np.float64]: ...

    def leak(self, values: NDArray) -> NDArray[np.float64]: ...

    def part(self, values: NDArray, which: int, factor: complex = 1) -> NDArray: ...


class Waves:
    r"""Waves exp(i k.x) by least squares together with a constant, or one by one by the nonuniform DFT.

    Real values are fitted by 1, cos k.x and sin k.x, complex ones by 1 and exp(i k.x). The orthonormal factor Q of the
    basis is kept, n (2m + 1) numbers.
    """

    def __init__(self, x: NDArray, k: NDArray, names: list[str], *, complex_: bool, dft: bool, memory: float):
        self.names, self.dft, self.n, self.k = names, dft, len(x), k
        if 3 * 8 * self.n * (2 * len(k) + 1) > memory:
            raise ValueError(
                f"{self.n} points times {len(k)} frequencies take more than memory={memory:g} bytes; "
                "give fewer of either, or raise it"
            )
        phase = x @ k.T
        waves = [np.exp(1j * phase)] if complex_ else [np.cos(phase), np.sin(phase)]
        self.parts = len(waves)  # columns a frequency
        if dft:
            self.q = np.concatenate(waves, 1)
            self.amplification = np.ones(len(k))
            return
        basis = np.concatenate([np.ones((self.n, 1)), *waves], 1)
        del waves, phase
        scale = np.sqrt((abs(basis) ** 2).sum(0))
        scale[scale < 1e-6 * math.sqrt(self.n)] = np.inf  # sin at the Nyquist frequency, say: there is no such part
        there = np.isfinite(scale)
        if there.sum() > self.n:
            raise ValueError(
                f"{len(k)} frequencies need at least {there.sum()} points, not {self.n}; give fewer of them"
            )
        basis /= np.where(there, scale, 1)
        self.q, r = np.linalg.qr(basis[:, there])
        self._refuse_alike(r, there)
        full = np.zeros((len(there), there.sum()), r.dtype)  # coefficients = full @ Q^H values
        full[there] = np.linalg.inv(r) / scale[there, None]
        self.solve, self.r = full[1:], np.zeros((there.sum(), len(there)), r.dtype)
        self.r[:, there] = r * scale[there]
        rows = np.linalg.norm(full[1:], axis=1).reshape(self.parts, -1)
        self.amplification = (rows * np.where(there, scale, 0)[1:].reshape(self.parts, -1)).max(0)
        self.error = np.sqrt((rows**2).sum(0)) / self.parts  # standard error a unit of noise

    def _refuse_alike(self, r: NDArray, there: NDArray) -> None:
        """ValueError if some waves are the same on these points, with their names."""
        _, singular, vectors = np.linalg.svd(r)
        weak = singular < singular[0] / REFUSED
        if not weak.any():
            return
        owner = np.r_[-1, np.tile(np.arange(len(self.k)), self.parts)][there]
        weight = abs(vectors[weak]).max(0)
        alike = sorted({int(o) for o in owner[weight > 0.1 * weight.max()]})
        names = " and ".join("the mean" if o < 0 else self.names[o] for o in alike)
        raise ValueError(
            f"at these points {names} cannot be told apart: they are aliases of each other, or less than one period "
            "of their difference fits into the points; leave out all but one"
        )

    def _coefficients(self, values: NDArray) -> NDArray:
        """Amplitudes as in the DFT, (parts, m, c): half of those of cos and sin."""
        found = self.q.conj().T @ values
        found = found / self.n if self.dft else self.solve @ found / self.parts
        return found.reshape(self.parts, len(self.k), -1)

    def sizes(self, values: NDArray) -> NDArray[np.float64]:
        return np.sqrt((abs(self._coefficients(values)) ** 2).sum((0, 2)))

    def shares(self, values: NDArray) -> NDArray[np.float64]:
        total = (abs(values) ** 2).sum()
        if self.dft:
            return self.parts * self.n * self.sizes(values) ** 2 / total
        found = self.parts * self._coefficients(values)
        columns = self.r[:, 1:].reshape(-1, self.parts, len(self.k))
        return (abs(np.einsum("rpm,pmc->mrc", columns, found)) ** 2).sum((1, 2)) / total

    def leak(self, values: NDArray) -> NDArray[np.float64]:
        """Standard error of each size, if what these waves do not explain is spread like white noise."""
        if self.dft:
            explained = self.parts * self.n * (self.sizes(values) ** 2).sum()
            return np.full(len(self.k), math.sqrt(max((abs(values) ** 2).sum() - explained, 0)) / self.n)
        free = self.n - self.q.shape[1]
        if free < 1:
            return np.full(len(self.k), np.nan)
        rest = (abs(values) ** 2).sum() - (abs(self.q.conj().T @ values) ** 2).sum()
        return self.error * math.sqrt(max(rest, 0) / free)

    def part(self, values: NDArray, which: int, factor: complex = 1) -> NDArray:
        """The part of values at one frequency, times a factor: 0.5 halves it, 1j moves it by a quarter of a period."""
        wave, found = self._wave(which), self.parts * self._coefficients(values)[:, which]
        if self.parts == 1:
            return wave @ (factor * found)
        amplitude = factor * (found[0] - 1j * found[1])  # of exp(i k.x), whose real part is the wave
        return wave[:, :1] * amplitude.real - wave[:, 1:] * amplitude.imag

    def _wave(self, which: int) -> NDArray:
        """The columns of one frequency, (n, parts)."""
        places = [which + part * len(self.k) for part in range(self.parts)]
        return self.q[:, places] if self.dft else self.q @ self.r[:, [1 + place for place in places]]


class Shells:
    """Bands of |k| between edges on a complete grid, by the FFT: they share out all that is not the mean."""

    def __init__(self, grid: "Grid", edges: NDArray, names: list[str]):
        self.names, self.grid = names, grid
        length = np.sqrt(sum(k**2 for k in np.meshgrid(*grid.frequencies(), indexing="ij"))).ravel()
        self.shell = np.searchsorted(edges * (1 - 1e-9), length, side="right")
        self.shell[length == 0] = len(edges) + 1
        self.amplification = np.ones(len(edges) + 1)
        if empty := sorted(set(range(len(edges) + 1)) - set(self.shell.tolist())):
            top = length.max()
            raise ValueError(f"no frequency of this grid, which reach from 0 to {top:.4g}, lies at {names[empty[0]]}")

    def sizes(self, values: NDArray) -> NDArray[np.float64]:
        power = (abs(self.grid.transform(values)) ** 2).sum(-1).ravel()
        return np.sqrt(np.bincount(self.shell, power, len(self.names) + 1)[:-1])

    def shares(self, values: NDArray) -> NDArray[np.float64]:
        return self.sizes(values) ** 2 * len(values) / (abs(values) ** 2).sum()

    def leak(self, values: NDArray) -> NDArray[np.float64]:
        return np.zeros(len(self.names))

    def part(self, values: NDArray, which: int, factor: complex = 1) -> NDArray:
        spectrum = self.grid.transform(values)
        inside = (self.shell == which).reshape(spectrum.shape[:-1])[..., None]
        found = factor * self.grid.back(spectrum * inside)
        return found if np.iscomplexobj(values) else found.real


class Filters:
    """Either side of each cut-off of a Gaussian filter, or the bands between them; kernels are kept if they fit."""

    def __init__(self, x: NDArray, delta: NDArray, names: list[str], *, bands: bool, memory: float):
        self.x, self.delta, self.names, self.bands = x, delta, names, bands
        self.dtype = torch.float64 if len(x) < SINGLE_FROM else torch.float32
        self.amplification = np.ones(len(names))
        fits = len(x) ** 2 * (len(delta) + 2) * self.dtype.itemsize <= memory
        self.kernels = _transposed(filters(x, delta, dtype=self.dtype)) if fits else None

    def _lows(self, values: NDArray) -> NDArray[np.float64]:
        if np.iscomplexobj(values):
            return self._lows(values.real) + 1j * self._lows(values.imag)
        if self.kernels is None:
            lows = gaussian_means(self.x, values, self.delta, dtype=self.dtype)
        else:
            lows = values.T.astype(self.kernels.dtype) @ self.kernels
        return lows.swapaxes(1, 2).astype(np.float64, copy=False)  # (m, n, c)

    def sizes(self, values: NDArray) -> NDArray[np.float64]:
        return np.sqrt((abs(self._parts(values)) ** 2).sum((1, 2)))

    def _parts(self, values: NDArray) -> NDArray:
        """(parts, n, c)."""
        lows = self._lows(values)
        if self.bands:
            return np.diff(np.concatenate([0 * lows[:1], lows, values[None]]), axis=0)
        return np.stack([lows, values - lows], 1).reshape(-1, *values.shape)

    def shares(self, values: NDArray) -> NDArray[np.float64]:
        return self.sizes(values) ** 2 / (abs(values) ** 2).sum()

    def leak(self, values: NDArray) -> NDArray[np.float64]:
        return np.zeros(len(self.names))

    def part(self, values: NDArray, which: int, factor: complex = 1) -> NDArray:
        return factor * self._parts(values)[which]


def _transposed(matrices: torch.Tensor) -> NDArray:
    """Each matrix transposed, in its place: few rows times a large matrix take numpy half the time of few columns."""
    for matrix in matrices:
        matrix.copy_(matrix.T.clone())
    return matrices.numpy()


class Grid:
    """Points that fill a regular grid in each direction, in whatever order; `of` is None where they do not."""

    def __init__(self, axes: list[NDArray], order: NDArray):
        self.axes, self.order = axes, order

    @classmethod
    def of(cls, x: NDArray) -> "Grid | None":
        if x.shape[1] > 3:
            return None
        axes, places = map(list, zip(*(_levels(column) for column in x.T)))
        shape = [len(axis) for axis in axes]
        if math.prod(shape) != len(x) or min(shape) < 2 or any(grid_step(axis) is None for axis in axes):
            return None
        flat = np.ravel_multi_index(places, shape)
        order = np.argsort(flat)
        even = all(np.allclose(np.diff(axis), axis[1] - axis[0], rtol=1e-2) for axis in axes)
        return cls(axes, order) if even and (flat[order] == np.arange(len(x))).all() else None

    def frequencies(self) -> list[NDArray]:
        """Angular frequencies of the FFT along each axis."""
        return [2 * np.pi * np.fft.fftfreq(len(a), (a[-1] - a[0]) / (len(a) - 1)) for a in self.axes]

    def transform(self, values: NDArray) -> NDArray[np.complex128]:
        """DFT with the factor 1/n, (n_1, ..., n_d, c)."""
        shaped = values[self.order].reshape(*(len(axis) for axis in self.axes), -1)
        return np.fft.fftn(shaped, axes=range(len(self.axes))) / len(values)

    def back(self, spectrum: NDArray) -> NDArray[np.complex128]:
        """Values (n, c) in the order of the points from their DFT."""
        values = np.fft.ifftn(spectrum, axes=range(len(self.axes))).reshape(len(self.order), -1)
        return values[np.argsort(self.order)] * len(self.order)

    def peaks(self, values: NDArray, most: int) -> NDArray[np.float64]:
        """The strongest frequencies of real values that stand above white noise, (m, d), by increasing length."""
        size = np.sqrt((abs(self.transform(values)) ** 2).sum(-1)).ravel()
        k = np.stack(np.meshgrid(*self.frequencies(), indexing="ij"), -1).reshape(len(size), -1)
        half = [tuple(row) > tuple(-row) for row in k]  # of k and -k the first that is positive
        size = np.where(half, size, 0)
        strong = np.argsort(-size, kind="stable")[:most]
        rest = np.delete(size, strong)[np.delete(half, strong)]
        floor = max(np.sqrt((rest**2).mean()) if len(rest) else 0, 1e-9 * size.max())
        strong = strong[size[strong] > floor * np.sqrt(np.log(1000 * len(size)))]
        return k[strong[np.argsort(np.linalg.norm(k[strong], axis=1), kind="stable")]]


def grid_step(column: NDArray) -> float | None:
    """Spacing of a lattice that holds all values of one coordinate; None if there is none."""
    gaps = np.diff(_levels(column)[0])
    if not len(gaps):
        return None
    multiples = gaps / gaps.min()
    return (
        float(gaps.sum() / np.round(multiples).sum()) if (abs(multiples - np.round(multiples)) < 0.02).all() else None
    )


def _levels(column: NDArray) -> tuple[NDArray, NDArray]:
    """Different values of a coordinate, increasing, and the place of each point among them; rounding joins values."""
    order = np.argsort(column, kind="stable")
    new = np.diff(column[order], prepend=-np.inf) > 1e-6 * (np.ptp(column) or 1) / len(column)
    place = np.empty(len(column), int)
    place[order] = np.cumsum(new) - 1
    return column[order][new], place
