"""Declared labs: what a declaration means, what is refused, measured and said, and what a kernel and a page get."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

import fpbook.lab as labs
from fpbook.lab import experiment, messages
from fpbook.lab.spec import check, complete, value_at, with_choice
from fpbook.networks import MLP, Ricker, normal_init, xavier_init
from fpbook.plotting import COLORS
from fpbook.spectra import nudft, relative_error
from fpbook.targets import hypercube

PARTS = dict(
    data=dict(points=12, low=-np.pi, high=np.pi, sines={1: 1, 3: 0.5}, noise=0.1, held=6),
    network=dict(hidden=[5], activation="tanh", seed=3),
    training=dict(name="adam", lr=0.01, steps=40),
    watch=dict(
        series=["frequencies", "training", "between", "left", "right", "held"],
        threshold=0.9, ylim=[0.01, 5], names={"training": "loss"}, colors={"training": "C6"},
    ),
)  # fmt: skip
STARTS = {"Xavier": dict(start="xavier", factor=1), "as <usual>": dict(start="default", factor=1)}
CHOOSE = {
    "training.steps": dict(label="steps", low=10, high=100, step=10),
    "training.lr": dict(label="rate", low=0.001, high=0.1, step=0.001, why="it diverges"),
    "data.sines": dict(label="waves", frequencies=True, low=1, high=5, why="12 points cannot tell them apart"),
    "network": dict(label="start", options=STARTS),
    "network.antisymmetric": dict(label="zero at first"),
}
QUESTION = dict(ask="When?", answers=["sooner", "later"], by=["t:k = 1", "recorded t:k = 1"], edges=[1.0])
SAYS = "Here {t:training} and {%end:training}; {each}."


def parts(**changes):
    """The parts of a declaration, with other entries: part.name -> value."""
    made = copy.deepcopy(PARTS) | {"network": PARTS["network"] | STARTS["as <usual>"] | {"antisymmetric": False}}
    for path, value in changes.items():
        part, name = path.split("__")
        made[part][name] = value
    return made


def declared(choose=CHOOSE, question=QUESTION, **changes):
    return complete(parts(**changes), choose, question, SAYS)


@pytest.fixture(scope="module")
def trained():
    return experiment.run(declared(), iter)


# --- what a declaration means


def test_names_and_colours_are_the_given_ones_and_the_others_are_filled_in():
    watch = declared()["watch"]
    assert list(watch["names"]) == ["k = 1", "k = 3", "training", "between", "left", "right", "held"]
    assert watch["names"]["training"] == "loss" and watch["names"]["left"] == "left half"
    assert watch["colors"]["training"] == to_hex("C6") and watch["colors"]["k = 3"] == COLORS["middle"].lower()
    assert watch["colors"]["output"] == COLORS["output"].lower() and watch["colors"]["held"] == COLORS["test"].lower()
    assert watch["ylim"] == [0.01, 5] and watch["bars"] == 20 and watch["log"] == "xy"


@pytest.mark.parametrize("paths", [list(CHOOSE), list(CHOOSE)[::-1], []])
def test_controls_stand_in_the_order_in_which_they_are_declared_and_that_of_the_seed_last(paths):
    made = declared(choose={path: CHOOSE[path] for path in paths})
    assert made["order"] == [*paths, "network.seed"] and sorted(made["choose"]) == sorted(made["order"])


@pytest.mark.parametrize("fault, message", [
    (dict(choose=CHOOSE | {"training.lr": dict(label="x", low=0, hihg=1)}), "unknown key 'hihg' of the control"),
    (dict(choose=CHOOSE | {"training.lr": dict(label="rate", low=0.1, high=1, step=0.1)}), "rate is a number from 0.1"),
    (dict(choose={"training.momentum": dict(label="momentum")}), "training.momentum is not declared"),
    (dict(choose={"network": dict(label="start", options={"both": STARTS["Xavier"]})}), "no option of network"),
    (dict(question=QUESTION | {"edges": [1.0, 2.0]}), "one edge between each two answers"),
])  # fmt: skip
def test_a_declaration_that_contradicts_itself_is_refused(fault, message):
    with pytest.raises(ValueError, match=message):
        declared(**fault)


@pytest.mark.parametrize("given, message", [
    (dict(data=dict(noize=0.3)), "unknown key 'noize' of data; did you mean 'noise'"),
    (dict(network=dict(actvation="relu")), "unknown key 'actvation' of network; did you mean 'activation'"),
    (dict(network=dict(activation="tnah")), "unknown key 'tnah' as network.activation; did you mean 'tanh'"),
    (dict(network=dict(start="kaiming")), "unknown key 'kaiming' as network.start; known: default, normal, xavier"),
    (dict(network=dict(start="normal")), "says their std"),
    (dict(network=dict(activation="ricker")), "says its a"),
    (dict(training=dict(optimizer="sgd")), "unknown key 'optimizer' of training; known"),
    (dict(training=dict(name="rmsprop")), "unknown key 'rmsprop' as training.name; known: adam, sgd"),
    (dict(training=dict(weight_decay=0.1)), "unknown key 'weight_decay' of training; did you mean 'weight'"),
    (dict(training=dict(momentum=0.9)), "momentum is an option of sgd"),
    (dict(watch=dict(serie=["held"])), "unknown key 'serie' of watch; did you mean 'series'"),
    (dict(watch=dict(series=["hold"])), "unknown key 'hold' in watch.series; did you mean 'held'"),
    (dict(watch=dict(series=["seen"])), "seen and unseen corners are watched on the cube"),
    (dict(question=QUESTION | {"by": ["z:k = 1"]}), "unknown key 'z' as a measure"),
    (dict(question=QUESTION | {"by": ["end:trainng"]}), "did you mean 'training'"),
    (dict(question={"ask": "?"}), "the question does not say answers, by, edges"),
    (dict(says="{best:heldout}"), "unknown key 'heldout'"),
    (dict(recorded={"network.sed": 1}), "did you mean 'network.seed'"),
    (dict(choose={"netwrk.seed": dict(label="x", low=0, high=1, step=1)}), "did you mean 'network'"),
    (dict(drop=("data", "points")), "data do not say points"),
    (dict(drop=("training", "lr")), "training does not say lr"),
    (dict(drop=("network", "hidden")), "network says neither hidden nor width and depth"),
    (dict(data=dict(points="9")), "points of data is a whole number from 1 on, not '9'"),
    (dict(data=dict(points=-9)), "points of data is a whole number from 1 on, not -9"),
    (dict(data=dict(points=True)), "points of data is a whole number from 1 on, not True"),
    (dict(data=dict(fine=1)), "fine of data is a whole number from 2 on, not 1"),
    (dict(data=dict(noise="a")), "noise of data is a number from 0 on, not 'a'"),
    (dict(data=dict(high=-np.pi)), "low of data is below high"),
    (dict(data=dict(sines={"a": 1})), "sines of data is a dictionary of whole numbers k and sizes, not {'a': 1}"),
    (dict(data=dict(sines={1: "a"})), "sines of data is a dictionary of whole numbers k and sizes, not {1: 'a'}"),
    (dict(data=dict(halves=[1])), r"halves of data is a list of two numbers, not \[1\]"),
    (dict(data=dict(drawn=[])), r"drawn of data is a list of numbers, not \[\]"),
    (dict(data=dict(held=0)), "data do not say how many are held"),
    (dict(data=[9]), r"data is a dictionary of entries, not \[9\]"),
    (dict(network="tanh"), "network is a dictionary of entries, not 'tanh'"),
    (dict(network=dict(activation=["tanh"])), r"unknown key \['tanh'\] as network.activation; did you mean 'tanh'"),
    (dict(network=dict(hidden="3")), "hidden of network is a list of whole numbers from 1 on, not '3'"),
    (dict(network=dict(hidden=[3, 0])), r"hidden of network is a list of whole numbers from 1 on, not \[3, 0\]"),
    (dict(network=dict(antisymmetric="yes")), "antisymmetric of network is True or False, not 'yes'"),
    (dict(network=dict(gain="x")), "gain of network is a positive number, not 'x'"),
    (dict(training=dict(lr="0.1")), "lr of training is a positive number, not '0.1'"),
    (dict(training=dict(lr=0)), "lr of training is a positive number, not 0"),
    (dict(training=dict(lr=math.nan)), "lr of training is a positive number, not nan"),
    (dict(training=dict(steps=1.5)), "steps of training is a whole number from 0 on, not 1.5"),
    (dict(training=dict(steps=-1)), "steps of training is a whole number from 0 on, not -1"),
    (dict(watch=dict(threshold="a")), "threshold of watch is a number or None, not 'a'"),
    (dict(watch=dict(threshold=None)), "watch does not say the threshold"),
    (dict(watch=dict(series=["held"], threshold=None), says="{first:held}"), "'first:held' needs a threshold"),
    (dict(watch=dict(series=["held"], threshold=None), says="{back:held}"), "'back:held' needs a threshold"),
    (dict(watch=dict(heat="yes")), "heat of watch is True or False, not 'yes'"),
    (dict(watch=dict(log="z")), "unknown key 'z' as watch.log; known: x, xy, y"),
    (dict(watch=dict(log="yx")), "unknown key 'yx' as watch.log; did you mean 'y'"),
    (dict(watch=dict(ylim=[1])), r"ylim of watch is a list of two numbers that increase, not \[1\]"),
    (dict(watch=dict(ylim=[1, 0])), r"ylim of watch is a list of two numbers that increase, not \[1, 0\]"),
    (dict(watch=dict(names={"trainng": "loss"})), "unknown key 'trainng' in watch.names; did you mean 'training'"),
    (dict(watch=dict(names={"training": 3})), "names of watch is a dictionary of names, not {'training': 3}"),
    (dict(watch=dict(colors={"trainng": "r"})), "unknown key 'trainng' in watch.colors; did you mean 'training'"),
    (dict(watch=dict(colors={"outpt": "r"})), "unknown key 'outpt' in watch.colors; did you mean 'output'"),
    (dict(watch=dict(colors={"held": "rde"})), "colors of watch is a dictionary of colours, not {'held': 'rde'}"),
    (dict(watch=dict(series="held")), "series of watch is a list of texts, not 'held'"),
    (dict(watch=dict(series=["k = x"])), "unknown key 'k = x' in watch.series"),
    (dict(says=3), "says is a text, not 3"), (dict(says="{end}"), "unknown key '' in the measure 'end'"),
    (dict(question=["When?"]), r"question is a dictionary, not \['When\?'\]"),
    (dict(question=QUESTION | {"edges": ["a"]}), r"edges of the question is a list of numbers that increase"),
    (dict(question=QUESTION | {"answers": "sooner"}), "answers of the question is a list of texts"),
    (dict(question=QUESTION | {"by": []}), "by of the question is a list of one measure or two"),
    (dict(recorded=["network.seed"]), "recorded is a dictionary"),
    (dict(choose=["network.seed"]), "choose is a dictionary"),
    (dict(choose={"training.lr": "rate"}), "the control training.lr is a dictionary of entries, not 'rate'"),
    (dict(choose={"training.lr": dict(low=0.01, high=1, step=0.1)}), "the control training.lr does not say label"),
    (dict(choose={"training.lr": dict(label="rate", low=0.01)}), "the control training.lr does not say high, step"),
    (dict(choose={"training.lr": dict(label="rate", low="0", high=1, step=1)}), "low of .*lr is a number, not '0'"),
    (dict(choose={"training.lr": dict(label="rate", low=0, high=1, step=0.1)}),
     "the control training.lr allows 0, but lr of training is a positive number, not 0"),
    (dict(choose={"data.sines": dict(label="waves", frequencies=True, low=1)}), "control data.sines does not say high"),
    (dict(choose={"network": dict(label="start")}), "network changes several entries, so it needs options"),
    (dict(choose={"network": dict(label="start", options={"x": "xavier"})}), "it needs options that are dictionaries"),
    (dict(choose={"network": dict(label="start", options=STARTS | {"x": dict(strt="xavier")})}),
     "the control network allows {'strt': 'xavier'}, but unknown key 'strt' of network; did you mean 'start'"),
])  # fmt: skip
def test_what_a_lab_does_not_know_or_lacks_is_refused_with_the_nearest_name(given, message):
    made = parts() | {"choose": {}, "question": None, "says": ""}
    if "drop" in given:
        part, name = given["drop"]
        del made[part][name]
        given = {}
    for key, value in given.items():
        more = isinstance(made.get(key), dict) and isinstance(value, dict)
        made[key] = made[key] | value if more else value
    with pytest.raises(ValueError, match=message):
        labs.lab(**made)


CUBE, ROD = dict(cube=4, degree=2, seen=10), dict(rod=20)


def rod_with(**changes):
    return dict(data=ROD, training=dict(loss="energy"), watch=dict(series=["exact"])) | changes


@pytest.mark.parametrize("changes, message", [  # what needs, or forbids, another entry: "" where all is said
    (dict(network=dict(start="normal")), "says their std"), (dict(network=dict(start="normal", std=0.1)), ""),
    (dict(network=dict(start="xavier")), ""), (dict(network=dict(start="xavier", gain=2.0)), ""),
    (dict(network=dict(activation="ricker")), "says its a"), (dict(network=dict(activation="ricker", a=0.3)), ""),
    (dict(network=dict(hidden=None, width=5, depth=2)), ""), (dict(network=dict(hidden=None, width=5)), "says neither"),
    (dict(network=dict(hidden=None, depth=2)), "says neither"), (dict(network=dict(depth=2)), ""),
    (dict(training=dict(name="sgd", momentum=0.9)), ""), (dict(training=dict(name="sgd")), ""),
    (dict(training=dict(name="adam", momentum=0.9)), "is an option of sgd"),
    (dict(training=dict(name=None, momentum=0.9)), "is an option of sgd"),
    (dict(training=dict(momentum=0)), ""), (dict(watch=dict(heat=True)), ""),
    (dict(training=dict(loss="energy")), "loss and kink belong to the rod"),
    (dict(network=dict(kink=True)), "loss and kink belong to the rod"),
    (dict(watch=dict(series=["exact"])), "are watched on the rod, and only they"),
    (dict(watch=dict(series=["unseen"])), "are watched on the cube, and only they"),
    (dict(data=CUBE, watch=dict(series=["seen"])), ""), (dict(data=CUBE, watch=dict(series=["unseen"])), ""),
    (dict(data=CUBE), "are watched on the cube"), (dict(data=CUBE | {"rod": 20}), "rod"),
    (dict(data=dict(cube=4), watch=dict(series=["seen"])), "data do not say degree, seen"),
    (dict(data=dict(points=9), watch=dict(series=["training"])), "data do not say high, low"),
    (dict(data=CUBE | {"degree": 4, "seen": 16}, watch=dict(series=["seen"])), ""),
    (dict(data=CUBE | {"degree": 5}, watch=dict(series=["seen"])), "cube of dimension 4 has 16 corners: degree 5 or"),
    (dict(data=CUBE | {"seen": 17}, watch=dict(series=["seen"])), "17 seen corners are too many"),
    (dict(data=CUBE, watch=dict(series=["seen"], heat=True)), "a heat map is of frequencies on the line"),
    (rod_with(), ""),
    (rod_with(watch=dict(series=["modified"])), ""),
    (rod_with(network=dict(kink=True)), ""),
    (dict(data=ROD, training=dict(loss="energy")), "are watched on the rod"),
    (dict(data=ROD, watch=dict(series=["exact"])), "on the rod training says its loss"),
    (rod_with(watch=dict(series=["exact"], heat=True)), "a heat map"),
    (rod_with(network=dict(activation="sin")), "the activation tanh"),
    (rod_with(data=PARTS["data"]), "belong to the rod"),
    (dict(watch=dict(series=None)), "watch does not say series"), (dict(training=dict(steps=None)), "not say steps"),
    (dict(network=dict(activation=None)), "network does not say activation"),
])  # fmt: skip
def test_entries_that_need_one_another_are_taken_together_and_refused_apart(changes, message):
    made = parts()
    for part, change in changes.items():
        made[part] = (change if part == "data" else made[part] | change).items()
        made[part] = {name: value for name, value in made[part] if value is not None}
    if message:
        with pytest.raises(ValueError, match=message):
            complete(made, {}, None, "")
    else:
        assert complete(made, {}, None, "")["network"] == made["network"]


LINE = dict(points=5, low=-1, high=1, sines={1: 1})
ENDS = {  # of an entry: the last values that it takes, the first that it refuses, and the entries beside it
    "data.points": ([1], [0, 1.5], LINE), "data.fine": ([2], [1, 2.5], LINE), "data.held": ([0, 1], [-1, 0.5], LINE),
    "data.noise": ([0, 1e-9], [-1e-9], LINE), "data.round": ([0, 1e-9], [-1e-9], LINE),
    "data.drawn": ([[0.5]], [[]], LINE), "data.high": ([-1 + 1e-9], [-1], LINE),
    "data.cube": ([1, 2], [0, 1.5], dict(degree=1, seen=2)), "data.degree": ([1, 4], [0, 5], dict(cube=4, seen=2)),
    "data.seen": ([1, 16], [0, 17], dict(cube=4, degree=2)), "data.rod": ([1], [0, 1.5], {}),
    "network.hidden": ([[], [1]], [[0]], {}), "network.seed": ([0, 2**32 - 1], [-1, 2**32], {}),
    "network.width": ([1], [0, 1.5], dict(depth=1)), "network.depth": ([1], [0, 1.5], dict(width=1)),
    "network.a": ([1e-3], [0, -1], dict(activation="ricker")), "network.std": ([1e-9], [0], dict(start="normal")),
    "network.gain": ([1e-9], [0], dict(start="xavier")), "network.factor": ([0, -1, 1e-9], [math.inf, "1"], {}),
    "training.lr": ([1e-9], [0], {}), "training.steps": ([0, 1], [-1, 0.5], {}),
    "training.momentum": ([0, 1e-9], [-1e-9], dict(name="sgd")), "training.weight": ([0, 1e-9], [-1e-9], {}),
    "training.stop": ([None, 0, -1], [math.nan, "0"], {}), "watch.bars": ([0, 1], [-1, 0.5], {}),
    "watch.threshold": ([None, 0, 1e-9], [math.inf, "0"], {}),
    "watch.ylim": ([[0, 1e-9], [-1, 0]], [[0, 0], [0], [0, 1, 2]], {}),
}  # fmt: skip


@pytest.mark.parametrize("path", ENDS)
def test_the_last_value_that_an_entry_takes_can_be_trained_and_the_next_is_refused(path):
    taken, refused, beside = ENDS[path]
    part, name = path.split(".")
    made = dict(data=LINE, network=dict(hidden=[2], activation="tanh", seed=0))
    kind = (set(beside) | {name}) & {"cube", "rod"}
    made["watch"] = dict(series={"cube": ["seen"], "rod": ["exact"]}.get("".join(kind), ["training"]))
    made["training"] = dict(lr=0.01, steps=1) | ({"loss": "energy"} if "rod" in kind else {})
    for value in taken:
        entries = beside if part == "data" else made[part] | beside
        whole = complete(made | {part: entries | {name: value}}, {}, None, "")
        run = experiment.run(whole, iter)
        assert run["done"] != "lost" and all(np.isfinite(series).all() for series in run["series"].values())
    for value in refused:
        with pytest.raises(ValueError, match=rf"\b{name}\b.* (is|are) "):
            complete(made | {part: entries | {name: value}}, {}, None, "")


@pytest.mark.parametrize("path, good, bad", [
    ("training.steps", [10, 100, 55], [9, 101, 55.5, math.inf, math.nan]),
    ("training.lr", [0.001, 0.1], [0.0009, 0.2, -math.inf]),
    ("data.sines", [{"1": 1}, {"5": 1, "2": 1}], [{"0": 1}, {"6": 1}]),
    ("network", list(STARTS.values()), ["Xavier", {"start": "xavier"}]),
    ("network.antisymmetric", [True, False], [1, "on"]),
    ("network.seed", [0, 2**32 - 1], [-1, 0.5, 2**32]),
])  # fmt: skip
def test_a_control_allows_what_it_says_and_nothing_else(path, good, bad):
    made = declared()
    for value in good:
        assert check(made, path, value) == value
        with_choice(made, {path: value})
    label = made["choose"][path]["label"]
    for value in bad:
        with pytest.raises(ValueError, match=f"^{label} (is|are) "):
            check(made, path, value)
        with pytest.raises(ValueError, match=label):
            with_choice(made, {path: value})


@pytest.mark.parametrize("waves", [{}, {"abc": 1}, {"1.5": 1}])
def test_what_is_no_frequency_is_not_refused_as_an_alias(waves):
    for refuses in (check, lambda made, path, value: with_choice(made, {path: value})):
        with pytest.raises(ValueError, match="^waves are whole numbers from 1 to 5 with commas between them$"):
            refuses(declared(), "data.sines", waves)


def test_a_choice_changes_its_own_entries_and_nothing_of_the_declaration():
    made = declared()
    before = copy.deepcopy(made)
    other = with_choice(made, {"network": STARTS["Xavier"], "data.sines": {"2": 1}, "training.steps": 20})
    assert made == before
    assert other["network"] == made["network"] | STARTS["Xavier"] and other["training"]["steps"] == 20
    assert other["data"] == made["data"] | {"sines": {"2": 1}} and "k = 2" in other["watch"]["names"]
    assert value_at(made, "network") == STARTS["as <usual>"] and value_at(made, "network.seed") == 3


# --- the numbers behind it


@given(
    st.dictionaries(st.integers(1, 9), st.floats(-2, 2), min_size=1),
    st.dictionaries(st.integers(1, 9), st.floats(-2, 2)),
)
def test_the_target_is_the_sum_of_its_waves_and_its_peaks_are_the_large_ones(sines, cosines):
    cosines = {k: size for k, size in cosines.items() if k not in sines}
    data, x = {"sines": sines, "cosines": cosines}, np.linspace(-3, 3, 11)
    waves = [size * np.sin(k * x) for k, size in sines.items()] + [size * np.cos(k * x) for k, size in cosines.items()]
    np.testing.assert_allclose(experiment.target(data, x), sum(waves), atol=1e-12)
    assert experiment.peaks(data) == sorted(k for k, size in (sines | cosines).items() if abs(size) > 0.05)


def test_noise_has_the_size_and_the_seed_that_are_declared():
    def noise(seed, s, **more):
        data = parts()["data"] | {"noise": s} | more
        clean = experiment.numbers(data | {"noise": 0}, seed)
        made = experiment.numbers(data, seed)
        return np.concatenate([made["y"] - clean["y"], made["held_y"] - clean["held_y"]])

    np.testing.assert_allclose(noise(0, 0.4), 4 * noise(0, 0.1), atol=1e-12)
    assert abs(noise(0, 1.0, points=2000).std() - 1) < 0.05
    assert (noise(0, 1.0) != noise(1, 1.0)).all() and (noise(7, 1.0) == noise(7, 1.0)).all()
    y = experiment.numbers(parts()["data"] | {"round": 0.25}, 0)["y"]
    np.testing.assert_allclose(y / 0.25, np.round(y / 0.25), atol=1e-12)


def test_points_lie_evenly_and_held_out_ones_between_them():
    made = experiment.numbers(PARTS["data"], 0)
    np.testing.assert_allclose(made["x"], -np.pi + 2 * np.pi * (np.arange(12) + 0.5) / 12)
    np.testing.assert_allclose(made["held"], -np.pi + 2 * np.pi * (np.arange(6) + 0.25) / 6)
    assert made["fine"][0] == made["x"][0] and made["fine"][-1] == pytest.approx(made["x"][-1])


def test_points_anywhere_fill_the_whole_range_evenly_each_seed_its_own():
    data = dict(points=4000, low=-1.0, high=3.0, sines={1: 1}, anywhere=True)
    x, other = (experiment.numbers(data, seed)["x"] for seed in (0, 1))
    assert (np.diff(x) >= 0).all() and -1 <= x[0] and x[-1] <= 3 and (x != other).any()
    np.testing.assert_allclose(x, np.linspace(-1, 3, 4000), atol=0.15)  # the largest gap of the two distributions
    assert (experiment.numbers(data, 0)["x"] == x).all()


@pytest.mark.parametrize("network, data, by_hand", [
    (dict(hidden=[4, 3]), "line", lambda: MLP([1, 4, 3, 1])),
    (dict(width=4, depth=3), "line", lambda: MLP([1, 4, 4, 4, 1])),
    (dict(hidden=[4], depth=2), "line", lambda: MLP([1, 4, 4, 1])), (dict(hidden=[]), "line", lambda: MLP([1, 1])),
    (dict(hidden=[4]), "cube", lambda: MLP([4, 4, 1])), (dict(hidden=[4]), "rod", lambda: MLP([1, 4, 1])),
    (dict(hidden=[4], kink=True), "rod", lambda: with_kink(MLP([2, 4, 1]))),
    (dict(hidden=[4], kink=False), "rod", lambda: MLP([1, 4, 1])),
    (dict(hidden=[4], activation="relu"), "line", lambda: MLP([1, 4, 1], "relu")),
    (dict(hidden=[4], activation="ricker", a=0.7), "line", lambda: MLP([1, 4, 1], Ricker(0.7))),
    (dict(hidden=[4], antisymmetric=True), "line", lambda: lambda x: 0 * x[:, :1]),
    (dict(hidden=[4], start="normal", std=0.3), "line", lambda: normal_init(MLP([1, 4, 1]), 0.3)),
    (dict(hidden=[4], start="xavier"), "line", lambda: xavier_init(MLP([1, 4, 1]))),
    (dict(hidden=[4], start="xavier", gain=2.0), "line", lambda: xavier_init(MLP([1, 4, 1]), gain=2.0)),
    (dict(hidden=[], factor=3.0, start="xavier"), "line", lambda: xavier_init(MLP([1, 1]), gain=3.0)),
])  # fmt: skip
def test_the_network_that_is_declared_is_the_one_written_out(network, data, by_hand):
    data = {"line": PARTS["data"], "cube": CUBE, "rod": ROD}[data]
    torch.manual_seed(5)
    expected = by_hand()
    x = torch.linspace(-2, 2, 12).reshape(3, 4) if "cube" in data else torch.linspace(-2, 2, 12)[:, None]
    net = experiment.network({"data": data, "network": {"activation": "tanh", "seed": 5} | network})
    torch.testing.assert_close(net(x.double()), expected(x).double(), rtol=1e-5, atol=1e-6)


def with_kink(net):
    return lambda x: net(torch.cat([x, x.abs()], 1))


@given(st.integers(1, 5), st.data())
def test_energies_by_degree_add_up_and_a_product_of_coordinates_has_its_own(d, draw):
    corners = hypercube(d)
    f = np.array(draw.draw(st.lists(st.floats(-3, 3), min_size=2**d, max_size=2**d)))
    assert experiment.energy_by_degree(f).sum() == pytest.approx((f**2).mean(), abs=1e-9)
    chosen = draw.draw(st.lists(st.booleans(), min_size=d, max_size=d))
    energy = experiment.energy_by_degree(3 * corners[:, chosen].prod(1))
    np.testing.assert_allclose(energy, 9 * (np.arange(d + 1) == sum(chosen)), atol=1e-12)


def test_bars_are_amplitudes(trained):
    made = declared(watch__bars=4)
    x = experiment.numbers(made["data"], 0)["x"]
    result = {"data": {"x": x}, "at": 0.7 * np.sin(2 * x) - 3 * np.cos(4 * x)}
    np.testing.assert_allclose(experiment.bars(made, result), [0, 0, 0.7, 0, 3], atol=1e-12)
    np.testing.assert_allclose(experiment.bars(made, result | {"at": np.full(12, 2.0)})[0], 2)  # at 0 the mean


# --- what is measured


def test_the_last_of_each_series_is_what_its_name_says(trained):
    data, h, at = trained["data"], trained["h"], trained["at"]
    last = {name: values[-1] for name, values in trained["series"].items()}
    left = data["fine"] <= 0
    assert last["training"] == pytest.approx(((at - data["y"]) ** 2).mean())
    assert last["training"] == pytest.approx(trained["loss"])
    assert last["between"] == pytest.approx(((h - data["f"]) ** 2).mean())
    assert last["left"] == pytest.approx(((h - data["f"])[left] ** 2).mean())
    assert last["right"] == pytest.approx(((h - data["f"])[~left] ** 2).mean())
    for k in (1, 3):
        error = relative_error(nudft(data["x"], at, [k]), nudft(data["x"], data["y"], [k]))
        assert last[f"k = {k}"] == pytest.approx(error[0])
    assert len({float(v) for v in last.values()}) == len(last)


def cube():
    watch = dict(series=["seen", "unseen"])
    return complete(parts() | {"data": dict(cube=4, degree=2, seen=10), "watch": watch}, {}, None, "")


def test_on_the_cube_shares_of_seen_and_unseen_corners_are_told_apart():
    made = cube()
    found = experiment.run(made, iter)
    right = found["h"] * hypercube(4)[:, :2].prod(1) > 0
    seen = found["data"]["order"][:10]
    assert found["series"]["seen"][-1] == right[seen].mean()
    assert found["series"]["unseen"][-1] == np.delete(right, seen).mean()
    assert len(set(found["data"]["order"])) == 16 and len(found["data"]["y"]) == 10
    assert experiment.bars(made, found).sum() == pytest.approx((found["h"] ** 2).mean())


def rod(loss="energy", **network):
    network = dict(hidden=[8], activation="tanh", seed=0) | network
    watch, training = dict(series=["exact", "modified"]), dict(lr=0.01, steps=20) | ({"loss": loss} if loss else {})
    return complete(dict(data=dict(rod=20), network=network, training=training, watch=watch), {}, None, "")


def test_on_the_rod_the_share_of_the_tent_is_1_and_0_at_the_two_solutions():
    made = rod()
    data = experiment.numbers(made["data"], 0)
    for u, share, away in ((data["f"], 1, (0, 1 / 6)), (data["modified"], 0, (1 / 6, 0))):
        np.testing.assert_allclose(experiment.bars(made, {"h": u, "data": data}), share, atol=1e-9)
        found = [
            experiment.measure(f"end:{name}", made, {"h": u, "at": u, "data": data, "series": {}})
            for name in ("exact", "modified")
        ]
        np.testing.assert_allclose(found, away, atol=1e-3)
    run = experiment.run(made, iter)
    assert abs(run["h"] - data["f"]).max() == pytest.approx(run["series"]["exact"][-1])
    assert abs(run["h"][[0, -1]]).max() < 0.02  # the boundary values hold whatever the network does


@pytest.mark.parametrize("fault, message", [
    (dict(loss=None), "training says its loss"), (dict(loss="strong"), "did you mean 'strong form'"),
    (dict(activation="relu"), "has the activation tanh"), (dict(antisymmetric=True), "is one network"),
])  # fmt: skip
def test_what_the_rod_does_not_know_is_refused(fault, message):
    with pytest.raises(ValueError, match=message):
        rod(**fault)


curves = st.lists(st.sampled_from([0.2, 0.5, 0.9, 1.0]), min_size=1, max_size=8)


@given(curves, curves, st.sampled_from(["fitted", "long", "stopped"]))
def test_a_measure_by_its_definition(values, others, done):
    made = {"watch": {"threshold": 0.9}}

    def result(values):
        return {"step": 10.0 * np.arange(len(values)), "series": {"q": np.array(values)}, "done": done}

    one, other = result(values), result(others)
    for words, run in (("", one), ("recorded ", other)):
        q, step = run["series"]["q"], run["step"]
        below = [t for t, v in zip(step, q) if v < 0.9]
        stays = [t for i, t in enumerate(step) if all(v < 0.9 for v in q[i:])]
        assert experiment.measure(f"{words}first:q", made, one, other) == min(below, default=math.inf)
        assert experiment.measure(f"{words}t:q", made, one, other) == min(stays, default=math.inf)
        assert experiment.measure(f"{words}end:q", made, one, other) == q[-1]
        assert experiment.measure(f"{words}low:q", made, one, other) == q.min()
        assert q[step == experiment.measure(f"{words}best:q", made, one, other)] == q.min()
        steps = experiment.measure(f"{words}steps", made, one, other)
        assert steps == (step[-1] if done == "fitted" else math.inf)


def test_how_a_run_ends_is_told():
    assert experiment.run(declared(), iter)["done"] == "long"
    assert experiment.run(declared(training__stop=10.0), iter)["done"] == "fitted"
    assert experiment.run(declared(), lambda steps: iter(steps[:5]))["done"] == "stopped"
    lost = experiment.run(with_choice(declared(choose={}), {}) | {"training": dict(name="sgd", lr=1e9, steps=40)}, iter)
    assert lost["done"] == "lost" and "no longer finite" in messages.words(declared(), lost)


def test_the_options_of_the_optimizer_are_used():
    ends = {
        experiment.run(declared(choose={}, **changes), iter)["loss"].item()
        for changes in (
            {}, {"training__lr": 0.02}, {"training__name": "sgd"}, {"training__weight": 5}, {"network__seed": 4},
            {"network__antisymmetric": True},
        )
    }  # fmt: skip
    assert len(ends) == 6


# --- what is said


@given(st.floats(-1e9, 1e9, allow_subnormal=False))
def test_a_number_is_written_to_three_digits_or_whole(value):
    text = messages.number(value)
    read = float(text.replace("−", "-").replace(",", ""))
    assert "-" not in text
    if value == int(value):
        assert read == pytest.approx(value, rel=5.1e-2) and ("," in text) == (1000 <= abs(value) < 1e9)
    elif 1e-3 <= abs(value) < 1e5:
        assert read == pytest.approx(value, rel=5.1e-3)
    else:
        assert ("e" in text) == (not 1e-6 <= abs(value) < 1e5) and read == pytest.approx(value, rel=5.1e-2)


def result(done="fitted", **series):
    step = 1000 * np.arange(3)
    return {"step": step, "done": done, "series": {name: np.array(values) for name, values in series.items()}}


def test_words_tell_the_end_and_each_measure():
    made = declared()
    series = {"training": [1.0, 0.5, 0.25], "k = 1": [1.0, 0.1, 0.1], "k = 3": [1.0, 1.0, 1.0]}
    tail = " Here 1,000 and 25 %; The relative error is below 0.9 for k = 1 from step 1,000, k = 3 never."
    back = messages.words(made, result(**(series | {"k = 1": [0.1, 1.0, 0.2], "k = 3": [1.0, 0.1, 1.0]})))
    assert back.endswith(
        "k = 1 from step 0 (came back above 0.9 at step 1,000, stays below from step 2,000), "
        "k = 3 from step 1,000 (came back above 0.9 at step 2,000, ends above)."
    )
    lab = made | {"says": "Here {t:k = 1}."}
    assert " Here 0 (came back above 0.9 at step 1,000, stays" in messages.words(
        lab, result(**{**series, "k = 1": [0.1, 1.0, 0.2]})
    )
    assert messages.words(made, result(**series)) == "Fitted after 2,000 steps." + tail
    assert messages.words(made, result("stopped", **series)) == "Stopped at step 2,000." + tail
    assert messages.words(made, result("long", **series)) == "Trained for 2,000 steps." + tail
    assert (
        messages.words(declared(training__stop=1e-9), result("long", **series)) == "Not fitted in 2,000 steps." + tail
    )
    assert messages.words(declared(training__stop=0), result("long", **series)) == "Trained for 2,000 steps." + tail


@pytest.mark.parametrize("one, three, told", [
    ([0.1, 0.1, 0.1, 0.1], [1, 1, 0.1, 0.1], "One after the other, low before high."),
    ([1, 1, 1, 0.1], [1, 0.1, 0.1, 0.1], "One after the other, high before low."),
    ([1, 1, 0.1, 0.1], [1, 1, 1, 0.1], "All together."),  # 2,000 and 3,000: less than twice as many steps
    ([1, 0.1, 1, 0.1], [1, 1, 0.1, 0.1], ""),  # by first crossings low before high, by t_k the other way round
    ([0.1, 0.1, 0.1, 0.1], [1, 1, 1, 1], ""),
])  # fmt: skip
def test_the_order_is_told_where_both_ways_to_count_agree(one, three, told):
    step = 1000 * np.arange(4)
    run = {"step": step, "done": "long", "series": {"k = 1": np.array(one), "k = 3": np.array(three)}}
    assert messages.order(declared(), run) == told
    assert messages.order(declared(), run | {"done": "lost"}) == ""
    assert messages.order(declared(data__sines={1: 1}), run) == ""  # one frequency has no order


@pytest.mark.parametrize(
    "mine, recorded, answer", [(1, 2, 0), (2, 2, 1), (2, 1, 1), (1, 3, 0), (3, 1, 1), (3, 3, None)]
)
def test_the_verdict_is_the_ratio_between_its_edges(mine, recorded, answer):
    made, both = declared(), []
    for first in (mine, recorded):  # at which record k = 1 is fitted; 3: never
        both.append(result(**{"k = 1": [1.0 if i < first else 0.1 for i in range(3)]}))
    assert messages.verdict(made, *both) == answer
    text = messages.reply(QUESTION, 0, answer)
    assert ("right" in text, "does not decide" in text) == (answer == 0, answer is None)
    assert ("“later”" in text) == (answer == 1)


@pytest.mark.parametrize("by, answer", [
    (["t:k = 7", "t:k = 1"], None), (["t:k = 1", "t:k = 7"], None), (["end:k = 7"], None), (["low:held"], None),
    (["t:k = 1", "recorded t:k = 1"], None), (["t:training", "t:k = 1"], 1), (["t:k = 1", "t:training"], 0),
])  # fmt: skip
def test_what_was_not_watched_or_has_no_ratio_decides_nothing(by, answer):
    made = declared(question=QUESTION | {"by": by})
    run = result(**{"k = 1": [0.1, 0.1, 0.1], "training": [1, 1, 0.1]})  # k = 1 is fitted from step 0 on
    assert messages.verdict(made, run, run) == answer


@pytest.mark.parametrize("one, answer", [([1, 0.1, 0.1, 0.1], 1), ([1, 0.1, 1, 0.1], None), ([1, 0.1, 0.1, 1], None)])
def test_a_late_jump_of_an_error_does_not_turn_a_verdict_round(one, answer):
    """k = 1 is below the threshold first, k = 3 a record later; a jump alone would say the contrary."""
    made = declared(question=QUESTION | {"by": ["t:k = 3", "t:k = 1"]})
    run = {
        "step": 1000 * np.arange(4),
        "done": "long",
        "series": {"k = 1": np.array(one), "k = 3": np.array([1, 1, 0.1, 0.1])},
    }
    assert messages.verdict(made, run) == answer


def test_one_measure_is_compared_with_the_edges_itself():
    made = declared(question=QUESTION | {"by": ["end:k = 1"], "edges": [0.5]})
    assert [messages.verdict(made, result(**{"k = 1": [1, 1, v]})) for v in (0.4, 0.5, 0.6)] == [0, 1, 1]


def test_the_picture_shows_the_run_the_recorded_one_and_the_threshold(trained):
    *_, below = messages.picture(declared(), trained, dict(trained)).axes
    count = len(trained["series"])
    lines = below.get_lines()
    assert [line.get_linestyle() for line in lines] == ["--"] * count + ["-"] * count + [":"]
    for line, name in zip(lines[count:], trained["series"]):
        np.testing.assert_array_equal(line.get_ydata(), trained["series"][name])
        assert to_hex(line.get_color()) == declared()["watch"]["colors"][name]
    assert set(lines[-1].get_ydata()) == {0.9} and below.get_ylim() == (0.01, 5)


@pytest.mark.parametrize("compared", [False, True])
def test_the_legend_names_the_lines_of_the_run_and_none_of_the_recorded_one(compared, trained):
    *_, below = messages.picture(declared(), trained, dict(trained) if compared else None).axes
    legend, names = below.get_legend(), list(declared()["watch"]["names"].values())
    assert [text.get_text() for text in legend.get_texts()] == names
    assert {line.get_linestyle() for line in legend.legend_handles} == {"-"}
    named = [line.get_label() for line in below.get_lines() if line.get_linestyle() == "-"]
    assert named == names


def drawn(ax):
    """What the lines, stems and bars of a panel show, in this order: places and values, of bars their heights."""
    lines = [line.get_xydata().T for line in ax.get_lines()]
    stems = [np.array([end for _, end in stems.get_segments()]).T for stems in ax.collections]
    return lines + stems + [[bar.get_height() for bar in bars] for bars in ax.containers]


@pytest.mark.parametrize("kind", ["line", "cube", "rod"])
def test_above_the_picture_shows_the_output_beside_its_target_and_the_spectrum(kind, trained):
    made = {"line": declared, "cube": cube, "rod": rod}[kind]()
    run = trained if kind == "line" else experiment.run(made, iter)
    data, bars = run["data"], experiment.bars(made, run)
    curves, k = [(data["fine"], data["f"]), (data["fine"], run["h"])], np.arange(len(bars))
    if kind == "line":
        left = [curves[0], (data["x"], data["y"]), curves[1]]
        right = [([1, 3], [made["data"]["sines"][name] for name in ("1", "3")]), (k, bars)]
    elif kind == "cube":
        left, right = [([0, 1], [0.5, 0.5]), [values[-1] for values in run["series"].values()]], [bars]
    else:
        left, right = [curves[0], (data["fine"], data["modified"]), curves[1]], [(1 + 2 * k, bars)]
    for ax, known in zip(messages.picture(made, run).axes, (left, right)):
        for found, expected in zip(drawn(ax), known, strict=True):
            np.testing.assert_allclose(found, expected)


LABELS = {  # of the axes above, and their fixed limits
    "line": [dict(xlabel="x"), dict(xlabel="k", ylabel="amplitude")],
    "cube": [
        dict(ylabel="share of right signs", ylim=(0, 1.05)), dict(xlabel="degree", ylabel="energy of the output"),
    ],
    "rod": [
        dict(xlabel="x", ylim=(-0.9, 0.3)), dict(xlabel="odd k", ylabel="share of the tent", ylim=(-0.3, 1.5)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("log", ["xy", "x", "y", ""])
@pytest.mark.parametrize("kind", LABELS)
def test_each_thing_looks_alike_in_all_labs_and_each_axis_says_what_it_is(kind, log, trained):
    made = {"line": declared, "cube": cube, "rod": rod}[kind]()
    made["watch"] |= {"log": log, "ylabel": "how far", "threshold": 0.5}
    run = trained if kind == "line" else experiment.run(made, iter)
    left, right, below = messages.picture(made, run, run).axes
    lines, colors = {line.get_label(): line for line in left.get_lines()}, made["watch"]["colors"]
    if kind != "cube":
        target, output = lines["exact" if kind == "rod" else "target"], lines["output"]
        assert to_hex(target.get_color()) == COLORS["target"] and to_hex(output.get_color()) == colors["output"]
        assert target.get_linewidth() > 2 * output.get_linewidth() and (target.get_alpha(), output.get_alpha()) == (
            0.6,
            None,
        )
        assert [text.get_text() for text in left.get_legend().get_texts()] == list(lines)
        other = lines["modified" if kind == "rod" else "labels"]
        assert to_hex(other.get_color()) == COLORS["points"]
        assert (other.get_linestyle(), other.get_marker()) == (("--", "None") if kind == "rod" else ("None", "o"))
        spectrum = right.get_lines()[0]
        assert (spectrum.get_linestyle(), spectrum.get_marker()) == ("None", "o")
    if kind == "line":
        known = [colors.get(f"k = {k}", "#808080") for k in range(21)]
        assert [to_hex(color) for color in right.collections[0].get_color()] == known
        assert spectrum.get_markerfacecolor() == "none" and to_hex(spectrum.get_color()) == "#000000"
    elif kind == "cube":
        bars = [[to_hex(bar.get_facecolor()) for bar in ax.patches] for ax in (left, right)]
        assert bars == [[colors["seen"], colors["unseen"]], [colors["output"]] * 5]
        assert [text.get_text() for text in left.get_xticklabels()] == ["seen", "unseen"]
    else:
        assert to_hex(spectrum.get_color()) == colors["output"]
    quiet = [below.get_lines()[-1], *(left.get_lines() if kind == "cube" else [])]  # the threshold, and chance
    assert {(line.get_linestyle(), to_hex(line.get_color()), line.get_linewidth()) for line in quiet} == {
        (":", "#666666", 0.8)
    }
    for ax, said in zip((left, right), LABELS[kind]):
        assert {name: getattr(ax, f"get_{name}")() for name in said} == said
    assert (below.get_xlabel(), below.get_ylabel(), below.get_xlim()[0]) == ("step", "how far", 0)
    assert below.get_xscale() == ("symlog" if "x" in log else "linear")
    assert below.get_yscale() == ("log" if "y" in log else "linear")


def test_what_is_handed_in_is_left_as_it_is(monkeypatch, shown):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    given = parts() | dict(choose=CHOOSE, question=QUESTION, says=SAYS, recorded={"training.steps": 20})
    before = copy.deepcopy(given)
    labs.lab(**given)
    assert given == before
    made = declared()
    whole = copy.deepcopy(made)
    run = experiment.run(made, iter)
    messages.picture(made, run, run)
    messages.words(made, run)
    assert made == whole


# --- in a page and in a kernel


def show(monkeypatch, building, **options):
    monkeypatch.setenv("FPBOOK_BUILD", building)
    made = parts()
    labs.lab(**made, choose=CHOOSE, question=QUESTION, says=SAYS, recorded={"training.steps": 20}, **options)


def test_the_page_gets_the_recorded_run_to_four_digits(monkeypatch, shown):
    show(monkeypatch, "1")
    (bundle,) = shown
    packed = bundle[labs.LAB]
    run = experiment.run(with_choice(declared(), {"training.steps": 20}), iter)
    rows = np.array(packed["recorded"]["rows"])
    np.testing.assert_array_equal(rows[:, 0], run["step"])
    np.testing.assert_allclose(rows[:, 1:].T, list(run["series"].values()), rtol=6e-4)
    for name in ("h", "at"):
        np.testing.assert_allclose(packed["recorded"][name], run[name], rtol=6e-4)
    np.testing.assert_allclose(packed["recorded"]["bars"], experiment.bars(declared(), run), rtol=6e-4)
    assert {name: packed[name] for name in declared()} == declared()
    assert bundle["text/plain"] == messages.words(declared(training__steps=20), run)


def test_the_seed_is_zero_if_none_is_declared_and_else_the_declared_one(monkeypatch, shown):
    monkeypatch.setenv("FPBOOK_BUILD", "1")
    for network in (parts()["network"], {k: v for k, v in parts()["network"].items() if k != "seed"}):
        labs.lab(**(parts() | {"network": network}))
    assert [bundle[labs.LAB]["network"]["seed"] for bundle in shown] == [3, 0]
