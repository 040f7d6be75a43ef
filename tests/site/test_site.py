"""The built pages in a browser: no request to other hosts, no error, accessible, replays that answer.

Run after `make book`.
"""

import gzip
import io
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bookbuild.toc import entries
from bs4 import BeautifulSoup
from conftest import CHECKS, CHROMIUM, ROOT, served
from fontTools.ttLib import TTFont
from matplotlib import colormaps
from pypdf import PdfReader

import fpbook.replay as replays

BUILD = ROOT / "_build"
PAGES = sorted(str(path.relative_to(BUILD)) for path in BUILD.glob("html/**/*.html") if "_static" not in path.parts)
PAGES = [page for page in PAGES if page != "html/404.html"]  # its links hold below the published path only
DATA = re.compile(r'<script type="application/json" class="replay-data">(.*?)</script>')
ANSWERS = [page for page in PAGES if 'class="answer' in (BUILD / page).read_text("utf8")]
LABS = [page for page in PAGES if "/trainer.js" in (BUILD / page).read_text("utf8")]
REPLAYS = [page for page in PAGES if DATA.search((BUILD / page).read_text("utf8"))]
GUESSES = [page for page in PAGES if 'class="guess ' in (BUILD / page).read_text("utf8")]
COVERED = [page for page in GUESSES if "behind-guess" in (BUILD / page).read_text("utf8")]
DIAGRAMS = [page for page in PAGES if 'class="diagram"' in (BUILD / page).read_text("utf8")]
COMPRESSED = (".html", ".js", ".css", ".svg", ".json")  # servers compress these; the other files are compressed already
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# The three shortest pages of each kind are looked at in both themes at both sizes, the others in each theme and at each
# size once.
VIEWS = [("light", DESKTOP), ("dark", PHONE), ("light", PHONE), ("dark", DESKTOP)]
PLAIN = [page for page in PAGES if page not in {*LABS, *REPLAYS, *GUESSES, *DIAGRAMS}]
KINDS = (LABS, REPLAYS, GUESSES, DIAGRAMS, PLAIN)
THOROUGH = {page for kind in KINDS for page in sorted(kind, key=lambda page: (BUILD / page).stat().st_size)[:3]}

if not CHROMIUM and not os.environ.get("CI"):
    pytest.skip("no Chromium on this machine: its pages are not tested in a browser", allow_module_level=True)


@pytest.fixture(scope="module")
def site():
    """The book served below a path of its own, as on GitHub Pages."""
    with served(BUILD) as server:
        yield f"{server.address}/"


@pytest.fixture
def open_page(open_page):
    """Open a page of the book, its formulas drawn; all that it was answered ends in `responses`."""

    def open_whole(address, responses=None, formulas=True, **options):
        def before(page):
            if responses is not None:
                page.on("requestfinished", lambda request: responses.append(request.response()))

        page = open_page(address, own=address.split("/html/")[0], before=before, viewport=DESKTOP, **options)
        if formulas and options.get("java_script_enabled", True):
            page.evaluate("async () => { if (window.MathJax) await drawFormulas(); }")
        return page

    return open_whole


def show_replay(page, number=0):
    for i in range(number + 1):  # each is drawn when it is first scrolled to
        page.locator("script.replay-data").nth(i).evaluate("node => node.parentElement.scrollIntoView()")
        page.locator(".replay").nth(i).wait_for()
    return page.locator(".replay").nth(number)


def drawing(replay):
    return replay.locator("path.curve").evaluate_all("nodes => nodes.map(node => node.getAttribute('d')).join()")


# Words of a programming language hold most of a page's text, and whether a reader can tell them from their ground takes
# most of a check: one word of a kind is enough, of one class, colour and size on one ground.
ONE_WORD_OF_A_KIND = """() => {
  const seen = new Set(), words = [...document.querySelectorAll(".highlight span[class]")];
  const ground = node => {
    for (; node; node = node.parentElement) {
      const { backgroundColor } = getComputedStyle(node);
      if (backgroundColor !== "rgba(0, 0, 0, 0)") return backgroundColor;
    }
  };
  const kinds = words.map(word => {
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(word);
    const box = word.closest(".admonition")?.className;
    return [word.className, box, color, fontSize, fontWeight, opacity, ground(word)].join();
  });
  words.forEach((word, i) => {
    if (seen.has(kinds[i])) word.replaceWith(...word.childNodes);
    seen.add(kinds[i]);
  });
}"""
# After one check of the whole page a formula has the colour of the text around it.
NO_FORMULAS = """() => {
  for (const formula of document.querySelectorAll("mjx-container")) formula.replaceChildren("formula");
}"""


def the_answer_is_seen_at_once(page):
    page.evaluate("scrollTo(0, 0)")
    assert 0 < page.locator("figure.answer").bounding_box()["y"] < 1000


