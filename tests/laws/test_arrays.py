"""Arrays in, arrays out: what every measure of the book does with its arguments, whichever module it lives in."""

import re
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fpbook.filtering import (
    cutoffs,
    low_frequency_part,
    low_frequency_ratio,
    neighbour_correlation,
    neighbour_disagreement,
    ratio_density,
    share_cutoff,
    unit_distance,
)
from fpbook.monitor import FrequencyMonitor
from fpbook.spectra import first_step_below, nudft, peaks, principal_direction, relative_error

x, y = np.linspace(0.25, 3, 12), np.cos(3 * np.arange(12)) + 2


def monitored(values, **how):
    monitor = FrequencyMonitor(x, y, **how)
    monitor(0, values)
    return monitor.error


MEASURES = {  # function(argument): each of one array of 12 positive numbers that increase
    "nudft(x)": lambda v: nudft(v, y, [1.0]),
    "nudft(f)": lambda v: nudft(x, v, [1.0]),
    "nudft(k)": lambda v: nudft(x, y, v),
    "relative_error(h_hat)": lambda v: relative_error(v, y),
    "relative_error(f_hat)": lambda v: relative_error(y, v),
    "principal_direction(x)": lambda v: principal_direction(np.reshape(v, (-1, 2))),
    "first_step_below(error)": lambda v: first_step_below(np.arange(12), v, 1.0),
    "low_frequency_part(x)": lambda v: low_frequency_part(v, y, 0.1),
    "low_frequency_part(y)": lambda v: low_frequency_part(x, v, 0.1),
    "low_frequency_ratio(delta)": lambda v: low_frequency_ratio(x, y, v),
    "ratio_density(cutoff)": lambda v: ratio_density(v, x / 4),
    "ratio_density(lfr)": lambda v: ratio_density(x, v),
    "share_cutoff(cutoff)": lambda v: share_cutoff(v, x / 4, 0.3),
    "cutoffs(x)": lambda v: cutoffs(v, y),
    "cutoffs(y)": lambda v: cutoffs(x, v),
    "unit_distance(x)": lambda v: unit_distance(v)[0],
    "neighbour_disagreement(x)": lambda v: neighbour_disagreement(v, y > 2, neighbours=3),
    "neighbour_correlation(x)": lambda v: neighbour_correlation(v, y, 0.1),
    "neighbour_correlation(y)": lambda v: neighbour_correlation(x, v, [0.1, 1.0]),
    "neighbour_correlation(delta)": lambda v: neighbour_correlation(x, y, v),
    "peaks(x)": lambda v: peaks(v, np.sin(4 * x)),
    "peaks(y)": lambda v: peaks(x, v),
}
MONITORS = {  # for these NaN is a value that is missing
    "monitor(x)": lambda v: FrequencyMonitor(v, y, k=[3.0]).share,
    "monitor(y)": lambda v: FrequencyMonitor(x, v, k=[3.0]).share,
    "monitor(output), k": lambda v: monitored(v, k=[3.0]),
    "monitor(output), delta": lambda v: monitored(v, delta=0.1),
}
FINITE = list(MEASURES)
MEASURES |= MONITORS
each_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def argument(name):
    """The argument of a measure, as its messages call it."""
    return re.search(r"\((\w+)\)", name)[1]


