"""Both ends of every range: the last values that are taken, and the first that are refused, with the cause in words."""

import math

import numpy as np
import pytest
import torch

from fpbook.claims import claim, seed_range
from fpbook.convnets import resnet, vgg
from fpbook.filtering import (
    cutoffs,
    equidistant_cutoff,
    low_frequency_part,
    low_frequency_ratio,
    neighbour_correlation,
    neighbour_disagreement,
    ratio_density,
    share_cutoff,
    unit_distance,
)
from fpbook.monitor import FrequencyMonitor
from fpbook.networks import MLP, Ricker, empirical_ntk, normal_init
from fpbook.replay import replay_data
from fpbook.spectra import peaks
from fpbook.training import minibatches, train

n = 12
x = np.linspace(0.25, 3, n)
y = np.cos(3 * np.arange(n)) + 2
SMALLEST = math.ulp(0.0)


def trained(**options):
    net, rows = torch.nn.Linear(1, 1), torch.ones(3, 1)
    options = {"steps": 2, "optimizer": torch.optim.SGD(net.parameters(), lr=0.1)} | options
    return train(net, lambda net: (net(rows) ** 2).mean(), **options)


def kernel(output):
    return empirical_ntk(MLP([1, 3]), torch.ones(2, 1), output=output)


def drawn(**panel):
    return replay_data({"": {"step": [0, 1, 2], "panels": [{"curves": {"h": [1.0, 2, 3]}} | panel]}})