def code_is_read_without_scrolling_sideways(page):
    wide = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth + 1).length"
    assert page.locator(".cell_input pre, .cell_output pre").evaluate_all(wide) == 0


def is_accessible(page, context=None):
    found = Axe().run(page, context=context, options=CHECKS | {"preload": False}).response["violations"]
    assert [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]] == []


def show(page, theme, viewport):
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    page.set_viewport_size(viewport)


# The answers of a guess, all open at once, and of the page only what lies around them.
ANSWERED = """() => {
  for (const answer of document.querySelectorAll(".guess details")) {
    answer.removeAttribute("name"); // which closes one when another is opened
    answer.open = true;
  }
  const around = node => node.querySelector(".guess") || node.closest(".guess");
  for (const node of document.querySelectorAll("body *")) if (!around(node)) node.remove();
}"""


def no_formula_is_cut(page):
    wide = "nodes => nodes.filter(node => node.scrollWidth > node.clientWidth + 1).length"
    assert page.locator("div.math").evaluate_all(wide) == 0
    assert page.locator("mjx-msub mjx-mtext").count() == 0  # it would leave a hole behind it


def arrows_stand_on_the_page(page):
    ends = page.locator(".prev-next-area i").evaluate_all("all => all.map(one => one.getBoundingClientRect())")
    assert all(0 <= box["left"] and box["right"] <= PHONE["width"] for box in ends)


def answered_guesses_are_accessible(page):
    page.evaluate(ANSWERED)
    told = page.locator(".guess details > p, .guess-answer")
    assert told.count() > 2 and all(part.is_visible() for part in told.all())
    for theme, viewport in VIEWS[:2]:
        show(page, theme, viewport)
        is_accessible(page, ".guess")


def weigh(page, responses):
    page.evaluate("() => { for (const image of document.images) image.loading = 'eager'; }")
    page.wait_for_load_state("networkidle")
    bodies = [(response.url.split("?")[0], response.body()) for response in responses]
    return sum(len(gzip.compress(body, 6) if url.endswith(COMPRESSED) else body) for url, body in bodies)


@pytest.mark.parametrize("address", PAGES)
def test_page_is_clean_and_accessible(open_page, site, address):
    responses = []
    page = open_page(site + address, responses=responses)
    page.add_style_tag(content="* { transition: none !important; }")  # a colour half way is neither of the two
    page.add_style_tag(content="section { content-visibility: visible !important; }")  # what is far off is checked too
    assert page.locator("mjx-merror").count() == 0
    if address in REPLAYS:
        show_replay(page)
    page.evaluate("() => document.getElementById('pst-back-to-top')?.style.setProperty('display','block')")
    page.evaluate(ONE_WORD_OF_A_KIND)
    for i, (theme, viewport) in enumerate(VIEWS if address in THOROUGH else VIEWS[:2]):
        show(page, theme, viewport)
        page.wait_for_timeout(500)  # the theme looks for what scrolls 300 ms after a change of size
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), "the page itself scrolls sideways"
        if i == 0 and address in ANSWERS:
            the_answer_is_seen_at_once(page)
        if i == 0:
            no_formula_is_cut(page)
        if viewport == PHONE:
            code_is_read_without_scrolling_sideways(page)
            arrows_stand_on_the_page(page)
        is_accessible(page)
        if i == 0:
            page.evaluate(NO_FORMULAS)
    assert weigh(page, responses) < 1_500_000
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content")
    assert "'unsafe-inline'" not in policy.split("style-src")[0] and "unsafe-eval" not in policy
    assert page.faults == []
    if address in GUESSES:
        answered_guesses_are_accessible(page)


def test_a_page_needs_few_files_before_it_is_drawn(open_page, site):
    responses = []
    page = open_page(site + REPLAYS[0], responses=responses)
    assert page.locator("link[rel=stylesheet]").count() == 1
    assert page.locator("script[src]:not([defer])").count() == 0
    assert len([r for r in responses if r.url.split("?")[0].endswith((".css", ".js"))]) <= 15
    assert not re.search(r"fontawesome\.js|thebe|sphinx-design|searchtools", " ".join(r.url for r in responses))
    assert sum(len(r.body()) for r in responses if r.url.endswith(".webp")) < 400_000  # the rest waits until it is near


# The rules of style sheets that the page itself does not have, and that would style something on it.
MISSED = """texts => {
  const flat = rules => [...rules].flatMap(rule => rule.selectorText ?? flat(rule.cssRules ?? []));
  const kept = new Set([...document.styleSheets].flatMap(sheet => flat(sheet.cssRules)));
  const parsed = text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); return sheet; };
  const all = texts.flatMap(text => flat(parsed(text.replace(/@import[^;]*;/g, "")).cssRules));
  const still = rule => rule.replace(/::?(before|after|hover|focus|active|focus-visible|-[\\w-]+)/g, "");
  const styles = rule => { try { return document.querySelector(still(rule)); } catch { return false; } };
  return [kept.size, all.length, all.filter(rule => !kept.has(rule) && styles(rule))];
}"""


