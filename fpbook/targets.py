"""Target functions of the one-dimensional and Boolean experiments: numpy in, numpy out, one value per point."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray


def sines(x: ArrayLike, k: Iterable[float]) -> NDArray[np.float64]:
    """Sum of sines, sum_j sin(k_j x); x any shape, k angular frequencies. Figure 1.1 has k = (1, 3, 5)."""
    return sum((np.sin(kj * np.asarray(x)) for kj in k), np.zeros(np.shape(x)))


def cosines(x: ArrayLike, k: Iterable[float]) -> NDArray[np.float64]:
    """Sum of cosines, sum_j cos(k_j x); x any shape, k angular frequencies. Figure 1.9 has k = (3, 5)."""
    return sum((np.cos(kj * np.asarray(x)) for kj in k), np.zeros(np.shape(x)))


def two_halves(x: ArrayLike) -> NDArray[np.float64]:
    """sin 5x where x <= 0 and sin x where x > 0: a fast half beside a slow one, as in figure 1.2."""
    x = np.asarray(x)
    return np.where(x <= 0, np.sin(5 * x), np.sin(x))


def runge(x: ArrayLike) -> NDArray[np.float64]:
    """Runge's function 1 / (1 + 25 x^2), whose equispaced interpolants diverge near the ends of [-1, 1]."""
    return 1 / (1 + 25 * np.asarray(x) ** 2)


def hypercube(d: int) -> NDArray[np.float64]:
    """All 2^d points of {-1, 1}^d, shape (2^d, d), in lexicographic order."""
    return np.array(np.meshgrid(*[(-1.0, 1.0)] * d, indexing="ij")).reshape(d, -1).T


def parity(x: ArrayLike) -> NDArray[np.float64]:
    """Parity, the product of the coordinates: x of shape (n, d) with entries -1 and 1 -> (n,). See section 1.4."""
    return np.prod(np.asarray(x), axis=-1)
