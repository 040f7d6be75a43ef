"""The first page's two networks in a browser: guess, train, see what is between the points, move through the run.

The page is made here from the sources of the lab and served under the policy of the book, so no built book is needed.
"""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bookbuild.read.interactive import files
from conftest import CHECKS, CHROMIUM, ROOT, served, write_lab
from landing_run import SCALES, declare
from playwright.sync_api import expect

from fpbook.plotting import COLORS

if not CHROMIUM:
    pytest.skip("no Chromium on this machine: the lab of the first page is not tested", allow_module_level=True)

BETWEEN = re.compile(r"left is off by (\d+)\s%, the right by (\d+)\s%")
STILL = "The still picture. <a href='#why'>Why? Section 1.1</a>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing")
    return write_lab(folder, "Lab", "landing-lab", STILL, files("landing-lab"))


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as server:
        yield f"{server.address}/index.html"


def state(page, *wanted):
    page.locator(", ".join(f".landing-live[data-state={name}]" for name in wanted)).wait_for(timeout=120_000)


def train(page):
    page.get_by_role("button", name="Train both").click()
    state(page, "fitted")


def reveal(page):
    """Press the large button; the shares by which left and right are off between the points."""
    page.get_by_role("button", name="What is between the points?").click()
    expect(page.get_by_role("status")).to_contain_text("Between the points")
    return [int(part) for part in BETWEEN.search(page.get_by_role("status").inner_text()).groups()]


def steps(page, side):
    """The steps at which slow, middle and fast waves are learned, as one panel shows them."""
    shown = page.locator(".landing-panel").nth(side).locator("small").all_inner_texts()
    return [int(re.search(r"\d+", text)[0]) for text in shown]


def outputs(page):
    return page.locator("path.network").evaluate_all("lines => lines.map((line) => line.getAttribute('d'))")


def still(page):
    """Wait until the curves no longer move."""
    page.wait_for_function("""() => {
      const now = [...document.querySelectorAll("path.network")].map((line) => line.getAttribute("d")).join();
      const same = window.before === now;
      window.before = now;
      return same;
    }""", polling=300)  # fmt: skip


@pytest.mark.parametrize("place", ["served", "disk"])
def test_both_fit_the_points_and_one_has_learned_the_curve(open_page, folder, address, place):
    page = open_page(address if place == "served" else (folder / "index.html").as_uri())
    page.get_by_label("the left one").check()
    train(page)
    said = page.get_by_role("status").inner_text()
    assert "At the points both are off by at most" in said and "does not tell which of the two is better" in said
    slow, middle, fast = steps(page, 0)
    assert slow < middle < fast and fast > 2 * slow and max(steps(page, 1)) < 2 * min(steps(page, 1))
    straight = outputs(page)
    left, right = reveal(page)
    told = page.get_by_role("status").inner_text()
    assert left < 10 and right > 30 and "You guessed right." in told
    assert "This is the frequency principle" in told
    still(page)
    bent = outputs(page)
    assert all(a.count("L") == b.count("L") and a != b for a, b in zip(straight, bent))
    assert page.get_by_role("link", name="Why?").is_visible() and page.faults == []


def test_a_wrong_guess_is_told_and_other_initial_weights_give_the_same_picture(open_page, address):
    page = open_page(address)
    page.get_by_label("I cannot tell").check()
    train(page)
    reveal(page)
    expect(page.get_by_role("status")).to_contain_text("It is the left one.")
    before = steps(page, 0) + steps(page, 1)
    page.get_by_role("button", name="Other weights").dblclick()  # is one click
    state(page, "fitted")
    left, right = reveal(page)
    assert left < 10 and right > 30 and steps(page, 0) + steps(page, 1) != before and page.faults == []