@pytest.mark.parametrize("address", ["html/index.html", LABS[0], PLAIN[0]])
def test_the_style_sheet_of_a_page_leaves_out_what_styles_nothing_there(open_page, site, address):
    names = ["styles/pydata-sphinx-theme.css", "styles/sphinx-book-theme.css", "book.css"]
    texts = [(BUILD / "html/_static" / name).read_text("utf8") for name in names]
    kept, of, missed = open_page(site + address).evaluate(MISSED, texts)
    assert kept < of / 2 and missed == []


# How far what is on the screen moves by itself, as a share of the screen; above 0.1 readers lose their place.
MOVED = """() => new Promise(resolve => {
  let moved = 0;
  const add = entries => entries.forEach(entry => { moved += entry.value; });
  const watch = new PerformanceObserver(list => add(list.getEntries()));
  watch.observe({ type: "layout-shift", buffered: true });
  setTimeout(() => { add(watch.takeRecords()); resolve(moved); }, 1000);
})"""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("address", LABS)
def test_nothing_moves_when_a_lab_takes_its_place(browser, site, address, viewport):
    page = browser.new_page(viewport=viewport)
    page.route("**/trainer.js*", lambda route: (page.wait_for_timeout(500), route.continue_()))  # after the first paint
    page.goto(site + address)
    assert page.evaluate(MOVED) < 0.1
    page.close()


def test_formulas_wait_until_the_reader_comes(browser, site):
    page = browser.new_page(viewport=PHONE)
    page.goto(site + "html/chapters/why-kernel.html", wait_until="networkidle")
    drawn = "() => document.querySelectorAll('.math mjx-container').length"
    every = page.locator(".math").count()
    assert page.evaluate(drawn) == 0 and every == page.locator(".math math").count() > 20  # the browser's own
    page.keyboard.press("Shift")
    page.wait_for_function(f"every => ({drawn})() === every", arg=every)
    page.close()


def test_on_a_phone_a_wide_formula_can_be_read_from_its_start(open_page, site):
    page = open_page(site + "html/chapters/strengths-cube.html")
    page.set_viewport_size(PHONE)
    starts = page.locator("div.math:has(> .eqno)").evaluate_all("""nodes => nodes.map(node => {
      const formula = node.querySelector("mjx-math").getBoundingClientRect(), box = node.getBoundingClientRect();
      return [formula.left - box.left, formula.width - box.width];
    })""")
    assert max(wider for _, wider in starts) > 50 and min(start for start, _ in starts) > -1


def test_the_icon_font_holds_the_icons_in_use():
    folder = BUILD / "html/_static/vendor/fontawesome/webfonts"
    held, whole = (set(TTFont(folder / name).getBestCmap()) for name in ("icons.woff", "fa-solid-900.ttf"))
    assert {
        0xF002,
        0xF0C9,
        0xF019,
        0xF042,
        0xF0F3,
        0xF303,
        0xF107,
    } <= held  # search, menu, download, theme, note, exercise, solution
    sheet = max((BUILD / "html/_static/styles").glob("all-*.css"), key=lambda path: path.stat().st_mtime).read_text(
        "utf8"
    )
    assert {ord(sign) for sign in sheet if "\ue000" <= sign <= "\uf8ff"} & whole <= held and "icons.woff" in sheet


@pytest.mark.parametrize("kind", ["references.html", "glossary.html", "#equation", "#fig"])
def test_a_reference_shows_what_it_points_to(open_page, kind):
    for address in REPLAYS:
        if f'reference internal" href="{kind}' in (BUILD / address).read_text("utf8"):
            page = open_page((BUILD / address).as_uri())  # from disk, where no other page can be fetched
            links, box = page.locator(f'article a.reference.internal[href^="{kind}"]:visible'), page.locator("#preview")
            if links.count():  # not only in what is folded
                break
    link = links.first
    link.hover()
    box.wait_for()
    assert link.get_attribute("aria-describedby") == "preview"
    assert box.locator("mjx-container, math, img").count() or len(box.inner_text()) > 40
    assert box.locator("a, [id], [tabindex]").count() == 0 and "\\(" not in box.inner_text()
    place = box.bounding_box()
    assert 0 <= place["x"] and place["x"] + place["width"] <= DESKTOP["width"]
    box.hover()
    page.wait_for_timeout(400)
    assert box.is_visible()  # the pointer may rest on the preview
    page.mouse.move(0, 0)
    box.wait_for(state="detached")
    link.hover()
    box.wait_for()
    page.keyboard.press("Escape")
    assert box.count() == 0
    page.mouse.move(0, 0)
    link.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    box.wait_for()
    page.keyboard.press("Tab")
    assert page.locator("#preview").count() == 0 or link.get_attribute("aria-describedby") is None
    assert page.faults == []


