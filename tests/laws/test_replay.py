"""Replay figures, the half in Python: what is stored, what is refused. tests/site/test_site.py drives the drawn one."""

import base64
import copy
import json

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import fpbook.replay as replays

STEP, X = np.array([0, 5, 10, 50]), np.linspace(-1, 1, 7)
H = np.random.default_rng(0).normal(size=(4, 7))  # (steps, x)


def run(panel, step=STEP):
    return {"a run": dict(step=step, panels=[panel])}


def unpacked(packed):
    values = np.frombuffer(base64.b64decode(packed["data"]), "<u2")
    values = packed["lo"] + (packed["hi"] - packed["lo"]) * values / 65535
    return 10**values if packed["log"] else values


def only_panel(panel):
    return replays.replay_data(run(panel))["runs"][0]["panels"][0]


@pytest.mark.parametrize("log, values", [("", H), ("y", 10 ** (3 * H))])
def test_stored_curve_is_the_recorded_one(log, values):
    curve = only_panel(dict(x=X, curves={"h": values}, log=log))["curves"][0]
    stored = unpacked(curve["y"]).reshape(4, 7)
    scale = np.log10 if log else np.asarray
    assert curve["moving"]
    np.testing.assert_allclose(scale(stored), scale(values), atol=np.ptp(scale(values)) / 131_070 * 1.01)


def test_one_name_has_one_colour_in_all_panels():
    panels = [dict(x=X, curves={"f": H[0], "h": H}, styles={"f": "k--"}), dict(curves={"loss": H[:, 0], "h": H[:, 1]})]
    data = replays.replay_data({"": dict(step=STEP, panels=panels)})
    first, second = (
        {curve["name"]: curve["color"] for curve in panel["curves"]} for panel in data["runs"][0]["panels"]
    )
    assert first["f"] == "#000000" and first["h"] == second["h"] != second["loss"]


def test_pictures_keep_their_grey_values():
    frames = np.arange(24.0).reshape(4, 2, 3)
    panel = only_panel(dict(image=frames))
    levels = np.frombuffer(base64.b64decode(panel["image"]["data"]), "u1").reshape(frames.shape)
    palette = np.frombuffer(base64.b64decode(panel["palette"]["data"]), "u1").reshape(256, 3)
    np.testing.assert_allclose(palette[levels][..., 0] / 255 * 23, frames, atol=0.1)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64", "float16", "float32"])
def test_numbers_of_any_type_are_shown_as_the_same_floats(kind):
    def shown(kind_of):
        y, step = kind_of(100 * np.abs(H) / np.abs(H).max()), kind_of(STEP)
        y[0, 0] = kind_of(-100 if np.dtype(kind).kind != "u" else 200)
        panels = [dict(x=kind_of(9 * X + 9), curves={"h": y}), dict(curves={"loss": y[:, 0]}), dict(image=y)]
        return replays.replay_data({"": dict(step=step, panels=panels)})

    assert shown(lambda values: np.asarray(values).astype(kind)) == shown(
        lambda values: np.asarray(values).astype(kind).astype(float)
    )


