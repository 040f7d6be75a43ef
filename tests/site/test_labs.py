"""Labs in a browser, served and from disk: guess, train, read what happened, move through the run.

Most of the labs are declared here, so no built book is needed; those of the built pages are trained once each. How long
the page is busy is measured in processor time, which does not count what else a machine does.
"""

import json
import re
from functools import partial

import numpy as np
import pytest
from bookbuild.read.interactive import files
from conftest import CHROMIUM, ROOT, served, write_lab
from playwright.sync_api import Page, expect

import fpbook.lab as labs
from fpbook.lab import messages
from fpbook.lab.spec import with_choice
from fpbook.plotting import COLORS

HTML = ROOT / "_build" / "html"
if not CHROMIUM:
    pytest.skip("no Chromium on this machine: labs are not tried in a browser", allow_module_level=True)

LINE = dict(points=41, low=-np.pi, high=np.pi)
ORDER = dict(
    data=LINE | dict(sines={1: 1, 3: 1, 5: 1}),
    network=dict(hidden=[64, 64, 64], activation="ricker", a=0.1, antisymmetric=True, start="normal", std=1 / 8),
    training=dict(name="adam", lr=1e-3, steps=2000, stop=1e-3),
    watch=dict(series=["frequencies"], threshold=0.1, ylabel="relative error", ylim=[2e-3, 3], heat=True),
    recorded={"network.a": 0.3},
    choose={
        "network.a": dict(label="scale a", low=0.05, high=0.6, step=0.05),
        "data.sines": dict(
            label="frequencies", low=1, high=20, frequencies=True, why="41 points cannot tell k = 30 from 11"
        ),
        "network.antisymmetric": dict(label="start at zero (ASI)"),
    },
    question=dict(
        ask="And with scale 0.1?", answers=["5 first", "all three together", "the same order"],
        by=["t:k = 5", "t:k = 1"], edges=[0.5, 2],
    ),
    says="{each}. Error at the points {end:training}, between them {end:between}.",
)  # fmt: skip
NOISE = dict(
    data=dict(points=130, low=-3 * np.pi, high=3 * np.pi, shift=0, sines={1: 1}, noise=0.3, held=260),
    network=dict(hidden=[50, 50, 50], activation="tanh", start="normal", std=0.1),
    training=dict(name="adam", lr=1e-3, steps=3000),
    watch=dict(series=["training", "held", "between"], ylim=[1e-3, 2]),
    choose={"data.noise": dict(label="noise s", low=0, high=0.5, step=0.05)},
    question=dict(ask="When?", answers=["before 100", "later"], by=["best:held"], edges=[100]),
    says="Least at step {best:held}, {low:held}.",
)
CUBE = dict(
    data=dict(cube=6, degree=6, seen=30),
    network=dict(hidden=[40, 20], activation="tanh", start="normal", std=0.05),
    training=dict(name="adam", lr=4e-3, steps=400, stop=1e-2),
    watch=dict(series=["seen", "unseen"], log="x", ylim=[0, 1.05], compare=True),
    recorded={"data.degree": 2},
    choose={"data.degree": dict(label="degree", low=1, high=6, step=1)},
    question=dict(ask="How many?", answers=["fewer than half", "half", "more"], by=["end:unseen"], edges=[0.49, 0.51]),
    says="Right on {%end:seen} of the seen corners and on {%end:unseen} of the others.",
)
ROD = dict(
    data=dict(rod=100),
    network=dict(hidden=[30, 30], activation="tanh", kink=False),
    training=dict(name="adam", lr=5e-3, steps=300, loss="energy"),
    watch=dict(series=["exact", "modified"], ylim=[1e-3, 1], ylabel="largest distance"),
    recorded={"training.loss": "strong form"},
    choose={
        "training.loss": dict(label="loss", options={"strong form": "strong form", "energy": "energy"}),
        "network.kink": dict(label="|x| as an input"),
    },
    question=dict(
        ask="And with the energy?", answers=["the exact one", "neither", "the modified one"],
        by=["end:exact", "end:modified"], edges=[0.5, 2],
    ),
    says="It ends {end:exact} from the exact solution and {end:modified} from the modified one.",
)  # fmt: skip
LABS = {"order": ORDER, "noise": NOISE, "cube": CUBE, "rod": ROD}


@pytest.fixture(scope="module")
def packed(showing):
    """What the build stores of each lab."""
    kept = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FPBOOK_BUILD", "1")
        for name, declared in LABS.items():
            with showing() as bundles:
                labs.lab(**declared)
            kept[name] = bundles[0][labs.LAB]
    return kept


