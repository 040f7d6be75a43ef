"""The drawn diagrams as a browser shows them: in both themes each colour can be told from the ground."""

import re
from pathlib import Path

import pytest
from conftest import CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
DRAWINGS = [path.read_text("utf8") for path in sorted((ROOT / "_static/diagrams").glob("*.svg"))]
THEMES = {"light": ("#ffffff", "#222832", 3), "dark": ("#121212", "#ced6dd", 4.5)}  # ground, text, least contrast
COLOURS = """nodes => nodes.flatMap(node => ["stroke", "fill"].filter(kind => node.hasAttribute(kind))
.map(kind => [node.getAttribute(kind), getComputedStyle(node)[kind]]))"""


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
@pytest.mark.parametrize("theme", THEMES)
def test_colours_can_be_told_from_the_ground_in_both_themes(theme, browser):
    ground, ink, least = THEMES[theme]
    page = browser.new_page()
    shown = "".join(drawing.replace("<svg", '<svg class="diagram"', 1) for drawing in DRAWINGS)
    theme_colours = f"html {{ --pst-color-background: {ground}; --pst-color-text-base: {ink}; background: {ground}; }}"
    page.set_content(f'<html data-theme="{theme}"><style>{theme_colours}</style><body>{shown}</body></html>')
    page.add_style_tag(path=ROOT / "_static/book.css")
    paper = page.eval_on_selector("html", "node => getComputedStyle(node).backgroundColor")
    found = page.eval_on_selector_all(".diagram *", COLOURS)
    page.close()
    meant = {(colour, shown) for colour, shown in found if shown not in (paper, "none")}
    assert len({colour for colour, _ in meant}) > 3
    assert [pair for pair in sorted(meant) if contrast(pair[1], paper) < least] == []