def test_a_preview_stays_within_the_window_and_shows_no_figure_that_waits_for_a_guess(open_page):
    checked = 0
    for address in COVERED:
        page = open_page((BUILD / address).as_uri())
        page.set_viewport_size({"width": 1280, "height": 500})
        covered = page.locator("figure.behind-guess").get_attribute("id")
        for link in page.locator('article p a.reference.internal[href^="#fig"]:visible').all():
            link.evaluate(
                "node => scrollTo({top: scrollY + node.getBoundingClientRect().top - 250, behavior: 'instant'})"
            )
            link.hover()
            page.wait_for_timeout(300)
            box = page.locator("#preview")
            if link.get_attribute("href") == f"#{covered}":
                assert box.count() == 0
            else:
                place = box.bounding_box()
                assert place["y"] >= 0 and place["y"] + place["height"] <= 500
            checked += 1
            page.mouse.move(0, 0)
            box.wait_for(state="detached")
        assert page.faults == []
        if checked > 4:
            return
    assert checked


def test_a_phone_shows_figures_at_a_size_that_can_be_read(open_page, site):
    page = open_page(f"{site}html/chapters/why.html", responses=[])
    page.set_viewport_size(PHONE)
    figure = page.locator("figure#fig-why-target")
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert figure.locator("img").bounding_box()["width"] > 550 and figure.get_attribute("tabindex") == "0"


@pytest.mark.parametrize("name", ["why", "why-kernel", "difficulties-polynomials", "difficulties-interface"])
def test_a_phone_shows_the_whole_of_an_opening_figure_that_compares(open_page, site, name):
    page = open_page(f"{site}html/chapters/{name}.html")
    page.set_viewport_size(PHONE)
    picture = page.locator("article figure.answer img")
    picture.scroll_into_view_if_needed()
    box, size = picture.bounding_box(), picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert 250 < box["width"] and box["x"] + box["width"] <= PHONE["width"] and size[1] > 0.8 * size[0]


def in_sight(page, locator):
    """Whether an element stands between the header of the book and the lower edge of the screen."""
    header, box = page.locator(".bd-header-article").bounding_box(), locator.bounding_box()
    return header["y"] + header["height"] <= box["y"] + 0.5 and box["y"] + box["height"] <= page.viewport_size["height"]


def go_to_its_end(page, lab):
    lab.evaluate("node => scrollBy({ top: node.getBoundingClientRect().bottom - 500, behavior: 'instant' })")
    page.wait_for_timeout(200)
    return lab.locator(":scope > .replay-controls, .replay-controls:has(> .lab-train)").last


@pytest.mark.parametrize("name", ["why", "playground", "difficulties-pictures"])
def test_on_a_phone_train_and_what_it_says_are_in_sight_from_every_panel(open_page, site, name):
    page = open_page(f"{site}html/chapters/{name}.html", formulas=False, reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 664})  # what the browser's own bars leave
    if name == "why":
        bar = go_to_its_end(page, show_replay(page))
        assert in_sight(page, bar)
    place = page.locator("figure:has(script.lab-data), .playground, .picture-lab").first
    for _ in range(2):  # on the way to it what was far off has got its height
        place.evaluate("node => node.scrollIntoView({ behavior: 'instant' })")
        page.wait_for_timeout(300)
    lab = page.locator(".lab")
    lab.wait_for()
    for answer in lab.locator(".lab-ask input").all()[:1]:
        answer.check()
    go = go_to_its_end(page, lab).locator(".lab-train")
    assert in_sight(page, go)
    box = go.bounding_box()
    page.mouse.click(box["x"] + 9, box["y"] + 9)  # not the header's menu
    said = lab.locator(".replay-text")
    for state in ("stop", "play"):
        page.locator(f".lab-train[data-sign={state}]").wait_for(timeout=120_000)
        page.wait_for_timeout(200)
        bar = go.locator("..").bounding_box()
        assert in_sight(page, said) and in_sight(page, go)
        assert 0 <= said.bounding_box()["y"] + 0.5 - bar["y"] - bar["height"] < 200
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth") and page.faults == []


# What a phone's browser leaves of 844 and of 667 pixels, a whole phone, a small laptop.
FIRST_VIEWS = [(390, 664), (375, 553), (390, 844), (1280, 720)]


