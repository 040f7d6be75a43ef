"""Checks of arguments that more than one module makes: arrays in, arrays out, one clear error otherwise."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def finite(name: str, value: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray:
    """`value` as an array; ValueError if it is empty or not finite."""
    array = np.asarray(value, dtype=dtype)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has values that are not finite; did training diverge?")
    return array


def points_of(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Points as an array of shape (n, d); a 1-D array is read as n points on a line."""
    points = finite(name, value)
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2:
        raise ValueError(f"{name} must have shape (n,) or (n, d), not {np.shape(value)}")
    return points
