"""The lab of each section, in its built page and from disk: guess, train, read what happened."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

HTML = Path(__file__).resolve().parents[2] / "_build" / "html" / "chapters"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
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
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_lab(browser):
    pages = []

    def open_lab(name):
        page = browser.new_page(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else page.faults.append(r.url))
        pages.append(page)
        page.goto((HTML / f"{name}.html").as_uri())
        page.locator("script.lab-data").evaluate("node => node.parentElement.scrollIntoView()")
        page.locator(".lab").wait_for()
        return page, page.locator(".lab")

    yield open_lab
    for page in pages:
        page.close()


@pytest.mark.parametrize("name", SAID)
def test_a_lab_trains_and_says_what_happened(open_lab, name):
    page, lab = open_lab(name)
    lab.locator("input[type=radio]").first.check()
    lab.get_by_role("button", name="Train").click()
    words = lab.locator("[aria-live]").first
    page.wait_for_function("node => /You said/.test(node.innerText)", arg=words.element_handle(), timeout=120_000)
    assert re.search(SAID[name], words.inner_text(), re.S), words.inner_text()
    assert page.faults == []


def test_a_lab_stops_at_once_and_begins_anew(open_lab):
    page, lab = open_lab("early-stopping")
    lab.locator("input[type=radio]").first.check()
    lab.get_by_role("button", name="Train").click()
    lab.get_by_role("button", name="Stop").click()
    words = lab.locator("[aria-live]").first
    page.wait_for_function("node => /Stopped at step/.test(node.innerText)", arg=words.element_handle(), timeout=10_000)
    lab.get_by_role("button", name="Reset").click()
    assert lab.get_by_role("button", name="Train").is_visible() and page.faults == []


def test_a_lab_refuses_nonsense_with_the_reason(open_lab):
    page, lab = open_lab("why")
    lab.locator("input[type=radio]").first.check()
    lab.get_by_label("frequencies").fill("1, 30")
    lab.get_by_role("button", name="Train").click()
    page.wait_for_timeout(500)
    assert "41 points cannot tell k = 30 from 11" in lab.inner_text() and page.faults == []