def test_the_first_view_holds_curves_and_bars_of_both_networks(open_page, site):
    page = open_page(site + "html/index.html", reduced_motion="reduce")
    places = []

    def is_held(state):
        page.locator(f".landing-live[data-state={state}]").wait_for(timeout=120_000)
        for width, height in FIRST_VIEWS:
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate("scrollTo(0, 0)")
            last = ".landing-bars" if width < 600 else ".landing-live"
            ends = page.locator(last).evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
            assert max(ends) <= height, (state, width, height)
        places.append(page.locator(".landing-panels").bounding_box()["y"])

    is_held("ready")
    page.get_by_label("I cannot tell").check()  # its reply is the longest
    page.get_by_role("button", name="Train both").click()
    is_held("fitted")
    page.get_by_role("button", name="What is between").click()
    is_held("revealed")
    assert max(places) - min(places) < 3, places


def test_no_list_of_the_playground_is_cut(open_page, site):
    page = open_page(site + "html/chapters/playground.html", formulas=False)
    page.locator(".play select").first.wait_for()
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        cut = page.locator(".play select:visible").evaluate_all("""all => all.filter(one => {
          const whole = one.cloneNode(true);
          whole.style.cssText = "position: absolute; width: auto; max-width: none; min-width: 0";
          one.after(whole);
          const wanted = whole.offsetWidth;
          whole.remove();
          return one.offsetWidth < wanted;
        }).length""")
        assert cut == 0
    assert not (BUILD / "html/prf-prf.html").exists()  # an index of labels


def test_the_dark_theme_follows_the_system(open_page, site):
    assert (
        open_page(site + "html/index.html", color_scheme="dark").locator("html").get_attribute("data-theme") == "dark"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_has_its_theme_before_the_theme_has_its_script(browser, site, scheme):
    page = browser.new_page(color_scheme=scheme)
    page.route("**/pydata-sphinx-theme.js*", lambda route: route.abort())
    page.goto(site + "html/index.html")
    assert page.locator("html").get_attribute("data-theme") == scheme
    page.close()


@pytest.mark.parametrize("name", ["strengths-images", "difficulties-pictures", "why"])
def test_the_dark_theme_leaves_photographs_and_maps_of_colours_as_they_are(open_page, site, name):
    page = open_page(f"{site}html/chapters/{name}.html", color_scheme="dark")
    inverted = page.locator("article figure img").evaluate_all(
        "all => all.map(one => [one.matches('.photo'), getComputedStyle(one).filter.includes('invert')])"
    )
    assert [True, False] in inverted and [False, True] in inverted and [True, True] not in inverted


def test_every_page_with_a_text_has_a_description():
    texts = [(BUILD / page).read_text("utf8") for page in PAGES if not re.search(r"/(genindex|search)\.html", page)]
    described = [re.findall(r'<meta name="description" content="([^"]*)"', text) for text in texts]
    assert all(len(found) == 1 and 40 < len(found[0]) <= 250 and "\\(" not in found[0] for found in described)


def a_slider_moves_drawing_and_text(page, number):
    replay = show_replay(page, number)
    slider, text = replay.locator("input"), replay.locator("[aria-live]")
    pictures = "nodes => nodes.map(node => node.toDataURL()).join()"

    def seen():
        return drawing(replay), replay.locator("canvas").evaluate_all(pictures)

    before, words = seen(), text.inner_text()
    slider.focus()
    page.keyboard.press("End")
    last = text.inner_text()
    assert words != last and before != seen()
    page.keyboard.press("ArrowLeft")
    assert text.inner_text() != last and slider.get_attribute("aria-valuetext") in text.inner_text()


@pytest.mark.parametrize("address", PAGES)
def test_page_works_from_disk(open_page, address):
    page = open_page((BUILD / address).as_uri(), formulas=address in THOROUGH)
    if address in THOROUGH and page.locator("span.math, div.math").count():
        assert page.locator("mjx-container").count() > 0
    for number in range(len(DATA.findall((BUILD / address).read_text("utf8")))):
        a_slider_moves_drawing_and_text(page, number)
    page.evaluate("() => { for (const folded of document.querySelectorAll('details')) folded.open = true; }")
    for width in (DESKTOP["width"], 1024):
        page.set_viewport_size({"width": width, "height": 768})
        code_is_read_without_scrolling_sideways(page)
    assert page.faults == []


def test_there_are_replays_and_each_is_small():
    assert REPLAYS
    for page in REPLAYS:
        for data in DATA.findall((BUILD / page).read_text("utf8")):
            assert len(data.encode()) <= replays.REPLAY_BYTES
            assert json.loads(data)["runs"]


def test_keyboard_plays_and_pauses(open_page, site):
    replay = show_replay(page := open_page(site + REPLAYS[0], reduced_motion="reduce"))  # it does not begin by itself
    replay.locator(".replay-play").focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(1000)
    page.keyboard.press("Enter")
    stopped = replay.locator("input").input_value()
    page.wait_for_timeout(400)
    assert replay.locator("input").input_value() == stopped and int(stopped) > 1


def test_a_choice_shows_another_run(open_page, site):
    page = open_page(
        site
        + next(
            page for page in REPLAYS if len(json.loads(DATA.search((BUILD / page).read_text("utf8"))[1])["runs"]) > 1
        )
    )
    show_replay(page)
    choice = page.locator(".replay select").first
    choice.scroll_into_view_if_needed()
    replay = page.locator(".replay", has=page.locator("select")).first
    before = drawing(replay)
    choice.select_option(index=1)
    assert drawing(replay) != before


def test_a_run_laid_under_another_is_drawn_whole(open_page, site):
    """The wide network of 1.1 takes several times the steps of the narrow one: the axis holds both."""
    replay = show_replay(page := open_page(site + "html/chapters/why.html"))
    choice, under = replay.locator("select").all()
    name = "a = 0.1, with ASI"
    choice.select_option(label=name)
    seek, svg = replay.locator(".seek"), replay.locator(".seek > svg")
    under.select_option(label="over a = 0.3, with ASI")
    ghosts = svg.locator("path.ghost").evaluate_all("nodes => nodes.map(node => node.getAttribute('d'))")
    ends = [[float(x) for x in re.findall(r"[ML]([\d.]+) ", d)] for d in ghosts]
    assert len(ends) == 3 and all(len(set(xs[-4:])) == 4 for xs in ends)  # not heaped at the right edge
    now = svg.locator("line.now")
    replay.locator("input").press("End")
    assert float(now.get_attribute("x1")) < max(ends[0]) - 30
    stems = replay.locator(".replay-card > svg").nth(1).locator("path.ghost")
    assert "a2 2" in stems.get_attribute("d") and "L" not in stems.get_attribute("d")  # rings, not a curve
    assert seek.locator(".threshold").count() == 1 and seek.locator(".flag:not(.first)").count() == 3
    assert page.faults == []


def test_the_pointer_reads_values_and_moves_the_step(open_page, site):
    replay = show_replay(page := open_page(site + REPLAYS[0]))
    card = replay.locator(".replay-card:not(.seek):has(> svg)").first
    card.locator("> svg").hover()
    assert (
        re.search(r"[0-9]", card.locator(".value").first.inner_text()) and "=" in card.locator(".replay-x").inner_text()
    )
    seek = replay.locator(".seek > svg").first
    seek.scroll_into_view_if_needed()
    box = seek.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 50)
    page.mouse.down()
    first = replay.locator("input").input_value()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 50, steps=5)
    page.mouse.up()
    assert int(replay.locator("input").input_value()) > int(first)