def test_the_run_before_lies_under_the_next_until_the_reveal(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    lines = page.locator("path.before")
    train(page)
    before = outputs(page)
    assert not any(lines.evaluate_all("all => all.map((line) => line.getAttribute('d'))"))
    reveal(page)
    page.get_by_role("button", name="Other weights").click()
    state(page, "fitted")
    assert page.get_by_text("the run before").count() == 1 and outputs(page) != before
    ends = lines.evaluate_all("all => all.map((line) => line.getAttribute('d').split('L').length)")
    assert ends == [41, 41]
    page.get_by_role("slider", name="step").fill("30")
    moved = lines.evaluate_all("all => all.map((line) => line.getAttribute('d'))")
    assert moved[0] != moved[1] and lines.first.is_visible()
    reveal(page)
    assert not lines.first.is_visible() and page.get_by_text("the run before").count() == 0 and page.faults == []


def test_with_tanh_the_left_network_learns_the_curve_too(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    train(page)
    reveal(page)
    bump, title = steps(page, 0), page.locator(".landing-title").first
    page.get_by_role("button", name="Try tanh on the left").click()
    state(page, "fitted")
    assert title.inner_text() == "activation: tanh"
    left, right = reveal(page)
    assert left < 10 and right > 30
    slow, middle, fast = steps(page, 0)
    assert slow < middle < fast and fast > max(bump)
    said = page.get_by_role("status").inner_text()
    assert f"the slow wave by step {slow}, the fast one by step {fast}" in said
    page.get_by_role("button", name="The bump again").click()
    state(page, "fitted")
    assert "a bump" in title.inner_text() and steps(page, 0) == bump and page.faults == []


def test_the_recorded_run_is_the_one_that_trains(open_page, address):
    """What plays before the first press, and what the page trains from the same seed, are learned at the same steps."""
    page = open_page(address, reduced_motion="reduce")
    recorded = steps(page, 0), steps(page, 1)
    train(page)
    assert (steps(page, 0), steps(page, 1)) == recorded and page.faults == []


def test_the_curve_is_the_sum_of_the_waves_below_it(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    drawn = "nodes => nodes.map(node => node.getAttribute('d').match(/[-.0-9]+/g).map(Number))"

    def heights(selector, left, right):  # of lines that are drawn from left to right for -pi to pi
        lines = page.locator(f".landing-panel >> nth=0 >> {selector}").evaluate_all(drawn)
        at = np.linspace(left, right, 81)[:70]
        return sum(np.interp(at, line[::2], np.negative(line[1::2])) for line in lines)

    curve, waves = heights(".target", 5, 195), heights(".learned path", 0, 120)
    assert np.corrcoef(curve, waves)[0, 1] > 0.99 and page.faults == []


def test_no_panel_is_ever_empty(open_page, address):
    page = open_page(address)
    assert all(len(line) > 1000 for line in outputs(page))
    first = outputs(page)
    page.wait_for_timeout(2500)
    assert outputs(page) != first  # the recording plays
    page.get_by_role("button", name="Train both").click()
    assert all(len(line) > 1000 for line in outputs(page)) and page.faults == []


@pytest.mark.alone
def test_a_run_plays_for_about_five_seconds(open_page, address):
    page = open_page(address)
    took = page.evaluate("""async () => {
      const begins = performance.now();
      document.querySelector(".landing-train").click();
      const live = document.querySelector(".landing-live");
      while (live.dataset.state !== "fitted") await new Promise((resume) => setTimeout(resume, 50));
      return performance.now() - begins;
    }""")
    assert 4000 < took < 9000 and page.faults == []


@pytest.mark.alone
def test_stop_answers_at_once_and_go_on_goes_on(open_page, address):
    page = open_page(address)
    page.get_by_role("button", name="Train both").click()
    page.wait_for_timeout(1500)
    waited = page.evaluate("""() => {
      const start = performance.now();
      document.querySelector(".landing-train").click();
      return [performance.now() - start, document.querySelector(".landing-live").dataset.state];
    }""")
    assert waited[0] < 100 and waited[1] == "stopped"
    page.wait_for_timeout(200)
    stopped = outputs(page)
    page.wait_for_timeout(300)
    assert outputs(page) == stopped
    page.get_by_role("button", name="Go on").click()
    state(page, "fitted")
    assert outputs(page) != stopped and page.faults == []


def test_a_double_click_is_one_click(open_page, address):
    page = open_page(address)
    page.get_by_role("button", name="Train both").dblclick()
    page.wait_for_timeout(300)
    state(page, "training")
    assert page.faults == []


def test_the_run_can_be_moved_through_afterwards(open_page, address):
    page = open_page(address)
    train(page)
    reveal(page)
    still(page)
    end = outputs(page)
    slider = page.get_by_role("slider", name="step")
    slider.fill("30")
    early = outputs(page)
    assert early != end and re.fullmatch(r"step \d+", slider.get_attribute("aria-valuetext"))
    learned = page.get_by_role("meter").evaluate_all("bars => bars.map((bar) => Number(bar.ariaValueNow))")
    assert learned[0] > learned[2] + 30  # on the left the slow wave is ahead of the fast one
    slider.fill("120")
    assert outputs(page) == end and page.faults == []


def test_by_keyboard_alone(open_page, address):
    page = open_page(address)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first guess
    assert page.get_by_label("the left one").is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    state(page, "fitted")
    assert page.evaluate("document.activeElement.textContent") == "What is between the points?"
    page.keyboard.press("Enter")
    state(page, "revealed")
    assert page.evaluate("document.activeElement.textContent") == "Why? Section 1.1" and page.faults == []


def test_with_reduced_motion_nothing_plays_by_itself(open_page, address):
    page = open_page(address, reduced_motion="reduce")
    first = outputs(page)
    page.wait_for_timeout(1200)
    assert outputs(page) == first
    train(page)
    reveal(page)
    page.wait_for_timeout(100)
    grown = outputs(page)
    page.wait_for_timeout(300)
    assert outputs(page) == grown and page.faults == []


def test_without_scripts_the_picture_stays(open_page, address):
    page = open_page(address, java_script_enabled=False)
    assert page.get_by_text("The still picture").is_visible() and page.locator("button").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_the_lab_takes_its_place_or_changes_its_state(open_page, address, width):
    page = open_page(address, viewport={"width": width, "height": 844 if width < 600 else 720})
    lab, panels = page.locator(".landing-lab"), page.locator(".landing-panels")
    reserved = lab.evaluate("""lab => {
      lab.querySelector(".landing-live").style.display = "none";
      const height = lab.offsetHeight;
      lab.querySelector(".landing-live").style.display = "";
      return height;
    }""")
    places = [panels.bounding_box()["y"]]
    assert abs(lab.bounding_box()["height"] - reserved) < 40
    page.get_by_label("I cannot tell").check()  # its reply is the longest
    train(page)
    places.append(panels.bounding_box()["y"])
    reveal(page)
    places.append(panels.bounding_box()["y"])
    assert max(places) - min(places) < 12, places


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lab_is_accessible_in_every_state(open_page, address, theme):
    page = open_page(address, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def check(now):
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), now
        found = Axe().run(page, options=CHECKS).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], now
        small = page.locator(".landing-live :is(button, a, label, input[type=range])").evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect()).filter((box) => box.width && box.height < 24).length"
        )
        assert small == 0, now

    check("before")
    page.get_by_label("I cannot tell").check()
    page.get_by_role("button", name="Train both").click()
    check("during")
    state(page, "fitted")
    check("fitted")
    reveal(page)
    check("after")


def test_the_colours_are_those_of_the_book():
    texts = {name: (ROOT / name).read_text("utf8") for name in ("web/landing.css", "_static/book.css")}
    light, dark = (
        dict(re.findall(r"--(\w+): (#\w{6})", rule))
        for rule in re.findall(r"\.landing-lab \{([^}]*)\}", texts["web/landing.css"])[:2]
    )
    names = {"k1": "low", "k3": "middle", "k5": "high", "output": "output", "goal": "target"}
    assert light == {key: COLORS[name].lower() for key, name in names.items()}
    for key in ("k1", "k3", "k5", "output"):  # on the dark page as in the drawn diagrams
        assert f'[stroke="{light[key]}"] {{ stroke: {dark[key]}; }}' in texts["_static/book.css"]


def test_what_is_trained_is_what_the_script_declares():
    text = (ROOT / "web/landing-run.js").read_text("utf8")
    runs = json.loads(text[text.index("[") : text.rindex("]") + 1])
    assert [run["declared"] for run in runs] == [json.loads(json.dumps(declare(a))) for a in SCALES]
    assert [run["done"] for run in runs] == ["fitted", "fitted"]
