"""Can each claim of a page fail? Its own check is run again in the page's kernel, on changed inputs.

A claim's cell reads names that earlier cells made: measured errors, losses, spectra, answers, and functions that give
them. Each in turn is replaced by what a broken experiment would have given. A claim that holds whatever is put in its
place says nothing, and stops the second run.
"""

import ast
import re
import types
import zlib

import numpy as np
from IPython.utils.capture import capture_output

from fpbook import claims

RNG_SEED = 12345


def shuffled(values):
    """The numbers in random order: labels, seeds or frequencies mixed up."""
    return np.random.default_rng(RNG_SEED).permutation(values.ravel()).reshape(values.shape)


def unpaired(values):
    """The numbers in a random order of their own: what belongs together in two arrays is torn apart."""
    own = zlib.crc32(np.ascontiguousarray(values).tobytes())
    return np.random.default_rng([RNG_SEED, own]).permutation(values.ravel()).reshape(values.shape)


def constant(values):
    """The mean in every place: an answer that does not depend on anything."""
    return np.full_like(values, values[np.isfinite(values)].mean() if np.isfinite(values).any() else 0)


def negated(values):
    """The opposite sign, or the opposite truth value."""
    return -values


def untrained(values):
    """The first record in the place of all: a network that never changed."""
    return np.broadcast_to(values[:1], values.shape).copy()


def reversed_order(values):
    """Last things first, along the last axis."""
    return values[..., ::-1].copy()


def tilted(values):
    """Each number smaller than the one before it, along the last axis: an effect far larger than the measured one."""
    return values * np.geomspace(1, 0.02, values.shape[-1])


def rising(values):
    """Each number larger than the one before it, along the first axis: training that makes things worse."""
    return values * np.geomspace(0.02, 1, len(values)).reshape(-1, *[1] * (values.ndim - 1))


def nothing(values):
    """Zero everywhere."""
    return np.zeros_like(values)


MUTATIONS = [shuffled, unpaired, constant, negated, untrained, reversed_order, tilted, rising, nothing]


def changed(value, mutation):
    """`value` with every array of numbers in it changed, or those that it returns; None where there are no numbers."""
    if isinstance(value, (dict, list, tuple)):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        if value and all(isinstance(value[key], (float, np.floating)) for key in keys):  # together they are one array
            parts = dict(zip(keys, mutation(np.array([value[key] for key in keys], dtype=float))))
        else:
            parts = {key: changed(value[key], mutation) for key in keys}
        if all(part is None for part in parts.values()):
            return None
        whole = {key: value[key] if part is None else part for key, part in parts.items()}
        return whole if isinstance(value, dict) else type(value)(list(whole.values()))
    if isinstance(value, types.FunctionType) and value is not claims.claim:
        return lambda *args, **options: changed_or_same(value(*args, **options), mutation)
    if hasattr(type(value), "detach"):  # a tensor, and not torch itself
        other = changed(value.detach().cpu().numpy(), mutation)
        return None if other is None else value.detach().new_tensor(other)
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, float, np.number)):
        array = np.array([float(value)])
        return type(value)(mutation(array)[0]) if mutation in (negated, nothing) else None
    if isinstance(value, np.ndarray) and value.dtype == bool and value.size:
        return ~value if mutation is negated else changed(value.astype(float), mutation).astype(bool)
    if isinstance(value, np.ndarray) and value.size and np.issubdtype(value.dtype, np.number):
        values = value if np.iscomplexobj(value) else value.astype(float)
        return mutation(np.atleast_1d(values)).reshape(value.shape)
    return None


def changed_or_same(value, mutation):
    """What a function returns, changed where it holds numbers."""
    other = changed(value, mutation)
    return value if other is None else other


def inputs(code, namespace):
    """Names that a claim's cell reads and that hold numbers, in the order in which it reads them."""
    names = [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    known = [node.id for node in names if node.id in namespace]
    return [name for name in dict.fromkeys(known) if changed(namespace[name], negated) is not None]


def trials(code, namespace):
    """The page's names, again and again with one input of the claim changed."""
    for name in inputs(code, namespace):
        for mutation in MUTATIONS:
            other = changed(namespace[name], mutation)
            if other is not None:
                yield namespace | {name: other}


def fails(code, namespace):
    """True if the claim in `code` is stated in `namespace` and does not hold there."""
    try:
        with capture_output(stderr=False), np.errstate(all="ignore"):
            exec(compile(code, "claim", "exec"), namespace)
    except claims.ClaimError:
        return True
    except Exception:  # on these inputs the cell cannot be computed: that says nothing about the claim
        return False
    return False


def try_claims(codes, namespace):
    """ValueError with the first words of every claim that holds on all changed inputs.

    Parameters
    ----------
    codes : list of str
        The sources of the cells that state a claim.
    namespace : dict
        The page's names after its last cell; it is not changed.
    """
    hollow = []
    for code in codes:
        if not any(fails(code, trial) for trial in trials(code, namespace)):
            hollow.append(re.search(r"claim\(\s*(.+)", code)[1])
    if hollow:
        raise ValueError("these claims hold whatever is measured: " + "; ".join(hollow))