def test_less_motion_where_the_reader_asks_for_it(open_page, site):
    replay = show_replay(open_page(site + REPLAYS[0], reduced_motion="reduce"))
    first = replay.locator("input").input_value()
    replay.page.wait_for_timeout(500)
    assert replay.locator("input").input_value() == first  # it does not begin by itself, but plays when asked
    assert replay.locator(".replay-play").is_visible()


@pytest.mark.parametrize("address", REPLAYS)
def test_without_scripts_the_pictures_stay(open_page, site, address):
    page = open_page(site + address, java_script_enabled=False)
    stills = page.locator("figure:has(script.replay-data) img")
    assert stills.count() == len(DATA.findall((BUILD / address).read_text("utf8")))
    for i in range(stills.count()):
        stills.nth(i).scroll_into_view_if_needed()
        assert stills.nth(i).is_visible()


PIXELS = """node => {
  const copy = new OffscreenCanvas(node.width, node.height).getContext("2d");
  copy.drawImage(node, 0, 0);
  return [...copy.getImageData(0, 0, node.width, node.height).data];
}"""


def test_output_in_a_notebook_draws_itself(open_page, tmp_path, monkeypatch, shown):
    monkeypatch.delenv("FPBOOK_BUILD")
    x = np.linspace(0, 1, 9)
    image = np.random.default_rng(0).random((3, 4, 5))
    panels = [dict(x=x, curves={"h": np.outer(np.arange(3), x)}), dict(image=image, cmap="viridis")]
    replays.replay({"": dict(step=[0, 1, 2], panels=panels)})
    output = tmp_path / "html" / "output.html"
    output.parent.mkdir()
    output.write_text(f"<!doctype html><meta charset=utf-8><div>{shown[0]['text/html']}</div>", encoding="utf8")
    page = open_page(output.as_uri())
    replay = show_replay(page)
    before = drawing(replay)
    replay.locator("input").focus()
    colours = 255 * colormaps["viridis"]((image - image.min()) / np.ptp(image))  # opaque
    for key, frame in {"End": colours[2], "ArrowLeft": colours[1], "Home": colours[0]}.items():
        page.keyboard.press(key)
        np.testing.assert_allclose(np.reshape(replay.locator("canvas").evaluate(PIXELS), frame.shape), frame, atol=4)
    page.keyboard.press("End")
    assert drawing(replay) != before and page.faults == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_guess_is_answered_by_keyboard_with_scripts_and_without(open_page, site, scripts):
    page = open_page(site + GUESSES[0], java_script_enabled=scripts)
    guess = page.locator(".guess")
    wrong, right, answer = (
        guess.locator(".guess-wrong").first,
        guess.locator(".guess-right"),
        guess.locator(".guess-answer"),
    )
    assert not answer.is_visible()
    wrong.locator("summary").press("Enter")
    assert wrong.get_by_text("Not so.").is_visible() and answer.is_visible()
    right.locator("summary").press("Space")
    assert right.get_by_text("Right.").is_visible() and wrong.get_attribute("open") is None
    page.emulate_media(media="print")
    assert answer.is_visible() and not right.get_by_text("Right.").is_visible()
    assert page.faults == []


