"""A plain number, a text or nothing where an array is asked for: one error, which names the argument."""

import numpy as np
import pytest
from test_arrays import MEASURES, argument, x, y

from fpbook.filtering import cutoffs, low_frequency_ratio, neighbour_disagreement, share_cutoff
from fpbook.monitor import FrequencyMonitor
from fpbook.spectra import first_step_below, principal_direction

ARRAYS = MEASURES | {  # function(argument), as in MEASURES; here also arguments that differ in shape from those
    "principal_direction(x)": principal_direction,
    "first_step_below(step)": lambda v: first_step_below(v, x, 1.0),
    "low_frequency_ratio(x)": lambda v: low_frequency_ratio(v, y, 0.1),
    "low_frequency_ratio(y)": lambda v: low_frequency_ratio(x, v, 0.1),
    "share_cutoff(lfr)": lambda v: share_cutoff(x, v, 0.3),
    "cutoffs(shares)": lambda v: cutoffs(x, y, v),
    "neighbour_disagreement(y)": lambda v: neighbour_disagreement(x, v, neighbours=3),
    "monitor(k)": lambda v: FrequencyMonitor(x, y, k=v),
    "monitor(bands)": lambda v: FrequencyMonitor(x, y, bands=v),
    "monitor(delta)": lambda v: FrequencyMonitor(x, y, delta=v),
    "monitor(period)": lambda v: FrequencyMonitor(x, y, k=[0.5], period=v),
}
ALONE = {"delta", "shares", "bands", "period", "h_hat", "f_hat"}  # of these one number will do
CHOSEN = {"monitor(k)", "monitor(bands)", "monitor(delta)", "monitor(period)"}  # without them a monitor chooses
CASES = [(name, given) for name in ARRAYS for given in ("abc", np.array("abc"))]
CASES += [(name, given) for name in ARRAYS if argument(name) not in ALONE for given in (3.0, np.float64(3))]
CASES += [(name, None) for name in ARRAYS if name not in CHOSEN]


@pytest.mark.parametrize(("name", "given"), CASES)
def test_what_is_no_array_is_refused_with_the_name_of_the_argument(name, given):
    with pytest.raises(ValueError, match=rf"\b{argument(name)}\b"):
        ARRAYS[name](given)
