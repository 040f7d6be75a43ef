"""The one converter of everything that is handed in: arrays in, arrays out, one clear error otherwise."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def numbers(name: str, value: Any) -> NDArray:
    """Anything that holds numbers as an array of float64 or complex128; what is masked or missing becomes NaN.

    Takes numpy, masked arrays, tensors of any type, on any device, with or without gradients, pandas, xarray, nested
    lists, the ``logits`` of a model's output, and lists of batches, which are joined along their first axis. ValueError
    for None, dates, text, dictionaries and parts that do not fit together. PyTorch is not imported for it.
    """
    value = getattr(value, "logits", value)
    if value is None:
        raise ValueError(f"{name} is None; give an array")
    if isinstance(value, Mapping):
        example = f"{name}[{next(iter(value), 'its key')!r}]"
        raise ValueError(f"{name} is a dictionary; give the values in it that are to be measured, say {example}")
    if isinstance(value, (list, tuple)):
        return _sequence(name, value)
    if hasattr(value, "resolve_conj"):  # a tensor
        value = value.detach().resolve_conj().resolve_neg().cpu()
        known = str(value.dtype) in ("torch.float32", "torch.float64") or not value.is_floating_point()
        value = (value if known else value.float()).numpy()  # numpy has no bfloat16 and no float8
    masked = isinstance(value, np.ma.MaskedArray)
    array = _of_numbers(name, np.asarray(np.ma.getdata(value) if masked else value))
    return np.where(np.ma.getmaskarray(value), np.nan, array) if masked else array


def finite(name: str, value: Any, dtype: DTypeLike = np.float64) -> NDArray:
    """`value` as an array; ValueError if it is empty, not finite, or complex where real numbers are needed."""
    array = numbers(name, value)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one value")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has values that are not finite; leave them out, or find out where they come from")
    if np.iscomplexobj(array) and not np.issubdtype(dtype, np.complexfloating):
        raise ValueError(f"{name} is complex and must be real; give its real part, or both parts as two columns")
    return array.astype(dtype, copy=False)


def points_of(name: str, value: Any) -> NDArray[np.float64]:
    """Finite points as an array of shape (n, d); a 1-D array is read as n points on a line."""
    return as_points(name, finite(name, value))


def as_rows(name: str, array: NDArray) -> NDArray:
    """An array with one row a point; ValueError for a single number."""
    if array.ndim == 0:
        raise ValueError(f"{name} is a single number; give a list, even of one value")
    return array


def as_points(name: str, points: NDArray) -> NDArray:
    """An array of shape (n,) or (n, d) as (n, d); ValueError for other shapes."""
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim == 0:
        raise ValueError(f"{name} must have shape (n,) or (n, d), not (); give a list, even of one value")
    if points.ndim != 2:
        raise ValueError(
            f"{name} must have shape (n,) or (n, d), not {points.shape}; flatten it: "
            f"reshape(-1, {points.shape[-1]}) for a grid of points, reshape({len(points)}, -1) for images"
        )
    return points


def _sequence(name: str, parts: list | tuple) -> NDArray:
    """A list: of numbers or rows of numbers, which make one array, or of batches, which are joined."""
    arrays = [hasattr(part, "logits") or np.ndim(part) > 0 and hasattr(part, "shape") for part in parts]
    lengths = {np.shape(part) for part in parts} if all(isinstance(part, np.ndarray) for part in parts) else {}
    if not any(arrays) or (len(lengths) == 1 and len(next(iter(lengths))) == 1):
        try:
            return _of_numbers(name, np.asarray([getattr(part, "detach", lambda part=part: part)() for part in parts]))
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ValueError(f"{name} has rows of different lengths, or parts of different kinds") from None
    batches = [np.atleast_1d(numbers(name, part)) for part in parts]
    if len({batch.shape[1:] for batch in batches}) > 1:
        raise ValueError(
            f"{name} has parts of shapes {', '.join(str(batch.shape) for batch in batches[:3])}, which are no batches "
            f"of one output; of a model that returns several things give one, say {name}[0]"
        )
    return np.concatenate(batches)


def _of_numbers(name: str, array: NDArray) -> NDArray:
    """An array as float64 or complex128; ValueError for dates and text."""
    if array.dtype.kind in "mM" or (array.dtype.kind == "O" and any(hasattr(value, "year") for value in array.flat)):
        raise ValueError(
            f"{name} holds dates; give numbers in the unit that the frequencies count, say hours since the first one: "
            f"({name} - {name}[0]) / np.timedelta64(1, 'h')"
        )
    try:
        if array.dtype.kind == "O":  # of pandas, say, where what is missing is None or NA
            missing = [value is None or type(value).__name__ == "NAType" for value in array.flat]
            values = [np.nan if gone else value for gone, value in zip(missing, array.flat)]
            array = np.array(values).reshape(array.shape)
        if array.dtype.kind in "SUO":
            raise TypeError(f"such as {str(array.flat[0])!r}")
        return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds things that are no numbers, {error}") from error