@pytest.mark.parametrize(
    "panel, message",
    [
        (dict(x=X, curves={"h": H[:, :5]}), "shape"),
        (dict(x=X, curves={"h": H[:3]}), "shape"),
        (dict(x=X, curves={"h": np.full(7, np.nan)}), "finite"),
        (dict(curves={"loss": H}), "shape"),
        (dict(x=X, curves={"h": H}, log="y"), "positive"),
        (dict(x=X, curves={"h": H}, styles={"f": "k--"}), "do not exist"),
        (dict(x=X, curves={"h": H}, styles={"h": "wavy"}), "no style"),
        (dict(x=X, curves={r"$\frac{1}{2}$": H}), "cannot write"),
        (dict(image=np.zeros((3, 2, 2))), "shape"),
        (dict(image=np.zeros((3, 2, 2)) * 1j), "complex"),
        (dict(image=np.array([[-1e308, 1e308]])), "more than a number can hold"),
        (dict(x=X, curves={"h": H + 1j}), "complex"),
        (dict(x=X, curves={"h": np.ma.masked_less(H, 0)}), "masked"),
        (dict(x=X, curves={"h": np.where(H > 0, np.inf, H)}), "finite"),
        (dict(x=X, curves={"h": H}, ylims=(0, 1)), "unknown keys"),
        (dict(image=np.zeros((2, 2)), log="y"), "unknown keys"),
        (dict(x=X, curves={"h": H}, log="z"), "log is"),
        (dict(x=X, curves={"h": H}, ylim=(1, 0)), "no range"),
        (dict(x=X, curves={"h": abs(H) + 1}, log="y", ylim=(-1, 1)), "no range"),
        (dict(x=X, curves={"h": H}, threshold=0.1), "over the steps"),
        (dict(x=X, curves={3: H}), "is text"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panel, message):
    with pytest.raises(ValueError, match=message):
        replays.replay_data(run(panel))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_is_enough_and_its_argument_is_named(bad):
    def spoilt(values):
        return np.r_[bad, np.ravel(values)[1:]].reshape(np.shape(values))

    curve = dict(x=X, curves={"h": H})
    for name, panel in (
        ("x", curve | {"x": spoilt(X)}),
        ("h", dict(x=X, curves={"h": spoilt(H)})),
        ("h", dict(x=X, curves={"h": spoilt(X)})),
        ("loss", dict(curves={"loss": spoilt(STEP)})),
        ("ylim", curve | {"ylim": spoilt([0, 1])}),
        ("threshold", dict(curves={"loss": STEP}, threshold=bad)),
        ("image", dict(image=spoilt(np.ones((2, 3))))),
    ):
        with pytest.raises(ValueError, match=f"^{name} holds values that are not finite"):
            replays.replay_data(run(panel))
    with pytest.raises(ValueError, match="^step holds values that are not finite"):
        replays.replay_data(run(dict(curves={"loss": STEP}), spoilt(STEP)))
    with pytest.raises(ValueError, match="^at holds values that are not finite"):
        replays.replay_data(run(curve), at=bad)


@pytest.mark.parametrize("step", [[3], [0, 2, 1], [0, 1, 1]])
def test_steps_must_increase(step):
    with pytest.raises(ValueError, match="increase"):
        replays.replay_data(run(dict(curves={"loss": np.zeros(len(step))}), step))


def test_what_is_handed_in_is_left_as_it_is(shown):
    runs = run(dict(x=X, curves={"h": H, "f": H[0]}, styles={"f": "k--"}, ylim=(-0.1, 0.1)))
    runs["a run"]["panels"] += [dict(curves={"loss": H[:, 0]}), dict(image=np.arange(24.0).reshape(4, 2, 3))]
    colors, before = {"h": "C3"}, copy.deepcopy(runs)
    replays.replay(runs, colors=colors)
    np.testing.assert_equal(runs, before)
    assert colors == {"h": "C3"}


def test_a_run_has_no_other_keys():
    with pytest.raises(ValueError, match="unknown keys of a run"):
        replays.replay_data({"one": dict(step=STEP, panels=[dict(curves={"loss": H[:, 0]})], steps=STEP)})


def test_the_size_is_counted_in_bytes():
    def data(letter):
        return {letter * 60_000: dict(step=STEP, panels=[dict(curves={"loss": H[:, 0]})])}

    replays.replay_data(data("k"))
    with pytest.raises(ValueError, match="180 kB"):
        replays.replay_data(data("频"))


def test_stems_stand_on_zero_and_a_threshold_is_where_it_was_put():
    stems = only_panel(dict(x=X, curves={"share": abs(H) + 1}, styles={"share": "C0|"}))
    assert stems["ylim"][0] == 0 and only_panel(dict(x=X, curves={"share": abs(H) + 1}))["ylim"][0] > 0
    assert only_panel(dict(curves={"loss": abs(H[:, 0])}, threshold=0.25, log="xy"))["threshold"] == 0.25


@pytest.mark.parametrize("log", ["", "x", "y", "xy"])
@pytest.mark.parametrize("along", [True, False])
@pytest.mark.parametrize("frame", [0, 2])
def test_what_stays_in_print_is_drawn_as_the_script_draws_it(log, along, frame, shown, monkeypatch):
    figures, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *file, **how: figures.append(figure) or save(figure, *file))
    values = abs(H[:, 0]) + 1 if along else abs(H) + 1
    panel = dict(curves={"f": np.ones(values.shape[-1]), "h": values}, log=log, styles={"f": "k--"})
    panel |= dict(threshold=0.5) if along else dict(x=abs(X) + np.arange(1, 8))
    step = STEP + 1
    drawn = replays.replay_data(run(panel, step))["runs"][0]["panels"][0]
    replays.replay(run(panel, step), at=step[frame])
    (ax,) = figures[0].axes
    f, h, *lines = ax.get_lines()
    assert (ax.get_xscale() == "log", ax.get_yscale() == "log") == ("x" in log, "y" in log)
    assert (f.get_linestyle(), to_hex(f.get_color()), to_hex(h.get_color())) == (
        "--",
        "#000000",
        drawn["curves"][1]["color"],
    )
    np.testing.assert_array_equal(h.get_xydata().T, [step, values] if along else [panel["x"], values[frame]])
    np.testing.assert_allclose([*ax.get_xlim(), *ax.get_ylim()], [*drawn["xlim"], *drawn["ylim"]])
    if along:
        here, threshold = lines
        assert set(here.get_xdata()) == {step[frame]} and set(threshold.get_ydata()) == {0.5}


def test_size_limit():
    x, step = np.arange(500.0), np.arange(200)
    with pytest.raises(ValueError, match="kB"):
        replays.replay_data(run(dict(x=x, curves={"h": np.zeros((200, 500))}), step))
    small = replays.replay_data(run(dict(x=x, curves={"h": np.zeros((60, 500))}), step[:60]))
    assert len(replays.replay_json(small)) < replays.REPLAY_BYTES


@pytest.mark.parametrize(
    "label, html",
    [
        ("loss & more", "loss &amp; more"),
        (r"error $\Delta_F(k)$", "error <i>Δ</i><sub><i>F</i></sub>(<i>k</i>)"),
        (r"$|\hat h_k|$", "|<i>ĥ</i><sub><i>k</i></sub>|"),
        (r"$\hat{f}$", "<i>f\u0302</i>"),
        (r"$\mathrm{LFR}(k_0)$", "LFR(<i>k</i><sub>0</sub>)"),
        (r"$1/\delta = 10^{-3}$", "1/<i>δ</i> = 10<sup>−3</sup>"),
    ],
)
def test_mathematics_in_labels(label, html):
    assert only_panel(dict(curves={label: H[:, 0]}))["curves"][0]["name"] == html


def test_no_text_ends_the_element_around_the_data():
    data = replays.replay_data({"</script>": dict(step=STEP, panels=[dict(curves={"</script>": H[:, 0]})])})
    text = replays.replay_json(data)
    assert "<" not in text and json.loads(text) == data


@pytest.mark.parametrize("building", [True, False])
def test_output_of_a_cell(monkeypatch, shown, building):
    monkeypatch.setenv("FPBOOK_BUILD", "1" if building else "")
    for _ in range(2):
        replays.replay(run(dict(x=X, curves={"h": H})), at=10)
    once, twice = shown
    assert base64.b64decode(once["image/png"]).startswith(b"\x89PNG")
    assert once == twice  # a second run of the book compares outputs
    assert (replays.REPLAY in once) == building  # the page gets the data, a live notebook the whole figure
    assert ("replay-data" in once.get("text/html", "")) != building


def test_points_are_left_out_where_there_is_none():
    y = np.where(np.arange(7) % 2, np.nan, 1.0)
    curve = only_panel(dict(x=X, curves={"labels": y, "h": H}, styles={"labels": "o"}))["curves"][0]
    assert curve["y"]["gaps"] == [1, 3, 5]


def test_a_map_of_colours_holds_in_all_panels():
    panels = [dict(x=X, curves={"h": H}), dict(curves={"h": H[:, 0], "loss": H[:, 1]})]
    data = replays.replay_data({"": dict(step=STEP, panels=panels)}, colors={"h": "#123456"})
    first, second = (panel["curves"] for panel in data["runs"][0]["panels"])
    assert first[0]["color"] == second[0]["color"] == "#123456" != second[1]["color"]
    with pytest.raises(ValueError, match="two colours"):
        replays.replay_data(run(dict(x=X, curves={"h": H}, styles={"h": "C1-"})), colors={"h": "#123456"})


@pytest.mark.parametrize("at", [np.nan, np.inf])
def test_the_first_step_is_a_number(at):
    with pytest.raises(ValueError, match="finite"):
        replays.replay_data(run(dict(curves={"loss": H[:, 0]})), at=at)


def test_words_of_the_caller_are_escaped(monkeypatch, shown):
    monkeypatch.setenv("FPBOOK_BUILD", "")
    replays.replay(run(dict(curves={"loss": H[:, 0]})), over='"><img src=x>')
    assert "<img src=x>" not in shown[0]["text/html"]
    data = replays.replay_data({"<b>": dict(step=STEP, panels=[dict(curves={"<i>": H[:, 0]})])}, over="<s>")
    stored = [data["over"], data["runs"][0]["name"], data["runs"][0]["panels"][0]["curves"][0]["name"]]
    assert stored == ["&lt;s&gt;", "&lt;b&gt;", "&lt;i&gt;"]  # the script puts them into the page as they are
    replays.replay({"</script>": dict(step=STEP, panels=[dict(curves={"</script>": H[:, 0]})])})
    inside = shown[1]["text/html"].partition('class="replay-data">')[2].partition("</script>")[0]
    assert json.loads(inside)["runs"][0]["step"] == STEP.tolist()


def test_limits_cut_curves_and_pictures():
    panel = only_panel(dict(x=X, curves={"h": H}, ylim=(-0.1, 0.1)))
    assert panel["ylim"] == [-0.1, 0.1] and np.abs(unpacked(panel["curves"][0]["y"])).max() < 0.1001
    image = only_panel(dict(image=np.array([[0.0, 1.0, 9.0]]), ylim=(0, 2)))
    assert list(np.frombuffer(base64.b64decode(image["image"]["data"]), "u1")) == [0, 128, 255]


@pytest.fixture
def still(shown):
    def still(runs, step, **options):
        replays.replay(runs, at=step, **options)
        return shown.pop()["image/png"]

    return still


@pytest.mark.parametrize("panel, changes", [
    (dict(x=X, curves={"h": H}), [
        dict(xlabel="width"), dict(ylabel="height"), dict(ylim=(-9, 9)), dict(styles={"h": "C1o"}),
        dict(styles={"h": "C0|"}), dict(styles={"h": "C0="}), dict(x=X + 3), dict(curves={"other": H})]),
    (dict(x=X + 2, curves={"h": H**2 + 1}), [dict(log=log) for log in ("x", "y", "xy")]),
    (dict(curves={"loss": H[:, 0]}), [dict(threshold=0.1), dict(xlabel="epoch"), dict(ylabel="error")]),
    (dict(image=H.reshape(4, 7, 1)), [
        dict(ylabel="grey"), dict(cmap="viridis"), dict(ylim=(-9, 9)), dict(image=H.reshape(4, 1, 7))]),
], ids=["curves", "positive curves", "over the steps", "image"])  # fmt: skip
def test_all_that_a_panel_says_is_seen_in_the_picture_that_stays(panel, changes, still):
    pictures = [still(run(panel | change), 5) for change in [{}, {}, *changes]]
    assert pictures[0] == pictures[1] and len(set(pictures)) == 1 + len(changes)


def test_no_number_of_rows_or_columns_stands_beside_a_picture(still):
    image = H[:, :4]
    finer = np.kron(image, np.ones((3, 3)))
    assert still(run(dict(image=image)), 5) == still(run(dict(image=finer)), 5)


def test_the_picture_that_stays_is_of_the_step_asked_for(still):
    panel = dict(x=X, curves={"h": H})
    at = {step: still(run(panel), step) for step in (0, 5, 10, 50)}
    alone = {step: run(dict(x=X, curves={"h": np.tile(H[i], (4, 1))})) for i, step in enumerate((0, 5, 10, 50))}
    limits = only_panel(panel)["ylim"]
    for step, picture in at.items():
        assert still(run(alone[step]["a run"]["panels"][0] | {"ylim": limits}), step) == picture
    assert len(set(at.values())) == 4