@pytest.mark.parametrize("address", COVERED)
def test_a_guess_covers_the_figure_behind_it_until_it_is_answered(open_page, site, address):
    page = open_page(site + address)
    figure = page.locator("figure.behind-guess img").first
    assert not figure.is_visible()
    page.emulate_media(media="print")
    assert figure.is_visible()
    page.emulate_media(media="screen")
    page.locator(".guess-before summary", has_text="Just show me").click()
    assert figure.is_visible() and page.faults == []
    assert open_page(site + address, java_script_enabled=False).locator("figure.behind-guess img").first.is_visible()


@pytest.mark.parametrize("address", REPLAYS[:3])
def test_a_page_that_is_printed_first_of_all_shows_its_formulas(browser, address):
    """The print command may come before any script has drawn a formula."""
    page = browser.new_page()
    page.goto((BUILD / address).as_uri(), wait_until="domcontentloaded")
    page.add_style_tag(content="pre { display: none }")  # code may well hold the TeX of a label
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf())).pages)
    drawn, formulas = page.locator("mjx-container").count(), page.locator("article .math").count()
    page.close()
    assert drawn < formulas and len(text) > 5000  # MathJax had no time for all of them, so this is what is tested
    assert re.findall(r"\\[(\[]|\\(?:frac|hat|omega|delta|cdot|text)\b", text) == []


def test_a_diagram_takes_the_colours_of_the_theme_and_the_width_of_the_page(open_page, site):
    assert len(DIAGRAMS) >= 5
    colours = "node => [...node.querySelectorAll('*')].map((part) => getComputedStyle(part).stroke).join()"
    for address in DIAGRAMS:
        page = open_page(site + address)
        for diagram in page.locator("svg.diagram:visible").all():
            assert len(diagram.get_attribute("aria-label")) > 80
            shown = []
            for theme in ("light", "dark"):
                page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
                shown.append(diagram.evaluate(colours))
            assert "rgb(0, 114, 178)" in shown[0] and "rgb(0, 114, 178)" not in shown[1]
            page.set_viewport_size(PHONE)
            assert 300 < diagram.bounding_box()["width"] <= 390
            page.set_viewport_size(DESKTOP)


def test_without_scripts_a_diagram_stands_on_a_pale_ground(open_page, site):
    """The theme's colours are set by a script."""
    page = open_page(site + "html/index.html", java_script_enabled=False)
    ground, ink = page.locator(".landing-lab .diagram rect").first, page.locator(".landing-lab .diagram text").first
    assert ground.evaluate("node => getComputedStyle(node).fill") == "rgb(255, 255, 255)"
    assert ink.evaluate("node => getComputedStyle(node).fill") == "rgb(0, 0, 0)" and page.faults == []


def test_a_card_leads_to_its_section_wherever_it_is_pressed(open_page, site):
    page = open_page(site + "html/index.html")
    pictures = page.locator(".landing-cards li :is(img, svg)")
    assert page.locator(".landing-cards li").count() == 4 == pictures.count()
    for card in page.locator(".landing-cards li").all():
        assert card.evaluate("""card => {
          card.scrollIntoView();
          const box = card.getBoundingClientRect(), link = card.querySelector("a");
          const hit = (y) => document.elementFromPoint(box.x + box.width / 2, box.y + y * box.height);
          return [0.1, 0.5, 0.9].every((y) => hit(y) === link);
        }""")
    pictures.nth(2).click(force=True)
    page.wait_for_url("**/early-stopping.html*")


def test_paper_is_white_and_without_what_is_folded(open_page, site):
    page = open_page(site + REPLAYS[0], formulas=False, color_scheme="dark")
    missing = """[document.querySelectorAll("article .math:not(:has(mjx-container))"),
      [...document.images].filter((one) => !one.complete)].map((all) => all.length)"""
    assert min(page.evaluate(missing)) > 0
    page.evaluate(f"() => {{ window.print = () => {{ window.missing = {missing}; }}; }}")
    page.locator(".btn-download-pdf-button").first.dispatch_event("click")
    assert page.wait_for_function("() => window.missing").json_value() == [0, 0]  # every formula and every picture
    theme = "() => document.documentElement.dataset.theme"
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(theme) == "light"
    page.emulate_media(media="print")
    assert page.locator(".claim").first.is_visible() and not page.locator("details.hide").first.is_visible()
    assert not page.locator("details.claim-check").first.is_visible()
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(theme) == "dark"