@pytest.fixture(scope="module")
def site(packed, tmp_path_factory):
    """A folder with a page of each lab."""
    site = tmp_path_factory.mktemp("labs")
    for name, data in packed.items():
        text = json.dumps(data, sort_keys=True).replace("<", "\\u003c")
        still = (
            f'</p><div><img src="data:," alt=""><script type="application/json" class="lab-data">{text}</script></div>'
        )
        (site / name).mkdir()
        write_lab(site / name, "Lab", "place", still + "<p>", files("lab-data"))
    return site


@pytest.fixture(scope="module")
def server(site):
    with served(site) as server:
        yield server.address


@pytest.fixture
def open_lab(open_page, site, server):
    def open_lab(name, state="", place="disk", script="", **options):
        options = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"} | options
        root, own = (site.as_uri(), "file:") if place == "disk" else (server, server)
        before = partial(Page.add_init_script, script=script)
        page = open_page(f"{root}/{name}/index.html{state}", own=own, before=before, **options)
        page.locator(".lab").wait_for()
        return page, page.locator(".lab")

    return open_lab


def guess(lab):
    lab.locator("input[type=radio]").first.check()


def press(lab, name):
    lab.get_by_role("button", name=name).click()


def words(lab, wanted="", timeout=30_000):
    """What the lab says, as soon as it says what is wanted."""
    said = lab.locator("[aria-live]").first
    lab.page.wait_for_function(
        "([node, text]) => node.innerText.includes(text)", arg=[said.element_handle(), wanted], timeout=timeout
    )
    return said.inner_text()


TOGETHER = r"You said “5 first”; it was “all three together”." + "".join(rf".*k = {k} from step \d+" for k in (1, 3, 5))


def test_a_lab_trains_and_says_first_what_became_of_the_guess(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    press(lab, "Train")
    assert re.match(TOGETHER, words(lab, "You said", 120_000), re.S) and page.faults == []


def test_corners_of_a_cube_are_shown_and_told(open_lab):
    page, lab = open_lab("cube")
    guess(lab)
    press(lab, "Train")
    assert re.search(r"Right on 100 % of the seen corners and on \d+ % of", words(lab, "You said", 120_000))
    assert page.faults == []


def test_on_the_rod_the_energy_finds_the_kink_and_the_strong_form_does_not(open_lab, packed):
    page, lab = open_lab("rod")
    last = packed["rod"]["recorded"]["rows"][-1]
    assert last[1] > 2 * last[2] and "strong form" in lab.locator(".lab-past").inner_text()
    guess(lab)
    press(lab, "Train")
    said = words(lab, "You said", 120_000)
    exact, modified = (float(v) for v in re.search(r"ends (\S+) from .* and (\S+) from", said).groups())
    assert modified > 3 * exact and "“the exact one”: right" in said and page.faults == []


PAGES = [page.stem for page in sorted(HTML.glob("chapters/*.html")) if 'class="lab-data"' in page.read_text("utf8")]


@pytest.mark.parametrize("name", PAGES)
def test_the_lab_of_each_page_trains(open_page, name):
    page = open_page(f"{HTML.as_uri()}/chapters/{name}.html", own="file:", reduced_motion="reduce")
    page.locator("script.lab-data").evaluate("node => node.parentElement.scrollIntoView()")
    lab = page.locator(".lab")
    lab.wait_for()
    guess(lab)
    press(lab, "Train")
    said = words(lab, "You said", 240_000)
    assert "undefined" not in said and "NaN" not in said and page.faults == []


def longest_task(browser, page, act):
    """Processor time of the page's longest task while `act` runs, in milliseconds."""
    browser.start_tracing(page=page, categories=["toplevel", "devtools.timeline"])
    act()
    events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and "RendererMain" in e["args"]["name"]}
    tasks = [e for e in events if e["name"].endswith("RunTask") and (e["pid"], e["tid"]) in main and "tdur" in e]
    assert len(tasks) > 20
    return max(e["tdur"] for e in tasks) / 1000


@pytest.mark.alone
@pytest.mark.parametrize("place", ["served", "disk"])
@pytest.mark.parametrize("name", LABS)
def test_no_task_is_long_while_a_lab_trains(browser, open_lab, name, place):
    page, lab = open_lab(name, place=place, reduced_motion="no-preference", viewport={"width": 1280, "height": 900})
    guess(lab)
    page.wait_for_timeout(500)

    def act():
        press(lab, "Train")
        page.wait_for_timeout(2000)

    for _ in range(3):  # a machine that shares its cores is slow now and then; a task that is too long is so each time
        longest = longest_task(browser, page, act)
        if longest < 50:
            break
        press(lab, "Reset")
        guess(lab)
    assert longest < 50


