"""Laws of every control, link and gesture of playground and picture lab; the controls are found on the page.

Each has an effect, stands in the link, comes back from there and goes back; what cannot be is refused with its limits.
The pages are made here from their sources and served under the policy of the book, so no built book is needed.
"""

import re

import numpy as np
import pytest
from bookbuild.read.interactive import files
from conftest import CHROMIUM, served, write_lab
from playwright.sync_api import expect

if not CHROMIUM:
    pytest.skip("no Chromium on this machine: the pages that train are not tested", allow_module_level=True)

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 700, "height": 900}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a folder with a page of each place that trains what it declares itself."""
    root = tmp_path_factory.mktemp("pages")
    for name, place in (("playground", "playground"), ("picture", "picture-lab"), ("landing", "landing-lab")):
        (root / name).mkdir()
        write_lab(root / name, name, place, "Scripts.", files(place))
    with served(root) as server:
        yield server.address


# What a reader sees and can take along: values and states of all controls, the panels, Python and link of the setting.
WATCH = """() => {
  navigator.clipboard.writeText = async (text) => { window.copied = text; };
  const all = (selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility());
  window.named = (text) => all("button").find((node) => node.textContent.trim() === text);
  window.nameOf = (node) => node.ariaLabel ?? (node.labels?.[0] ?? node).textContent.trim();
  window.valueOf = (node) => ({ checkbox: node.checked, button: node.ariaPressed })[node.type] ?? node.value;
  window.controls = () => all("main :is(input, select, button)");
  window.choose = (node, value) => {
    if (node.type === "checkbox") node.checked = value;
    else node.value = value;
    for (const kind of ["input", "change"]) node.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  window.othersOf = (node) => {
    const values = { checkbox: [false, true], number: [node.min, node.max], range: [node.min, node.max] }[node.type];
    return (values ?? [...node.options].map(({ value }) => value)).filter((value) => value !== valueOf(node));
  };
  window.seen = () => {
    const locked = (node) => (node.matches(":disabled") ? ", locked" : "");
    const state = controls().map((node) => `${nameOf(node)}: ${valueOf(node)}${locked(node)}`);
    const drawn = all("svg > path.curve").map((node) => node.getAttribute("d")).join();
    named("Python").click();
    const dialog = document.querySelector("dialog[open]"), script = dialog.querySelector("pre").textContent;
    dialog.close();
    named("Copy link").click();
    const pressed = controls().filter((node) => node.ariaPressed === "true").map(nameOf);
    return { state: state.join("; "), drawn, pressed, script, link: window.copied };
  };
}"""
EACH = """() => {
  const found = [];
  for (const node of controls().filter((one) => one.localName !== "button")) {
    const [value, own] = [valueOf(node), []];
    for (const other of othersOf(node)) {
      choose(node, other);
      own.push(seen());
    }
    choose(node, value);
    found.push({ name: nameOf(node), own, back: seen() });
  }
  return found;
}"""
FOLLOW = """async (link) => {
  history.replaceState(null, "", " ");
  location.hash = new URL(link).hash;
  dispatchEvent(new HashChangeEvent("hashchange")); // at once: the page may be about to write the address of before
  const now = seen();
  await new Promise((resume) => addEventListener("hashchange", resume, { once: true }));
  return now;
}"""


def test_every_setting_of_the_playground_has_an_effect_is_kept_by_its_link_and_goes_back(open_page, address):
    page = open_page(f"{address}/playground/index.html#try?noise=0.25", viewport=WIDE)
    page.evaluate(WATCH)
    before = page.evaluate("seen()")
    each = page.evaluate(EACH)
    assert len(each) > 25
    for name, own, back in [one.values() for one in each]:
        for kind in ("script", "link"):  # each value is another experiment
            assert len({one[kind] for one in [before, *own]}) == len(own) + 1, (name, kind)
        assert back == before, name
        for one in own:
            assert page.evaluate(FOLLOW, one["link"]) == one, (name, one["link"])
    assert page.faults == []


REFUSED = """() => {
  const found = [];
  for (const node of controls().filter((one) => one.type === "number")) {
    const [value, low, high, whole] = [node.value, Number(node.min), Number(node.max), node.step !== "any"];
    const by = whole ? 1 : 1e-9;
    for (const wrong of ["", low - by, high + by, ...(whole ? [low + 0.5] : [])]) {
      choose(node, wrong);
      const beside = [...document.querySelectorAll(".refusal")].filter((one) => one.checkVisibility());
      const tells = [document.querySelector(".play [aria-live]"), ...beside].map((one) => one.textContent);
      document.activeElement.blur();
      named("Train").click();
      const asked = document.activeElement === node && node.closest(".control").contains(beside[0]);
      const range = [node.min, node.max];
      found.push({ name: nameOf(node), wrong, range, whole, tells, asked, marked: node.ariaInvalid });
      choose(node, value);
      found.at(-1).back = [node.ariaInvalid, beside[0].checkVisibility(), seen()];
    }
  }
  return found;
}"""


def test_every_number_beyond_its_limits_is_refused_beside_it_with_these_limits(open_page, address):
    page = open_page(f"{address}/playground/index.html#try?noise=0.25", viewport=WIDE)
    page.evaluate(WATCH)
    before = page.evaluate("seen()")
    found = page.evaluate(REFUSED)
    assert len(found) > 35
    for one in found:
        reason = f"{one['name']} is a {'whole ' * one['whole']}number from {' to '.join(one['range'])}"
        said, *beside = one["tells"]
        assert said.startswith(f"Please choose again: {reason}") and len(beside) == 1, one
        assert beside[0].startswith(reason) and one["asked"] and one["marked"] == "true", one
        assert one["back"] == [None, False, before], one
    assert page.faults == []


PRESSED = """() => {
  const lessons = document.querySelector(".play-lessons");
  const shapes = document.querySelectorAll(".play-draws button:not([aria-pressed], [aria-haspopup])");
  return [...lessons.children, ...shapes].map((node) => {
    node.click();
    const [look, said] = [".play-look", ".play [aria-live]"].map((one) => document.querySelector(one).textContent);
    return { name: nameOf(node), lesson: node.parentElement === lessons, now: seen(), look, said };
  });
}"""
TOGGLED = """() => controls().filter((one) => one.ariaPressed && !one.closest(".play-lessons")).map((node) => {
  const view = () => document.querySelector(".play").innerHTML;
  const before = [view()];
  for (let i = 0; i < 2; i++) {
    node.click();
    before.push(node.ariaPressed, view());
  }
  return [nameOf(node), ...before];
})"""
HIDDEN = """async (part) => {
  const table = () => (document.querySelector("table").checkVisibility() ? ["table"] : []);
  const names = () => controls().map(nameOf).concat(table());
  const before = names();
  const go = async (hash) => {
    location.hash = hash;
    dispatchEvent(new HashChangeEvent("hashchange"));
    const now = names();
    await new Promise((resume) => addEventListener("hashchange", resume, { once: true }));
    return now;
  };
  const hidden = await go(`#try?lesson=noise&hide=${part}`);
  return [before, hidden, await go("#try?lesson=noise")];
}"""


def test_every_button_and_part_of_the_playground_does_one_thing_and_undoes_it(open_page, address):
    page = open_page(f"{address}/playground/index.html#try?lesson=noise", viewport=WIDE)
    page.evaluate(WATCH)
    for name, *views in page.evaluate(TOGGLED):
        assert views[1::2] == ["true", "false"] and views[0] == views[4] != views[2], name
    found = page.evaluate(PRESSED)
    assert len(found) > 11
    for kind in ("drawn", "script", "link"):  # two lessons have one target
        assert len({one["now"][kind] for one in found}) >= len(found) - (kind == "drawn"), kind
    assert len({one["look"] for one in found}) == 1 + sum(one["lesson"] for one in found)
    for one in found:
        assert one["now"]["pressed"] == [one["name"]] * one["lesson"] and "press Train" in one["said"].replace("P", "p")
        assert page.evaluate(FOLLOW, one["now"]["link"]) == one["now"], one["name"]
        settings = [setting.rsplit(": ", 1) for setting in one["now"]["state"].split("; ")]
        raised = {name.split()[-1] for name, value in settings if re.match(r"height .*\d", name) and float(value)}
        asked = set(re.findall(r"\b\d+\b", one["look"]))  # a question counts what its lesson sets
        assert asked <= raised | {value for _, value in settings}, one["look"]
        for count, what in re.findall(r"(\d+) ([a-z]+s)\b", one["look"]):
            assert any(what in name and value == count for name, value in settings), one["look"]
    parts = "lessons, target, points, network, training, take, table".split(", ")
    gone = [
        set(before) - set(hidden)
        for before, hidden, after in [page.evaluate(HIDDEN, part) for part in parts]
        if after == before
    ]
    assert len(gone) == len(parts) and all(gone)
    assert len(set().union(*gone)) == sum(map(len, gone))  # each hides its own
    assert page.faults == []


def fits(page):
    """Panels whose drawing is as wide as the panel, of all that are shown."""
    page.evaluate("() => new Promise((resume) => requestAnimationFrame(() => requestAnimationFrame(resume)))")
    widths = page.locator(".replay-card > svg[viewBox]:visible").evaluate_all(
        "all => all.map((one) => [one.viewBox.baseVal.width, one.getBoundingClientRect().width])"
    )
    return len(widths) > 1 and np.allclose(*np.transpose(widths), atol=1)


@pytest.mark.parametrize("name", ["playground", "picture"])
def test_panels_follow_the_window_there_and_back(open_page, address, name):
    page = open_page(f"{address}/{name}/index.html", viewport=WIDE)
    page.locator(".replay-card").first.wait_for()
    for size in (WIDE, NARROW, WIDE):
        page.set_viewport_size(size)
        assert fits(page), size
    assert page.faults == []


def drag(page, panel, to, *, button="left"):
    """From the middle of a panel by so many pixels, over the edge of the panel if they reach that far."""
    box = page.locator(panel).bounding_box()
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + to[0], y + to[1], steps=3)
    return x + to[0], y + to[1]


def swipe(page, panel):
    """A finger goes up over a panel."""
    box = page.locator(panel).bounding_box()
    finger = page.context.new_cdp_session(page)
    x, y = box["x"] + 0.2 * box["width"], box["y"] + 0.5 * box["height"]
    for kind, places in [("Start", [y]), ("Move", [y - 25]), ("Move", [y - 50]), ("End", [])]:
        points = [{"x": x, "y": place} for place in places]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})


def test_every_panel_that_is_drawn_on_follows_the_pointer_within_limits_until_it_is_let_go(open_page, address):
    page = open_page(f"{address}/playground/index.html#try?noise=0.25", viewport=WIDE, has_touch=True)
    page.evaluate(WATCH)
    for panel, moving in ((".play-draw > svg", False), (".play-bars > svg", False), (".play-draw > svg", True)):
        if moving:
            page.get_by_role("button", name="Move points").click()
        before = page.evaluate("seen()")
        if "bars" in panel:
            swipe(page, panel)  # there a finger scrolls
        drag(page, panel, (30, -50), button="right")
        page.mouse.up(button="right")
        assert page.evaluate("seen()") == before, panel
        lost = "dispatchEvent(new PointerEvent('pointercancel'))"
        # within the panel, and beyond its edges
        for way, end in (((40, -60), ""), ((40, -890), lost), ((-5, 890), lost), ((900, -30), "")):
            x, y = drag(page, panel, way)
            page.evaluate(end) if end else page.mouse.up()
            now = page.evaluate("seen()")
            page.mouse.move(x - 20, y + 45)
            page.mouse.up()
            assert page.evaluate("seen()") == now and (now["script"] != before["script"] or way[1] > 0), (panel, way)
            assert page.evaluate(FOLLOW, now["link"])["drawn"] == now["drawn"], (panel, way)  # nothing that is refused
        page.evaluate(FOLLOW, before["link"])
    locked = page.evaluate(FOLLOW, before["link"] + "&lock=1")
    for panel in (".play-draw > svg", ".play-bars > svg"):
        drag(page, panel, (40, -60))
        page.mouse.up()
    free = [
        control
        for control in locked["state"].split("; ")
        if "locked" not in control and re.match("height|Draw|Clear", control)
    ]
    assert page.evaluate("seen()") == locked and free == [] and page.faults == []


PICTURE = """() => [...document.querySelectorAll("canvas")].map((one) => one.toDataURL())
  .concat([...document.querySelectorAll("path.curve")].map((one) => one.getAttribute("d")))"""


def test_every_control_of_the_picture_lab_shows_what_it_does(open_page, address):
    page = open_page(f"{address}/picture/index.html", viewport=WIDE)
    scale, slider = page.get_by_role("spinbutton"), page.locator(".control input[type=range]")
    said, train = page.locator("[aria-live=polite]"), page.get_by_role("button", name="Train")
    names, views = ("Portrait", "Chessboard", "Draw one"), []
    for name in names:
        page.get_by_role("button", name=name).press("Enter")
        assert page.locator("[aria-pressed=true]").all_inner_texts() == [name]
        views.append(page.evaluate(PICTURE))
        assert ("Draw in the first panel" in said.inner_text()) == (name == "Draw one")
        drag(page, "canvas >> nth=0", (20, 40))
        stroke = page.evaluate(PICTURE)
        page.mouse.up()
        page.mouse.move(300, 300)
        assert page.evaluate(PICTURE) == stroke and (stroke != views[-1]) == (name == "Draw one")
        assert page.locator("canvas").first.evaluate("one => getComputedStyle(one).cursor") == (
            "crosshair" if name == "Draw one" else "auto"
        )
    assert len({str(view) for view in views}) == 3 == len({view[0] for view in views})  # the first panel is the picture
    page.get_by_role("button", name=names[1]).click()
    assert page.evaluate(PICTURE) == views[1]
    low, high = (int(scale.get_attribute(one)) for one in ("min", "max"))
    assert "Guess" in said.inner_text()
    for value in (high, low):
        scale.fill(str(value))
        scale.press("Tab")
        assert slider.input_value() == scale.input_value() == str(value) and said.inner_text() == "Press Train."
    for value in (low - 1, high + 1, 2.5):
        scale.fill(str(value))
        scale.press("Tab")
        assert f"whole number from {low} to {high}" in said.inner_text()
        train.click()
        assert (
            scale.evaluate("one => one === document.activeElement")
            and page.get_by_role("button", name="Stop").count() == 0
        )
    slider.fill("5")
    assert scale.input_value() == "5" and page.locator(".refusal:visible").count() == 0 and page.faults == []


# What trains behind the page answers, but nothing that can be used.
FAILS = """() => {
  window.Worker = class {
    postMessage({ declared }) { if (!declared) setTimeout(() => this.onmessage({ data: null })); }
    terminate() {}
  };
}"""
EXPOSED = """() => [...document.querySelectorAll("main :is(svg, canvas):not(:is(svg, canvas) *)")]
  .filter((one) => !one.closest("[aria-hidden=true], [role=img][aria-label], button")).map((one) => one.outerHTML)"""


@pytest.mark.parametrize("name", ["playground", "picture", "landing"])
def test_a_training_that_fails_says_so_and_can_be_begun_again(open_page, address, name):
    page = open_page(f"{address}/{name}/index.html", viewport=WIDE)
    train = page.get_by_role("button", name=re.compile("^Train"))
    train.wait_for()
    assert page.evaluate(EXPOSED) == []  # no drawing without a name is read out
    page.evaluate(FAILS)
    train.click()
    expect(page.locator("main :is([aria-live], [role=status])").first).to_contain_text("cannot be trained here")
    expect(train).to_be_enabled()
    assert page.get_by_role("button", name=re.compile("^.?Stop")).count() == 0
    assert page.faults == []


# What is heard, as numbers: a tone of frequency 2 is begun, its wave made lower at 0.4 s, and ended at 0.7 s.
HEARD = """async () => {
  window.AudioContext = class extends OfflineAudioContext {
    constructor() {
      super(1, 44100, 44100);
      window.sound = this;
    }
    async resume() {}
    async at(time, act) {
      await this.suspend(time);
      act();
      await super.resume();
    }
  };
  const raise = (height) => controls().filter((one) => nameOf(one).startsWith("height of frequency"))
    .forEach((one, i) => choose(one, i === 1 ? height : 0));
  const press = () => named("\u266a target").click();
  raise(1);
  press();
  const acts = [sound.at(0.4, () => raise(0.1)), sound.at(0.7, press)];
  const heard = await sound.startRendering();
  await Promise.all(acts);
  return [...heard.getChannelData(0)];
}"""


def test_a_tone_begins_and_ends_without_a_click_and_a_low_wave_is_as_loud_as_a_high_one(open_page, address):
    page = open_page(f"{address}/playground/index.html", viewport=WIDE)
    page.evaluate(WATCH)
    heard = np.array(page.evaluate(HEARD))
    high, low = (abs(heard[int(44100 * begin) :][:8820]).max() for begin in (0.1, 0.45))
    jumps = abs(np.diff(heard))
    assert abs(high / low - 1) < 0.05 and abs(heard).max() < 1.05 * high < 1
    assert jumps.max() < 1.1 * jumps[4410:13230].max()
    assert abs(heard[:200]).max() < high / 4 and abs(heard[33075:]).max() == 0 and page.faults == []
