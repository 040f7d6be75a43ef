"""What users hand to a monitor: the checks that need to know what labels, outputs and models are."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

PARALLEL = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)


def other_process() -> bool:
    """True in all processes of a distributed run but the first."""
    return torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_rank() > 0


def batches_of(inputs: Any, size: int | None) -> Iterator[Any]:
    """What the model is called with, one batch after another."""
    if isinstance(inputs, torch.Tensor):
        yield from inputs.split(size or max(len(inputs), 1))
        return
    if isinstance(inputs, dict) or not isinstance(inputs, Iterable) or hasattr(inputs, "shape"):
        inputs = [inputs]
    for batch in inputs:
        if isinstance(batch, dict):
            yield {key: value for key, value in batch.items() if key != "labels"}
        else:
            yield batch[0] if isinstance(batch, (list, tuple)) else batch


def some(name: str, values: NDArray) -> NDArray:
    if values.size == 0 or values.ndim == 0:
        raise ValueError(f"{name} is empty or a single number; give an array, one row a point")
    return values


def axis_of(labels: NDArray, n: int, axis: int | None) -> int:
    """The axis of labels that runs along the points; ValueError if it is not there, or not clear."""
    if axis is None:
        if n > 1 and labels.shape.count(n) > 1:
            along = [f"axis={place}" for place, size in enumerate(labels.shape) if size == n]
            raise ValueError(
                f"y has shape {labels.shape} and two axes as long as x; say which one runs along the points: "
                f"{along[0]} if rows are points, {along[-1]} if rows are fields"
            )
        axis = 0
    axis += labels.ndim if axis < 0 else 0
    if not 0 <= axis < labels.ndim or labels.shape[axis] != n:
        turned = f"; of fields in rows say axis={labels.ndim - 1}" if labels.shape[-1] == n else ""
        flat = (
            f"; flatten a grid: y.reshape({n}, -1)" if not turned and labels.size % n == 0 and labels.ndim > 1 else ""
        )
        raise ValueError(
            f"y must have shape ({n},) or ({n}, ...), one row a point of x, not {labels.shape}{turned}{flat}"
        )
    return axis


def one_hot(labels: NDArray) -> str:
    """Whether labels (n, c) are "one-hot", "centred one-hot", "0 and 1" alone, or "" none of these."""
    if np.iscomplexobj(labels):
        return ""
    lifted = labels - labels.min(0)
    if labels.shape[1] > 1 and np.abs(lifted * (lifted - 1)).max() < 1e-6 and np.abs(lifted.sum(1) - 1).max() < 1e-6:
        return "one-hot" if np.abs(labels - lifted).max() < 1e-6 else "centred one-hot"
    return "0 and 1" if np.isin(labels, (0, 1)).all() else ""


def no_probabilities(values: NDArray, labels: str) -> bool:
    """Whether outputs (n, c) cannot be probabilities, for labels as `one_hot` names them.

    A network that was trained on 0 and 1 by the squared error goes a little beyond both, logits go far beyond.
    """
    if labels == "0 and 1":
        return bool(values.min() < -1 or values.max() > 2)
    outside = np.ptp(values.sum(1)) > 1e-2 or np.ptp(values, 0).max() > 1.01
    return "hot" in labels and bool(outside or (labels == "one-hot" and values.min() < -1e-2))


def warn_of_one_feature(points: NDArray) -> None:
    """A warning where one of several features alone makes the distances, and so decides what a filter measures."""
    spread = points.var(0)
    if points.shape[1] > 1 and spread.max() > 0.999 * spread.sum():
        warnings.warn(
            f"column {spread.argmax()} of x makes more than 99.9 % of the squared distances, so the filter sees no "
            "other; bring the features to one scale first, say to z-scores",
            stacklevel=3,
        )


def warn_of_class_numbers(labels: NDArray) -> None:
    if labels.shape[1] > 1 or np.iscomplexobj(labels):
        return
    values = np.unique(labels)
    if 3 <= len(values) <= len(labels) / 5 and np.array_equal(values, np.arange(len(values))):
        warnings.warn(
            f"y holds the numbers 0 to {len(values) - 1}: if they name classes, give one-hot labels, "
            f"np.eye({len(values)})[y], since the order of classes means nothing",
            stacklevel=3,
        )


def softmax_of(values: NDArray) -> NDArray:
    """Probabilities of logits (n, c); of one column those of the second of two classes."""
    if values.shape[1] == 1:
        values = np.concatenate([0 * values, values], 1)
        return softmax_of(values)[:, 1:]
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