@pytest.mark.alone
@pytest.mark.parametrize("place", ["served", "disk"])
def test_a_lab_stops_at_once_and_begins_anew(open_lab, place):
    page, lab = open_lab("noise", place=place)
    guess(lab)
    waited = []
    for _ in range(3):  # a busy machine answers late now and then
        press(lab, "Train")
        page.wait_for_timeout(300)
        waited += [
            page.evaluate("""async () => {
          const asked = performance.now();
          await new Promise(resume => setTimeout(resume)); // behind the task that is going on
          document.querySelector(".lab-train").click();
          if (!/Stopped at step/.test(document.querySelector(".lab .replay-text").innerText)) return Infinity;
          return performance.now() - asked;
        }""")
        ]
        page.wait_for_timeout(200)
        drawn = lab.locator(".seek > svg path.curve:not(.ghost)").first.get_attribute("d")
        page.wait_for_timeout(200)
        assert lab.locator(".seek > svg path.curve:not(.ghost)").first.get_attribute("d") == drawn
    assert min(waited) < 100
    press(lab, "Reset")
    assert (
        "Guess, then press Train" in words(lab)
        and lab.get_by_role("button", name="Train").is_visible()
        and page.faults == []
    )


@pytest.mark.alone
@pytest.mark.parametrize("place", ["served", "disk"])
def test_a_hidden_page_waits(open_lab, place):
    """Browsers draw no frames of a hidden page; so does this one."""
    page, lab = open_lab(
        "noise",
        place=place,
        script="""
      const frame = window.requestAnimationFrame.bind(window), held = [];
      window.requestAnimationFrame = (act) => (window.isHidden ? held.push(act) : frame(act));
      window.showAgain = () => { window.isHidden = false; held.splice(0).forEach(frame); };
    """,
    )
    guess(lab)
    press(lab, "Train")
    page.wait_for_timeout(500)

    def progress(milliseconds):
        page.wait_for_timeout(milliseconds)
        return lab.locator(".seek > svg path.curve:not(.ghost)").first.get_attribute("d")

    page.evaluate("window.isHidden = true")
    page.wait_for_timeout(1000)
    assert progress(300) == progress(500)
    page.evaluate("window.showAgain()")
    before = progress(0)
    assert progress(1000) != before and page.faults == []


