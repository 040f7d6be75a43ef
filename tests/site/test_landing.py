"""The lab of the first page in a browser: the order of learning with both widths, Stop, the address, no other host.

The page is made here from the sources of the lab and served under the policy of the book, so no built book is needed.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from bookbuild.read.interactive import LABS
from conftest import CHECKS, CHROMIUM, served, write_lab
from playwright.sync_api import expect

STEPS = re.compile(r"k = (\d) at step (\d+)")
BETWEEN = re.compile(r"between them ([\d.]+\d)")

if not CHROMIUM:
    pytest.skip("no Chromium on this machine: the lab of the first page is not tested", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("landing")
    return write_lab(folder, "Lab", "landing-lab", "The still picture.", LABS["landing-lab"])


@pytest.fixture(scope="module")
def address(folder):
    with served(folder) as server:
        yield f"{server.address}/index.html"


def state(page, *wanted):
    page.locator(", ".join(f".landing-live[data-state={name}]" for name in wanted)).wait_for(timeout=120_000)


def trained(page):
    """Press Train, wait, and read what the page says: the steps at which 1, 3 and 5 are fitted, the error between."""
    page.get_by_role("button", name="Train").click()
    state(page, "fitted", "long", "lost")
    said = page.get_by_role("status").inner_text()
    return {int(k): int(t) for k, t in STEPS.findall(said)}, float(BETWEEN.search(said)[1])


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("place", ["served", "disk"])
def test_the_wide_activation_keeps_the_order_and_the_narrow_one_loses_it(open_page, folder, address, place, seed):
    page = open_page(f"{address if place == 'served' else (folder / 'index.html').as_uri()}#a=0.3&seed={seed}")
    wide, right = trained(page)
    assert wide[1] < wide[3] < wide[5] and wide[5] > 2 * wide[1]
    page.get_by_label("narrow").check()
    narrow, wrong = trained(page)
    assert narrow[5] < 2 * narrow[1] and wrong > 50 * right
    assert "One after the other" not in page.get_by_role("status").inner_text()
    assert page.locator("path.ghost").count() == 3  # the run before, one curve a frequency
    drawn = page.locator("path.network")
    coarse = drawn.get_attribute("d")
    page.get_by_label("show between the points").check()
    assert len(drawn.get_attribute("d")) > 4 * len(coarse)
    assert page.faults == []


@pytest.mark.alone
def test_stop_answers_and_train_goes_on(open_page, address):
    page = open_page(address)
    page.get_by_role("button", name="Train").click()
    page.locator("path.now").nth(2).wait_for(state="attached")
    waited = page.evaluate("""() => {
      const start = performance.now();
      document.querySelector(".landing-train").click();
      return [performance.now() - start, document.querySelector(".landing-live").dataset.state];
    }""")
    assert waited[0] < 100 and waited[1] == "stopped"
    page.wait_for_timeout(300)
    still = page.locator("path.now").first.get_attribute("d")
    page.wait_for_timeout(300)
    assert page.locator("path.now").first.get_attribute("d") == still
    steps, _ = trained(page)  # goes on to the same end
    page.get_by_role("button", name="Reset").click()
    state(page, "ready")
    assert page.locator("path.ghost").count() == 0
    assert trained(page)[0] == steps
    assert page.faults == []


def test_what_was_stopped_stays_dashed_until_the_target_is_another(open_page, address):
    page = open_page(address)
    page.get_by_role("button", name="Train").click()
    page.locator("path.now").nth(2).wait_for(state="attached")
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("narrow").check()
    assert page.locator("path.ghost").count() == 3
    page.get_by_text("Change the target").click()
    page.get_by_role("button", name="Add a sine").click()
    assert page.locator("path.ghost").count() == 0 and page.faults == []


def test_seven_frequencies_have_seven_colours(open_page, address):
    page = open_page(f"{address}#a=0.3&seed=0&f=1:1,3:1,5:1,8:1,10:1,12:1,14:1")
    fills = page.locator(".bar:is(.k1, .k3, .k5, [class*=other])").evaluate_all(
        "bars => bars.map(bar => getComputedStyle(bar).fill)"
    )
    assert len(fills) == 7 == len(set(fills)) and page.faults == []


def test_width_and_seed_stand_in_the_address(open_page, address):
    page = open_page(address + "#a=0.1&seed=7")
    assert page.get_by_label("narrow").is_checked() and page.get_by_label("Seed").input_value() == "7"
    page.get_by_label("wide").check()
    page.get_by_label("Seed").fill("12")
    page.get_by_label("Seed").press("Tab")
    assert page.url.endswith("#a=0.3&seed=12")
    page.evaluate("location.hash = '#a=0.1&seed=2'")
    expect(page.get_by_label("narrow")).to_be_checked()
    page.get_by_label("Seed").fill("1.5")
    page.get_by_label("Seed").press("Enter")
    assert "whole number" in page.get_by_role("status").inner_text()
    assert page.get_by_role("button", name="Train").count() == 1  # and nothing trains
    assert page.faults == []


def test_a_ring_is_dragged_and_the_experiment_is_another(open_page, address):
    page = open_page(address)
    box = page.locator("circle.ring").nth(1).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 59, steps=4)  # half of what one amplitude is high
    page.mouse.up()
    assert page.url.endswith("#a=0.3&seed=0&f=1:1,3:0.5,5:1")
    assert page.get_by_label("k = 3").input_value() == "0.5"
    steps, _ = trained(page)
    assert sorted(steps) == [1, 3, 5]
    said = page.get_by_role("status").inner_text()
    again = open_page(page.url)
    trained(again)
    assert again.get_by_role("status").inner_text() == said
    page.get_by_role("button", name="Reset").click()
    assert page.url.endswith("#a=0.3&seed=0") and page.get_by_label("k = 3").input_value() == "1"
    assert page.faults == again.faults == []


def test_a_finger_drags_a_ring(open_page, address):
    page = open_page(address, has_touch=True, viewport={"width": 390, "height": 844})
    ring = page.locator("circle.ring").nth(2)
    ring.scroll_into_view_if_needed()
    box = ring.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    for kind, down in (("touchStart", 0), ("touchMove", 40), ("touchMove", 130), ("touchEnd", None)):
        points = [] if down is None else [{"x": x, "y": y + down}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_url("**f=1:1,3:1", timeout=5000)
    assert page.faults == [] and "k = 5" not in page.locator(".landing-panel.wide").inner_text()


def test_the_keyboard_sets_the_target_and_an_alias_is_refused(open_page, address):
    page = open_page(address)
    page.get_by_text("Change the target").focus()
    page.keyboard.press("Enter")
    page.get_by_label("k = 5").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.url.endswith("f=1:1,3:1,5:0.7")
    page.get_by_role("spinbutton", name="frequency").fill("30")
    page.get_by_role("button", name="Add a sine").click()
    assert "41 points cannot tell k = 30 from 11" in page.get_by_role("status").inner_text()
    page.get_by_role("spinbutton", name="frequency").fill("9")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.url.endswith("f=1:1,3:1,5:0.7,9:1") and page.locator("circle.ring").count() == 4
    assert sorted(trained(page)[0]) == [1, 3, 5, 9]
    for k in (1, 3, 5, 9):
        page.get_by_label(f"k = {k}").fill("0")
    page.get_by_role("button", name="Train").click()
    assert "target is zero" in page.get_by_role("status").inner_text() and page.faults == []


HOSTILE = ["a=1e9&seed=0", "a=0.3&seed=-1", "seed=<b>", "f=30:1", "f=1:1e300", "f=", "f=1", "f=1:1,__proto__:1"]


@pytest.mark.parametrize("state", HOSTILE)
def test_an_address_that_does_not_fit_is_refused_with_one_message(open_page, address, state):
    page = open_page(f"{address}#{state}")
    said = page.get_by_role("status").inner_text()
    assert said.count("do not fit") == 1 and ("from 11" in said) == (state == "f=30:1")
    assert page.get_by_label("wide").is_checked() and page.get_by_label("Seed").input_value() == "0"
    assert page.locator("circle.ring").count() == 3 and page.faults == []


def test_without_scripts_the_picture_stays(open_page, address):
    page = open_page(address, java_script_enabled=False)
    assert page.get_by_text("The still picture").is_visible() and page.locator("button").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_the_lab_takes_the_place_of_its_picture(open_page, address, width):
    page = open_page(address, viewport={"width": width, "height": 844})
    heights = page.locator(".landing-lab").evaluate("""lab => {
      const all = lab.offsetHeight;
      lab.querySelector(".landing-live").style.display = "none";
      return [all, lab.offsetHeight];
    }""")
    assert abs(heights[0] - heights[1]) < 40, heights


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lab_is_accessible_in_every_state(open_page, address, theme):
    page = open_page(address, viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def check(now):
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), now
        found = Axe().run(page, options=CHECKS).response["violations"]
        assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == [], now

    check("before")
    page.get_by_text("Change the target").click()
    check("target")
    page.get_by_label("narrow").check()
    page.keyboard.press("Enter")  # the form's one button
    state(page, "training", "fitted")
    check("during")
    state(page, "fitted")
    page.get_by_label("show between the points").check()
    check("after")
    page.get_by_label("Seed").fill("-1")
    page.get_by_label("Seed").press("Tab")
    check("refused")
