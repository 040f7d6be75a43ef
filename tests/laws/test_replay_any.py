"""Replays of any curves, pictures and words: what is stored is what was given, and no word becomes an element."""

import base64
import html
import json
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import fpbook.replay as replays

STEP = [0, 5, 10, 50]


def unpacked(packed):
    return packed["lo"] + (packed["hi"] - packed["lo"]) * np.frombuffer(base64.b64decode(packed["data"]), "<u2") / 65535


def stored(label):
    """A label of an axis, as the page gets it."""
    panel = dict(curves={"loss": STEP}, ylabel=label)
    return replays.replay_data({"": dict(step=STEP, panels=[panel])})["runs"][0]["panels"][0]["ylabel"]


@given(st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"])))
def test_words_in_labels_stay_as_they_are(label):
    text = stored(label)
    assert not set(text) & set("<>\"'") and html.unescape(text) == label


@given(st.text(st.sampled_from("abω019 +-=/()<>&'_^{}"), max_size=9))
def test_nothing_in_a_formula_is_an_element_but_its_own(formula):
    text = stored(f"${formula}$")
    assert not re.search("[<>]", re.sub("</?(i|sub|sup)>", "", text)) and "-" not in text


numbers = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(st.integers(2, 6), st.integers(2, 5), st.data())
def test_every_curve_is_stored_to_a_part_of_its_range(r, n, draw):
    moving, still = draw.draw(arrays(float, (r, n), elements=numbers)), draw.draw(arrays(float, n, elements=numbers))
    x, step = np.arange(n) / 7, np.cumsum(draw.draw(arrays(float, r, elements=st.sampled_from([0.25, 1, 40]))))
    panel = dict(x=x, curves={"moving": moving, "still": still}, ylabel="y", xlabel="x")
    data = replays.replay_data({"one": dict(step=step, panels=[panel])})
    (packed,) = data["runs"][0]["panels"]
    assert data["runs"][0]["step"] == step.tolist() and data["at"] == step[r // 2]
    assert all(isinstance(s, int) for s in data["runs"][0]["step"] if s == int(s))
    for curve, values in zip(packed["curves"], (moving, still)):
        error = abs(unpacked(curve["y"]).reshape(values.shape) - values).max()
        assert error <= np.ptp(values) / 131_070 + 1e-9 * abs(values).max() and curve["moving"] == (values.ndim == 2)
    low, high = packed["ylim"]
    assert low < min(moving.min(), still.min()) and max(moving.max(), still.max()) < high
    left, right = packed["xlim"]
    assert left < x[0] and x[-1] < right
    assert json.loads(replays.replay_json(data)) == data


@given(st.integers(1, 3), st.integers(1, 4), st.booleans(), st.data())
def test_every_picture_is_stored_as_levels_between_its_limits(a, b, moves, draw):
    shape = (len(STEP), a, b) if moves else (a, b)
    image = draw.draw(arrays(float, shape, elements=st.floats(-1, 2)))
    (panel,) = replays.replay_data({"": dict(step=STEP, panels=[dict(image=image, ylim=(0, 1))])})["runs"][0]["panels"]
    levels = np.frombuffer(base64.b64decode(panel["image"]["data"]), "u1").reshape(shape)
    np.testing.assert_allclose(levels / 255, image.clip(0, 1), atol=0.5 / 255 + 1e-9)
    assert panel["shape"] == (a, b) and panel["moving"] == moves