def test_a_step_is_a_step(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    for step in (1, 2, 3):
        press(lab, "Step")
        words(lab, f"Step {step}.")
    press(lab, "Train")
    assert re.match(TOGETHER, words(lab, "You said"), re.S) and page.faults == []


def choose(lab, label, value):
    lab.get_by_label(label, exact=True).fill(str(value))
    lab.get_by_label(label, exact=True).press("Tab")


def test_a_link_reproduces_a_run(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    choose(lab, "scale a", 0.3)
    choose(lab, "frequencies", "1, 5")
    choose(lab, "seed", 3)
    press(lab, "Train")
    said, link = words(lab, "Fitted", 120_000), page.url
    assert "#lab0?" in link
    again, other = open_lab("order", state="#" + link.split("#")[1])
    for label, value in {"scale a": "0.3", "frequencies": "1, 5", "seed": "3"}.items():
        assert other.get_by_label(label, exact=True).input_value() == value
    press(other, "Train")
    assert words(other, "Fitted", 120_000) == said
    again.evaluate("location.hash = '#lab0?network.a=0.2'")  # a link that is pasted into the open page
    words(other, "Press Train")
    assert other.get_by_label("scale a", exact=True).input_value() == "0.2" and page.faults == again.faults == []


HOSTILE = {
    "too large": "network.a=1e9",
    "no number": 'network.a="0.3"',
    "no JSON": "network.a=<b>",
    "no switch": 'network.antisymmetric="<img src=x onerror=alert(1)>"',
    "no control": "training.steps=100000000",
    "of every object": 'constructor={"prototype":1}',
    "prototype": '__proto__={"a":1}',
    "beyond the highest frequency": 'data.sines={"30":1}',
    "an amplitude without bounds": 'data.sines={"3":1e300}',
    "no object": "data.sines=null",
    "one right, one wrong": "network.a=0.2&network.seed=-1",
    "broken": "network.a=%E0%A4%A",
}


@pytest.mark.parametrize("state", HOSTILE.values(), ids=HOSTILE)
def test_an_address_that_does_not_fit_is_refused_with_one_message(open_lab, state):
    page, lab = open_lab("order", state=f"#lab0?{state}")
    said = words(lab, "address")
    assert said.count("do not fit") == 1 and not re.search("undefined|destructure|prop", said), said
    assert lab.get_by_label("scale a", exact=True).input_value() == "0.1"
    assert lab.locator("img").count() == 0 and page.faults == []


def test_runs_are_laid_over_one_another(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    for a in (0.2, 0.3):
        choose(lab, "scale a", a)
        press(lab, "Train")
        words(lab, "Fitted")
    assert lab.locator(".lab-past").inner_text() == "Dashed: the recorded run, scale a 0.3; scale a 0.2."
    assert lab.locator(".seek path.ghost").count() == 6  # three frequencies, two runs below this one
    assert page.faults == []


def test_a_lab_refuses_nonsense_with_the_reason(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    lab.get_by_label("frequencies").fill("1, 30")
    press(lab, "Train")
    assert "41 points cannot tell k = 30 from 11" in words(lab, "Please")
    choose(lab, "scale a", 7)
    assert words(lab, "scale a") == "Please choose again: scale a is a number from 0.05 to 0.6."
    assert page.faults == []


def test_a_run_that_does_not_decide_the_question_says_so(open_lab):
    """After one step neither 1 nor 5 is fitted."""
    page, lab = open_lab("order", script="""
      const parse = JSON.parse;
      JSON.parse = (text) => {
        const data = parse(text);
        if (data?.training) data.training.steps = 1;
        return data;
      };
    """)  # fmt: skip
    guess(lab)
    press(lab, "Train")
    assert "does not decide the question" in words(lab, "This run", 120_000) and page.faults == []


@pytest.mark.parametrize("entry", ["1, x", "2.5", " ", ",", "0", "1 3 5", "1;3"])
def test_what_is_no_frequency_is_not_refused_as_an_alias(open_lab, entry):
    page, lab = open_lab("order")
    choose(lab, "frequencies", entry)
    assert (
        words(lab, "Please")
        == "Please choose again: frequencies are whole numbers from 1 to 20 with commas between them."
    )
    assert page.faults == []


def test_the_reason_of_a_refusal_stays(open_lab):
    """Also where a run was under way, and when Train is pressed all the same."""
    page, lab = open_lab("noise", place="served")
    guess(lab)
    press(lab, "Train")
    page.wait_for_timeout(200)
    choose(lab, "noise s", 77)
    page.wait_for_timeout(400)
    reason = words(lab, "Please")
    press(lab, "Train")
    assert words(lab) == reason and "noise s" in reason and page.faults == []


NO_ANSWER = """window.Worker = class {
  postMessage({ declared }) { if (!declared) setTimeout(() => this.onmessage({ data: null })); }
  terminate() {}
}"""


def test_a_training_that_fails_says_so_and_can_be_begun_again(open_lab):
    page, lab = open_lab("order", place="served", script=NO_ANSWER)
    guess(lab)
    press(lab, "Train")
    words(lab, "This cannot be trained here")
    expect(lab.get_by_role("button", name="Train")).to_be_enabled()
    assert lab.get_by_role("button", name="Stop").count() == 0 and page.faults == []


def test_a_double_click_is_one_click(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    lab.get_by_role("button", name="Train").dblclick()
    assert "You said" in words(lab, "You said", 120_000) and page.faults == []


def test_the_question_is_asked_only_with_the_settings_it_is_about(open_lab):
    page, lab = open_lab("order", state="#lab0?network.a=0.2")
    assert not lab.locator(".lab-ask").is_visible()
    press(lab, "Train")
    assert "You said" not in words(lab, "Fitted", 120_000)
    press(lab, "Reset")
    assert lab.locator(".lab-ask").is_visible()
    press(lab, "Train")
    assert "First guess" in lab.locator(".lab-ask").inner_text() and page.faults == []


@pytest.mark.parametrize("degree", [1, 2])
def test_away_from_the_question_the_verdict_comes_first_in_words(open_lab, degree):
    page, lab = open_lab("cube", state=f"#lab0?data.degree={degree}")
    press(lab, "Train")
    said = words(lab, "Right on", 120_000)
    share = int(re.search(r"and on (\d+) % of the others", said)[1])
    answer = "fewer than half" if share < 49 else "more" if share > 51 else "half"
    assert said.startswith(f"With these settings the answer to the question of this lab is “{answer}”.")
    assert page.faults == []


def test_messages_stand_where_the_reader_is(open_lab):
    """On a phone: the demand for a guess in the question, a refusal beside its field, the result above the panels."""
    page, lab = open_lab("order", has_touch=True)
    lab.get_by_role("button", name="Train").tap()
    expect(lab.locator(".lab-ask .refusal")).to_be_in_viewport()
    choose(lab, "scale a", 7)
    expect(lab.locator(".control .refusal:visible")).to_be_in_viewport()
    places = [lab.locator(one).first.bounding_box()["y"] for one in (".lab-choose", ".replay-text", ".replay-cards")]
    assert places == sorted(places) and page.faults == []


def test_before_training_only_what_the_question_shows_is_drawn(open_lab, packed):
    page, lab = open_lab("noise")
    assert lab.locator("path.ghost").count() == 0 and "Least" not in words(lab)  # the recorded run is the answer
    page, lab = open_lab("order")
    assert "recorded run, scale a 0.3" in lab.locator(".lab-past").inner_text()
    assert lab.locator(".replay-card").nth(1).inner_text().count("at the points") == 1  # where its spectrum is taken
    solid = lab.locator(".seek path.curve:not(.ghost, .later)").evaluate_all("all => all.map(p => p.getAttribute('d'))")
    assert not any(solid[-3:]) and lab.locator(".seek path.ghost").count() == 3 and page.faults == []


def test_ones_own_run_is_moved_through_and_played(open_lab):
    page, lab = open_lab("order")
    errors = lab.locator(".seek > svg").first
    assert not lab.locator(".lab-player").is_visible()
    expect(errors).to_have_css("cursor", "default")  # there is nothing to move yet
    guess(lab)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    expect(errors).to_have_css("cursor", "ew-resize")
    slider, output = lab.get_by_label("step", exact=True), lab.locator(".replay-card").first.locator("path.curve").last
    last = output.get_attribute("d")
    slider.press("Home")
    assert output.get_attribute("d") != last and slider.get_attribute("aria-valuetext") == "step 0"
    press(lab, "Play")  # offered with reduced motion too
    page.wait_for_timeout(700)
    assert int(slider.input_value()) > 2
    press(lab, "Pause")
    press(lab, "Play")
    slider.press("Home")  # moved by hand, it stays there
    page.wait_for_timeout(700)
    assert slider.input_value() == "0" and lab.get_by_role("button", name="Play").is_visible()
    slider.press("End")
    assert output.get_attribute("d") == last
    choose(lab, "seed", 1)  # the run is over, and nothing of it can be moved through
    assert not slider.is_visible() and page.faults == []


@pytest.mark.parametrize("name", LABS)
def test_every_run_is_moved_through_and_laid_under_the_next(open_lab, name):
    """Nothing differs but the seed, so that the second run can be compared with the first."""
    page, lab = open_lab(name, place="served")
    first = lab.locator(".replay-card").first
    shown = """card => card.querySelector("canvas")?.toDataURL()
      ?? [...card.querySelectorAll("path.curve")].map(path => path.getAttribute("d")).join()"""
    guess(lab)
    press(lab, "Train")
    words(lab, "You said", 240_000)
    end = first.evaluate(shown)
    lab.get_by_label("step", exact=True).press("Home")
    begin = first.evaluate(shown)
    panel = lab.locator(".seek > svg").first
    right = panel.bounding_box()["width"] - 20
    panel.click(position={"x": right, "y": 20})  # the panel over the steps moves it too
    assert begin != end and first.evaluate(shown) != begin
    before = lab.locator(".seek").first.locator("path.ghost").count()
    choose(lab, "seed", 1)
    press(lab, "Train")
    words(lab, "You said", 240_000)
    assert lab.locator(".seek").first.locator("path.ghost").count() > before
    assert "as declared" in lab.locator(".lab-past").inner_text() and page.faults == []


def test_the_heat_map_is_at_first_of_the_recorded_run(open_lab, packed):
    """Its three rows; then of one's own, with its own steps."""
    page, lab = open_lab("order")
    card = lab.locator(".replay-card").nth(3)
    recorded = packed["order"]["recorded"]["rows"]
    painted = """card => [...card.querySelectorAll('.heat-cells path')]
      .map(path => path.getAttribute('d')).join('').split('M').length"""
    assert "recorded run" in card.inner_text() and card.locator(".heat-marks[d^=M]").count() == 1
    drawn = card.evaluate(painted)
    assert drawn > 3 * 0.8 * len([row for row in recorded if row[0] > 0])
    guess(lab)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    assert "recorded run" not in card.inner_text() and card.evaluate(painted) != drawn and page.faults == []


def test_numbers_have_the_colours_of_their_curves(open_lab, packed):
    page, lab = open_lab("order")
    guess(lab)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    marked = lab.locator(".lab-value").evaluate_all(
        "all => all.map(node => [node.innerText.slice(0, 5), getComputedStyle(node).textDecorationColor])"
    )
    rgb = {
        k: tuple(int(COLORS[name][i : i + 2], 16) for i in (1, 3, 5))
        for k, name in zip((1, 3, 5), ("low", "middle", "high"))
    }
    assert marked == [[f"k = {k}", f"rgb{rgb[k]}"] for k in (1, 3, 5)] and page.faults == []


def test_a_black_curve_has_a_line_below_its_number_that_is_seen_in_the_dark(open_lab):
    page, lab = open_lab("rod")
    shown = lab.evaluate("""lab => ["light", "dark"].map(theme => {
      document.documentElement.dataset.theme = theme;
      const value = document.createElement("span");
      value.className = "lab-value";
      value.style.setProperty("--curve", "#000000");
      lab.querySelector(".replay-text").append(value);
      return getComputedStyle(value).textDecorationColor;
    })""")
    assert "0, 0, 0" in shown[0] and re.search(r"255, 255, 255|srgb 1 1 1", shown[1]) and page.faults == []


def test_the_key_of_a_picture_names_what_it_shows(open_lab):
    page, lab = open_lab("cube")
    keys = lab.locator(".picture .replay-key")
    assert keys.all_inner_texts() == ["unseen", "seen"]
    guess(lab)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    assert keys.all_inner_texts() == ["unseen, wrong", "unseen, right", "seen, wrong", "seen, right"]
    assert page.faults == []


def test_a_line_leaves_its_panel_and_is_cut_off_there(open_lab):
    page, _ = open_lab("rod")
    last, edge = page.evaluate(r"""() => {
      const card = document.createElement("div");
      document.querySelector(".replay-card").parentElement.append(card);
      card.className = "replay-card";
      const curves = [{ name: "error", style: "-", color: "#000000", y: Float64Array.of(1, 0.1, 0) }];
      const axes = { log: "y", x: Float64Array.of(0, 1, 2), xlim: [0, 2], ylim: [0.01, 1] };
      const spec = { ylabel: "", xlabel: "", ...axes, curves };
      const panel = new fpReplay.CurvesPanel(card, spec, [0]);
      panel.layout();
      const line = panel.svg.querySelector("path.curve");
      const end = Number(line.getAttribute("d").split(" ").at(-1));
      const bottom = Number(/inset\(\S+ \S+ (\S+)px \S+\) view-box/.exec(getComputedStyle(line).clipPath)[1]);
      return [end, panel.svg.clientHeight - bottom];
    }""")
    assert last > edge + 1000 and 100 < edge < 200 and page.faults == []


def test_legend_and_picture_have_one_colour_in_the_dark(open_lab):
    page, lab = open_lab("cube")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    inverted = """node => {
      let count = 0;
      for (; node; node = node.parentElement) count += getComputedStyle(node).filter.includes("invert");
      return count % 2;
    }"""
    for part in ("canvas", ".replay-key svg"):
        assert lab.locator(".picture").locator(part).first.evaluate(inverted) == 0
    assert lab.locator(".replay-card").nth(1).locator(".replay-key svg").first.evaluate(inverted) == 1


def test_colours_are_those_of_the_book(open_lab):
    page, _ = open_lab("order")
    twins = page.evaluate("[fpColors.COLORS, fpColors.FREQUENCY_COLORS]")
    assert twins[0] == {name: color.lower() for name, color in COLORS.items()}
    assert twins[1] == [color.lower() for color in labs.spec.FREQUENCY_COLORS]


AXES = """cases => cases.map(({width, xlim, log}) => {
  const card = document.createElement("div");
  card.style.width = `${width}px`;
  document.querySelector(".replay-card").parentElement.append(card);
  card.className = "replay-card";
  const spec = {ylabel: "", xlabel: "", log, x: xlim, xlim, ylim: [0, 1], curves: []};
  const panel = new fpReplay.CurvesPanel(card, spec, [0]);
  panel.layout();
  const texts = [...card.querySelectorAll("text")].filter(text => text.getAttribute("text-anchor") === "middle");
  const found = texts.map(text => [text, text.getBoundingClientRect()]).map(
    ([{ textContent }, { left, right }]) => [textContent, left, right]);
  card.remove();
  return found;
})"""


def tick_value(text):
    """The number that a tick shows: "−0.5", "2.0e7", or a power "10⁻²"."""
    text = text.replace("\u2212", "-")
    exponent = text[2:].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return 10.0 ** int(exponent) if exponent != text[2:] else float(text)


@pytest.mark.parametrize("width, most", [(300, 5), (380, 5), (800, 8)])
def test_ticks_are_even_few_and_apart(width, most, open_lab):
    rng = np.random.default_rng(width)
    ranges = [[float(f"{low:.3g}"), float(f"{low + size:.3g}")]
              for low, size in zip(rng.normal(size=40), 10 ** rng.uniform(-1, 5, 40))]  # fmt: skip
    page, _ = open_lab("order", viewport={"width": 1280, "height": 800})
    for (low, high), found in zip(ranges, page.evaluate(AXES, [dict(width=width, xlim=r, log="") for r in ranges])):
        values, ends = [tick_value(text) for text, *_ in found], [end for _, *ends in found for end in ends]
        assert 1 <= len(values) <= most and low - 1e-9 <= values[0] and values[-1] <= high + 1e-9, (low, high, values)
        steps = {f"{step:.1e}"[:3] for step in np.diff(values)}
        assert len(steps) <= 1 and steps <= {"1.0", "2.0", "5.0"} and ends == sorted(ends), (low, high, values)
    powers = [[1e-3, 1], [2e-3, 3], [1e-9, 1e5]]
    for (low, high), found in zip(powers, page.evaluate(AXES, [dict(width=width, xlim=r, log="x") for r in powers])):
        ends, values = [end for _, *ends in found for end in ends], [tick_value(text) for text, *_ in found]
        (step,) = {round(step) for step in np.diff(np.log10(values))}
        assert step >= 1 and len(values) <= 7 and low <= values[0] < values[-1] <= high and ends == sorted(ends)


PLACES = """svg => ["text[text-anchor=middle]", "text[text-anchor=end]", "line", "path.axis"].map(
  (kind) => [...svg.querySelectorAll(kind)].map((node) => node.getBoundingClientRect()).map(
    ({ left, right, top, bottom }) => [left, right, top, bottom]))"""


def test_each_tick_has_its_line_across_the_panel(open_lab):
    page, lab = open_lab("order")
    panels = lab.locator(".replay-card:not(:has(.heat-cells)) > svg")  # a heat map has rows
    for below, beside, lines, ((left, right, top, bottom),) in [panel.evaluate(PLACES) for panel in panels.all()]:
        middle = [(a + b) / 2 for a, b, *_ in below], [(c + d) / 2 for *_, c, d in beside]
        assert min(map(len, middle)) > 1
        for tick in middle[0]:
            assert any(np.allclose(line, [tick, tick, top, bottom], atol=1.5) for line in lines)
        for tick in middle[1]:
            assert any(np.allclose(line, [left, right, tick, tick], atol=4) for line in lines), (tick, lines)
    assert page.faults == []


@pytest.mark.parametrize("name", ["order", "noise", "rod"])
def test_page_and_kernel_give_the_curves_of_the_first_panel_the_same_names(name, open_lab, packed):
    page, lab = open_lab(name)
    made = packed[name] | {"training": packed[name]["training"] | {"steps": 2}}
    first, *_ = messages.picture(made, labs.experiment.run(made)).axes
    shown = lab.locator(".replay-card").first.locator(".replay-key").all_inner_texts()
    assert sorted([*map(str.strip, shown), "output"]) == sorted(t.get_text() for t in first.get_legend().get_texts())


SAYS = """runs => runs.map(({declared, rows, done, guess, recorded}) => {
  const [run, base] = [{declared, rows, done, frames: []}, {...recorded, declared, frames: []}];
  const {question} = declared, right = fpMessages.verdict(question, run, base);
  const reply = fpMessages.reply(question, guess, right), elsewhere = fpMessages.answer(question, run, base);
  return [fpMessages.words(run, base), right, reply, elsewhere, fpMessages.order(run)];
})"""


def test_python_and_the_page_say_the_same(open_lab, packed):
    """Words, verdict, reply and order of runs that come, stay, leave again, never come, are stopped or lost."""
    rng = np.random.default_rng(0)
    declared = {key: packed["order"][key] for key in ("data", "network", "training", "watch", "choose", "question")}
    declared["says"] = "{each}: {t:k = 1}, {first:k = 3}, {end:k = 5}, {%low:k = 1}, {best:k = 3}; {recorded steps}."
    made, cases, expected = with_choice(declared | {"says": declared["says"]}, {}), [], []
    for i in range(60):
        values = rng.choice([0.02, 0.05, 0.1, 0.3, 1.0], (4, 3))
        falling = -np.sort(-values, axis=0) if i % 2 else values
        rows = [[t, *map(float, row)] for t, row in zip((0, 1, 7, 1200), falling)]
        done = ["fitted", "long", "stopped", "lost"][i % 4]
        both = [rows, rows[::-1]]
        results = [
            {"step": np.array([r[0] for r in one]), "done": done, "series": {
                f"k = {k}": np.array([r[c + 1] for r in one]) for c, k in enumerate((1, 3, 5))}}
            for one in both
        ]  # fmt: skip
        right = messages.verdict(made, *results)
        told = messages.words(made, *results), messages.order(made, results[0])
        elsewhere = messages.answer(made, *results)
        expected.append([told[0], right, messages.reply(made["question"], i % 3, right), elsewhere, told[1]])
        ended = done if done != "stopped" else ""
        cases.append(dict(declared=made, rows=rows, done=ended, guess=i % 3, recorded=dict(rows=both[1], done=ended)))
    page, _ = open_lab("order")
    assert page.evaluate(SAYS, cases) == expected and len({order for *_, order in expected}) > 2


def test_another_seed_is_the_same_question(open_lab):
    page, lab = open_lab("order")
    guess(lab)
    choose(lab, "seed", 1)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    assert page.faults == []


def test_the_keyboard_is_enough(open_lab):
    page, lab = open_lab("order")
    lab.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("""() => {
          const node = document.activeElement;
          const name = node.closest(".lab") && (node.labels?.[0]?.innerText || node.innerText);
          return [name, getComputedStyle(node).outlineStyle];
        }""")
        if name is None:
            break
        assert outline != "none", name
        reached += [name.split("\n")[0].strip()]
        if name.startswith("scale a"):
            page.keyboard.press("ArrowUp")  # 0.15
    assert [re.sub(r"^\W+ ", "", name) for name in reached] == [
        "Train", "Step", "Reset", "scale a", "frequencies", "start at zero (ASI)", "seed"
    ]  # fmt: skip
    assert "network.a=0.15" in page.url
    for _ in reached:
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert "Fitted" in words(lab, "Fitted") and page.faults == []


@pytest.mark.alone
def test_less_motion_where_the_reader_asks_for_it(open_lab):
    """Twice a second, and not with every frame."""
    page, lab = open_lab("noise")
    guess(lab)
    press(lab, "Train")
    page.evaluate("""() => {
      window.draws = 0;
      const cards = document.querySelector(".lab .replay-cards");
      const all = {childList: true, subtree: true, attributes: true};
      new MutationObserver(() => { window.draws++; }).observe(cards, all);
    }""")
    page.wait_for_timeout(2000)
    assert 1 <= page.evaluate("window.draws") <= 5 and page.faults == []


EACH = """async () => {
  const lab = document.querySelector(".lab"), every = (kinds) => [...lab.querySelectorAll(kinds)];
  const valueOf = (node) => (node.type === "checkbox" ? node.checked : node.value);
  const seen = () => ({
    values: every(".control :is(input, select)").map(valueOf),
    drawn: every("svg > path.curve").map((node) => node.getAttribute("d")).join(),
    said: every("[aria-live], .lab-past").map((node) => node.textContent),
    asks: every("fieldset")[0].checkVisibility(),
  });
  const press = (text) => every("button").find((node) => node.textContent === text).click();
  const choose = (node, value) => {
    node[node.type === "checkbox" ? "checked" : "value"] = value;
    for (const kind of ["input", "change"]) node.dispatchEvent(new Event(kind));
  };
  const before = seen(), found = [];
  for (const node of every(".control :is(input, select)")) {
    const [value, own] = [valueOf(node), []];
    const ends = [node.max, node.min];
    const all = { checkbox: [!value], text: ["2", "2, 7"], number: ends, range: ends }[node.type];
    for (const other of (all ?? [...node.options].map((one) => one.value)).filter((one) => one !== value)) {
      choose(node, other);
      await new Promise((resume) => setTimeout(resume, 220)); // an address is written five times a second
      own.push([other, { ...seen(), hash: location.hash }]);
    }
    choose(node, value);
    const back = [{ ...seen(), said: 0 }, location.hash];
    press("Reset");
    found.push({ own, back, reset: seen() });
  }
  const linked = [];
  for (const { own } of found) for (const [, { hash, ...shown }] of own) {
    history.replaceState(null, "", " ");
    location.hash = hash;
    dispatchEvent(new HashChangeEvent("hashchange")); // at once: the page may be about to write the address of before
    linked.push([shown, seen()]);
    await new Promise((resume) => addEventListener("hashchange", resume, { once: true }));
  }
  return { before, found, linked };
}"""


@pytest.mark.parametrize("name", ["order", "rod"])  # the kinds of controls that there are
def test_every_control_of_a_lab_is_kept_by_its_link_and_goes_back(open_lab, name):
    """A number and its slider move together; the question stays for what it is about; Reset begins anew."""
    page, lab = open_lab(name, place="served", viewport={"width": 1280, "height": 900})
    told = page.evaluate(EACH)
    before = told["before"]
    for one in told["found"]:
        changed = [shown for _, shown in one["own"]]
        assert len({str(shown["values"]) for shown in changed} | {str(before["values"])}) == len(changed) + 1
        assert all(shown["hash"].startswith("#lab0?") for shown in changed)
        assert one["back"] == [{**before, "said": 0}, ""] and one["reset"] == before
        for value, shown in one["own"]:
            kept = "network.seed=" in shown["hash"]
            assert shown["asks"] == kept and str(value) in map(str, shown["values"])
    assert [now for _, now in told["linked"]] == [shown for shown, _ in told["linked"]]
    assert page.faults == []