def test_the_sign_of_the_search_field_stands_beside_its_text(open_page, site):
    page = open_page(site + "html/search.html")
    sign, field = (
        page.locator(".bd-article-container form.bd-search i").first,
        page.locator(".bd-article-container form.bd-search input").first,
    )
    assert sign.bounding_box()["x"] + sign.bounding_box()["width"] <= field.bounding_box()["x"] + 1


FOUND = {
    "频率原则": "why", "spectral bias": "why", "F-Principle": "why", "generalisation": "why", "generalization": "why",
    "SIREN": "difficulties-pictures", "NeRF": "difficulties-pictures", "Fourier features": "difficulties-pictures",
    "double descent": "early-stopping", "PINNs": "difficulties-interface", "NTK": "why-kernel",
}  # fmt: skip


@pytest.mark.parametrize("place", ["served", "disk"])
def test_a_word_of_the_glossary_finds_its_page_first(open_page, site, place):
    root = site + "html" if place == "served" else (BUILD / "html").as_uri()
    for query, wanted in FOUND.items():
        page = open_page(f"{root}/search.html?q={query}")
        first = page.locator("ul.search li a").first
        first.wait_for()
        assert f"chapters/{wanted}.html" in first.get_attribute("href"), query
        page.context.close()


def test_the_words_of_the_search_before_are_not_marked(open_page, site):
    page = open_page(site + "html/search.html?q=kernel")
    page.locator("ul.search li a").first.wait_for()
    page.goto(site + "html/search.html?q=aliasing")
    page.locator("ul.search li a").first.wait_for()
    assert "kernel" not in " ".join(page.locator("span.highlighted").all_inner_texts()).lower()


@pytest.mark.parametrize("word", ["interface", "aliasing"])  # aliasing: a word of the glossary
def test_a_result_of_the_search_shows_the_text_of_its_page(open_page, site, word):
    page = open_page(site + f"html/search.html?q={word}")
    page.locator("ul.search p.context").first.wait_for()
    shown = " ".join(page.locator("ul.search").inner_text().split())
    assert not re.search(r"\\\(|\\\w|Contents|\.ipynb|Print to PDF", shown), shown
    pages = page.locator("ul.search li a").evaluate_all("nodes => nodes.map(node => node.getAttribute('href'))")
    lists = [bool(re.search("glossary|notation|claims|api", address)) for address in pages]
    assert lists[0] is False


def test_a_wrong_address_gets_help():
    text = (BUILD / "html/404.html").read_text("utf8")
    assert 'href="index.html"' in text and 'href="search.html"' in text
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    assert ("<base" in text) == bool(repository)  # elsewhere nobody knows below which path the book is served


@pytest.mark.whole
def test_the_pdf_has_title_contents_and_every_page_without_folded_code():
    environment = os.environ | {"PYTHONPATH": str(BUILD.parent / "_ext")}
    subprocess.run([sys.executable, "-m", "bookbuild", "pdf"], check=True, cwd=BUILD.parent, env=environment)
    reader, pages = PdfReader(BUILD / "book.pdf"), entries(BUILD.parent)
    assert [entry.title for entry in reader.outline][0] == "Contents" and len(reader.outline) == len(pages) + 1
    starts = [reader.get_destination_page_number(entry) for entry in reader.outline]
    contents = " ".join(reader.pages[starts[0]].extract_text().split())
    assert reader.metadata.title in reader.pages[0].extract_text()
    for entry, start in list(zip(reader.outline, starts))[1:]:
        assert f"{entry.title} {start + 1}" in contents
    for page in reader.pages:
        links = [link.get_object() for link in page.get("/Annots", [])]
        assert [link for link in links if str(link.get("/A", {}).get("/URI", "")).startswith("file")] == []
    for i in {end for start in starts for end in (start - 1, start)}:  # pages count on within each part
        assert reader.pages[i].extract_text().split()[0] == str(i + 1)  # at its foot, and drawn first
    first = next(i for i, entry in enumerate(pages, 1) if entry.is_notebook)
    printed = reader.pages[starts[first] : starts[first + 1]]
    text = "".join(page.extract_text() for page in printed)
    assert "find_spec(" not in text and "claim(" not in text and "✓" in text
    article = BeautifulSoup((BUILD / f"html/{pages[first - 1].name}.html").read_text("utf8"), "html.parser").select(
        "article :not(.small-copy > a) > img"
    )
    assert sum(len(page.images) for page in printed) == len(article)