RANGES = {  # of an argument: a call, values at the ends that it takes, values beyond that it refuses, and the words
    "share_cutoff share": (
        lambda q: share_cutoff([1, 2], [0.1, 0.9], q), [SMALLEST, 1 - 1e-12], [0, 1, -0.1, 1.1, np.nan],
        "share lies between 0 and 1, not {}"),
    "share_cutoff cutoff": (
        lambda k: share_cutoff(k, [0.1, 0.5, 0.9], 0.5), [[1e-300, 1, 2], [1, 1 + 1e-12, 2]],
        [[0, 1, 2], [-1, 1, 2], [1, 1, 2], [1, 3, 2], [1, 2], [[1, 2, 3]], 1.0], "positive, increasing cut-offs"),
    "ratio_density cutoff": (
        lambda k: ratio_density(k, [0.1, 0.5, 0.9]), [[0, 1, 2], [-2, 0, 1]], [[0, 0, 1], [0, 2, 1]],
        "increase strictly"),
    "ratio_density along log": (
        lambda k: ratio_density([k, 1, 2], [0.1, 0.5, 0.9], log=True), [1e-300], [0, -1], "positive cut-offs"),
    "ratio_density number": (
        lambda m: ratio_density(np.arange(m), np.arange(m)), [3], [1, 2], "at least 3 long, not .{},"),
    "equidistant_cutoff number": (lambda m: equidistant_cutoff(m), [2], [1, 0, -1], "at least 2, not {}"),
    "equidistant_cutoff share": (
        lambda q: equidistant_cutoff(9, q), [SMALLEST, 1 - 1e-12], [0, 1, -0.1, 1.1, np.nan],
        "share lies between 0 and 1, not {}"),
    "cutoffs shares": (
        lambda q: cutoffs(x, y, q), [0.01, 0.99, [0.01, 0.99]], [0, 1, -0.1, 1.1, [0.5, 0], [1, 0.5], [[0.5]]],
        "shares of the energy lie between 0 and 1"),
    "unit_distance number": (lambda m: unit_distance(np.arange(m)), [2], [1], "one point alone .* at least two"),
    "neighbours": (
        lambda m: neighbour_disagreement(x, y, neighbours=m), [1, n - 1], [0, -1, n, n + 1],
        f"1 to {n - 1} neighbours, not {n} and {{}}"),
    "neighbour_correlation number": (
        lambda m: neighbour_correlation(np.arange(m), np.arange(m), 1.0), [3], [2, 1], "at least three points"),
    "neighbour_correlation labels": (
        lambda a: neighbour_correlation([0, 1, 2], [a, 0, 0], 1.0), [1e-9, -1], [0], "not all the same"),
    **{
        f"{call.__name__} variance": (
            lambda d, call=call: call(x, y, d), [1e-300, 1e300, [1e-9, 1]], [0, -1, [1, 0], [-1, 1], [[1.0]]],
            "delta must be positive, one number or a 1-D array")
        for call in (low_frequency_part, low_frequency_ratio, neighbour_correlation)
    },
    "peaks number": (lambda m: peaks(np.arange(m), np.arange(m) % 2), [5], [4, 1], r"5 or more points.* \({}, 1\)"),
    "seed_range": (seed_range, [1], [0, -1], "at least 1 .*, not {}"),
    "claim measured": (
        lambda v: claim("a sentence", True, measured=v), [[1.0], 0, [1, np.inf]], [[], [np.nan], [1, np.nan]],
        "measured holds no number, or one that is not a number"),
    "widths": (MLP, [[1, 1], [1, 1, 1]], [[1], [], [0, 1], [1, -1], [1, 0, 1]], "at least two positive numbers"),
    "Ricker scale": (Ricker, [1e-9, 1e9], [0, -1, np.inf, np.nan], "scale a > 0, not {}"),
    "normal_init std": (
        lambda std: normal_init(MLP([1, 1]), std), [1e-9], [0, -1, np.nan], "std must be positive, not {}"),
    "empirical_ntk output": (kernel, [0, 2, -3, "trace"], [3, -4, "sum", ""], "below 3 or 'trace', not '?{}'?$"),
    "vgg width": (lambda w: vgg(9, width=w, head=1), [1 / 64], [1 / 65, 0, -1], "at least 1, not 9 and {}"),
    "vgg depth": (lambda d: vgg(d, width=1 / 64, head=1), [9, 16, 19], [0, 11, 20], "depth must be one of .*not {}"),
    "resnet width": (lambda w: resnet(1, width=w, head=1), [1], [0, -1], "width positive, not 1 and {}"),
    "resnet stages": (lambda s: resnet(s, width=1, head=1), [1, 4], [0, 5, -1], "stages must be 1 to 4 .*not {}"),
    "minibatches size": (
        lambda size: next(minibatches(torch.ones(3), size=size, seed=0)), [1, 3, 4], [0, -1], "size >= 1, .*and {}"),
    "train steps": (lambda s: trained(steps=s), [0, 1], [-1], "steps >= 0 .*not {}"),
    "train every": (lambda e: trained(every=e), [1, 99, [], [-1]], [0, -1, np.int64(0)], "every >= 1, .*and {}"),
    "monitor every": (lambda e: FrequencyMonitor(x, y, k=[3], every=e), [1], [0, -1], "every >= 1, .*and {}"),
    "monitor delta": (
        lambda d: FrequencyMonitor(x, y, delta=d), [0.1, [0.1, 1]], [0, -1, [1, 0], [[1.0]]],
        "delta must be positive, one number or a 1-D array"),
    "monitor bands": (
        lambda b: FrequencyMonitor(x, y, bands=b), [5, [5, 8]], [0, -1, [0, 5], [5, 5], [8, 5], [[5.0]]],
        "positive and increasing"),
    "monitor period": (
        lambda p: FrequencyMonitor(x, y, k=[2], period=p), [1, 2], [0, -1], "period must be positive.*not {}"),
    "monitor axis": (
        lambda axis: FrequencyMonitor(x, np.stack([y, y**2], 1), k=[3], axis=axis), [0, -2], [1, -1, 2, 5, -3],
        r"y must have shape \({n},\) or \({n}, ...\)".replace("{n}", str(n))),
    "replay steps": (
        lambda s: replay_data({"": {"step": s, "panels": [{"curves": {"h": np.zeros(len(s))}}]}}),
        [[0, 1], [-1, -0.5]], [[0], [0, 0], [1, 0]], "at least two steps, and they must increase"),
    "replay ylim": (lambda y: drawn(ylim=y), [(0, 1), (-2, -1)], [(1, 1), (2, 1)], "is no range of this axis"),
    "replay ylim on a logarithm": (
        lambda low: drawn(ylim=(low, 1), log="y"), [0.1, 1e-300], [0, -1], "is no range of this axis"),
    "replay points": (
        lambda v: drawn(curves={"h": v}, styles={"h": "o"}), [[1, np.nan, np.nan], [np.nan, 1, 2]],
        [[np.nan] * 3, [1, np.inf, np.nan]], "h holds values that are not finite"),
}  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_what_lies_within_a_range_is_taken_and_the_next_value_beyond_is_refused_with_the_cause(name):
    call, taken, refused, words = RANGES[name]
    for value in taken:
        call(value)
    for value in refused:
        with pytest.raises(ValueError, match=words.replace("{}", str(value))):
            call(value)
