"""The lab of each section, in its built page, served and from disk: guess, train, read what happened.

How long the page is busy is measured in processor time, which does not count what else a machine does.
"""

import json
import re
from functools import partial

import pytest
from conftest import CHROMIUM, ROOT, served
from playwright.sync_api import Page

HTML = ROOT / "_build" / "html"
if not CHROMIUM:
    pytest.skip("no Chromium on this machine: labs are not tried in a browser", allow_module_level=True)

# What each lab says at its end, with the settings it begins with.
SAID = {
    "why": r"k = 1 at step \d+, k = 3 at step \d+, k = 5 at step \d+.*all three together",
    "difficulties": r"hard half is learned at step [\d,]+, the easy half at step [\d,]+; with equal weights",
    "strengths-and-limits": r"Right on 100 % of the seen corners and on \d+ % of the others",
    "deep-frequency-principle": r"Fitted after [\d,]+ steps\. With two layers from Xavier's start it takes [\d,]+",
}


@pytest.fixture(scope="module")
def site():
    with served(HTML) as server:
        yield server.address


@pytest.fixture
def open_lab(open_page, site):
    def open_lab(name, state="", place="disk", script="", **options):
        options = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"} | options
        root, own = (HTML.as_uri(), "file:") if place == "disk" else (site, site)
        before = partial(Page.add_init_script, script=script)
        page = open_page(f"{root}/chapters/{name}.html{state}", own=own, before=before, **options)
        page.evaluate("async () => { if (window.MathJax) await drawFormulas(); }")
        page.locator("script.lab-data").evaluate("node => node.parentElement.scrollIntoView()")
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


@pytest.mark.parametrize("name", SAID)
def test_a_lab_trains_and_says_what_happened(open_lab, name):
    page, lab = open_lab(name)
    guess(lab)
    press(lab, "Train")
    said = words(lab, "You said", 120_000)
    assert re.search(SAID[name], said, re.S), said
    assert page.faults == []


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
@pytest.mark.parametrize("name", [*SAID, "early-stopping"])
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
    page, lab = open_lab("early-stopping", place=place)
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
    assert "recorded run" in words(lab) and lab.get_by_role("button", name="Train").is_visible() and page.faults == []


