"""What the first page and the page for teachers say of other pages: their times, their exercises."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDS_A_MINUTE, MINUTES_A_FIGURE = 180, 0.5
FIRST, TEACH = ((ROOT / name).read_text("utf8") for name in ("index.md", "chapters/teach.md"))
LABELS = {  # label -> (path, text)
    found[1]: (path, text)
    for path in sorted((ROOT / "chapters").glob("*.md"))
    for text in [path.read_text("utf8")]
    if (found := re.search(r"^\((sec-[\w-]+)\)=", text, re.MULTILINE))
}


def minutes(text):
    """The time to read a page's main part."""
    main = re.split(r"^#+ Exercises", text, maxsplit=1, flags=re.MULTILINE)[0]
    words = re.sub(
        r"```\{code-cell\}.*?```", "", re.sub(r"^---.*?^---", "", main, count=1, flags=re.S | re.M), flags=re.S
    )
    return len(words.split()) / WORDS_A_MINUTE + MINUTES_A_FIGURE * len(re.findall(r"name: fig-", main))


@pytest.mark.parametrize("label, stated", re.findall(r"<(sec-[\w-]+)>`.*\| (\d+) \|$", FIRST, re.MULTILINE))
def test_a_section_is_read_in_the_time_that_the_first_page_states(label, stated):
    assert abs(minutes(LABELS[label][1]) - int(stated)) <= 5, minutes(LABELS[label][1])


def test_each_page_with_solutions_is_offered_with_and_without_them():
    offered = re.findall(r"\{ref\}`(sec-[\w-]+)` \| <a href=\"\.\./_sources/chapters/([\w-]+)\.ipynb\"", TEACH)
    solved = {(label, path.stem) for label, (path, text) in LABELS.items() if "{solution-start}" in text}
    assert set(offered) == solved and len(solved) > 15
    assert re.findall(r"chapters/([\w-]+)-handout\.ipynb", TEACH) == [name for _, name in offered]


@pytest.mark.parametrize("title, length", [("One lecture", 45), ("A lab session", 90)])
def test_the_minutes_of_a_path_add_up(title, length):
    rows = re.findall(r"^\| (\d+) \|", re.search(rf"^## {title}\n(.*?)^## ", TEACH, re.S | re.M)[1], re.MULTILINE)
    assert sum(map(int, rows)) == length


def test_each_of_three_lectures_has_45_minutes():
    table = re.search(r"^## Three lectures\n(.*?)^## ", TEACH, re.S | re.M)[1]
    rows = re.findall(r"^\| (\d?).*?\| (\d+) \|", table, re.MULTILINE)
    sums = []
    for number, time in rows:
        sums += [0] if number else []
        sums[-1] += int(time)
    assert sums == [45, 45, 45]