@pytest.mark.parametrize("name", FINITE)
@given(at=st.integers(0, 11), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_value_that_is_not_finite_is_enough_and_its_argument_is_named(name, at, bad):
    values = x.copy()
    values[at] = bad
    with pytest.raises(ValueError, match=f"^{argument(name)} has values that are not finite"):
        MEASURES[name](values)


@pytest.mark.parametrize("name", MEASURES)
def test_no_value_is_too_few(name):
    with pytest.raises(ValueError, match=f"^(the )?{argument(name)} (is empty|must have the shape)"):
        MEASURES[name](x[:0])
    for text in (list("abcdefghijkl"), [date(2024, 1, 1)] * 12):
        with pytest.raises(ValueError, match=f"^{argument(name)} holds (things that are no numbers|dates)"):
            MEASURES[name](text)


@each_measure
@pytest.mark.parametrize("given_as", [np.float32, np.float16, np.int64, list])
def test_whatever_is_given_is_computed_in_double_precision(measure, given_as):
    values = (10 * x).astype(np.int64) if given_as is np.int64 else x
    given = values.tolist() if given_as is list else values.astype(given_as)
    np.testing.assert_array_equal(measure(given), measure(np.asarray(given, dtype=np.float64)))
    assert measure(given).dtype in (np.float64, np.complex128)


@each_measure
def test_what_is_given_is_left_as_it_is(measure):
    values = x.copy()
    first = measure(values)
    np.testing.assert_array_equal(values, x)
    np.testing.assert_array_equal(measure(values), first)


PAIRS = {  # each of points and of what is known at them
    "nudft": lambda x, y: nudft(x, y, [1.0]),
    "low_frequency_part": lambda x, y: low_frequency_part(x, y, 0.1),
    "low_frequency_ratio": lambda x, y: low_frequency_ratio(x, y, [0.1]),
    "cutoffs": cutoffs,
    "neighbour_correlation": lambda x, y: neighbour_correlation(x, y, 0.1),
    "neighbour_disagreement": lambda x, y: neighbour_disagreement(x, y, neighbours=2),
    "peaks": peaks,
    "monitor, k": lambda x, y: FrequencyMonitor(x, y, k=[3.0]),
    "monitor, delta": lambda x, y: FrequencyMonitor(x, y, delta=0.1),
    "monitor, bands": lambda x, y: FrequencyMonitor(x, y, bands=[5.0]),
    "monitor that chooses": FrequencyMonitor,
}


@pytest.mark.parametrize("measure", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("labels", [y[:-1], np.r_[y, 1], y[:1], np.zeros((2, 3))], ids=np.shape)
def test_labels_of_another_number_than_the_points_are_refused_with_their_shape(measure, labels):
    with pytest.raises(ValueError, match=r"^(y|f|peaks|need) .*(shape|each with a label|12 labels)"):
        measure(x, labels)


@pytest.mark.parametrize("name", sorted(PAIRS.keys() - {"neighbour_disagreement"}))  # which flattens what it gets
@pytest.mark.parametrize("points", [x[0], x.reshape(3, 2, 2)], ids=np.shape)
def test_points_are_a_list_of_numbers_or_of_rows(name, points):
    with pytest.raises(ValueError, match=r"^x (must have shape \(n,\) or \(n, d\), not|is empty or a single number)"):
        PAIRS[name](points, y)


# What users hand in: whatever holds numbers is read as those numbers


def read(values):
    """The numbers from -8 to 8 as the package reads them, by a formula that rounds nothing."""
    return 16 * (1 - relative_error(values, 16.0))


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
holders = {
    "float64": lambda a: a,
    "nested lists": lambda a: a.tolist(),
    "tuples": lambda a: tuple(a.tolist()),
    "float64 tensor": torch.tensor,
    "a tensor with gradients": lambda a: torch.tensor(a, requires_grad=True),
    "bfloat16": lambda a: torch.tensor(a).bfloat16(),
    "float16": lambda a: torch.tensor(a).half(),
    "float8": lambda a: torch.tensor(a).float().to(torch.float8_e4m3fn),
    "integers": lambda a: torch.tensor(a).long(),
    "a parameter": lambda a: torch.nn.Parameter(torch.tensor(a)),
    "a negative view": lambda a: torch.complex(torch.zeros(a.shape, dtype=torch.float64), -torch.tensor(a)).conj().imag,
    "batches": lambda a: [torch.tensor(a[:1]), torch.tensor(a[1:])],
    "logits": lambda a: SimpleNamespace(logits=torch.tensor(a)),
    "batches of logits": lambda a: [SimpleNamespace(logits=torch.tensor(part)) for part in (a[:1], a[1:])],
    "unmasked": np.ma.masked_array,
    "objects": lambda a: a.astype(object),
}


@pytest.mark.parametrize("hold", holders.values(), ids=holders)
@given(data=st.data())
def test_whatever_holds_numbers_gives_them(hold, data):
    values = data.draw(arrays(np.float64, data.draw(shapes), elements=st.integers(-8, 8).map(float)))
    found = read(hold(values))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


@given(data=st.data())
def test_what_is_masked_or_missing_is_no_number(data):
    values = data.draw(arrays(np.float64, 6, elements=st.integers(-8, 8).map(float)))
    mask = data.draw(arrays(bool, 6))
    gaps = [None if m else v for v, m in zip(values, mask)]
    for held in (np.ma.masked_array(values, mask), np.ma.masked_array(values.astype(int), mask), gaps):
        if mask.any():
            with pytest.raises(ValueError, match="h_hat has values that are not finite"):
                read(held)
        else:
            np.testing.assert_array_equal(read(held), values)


def test_complex_values_stay_complex_where_they_may():
    values = torch.tensor([1 + 2j, 3 - 1j])
    np.testing.assert_allclose(nudft([0.0], values.conj()[:, None], [0.0]), [[1 - 2j], [3 + 1j]])
    with pytest.raises(ValueError, match="x is complex"):
        nudft(values, [1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (np.array(["2024-01-01", "2024-01-02"], "datetime64[h]"), "f holds dates.*hours since the first"),
        ([date(2024, 1, 1), date(2024, 1, 2)], "f holds dates"),
        (np.array([3, 5], "timedelta64[h]"), "f holds dates"),
        (["a", "b"], "no numbers, such as 'a'"),
        (np.array([1, "b"], dtype=object), "no numbers"),
        ({"pred": [1.0]}, r"a dictionary; give .*f\['pred'\]"),
        ((torch.zeros(4, 1), torch.zeros(2, 7)), r"parts of shapes \(4, 1\), \(2, 7\).*f\[0\]"),
        ([[1.0, 2.0], [3.0]], "rows of different lengths"),
    ],
)
def test_what_holds_no_numbers_is_refused_with_the_remedy(value, names):
    with pytest.raises(ValueError, match=names):
        nudft([1.0, 2.0], value, [1.0])