@pytest.mark.alone
@pytest.mark.parametrize("place", ["served", "disk"])
def test_a_hidden_page_waits(open_lab, place):
    """Browsers draw no frames of a hidden page; so does this one."""
    page, lab = open_lab(
        "early-stopping",
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
    page, lab = open_lab("why")
    guess(lab)
    for step in (1, 2, 3):
        press(lab, "Step")
        words(lab, f"Step {step}.")
    press(lab, "Train")
    assert re.search(SAID["why"], words(lab, "You said"), re.S) and page.faults == []


def choose(lab, label, value):
    lab.get_by_label(label, exact=True).fill(str(value))
    lab.get_by_label(label, exact=True).press("Tab")


def test_a_link_reproduces_a_run(open_lab):
    page, lab = open_lab("why")
    guess(lab)
    choose(lab, "scale a", 0.3)
    choose(lab, "frequencies", "1, 5")
    choose(lab, "seed", 3)
    press(lab, "Train")
    said, link = words(lab, "Your guess was for", 120_000), page.url
    assert "#lab0?" in link
    again, other = open_lab("why", state="#" + link.split("#")[1])
    for label, value in {"scale a": "0.3", "frequencies": "1, 5", "seed": "3"}.items():
        assert other.get_by_label(label, exact=True).input_value() == value
    guess(other)
    press(other, "Train")
    assert words(other, "Your guess was for", 120_000) == said
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
    page, lab = open_lab("why", state=f"#lab0?{state}")
    said = words(lab, "address")
    assert said.count("do not fit") == 1 and not re.search("undefined|destructure|prop", said), said
    assert lab.get_by_label("scale a", exact=True).input_value() == "0.1"
    assert lab.locator("img").count() == 0 and page.faults == []


def test_runs_are_laid_over_one_another(open_lab):
    page, lab = open_lab("why")
    guess(lab)
    for a in (0.2, 0.3):
        choose(lab, "scale a", a)
        press(lab, "Train")
        words(lab, "Your guess was for")
    assert lab.locator(".lab-past").inner_text() == "Dashed: the recorded run; scale a 0.2."
    assert lab.locator(".seek path.ghost").count() == 6  # three frequencies, two runs below this one
    assert page.faults == []


def test_a_lab_refuses_nonsense_with_the_reason(open_lab):
    page, lab = open_lab("why")
    guess(lab)
    lab.get_by_label("frequencies").fill("1, 30")
    press(lab, "Train")
    assert "41 points cannot tell k = 30 from 11" in words(lab, "Please")
    choose(lab, "scale a", 7)
    assert words(lab, "scale a") == "Please choose again: scale a is a number from 0.05 to 0.6."
    assert page.faults == []


def test_a_run_that_does_not_decide_the_question_says_so(open_lab):
    """After one step neither 1 nor 5 is fitted."""
    page, lab = open_lab("why", script="""
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


@pytest.mark.parametrize("entry", ["1, x", "2.5", " ", ","])
def test_what_is_no_frequency_is_not_refused_as_an_alias(open_lab, entry):
    page, lab = open_lab("why")
    choose(lab, "frequencies", entry)
    assert words(lab, "Please") == "Please choose again: frequencies are whole numbers from 1 to 20."
    assert page.faults == []


def test_the_reason_of_a_refusal_stays(open_lab):
    """Also where a run was under way, and when Train is pressed all the same."""
    page, lab = open_lab("early-stopping", place="served")
    guess(lab)
    press(lab, "Train")
    page.wait_for_timeout(200)
    choose(lab, "noise s", 77)
    page.wait_for_timeout(400)
    reason = words(lab, "Please")
    press(lab, "Train")
    assert words(lab) == reason and "noise s" in reason and page.faults == []


def test_train_pressed_twice_has_stopped_and_says_so(open_lab):
    page, lab = open_lab("early-stopping")
    guess(lab)
    lab.get_by_role("button", name="Train").dblclick()
    page.wait_for_timeout(400)
    assert "Stopped at step" in words(lab) and lab.get_by_role("button", name="Train").is_visible()
    press(lab, "Train")
    words(lab, "Training")
    assert page.faults == []


@pytest.mark.parametrize("name, label, value", [
    ("why", "scale a", 0.3), ("difficulties", "weight", 1), ("deep-frequency-principle", "hidden layers", 2),
    ("strengths-and-limits", "degree", 2),
])  # fmt: skip
def test_a_guess_is_not_judged_by_another_experiment(open_lab, name, label, value):
    page, lab = open_lab(name)
    guess(lab)
    choose(lab, label, value)
    press(lab, "Train")
    said = words(lab, "Your guess was for", 120_000)
    assert "You said" not in said and page.faults == []


def test_another_seed_is_the_same_question(open_lab):
    page, lab = open_lab("why")
    guess(lab)
    choose(lab, "seed", 1)
    press(lab, "Train")
    words(lab, "You said", 120_000)
    assert page.faults == []


def test_the_keyboard_is_enough(open_lab):
    page, lab = open_lab("why")
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
        "Train", "Step", "Reset", "frequencies", "scale a", "start at zero (ASI)", "seed"
    ]  # fmt: skip
    assert "network.a=0.15" in page.url
    for _ in reached:
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert "Fitted" in words(lab, "Your guess was for") and page.faults == []


@pytest.mark.alone
def test_less_motion_where_the_reader_asks_for_it(open_lab):
    """Twice a second, and not with every frame."""
    page, lab = open_lab("early-stopping")
    guess(lab)
    press(lab, "Train")
    page.evaluate("""() => {
      window.draws = 0;
      const cards = document.querySelector(".lab .replay-cards");
      new MutationObserver(() => { window.draws++; }).observe(cards, {childList: true});
    }""")
    page.wait_for_timeout(2000)
    assert 1 <= page.evaluate("window.draws") <= 5 and page.faults == []
