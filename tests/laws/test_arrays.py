"""Arrays in, arrays out: what every measure of the book does with its arguments, whichever module it lives in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fpbook.filtering import low_frequency_part, low_frequency_ratio, ratio_density, share_cutoff
from fpbook.monitor import FrequencyMonitor
from fpbook.spectra import first_step_below, nudft, principal_direction, relative_error

x, y = np.linspace(0.25, 3, 12), np.cos(3 * np.arange(12)) + 2


def monitored(values, **how):
    monitor = FrequencyMonitor(x, y, **how)
    monitor(0, values)
    return monitor.error


MEASURES = {  # each of one array of 12 positive numbers that increase
    "nudft of points": lambda v: nudft(v, y, [1.0]),
    "nudft of values": lambda v: nudft(x, v, [1.0]),
    "nudft at frequencies": lambda v: nudft(x, y, v),
    "relative_error of an output": lambda v: relative_error(v, y),
    "relative_error against a target": lambda v: relative_error(y, v),
    "principal_direction": lambda v: principal_direction(v.reshape(6, 2)),
    "first_step_below": lambda v: first_step_below(np.arange(12), v, 1.0),
    "low_frequency_part of points": lambda v: low_frequency_part(v, y, 0.1),
    "low_frequency_part of labels": lambda v: low_frequency_part(x, v, 0.1),
    "low_frequency_ratio of variances": lambda v: low_frequency_ratio(x, y, v),
    "ratio_density along cut-offs": lambda v: ratio_density(v, x / 4),
    "ratio_density of ratios": lambda v: ratio_density(x, v),
    "share_cutoff along cut-offs": lambda v: share_cutoff(v, x / 4, 0.3),
    "monitor of points": lambda v: FrequencyMonitor(v, y, k=[1.0])._size,
    "monitor of labels": lambda v: FrequencyMonitor(x, v, k=[1.0])._size,
    "monitor of outputs, k": lambda v: monitored(v, k=[1.0]),
    "monitor of outputs, delta": lambda v: monitored(v, delta=0.1),
}
each_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


@each_measure
@given(at=st.integers(0, 11), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_one_value_that_is_not_finite_is_enough(measure, at, bad):
    values = x.copy()
    values[at] = bad
    with pytest.raises(ValueError, match="not finite"):
        measure(values)


@each_measure
def test_no_value_is_too_few(measure):
    with pytest.raises(ValueError, match="empty|shape"):
        measure(x[:0])


@each_measure
@pytest.mark.parametrize("given_as", [np.float32, np.float16, np.int64, list])
def test_whatever_is_given_is_computed_in_double_precision(measure, given_as):
    values = (10 * x).astype(np.int64) if given_as is np.int64 else x
    given = values.tolist() if given_as is list else values.astype(given_as)
    if given_as is list and measure is MEASURES["principal_direction"]:
        given = np.array(given)
    np.testing.assert_array_equal(measure(given), measure(np.asarray(given, dtype=np.float64)))
    assert measure(given).dtype in (np.float64, np.complex128)


@each_measure
def test_what_is_given_is_left_as_it_is(measure):
    values = x.copy()
    first = measure(values)
    np.testing.assert_array_equal(values, x)
    np.testing.assert_array_equal(measure(values), first)
