"""The build: what is executed and rendered again and when, which mistakes stop it.

What a page and its notebook hold.
"""

import json
import os
import re
import shutil
import subprocess
import zipfile
from posixpath import normpath
from xml.etree import ElementTree

import jupytext
import nbformat
import numpy as np
import pytest
import seeds
from bookbuild import toc
from bookbuild.execute.results import imported, read_by, result_key, result_path
from bookbuild.publish.markdown import plain
from bookbuild.publish.notebooks import handout, readable
from bookbuild.publish.twins import INSTALL
from bookbuild.read.claims import verdict_on
from bookbuild.settings import REPLAY
from bs4 import BeautifulSoup
from conftest import FILES, HEADER, ROOT, SOLID, add_chapter, bookbuild, build, cell, page
from distributed import LocalCluster
from PIL import Image

from fpbook.claims import Claim


def article(book, name="solid"):
    return BeautifulSoup(page(book, name), "html.parser").select_one("article")


def test_a_page_shows_its_answer_its_claim_and_its_numbers(book):
    solid, below = article(book), article(book, "below")
    first = solid.select_one("h1").find_next_siblings()[:2]
    assert [node.name for node in first] == ["p", "figure"] and "answer" in first[1]["class"]
    assert not solid.select(".tag_answer figure") and len(solid.select("#fig-line")) == 1
    (copy,) = solid.select(".tag_answer .cell_output a[href='#fig-line']")
    assert copy.get_text().strip() == "shown at the top" and copy.img["src"] == first[1].img["src"]
    heads = [heading.get_text() for heading in [*solid.select("h1, h2"), *below.select("h1, h2")]]
    assert heads == ["1.1. Solid#", "Numbers#", "1.1.1. Below#", "A heading#"]  # pages have numbers, headings none
    captions = [
        span.get_text().strip() for span in [*solid.select(".caption-number"), *below.select(".caption-number")]
    ]
    assert captions == ["Fig. 1.1.1", "Theorem 1.1.1", "Exercise 1.1.1", "Fig. 1.1.2"]  # on through the section
    (title,) = solid.select(".solution > .admonition-title")
    assert title.get_text() == "Solution to Exercise 1.1.1" and title.a.get_text() == "Exercise 1.1.1"

    claim = solid.select_one("#claim-solid-1")
    line, fold = claim.find_all(True, recursive=False)
    assert "✓ each of the numbers is below" in line.get_text() and line.select_one("span.math")
    numbers = line.select_one(".claim-numbers").get_text()
    assert numbers == "(3 of 3 seeds; measured 1; the notes’ figure 1.1: confirmed)"
    assert fold.name == "details" and "claim(" in fold.pre.get_text() and not fold.has_attr("open")
    assert len(solid.select(".claims .cell_output")) == 0  # the printed line is for notebooks
    assert solid.select_one("details.hide summary p.collapsed").get_text() == "Set-up"

    ledger = article(book, "claims")
    row = ledger.select_one("table.ledger tbody tr")
    assert row.select_one('a[href="solid.html#claim-solid-1"]') and row.select_one("#claim-solid-1")
    assert fold.select_one('a[href="claims.html#claim-solid-1"]')
    verdicts = [[cell.get_text() for cell in line.select("td")[:2]] for line in ledger.select("table.sources tbody tr")]
    assert verdicts == [["Figure 1.1", "confirmed"], ["Equation 1.4", ""]]
    listed = json.loads((book / "_build/html/claims.json").read_text())
    assert [(c["address"], c["held"], c["verdict"]) for c in listed] == [
        ("chapters/solid.html#claim-solid-1", 3, "confirmed")
    ]
    assert "colab.research" not in page(book)  # the address is unknown: no button
    *times, total = [int(row.select("td")[1].get_text()) for row in article(book, "status").select("tbody tr")]
    assert len(times) == 2 and abs(total - sum(times)) <= 1


def test_a_page_with_cells_offers_its_notebook(book):
    offered = {}
    for name in ("solid", "claims"):
        links = BeautifulSoup(page(book, name), "html.parser").select("a[href$='.ipynb']")
        offered[name] = {(book / "_build/html/chapters" / link["href"]).resolve() for link in links}
    assert offered == {"solid": {book / "_build/html/_sources/chapters/solid.ipynb"}, "claims": set()}
    assert offered["solid"].pop().is_file()


def test_a_changed_threshold_changes_page_and_ledger(book):
    (book / "chapters/solid.md").write_text(SOLID.replace("bound = 50", "bound = 70"))
    status, printed = build(book)
    assert status == 0 and printed.count("executing") == 1, printed
    for where in [article(book).select_one("#claim-solid-1"), article(book, "claims").select_one("table.ledger")]:
        assert [formula["data-tex"] for formula in where.select("span.math")] == ["\\(70\\)"]


def test_a_name_of_the_package_leads_to_its_entry_from_prose_and_cells(book):
    cells = article(book).select(".cell_input a.code-link")
    prose = [link for link in article(book, "below").select("p > a.code-link") if link.code]
    assert {link.get_text() for link in cells} == {"fpbook.claims", "claim", "seed_range"}
    assert [link.get_text() for link in prose] == ["seed_range", "claim()", "fpbook.claims.ClaimError"]
    entries = {tag["id"]: tag for tag in article(book, "api").select("[id]")}
    for link in [*cells, *prose]:
        page_name, _, anchor = link["href"].partition("#")
        assert page_name == "api.html" and anchor in entries
        name = link.get_text().removesuffix("()").rpartition(".")[2]
        assert anchor.endswith(name) and name in entries[anchor].get_text()


# It ends texts, attributes and scripts, and is markup and mathematics, wherever it is taken for anything but words.
HOSTILE = """"'</script><img src=x onerror="alert(1)"><b>x</b> $ \\ & &lt; {ref}`x` _y_"""
IN_A_LABEL = HOSTILE.replace("$", "").replace("\\", "")  # there they are mathematics
IN_MARKDOWN = re.sub(r"([^a-z0-9\s])", r"\\\1", HOSTILE)
IN_A_CELL = f"""import matplotlib.pyplot as plt
import numpy as np
from fpbook.claims import claim
from fpbook.lab import lab
from fpbook.replay import replay
s, n = {HOSTILE!r}, {IN_A_LABEL!r}
""".splitlines()
SHOWING = {
    "plt.plot([0, 1])\nplt.show()": "fig-hostile",
    "panel = dict(x=np.arange(3), curves={n: np.arange(6.0).reshape(2, 3)}, xlabel=n, ylabel=n)\n"
    "replay({n: dict(step=[0, 1], panels=[panel])}, over=n)": "fig-moves",
    "lab(data=dict(points=9, low=-1, high=1, sines={1: 1}), network=dict(hidden=[3], activation='tanh'),\n"
    "    training=dict(lr=0.1, steps=5), says=s.replace('{ref}', '') + ' {end:training}',\n"
    "    watch=dict(series=['training'], ylabel=n, names={'training': n}),\n"
    "    choose={'training.lr': dict(label=s, low=0.05, high=0.2, step=0.05, why=s)},\n"
    "    question=dict(ask=s, answers=[s, 'more'], by=['end:training'], edges=[0.5]))": "fig-trains",
}
HOSTILE_PAGE = f"""
# {IN_MARKDOWN}

{IN_MARKDOWN}

| {IN_MARKDOWN} |
| --- |
| {IN_MARKDOWN} |

:::{{guess}} {IN_MARKDOWN}
- [x] {IN_MARKDOWN}
- Other

{IN_MARKDOWN}
:::

```{{figure}} ../_static/diagrams/parity.svg
:name: fig-drawn
:alt: {json.dumps(HOSTILE)}

{IN_MARKDOWN}
```

The square one.
"""


NUMBERS = "below -0.05 in $a-1$ (median 2.4e-05, from −3 to 1e+06), 2026-11-30, base-2"
WORDS_PAGE = """
# Words

`symbol`, `f_hat`, `word`, `f_hat`, and a square one.

**Noise**. *Of*$v$. A rate ($a$, here $b$) and ($c$ alone.
"""
NOTATION = "# Notation\n\n| sign | code | means |\n|---|---|---|\n| `symbol` | `f_hat` | `word` |\n"


def hostile_page():
    figure = "---\nmystnb:\n  figure:\n    name: {}\n    caption: {}\n  image:\n    alt: {}\n---\n"
    stated = "claim(s.replace(' ', '\\n'), [True], published=s, measured={n: 1}, unit=n)\n"
    stated += f"claim('$x</script><img src=x>$', [True])\nclaim({NUMBERS!r}, True)"
    cells = [("", "\n".join(IN_A_CELL)), *((name, code) for code, name in SHOWING.items()), ("", stated)]
    text = HEADER + HOSTILE_PAGE
    for name, code in cells:
        head = figure.format(name, json.dumps(IN_MARKDOWN), json.dumps(HOSTILE)) if name else ""
        text += f"\nWords.\n\n```{{code-cell}} ipython3\n{head}{code}\n```\n"
    return text


def as_written(text):
    """A text of a page with the quotes that were written."""
    return text.translate(str.maketrans("“”‘’", "\"\"''"))


@pytest.fixture(scope="module")
def worded(made_book):
    """The pages of a book of many words, built once: path -> what was parsed."""
    kept, book = made_book
    shutil.rmtree(book)
    shutil.copytree(kept, book, symlinks=True)
    (book / "web").symlink_to(ROOT / "web")  # of the lab
    glossary = f"# Glossary\n\n```{{glossary}}\nsquare one\n  {IN_MARKDOWN}\n```\n"
    chapters = {"hostile": hostile_page(), "glossary": glossary, "notation": NOTATION, "words": WORDS_PAGE}
    for name, text in chapters.items():
        add_chapter(book, name, text)
    status, printed = build(book)
    assert status == 0, printed
    html = book / "_build/html"
    paths = {path.relative_to(html).as_posix(): path for path in html.rglob("*.html")}
    return {name: BeautifulSoup(path.read_text(), "html.parser") for name, path in paths.items()}


def test_hostile_words_stay_words_wherever_they_enter_a_page(worded):
    for name, whole in worded.items():
        assert not whole.select("img[src=x], [onerror], article b, nav b, title b"), name
        for script in whole.select("script[type='application/json']"):
            json.loads(script.string)
    whole = worded["chapters/hostile.html"]
    shown = whole.select_one("article")
    assert HOSTILE in as_written(whole.title.get_text())
    assert as_written(whole.select_one("meta[name=description]")["content"]) == HOSTILE
    assert HOSTILE in as_written(worded["chapters/chapter.html"].nav.get_text())
    places = "h1; section > p; th; td; .guess > p; summary; .guess-answer; .claim; template; #fig-drawn figcaption"
    for place in [*places.split("; "), *(f"#{name} figcaption" for name in SHOWING.values())]:
        assert any(HOSTILE in as_written(node.get_text()) for node in shown.select(place)), place
    assert [picture["alt"] for picture in shown.select("figure img")] == [HOSTILE] * 3
    assert shown.select_one("svg.diagram")["aria-label"] == HOSTILE
    numbers = shown.select_one(".claim-numbers").get_text()
    assert HOSTILE in numbers and numbers.count(IN_A_LABEL) == 2
    replayed, trained = (json.loads(shown.select_one(f"script.{kind}-data").string) for kind in ("replay", "lab"))
    assert trained["question"]["answers"][0] == trained["question"]["ask"] == HOSTILE
    for label in (replayed["over"], replayed["runs"][0]["name"], replayed["runs"][0]["panels"][0]["xlabel"]):
        made = BeautifulSoup(label, "html.parser")
        assert made.get_text() == IN_A_LABEL and not made.find_all(True)
    ledger = worded["chapters/claims.html"].select("table.ledger td")
    assert [as_written(ledger[i].get_text()) for i in (1, 4)] == [HOSTILE] * 2


def test_the_numbers_of_a_claim_are_written_as_in_a_table(worded):
    line = worded["chapters/hostile.html"].select(".claim")[2].p
    formulas = line.select("span.math")
    assert [formula["data-tex"][2:-2] for formula in formulas] == ["a-1", r"2.4\times10^{-5}", r"1\times10^{6}"]
    for formula in formulas:
        formula.extract()
    assert "below −0.05 in  (median , from −3 to ), 2026-11-30, base-2" in line.get_text()


def test_a_word_leads_to_its_entry_of_which_the_page_has_a_preview(worded):
    shown = worded["chapters/words.html"].select_one("article")
    found = [(link.get_text(), link["href"]) for link in shown.select("a.term")]
    assert found == [("f_hat", "notation.html#notation-f-hat"), ("square one", "glossary.html#term-square-one")]
    entry, row = shown.select("template.preview")
    assert [part["data-for"] for part in (entry, row)] == [address for _, address in reversed(found)]
    assert HOSTILE in as_written(entry.get_text()) and row.get_text().split() == ["symbolword"]
    assert not worded["chapters/chapter.html"].select("template.preview")


def test_a_formula_keeps_its_own_brackets_and_punctuation_and_no_other(worded):
    together = worded["chapters/words.html"].select("article span.nobreak")
    assert [part.get_text() for part in together] == ["v.", "(a,", "b)", "(c"]


def test_a_picture_keeps_its_dots_and_its_size(book):
    pictures = article(book).select("img[src$='.webp']")
    assert len(pictures) == 2
    for tag in pictures:
        path = book / "_build/html/chapters" / tag["src"]
        with Image.open(path) as small, Image.open(path.with_suffix(".png")) as drawn:
            np.testing.assert_array_equal(*(np.asarray(picture.convert("RGB")) for picture in (small, drawn)))
            scale = round(drawn.info["dpi"][0]) / 100
            assert scale > 1 and (int(tag["width"]), int(tag["height"])) == tuple(round(n / scale) for n in drawn.size)


def rendered(book):
    """Every file of the built site and of the notebooks; dates are those of the files that were written."""
    folders = [book / "_build/html", book / "_build/notebooks"]
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def edit(file, old, new):
    def change(book):
        text = (book / file).read_text()
        assert old in text
        (book / file).write_text(text.replace(old, new))

    return change


def remove_page(book):
    edit("_toc.yml", "    - file: chapters/beneath\n", "")(book)
    (book / "chapters/beneath.md").unlink()


def rename_page(book):
    edit("_toc.yml", "chapters/below", "chapters/beneath")(book)
    (book / "chapters/below.md").rename(book / "chapters/beneath.md")


def move_page(book):
    edit("_toc.yml", "      sections:\n      - file: chapters/below\n", "    - file: chapters/below\n")(book)


CHANGES = {
    "page added": lambda book: add_chapter(book, "before", "# Before\n\nWords.\n"),
    "title": edit("chapters/solid.md", "# Solid", "# Firm"),
    "page moved": move_page,
    "word of the glossary": edit("chapters/glossary.md", "A unit.", "A thing."),
    "page renamed": rename_page,
    "claim": edit("chapters/solid.md", "bound = 50", "bound = 70"),
    "page removed": remove_page,
    "setting": edit("_config.yml", "title: The Frequency Principle", "title: Another book"),
}


def test_a_built_book_is_never_stale(book):
    """After changes the rebuilt book is, file by file, what a build from nothing makes of the same results."""
    add_chapter(book, "glossary", "# Glossary\n\n```{glossary}\nsquare one\n  A unit.\n```\n")
    edit("chapters/solid.md", "Prose.", "A square one.")(book)
    assert build(book)[0] == 0
    before = rendered(book)
    for change in CHANGES.values():
        change(book)
    status, printed = build(book)
    assert status == 0 and printed.count("executing") == 1, printed  # of the claim
    rebuilt = rendered(book)
    assert rebuilt != before
    for folder in ["html", "notebooks", ".doctrees", "jupyter_execute", ".jupyter_cache"]:
        shutil.rmtree(book / "_build" / folder)
    status, printed = build(book)
    made = rendered(book)
    assert status == 0 and "executing" not in printed, printed
    assert set(made) == set(rebuilt) and [path for path in made if made[path] != rebuilt[path]] == []
    assert not list(book.glob("_build/html/**/below.*")) and not list(book.glob("_build/html/**/beneath.*"))


def test_failing_cells_and_claims_stop_the_build(book):
    add_chapter(book, "broken", cell("print(undefined_name)"))
    add_chapter(book, "wrong", cell("from fpbook.claims import claim\nclaim('two is one', [True, 2 == 1])"))
    add_chapter(book, "right", cell("print('right')"))
    status, printed = build(book)
    assert status != 0
    assert "broken failed" in printed and "print(undefined_name)" in printed and "NameError" in printed
    assert "wrong failed" in printed and "ClaimError" in printed and "✗ 1 of 2 seeds: two is one" in printed
    kept = [result_path(book / f"chapters/{name}.md", book).exists() for name in ["broken", "wrong", "right"]]
    assert kept == [False, False, True]
    status, printed = build(book)
    assert status != 0 and "broken ..." in printed and "right ..." not in printed


@pytest.mark.parametrize(
    "text, message",
    [
        ("See {ref}`nowhere`.", "undefined label: 'nowhere'"),
        ("```{contents}\n```", "no plain Markdown for the directive {contents}"),
    ],
    ids=["reference", "directive"],
)
def test_a_warning_stops_the_build_each_time(book, text, message):
    (book / "chapters/solid.md").write_text(SOLID + f"\n{text}\n")
    for _ in range(2):  # the second time nothing has changed, and it is still wrong
        status, printed = build(book)
        assert status != 0 and message in printed, printed


def test_a_change_of_the_pages_that_finds_nothing_stops_the_build(book):
    (book / "chapters/solid.md").write_text(SOLID.partition("```{solution-start}")[0])  # no page has a solution
    status, printed = build(book)
    assert status != 0 and "found nothing to change: space that a link underlines" in printed, printed


def test_the_key_covers_what_a_result_depends_on(book, monkeypatch):
    source = book / "chapters/solid.md"

    def key():
        return result_key(jupytext.read(source), book)

    first = key()
    for name in ["fpbook/__init__.py", "fpbook/one.py", "fpbook/base.py"]:
        old = (book / name).read_text()
        keys = [first]
        for words, value in [("One.", 1), ("Two.  # and a comment", 1), ("One.", 2)]:
            (book / name).write_text(f'{old}\n\ndef more():\n    """{words}"""\n    return {value}  # {words}\n')
            keys.append(key())
        assert keys[1] == keys[2] and len(set(keys)) == 3, name  # what runs counts, and no word about it
        (book / name).write_text(old)
    for before, after in [("'one is'", "'One is'"), ("tags: [answer]", "tags: [answer, other]")]:
        source.write_text(SOLID.replace(before, after))
        assert key() != first, after
    for name, value in [("FPBOOK_DETERMINISTIC", "1"), ("FPBOOK_DATA", "elsewhere"), ("FPBOOK_SEED", "7")]:
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            source.write_text(SOLID)
            assert key() != first, name
    source.write_text(SOLID.replace("Prose.", "Other prose."))
    for name in [
        "fpbook/apart.py",
        "fpbook/other.mplstyle",
        "data/more.npz",
        "data/records/new.json",
        "data/README.md",
        "data/.DS_Store",
        "fpbook/.one.py.swp",
        "data/make.py",
        "data/records/claims.json",
    ]:
        (book / name).parent.mkdir(exist_ok=True)
        (book / name).write_text("other = 1\n")
    assert key() == first


@pytest.mark.parametrize(
    "code, files",
    [
        ("x = 1", set()),
        ("from fpbook.records import record\nrecord('parity')", {"records/parity.json", "records/parity.npz"}),
        ("from fpbook import records\nrecords.record('parity')", {"records/parity.json", "records/parity.npz"}),
        (
            "from fpbook.records import record\nrecord(name)",
            {f"records/{n}.{e}" for n in "ab" for e in ("json", "npz")},
        ),
        ("from fpbook.datasets import mnist\nmnist(train=1, test=1)", {"mnist.npz"}),
        ("from fpbook import datasets as d\nd.mnist(train=1, test=1)", {"mnist.npz"}),
        ("import fpbook.apart\nfpbook.apart.mnist", set()),
        ("from fpbook.apart import load\nload()", {"cifar10.npz", "mnist.npz"}),
        ("import matplotlib.pyplot as plt\nplt.style.use('fpbook.book')", {"book.mplstyle"}),
    ],
)
def test_a_page_depends_on_the_data_that_it_names(tmp_path, code, files):
    records = [f"data/records/{name}.{end}" for name in ("parity", "a", "b") for end in ("json", "npz")]
    texts = dict.fromkeys([*records, "data/mnist.npz", "data/cifar10.npz", "data/records/claims.json"], "")
    texts |= dict.fromkeys(
        ["fpbook/__init__.py", "fpbook/records.py", "fpbook/datasets.py", "fpbook/book.mplstyle"], ""
    )
    texts["fpbook/apart.py"] = "from fpbook.datasets import mnist" if "load" in code else ""
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = read_by(code, imported(code, tmp_path / "fpbook"), tmp_path)
    named = {path.relative_to(path.parents[1] if path.parent.name == "records" else path.parent) for path in found}
    if "record(name)" in code:
        files = files | {"records/parity.json", "records/parity.npz"}
    assert {path.as_posix() for path in named} == files


@pytest.mark.parametrize(
    "code, modules",
    [
        ("", {"__init__"}),
        ("import fpbook.one", {"__init__", "one", "base"}),
        ("from fpbook import apart, one", {"__init__", "apart", "one", "base"}),
        ("def f():\n    from fpbook.base import base", {"__init__", "base"}),
        ("import numpy, fpbook_other.one", {"__init__"}),
        ("from fpbook.inner import deep", {"__init__", "inner/__init__", "inner/deep", "base"}),
        ("from fpbook import inner", {"__init__", "inner/__init__", "inner/deep", "base"}),
    ],
)
def test_imports_are_followed(tmp_path, code, modules):
    package = tmp_path / "fpbook"
    texts = {name.partition("/")[2]: text for name, text in FILES.items() if name.startswith("fpbook/")}
    texts |= {
        "__init__.py": "",
        "inner/__init__.py": "from .deep import base\n",
        "inner/deep.py": "from ..base import base\n",
    }
    for name, text in texts.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    assert {path.relative_to(package).with_suffix("").as_posix() for path in imported(code, package)} == modules


def test_pages_are_found_in_reading_order(book):
    found = [(entry.name, entry.number) for entry in toc.entries(book)]
    assert found[:4] == [
        ("index", ""),
        ("chapters/chapter", "1"),
        ("chapters/solid", "1.1"),
        ("chapters/below", "1.1.1"),
    ]
    assert [path.stem for path in toc.notebooks(book)] == ["solid", "below"]


def test_the_verdict_on_a_source_is_the_strongest_objection():
    def verdict(*verdicts):
        return verdict_on([Claim("s", 1, None, "seeds", None, "", None, None, verdict) for verdict in verdicts])

    assert verdict() == verdict("new") == ""
    assert verdict("confirmed", "new") == "confirmed" and verdict("conditional", "confirmed") == "conditional"
    assert verdict("confirmed", "corrected", "conditional") == "corrected"


def test_wilson_interval():
    low, high = seeds.wilson(0, 20)
    assert low == 0 and abs(high - 1.96**2 / (20 + 1.96**2)) < 1e-12  # the closed form at its end
    low, high = seeds.wilson(38, 40)
    for end in (low, high):  # the ends are where the observed share lies 1.96 standard errors away
        assert abs(abs(38 / 40 - end) - 1.96 * (end * (1 - end) / 40) ** 0.5) < 1e-12


def test_claims_are_counted_on_other_seeds_and_the_count_resumes(book):
    lines = ["from fpbook.claims import claim, seed_range", "s = list(seed_range(4))"]
    lines += [
        "claim('seeds are below 1006', [i < 1006 for i in s], source='figure 1.10', verdict='corrected')",
        "print('goes on')",
        "claim('there are four', len(s) == 4)",
    ]
    text = "\n```\n\nAnd:\n\n```{code-cell} ipython3\n".join([lines[0] + "\n" + lines[1], lines[2], lines[3], lines[4]])
    add_chapter(book, "counted", cell(text))
    messages = seeds.count_claims(book, 1000, 1010, ["counted"])
    assert messages == []
    record = json.loads((book / "data/records/claims.json").read_text())
    page_counts = record["pages"]["counted"]
    assert page_counts["seeds"] == [1000, 1010] and {"command", "date", "device", "versions"} <= set(page_counts)
    first, second = page_counts["claims"]
    assert (first["held"], first["count"], first["of"]) == (6, 12, "seeds") and (second["held"], second["count"]) == (
        3,
        3,
    )
    assert first["interval"] == [round(end, 4) for end in seeds.wilson(6, 12)]

    (book / "_build/claims/counted-1004.json").write_text('{"cut')  # as a kill could not leave it, but a disk can
    times = {path: path.stat().st_mtime_ns for path in book.glob("_build/claims/counted-*.json")}
    seeds.count_claims(book, 1000, 1010, ["counted"], jobs=2)  # in processes: the same numbers
    again = [path.stem for path, time in times.items() if path.stat().st_mtime_ns != time]
    assert again == ["counted-1004"] and json.loads((book / "data/records/claims.json").read_text()) == record

    (book / "_build/claims/counted-1004.json").unlink()
    here = dict(n_workers=1, processes=False, dashboard_address=None, protocol="tcp", host="127.0.0.1")
    with LocalCluster(**here) as cluster:  # on a cluster: the same numbers
        seeds.count_claims(book, 1000, 1010, ["counted"], dask=cluster.scheduler_address)
    of_cluster = {"pages": {"counted": page_counts | {"device": "a Dask cluster"}}}
    assert json.loads((book / "data/records/claims.json").read_text()) == of_cluster

    (book / "chapters/counted.md").write_text((book / "chapters/counted.md").read_text().replace("1006", "2006"))
    status, printed = build(book)  # the count of other sentences is not shown
    ledger = article(book, "claims")
    assert status == 0 and "3 of 3 draws (44 to 100 %)" in ledger.get_text(), printed
    assert "of 12 seeds" not in page(book, "claims") and "The other seeds are 1000 to 1009" in ledger.get_text()
    verdict = ledger.select_one("table.sources tbody .verdict").get_text()
    assert verdict == "confirmed"  # of figure 1.1: what is said of figure 1.10 does not count
    rows = [[row.get_text() for row in table.select("tbody tr")] for table in ledger.select("table.ledger")]
    assert [len(table) for table in rows] == [2, 1]  # each page has its own claims


def test_an_error_that_is_no_claim_is_told_and_its_page_gets_no_counts(book):
    first, last = "from fpbook.claims import claim, seed_range\nclaim('one', True)", "claim('two', True)"
    cells = [first, "assert list(seed_range(2))[0] == 0, 'only 0'", last]
    add_chapter(book, "faulty", cell("\n```\n\nAnd:\n\n```{code-cell} ipython3\n".join(cells)))
    told = ["faulty from seed 5: AssertionError: only 0"]
    assert seeds.count_claims(book, 5, 7, ["faulty"]) == told and not (book / seeds.RECORD).exists()
    assert seeds.count_claims(book, 5, 7, ["faulty", "solid"]) == told
    assert set(json.loads((book / seeds.RECORD).read_text())["pages"]) == {"solid"}


def test_the_epub_has_title_contents_and_no_folded_code(book):
    status, printed = build(book, "-W", "-n", "--keep-going", "--builder", "custom", "--custom-builder", "epub")
    assert status == 0, printed
    epub = zipfile.ZipFile(next(book.glob("_build/epub/*.epub")))
    order = re.findall(r'<itemref idref="(.*?)"', epub.read("content.opf").decode())
    files = dict(re.findall(r'<item id="(.*?)" href="(.*?)"', epub.read("content.opf").decode()))
    assert [files[item] for item in order[:3]] == ["title.xhtml", "nav.xhtml", "index.xhtml"]
    assert len(set(order)) == len(order)  # the index is a page, and made by Sphinx too
    for name in [name for name in epub.namelist() if name.endswith(".xhtml")]:
        ElementTree.fromstring(epub.read(name))
    solid = epub.read("chapters/solid.xhtml").decode()
    named = re.findall(r'(?:src|href)="([^":#]+\.(?:png|css|xhtml))', solid)
    assert {normpath(f"chapters/{name}") for name in named} <= set(epub.namelist())
    assert "3 of 3 seeds" in solid and "claim(" not in solid and "seed_range" not in solid and "<script" not in solid
    assert solid.index("One is one.") < solid.index("<figure") < solid.index("Numbers")
    assert page(book)  # one kind of book does not undo the other


GUESS = "\n```{guess} Is one two?\n- [x] No\n- Yes\n\nSee {numref}`fig-line`.\n```\n"
DRAWING = "\n```{figure} ../_static/diagrams/parity.svg\n:name: fig-drawn\n:alt: Two <cubes>\n\nDrawn.\n```\n"


def test_a_guess_is_folds_and_a_drawing_is_in_the_page(book):
    below = book / "chapters/below.md"
    below.write_text(below.read_text() + GUESS + DRAWING)
    status, printed = build(book)
    assert status == 0, printed
    shown = article(book, "below")
    folds = shown.select(".guess > details[name=guess-0]")
    assert [fold.get_text(" ", strip=True) for fold in folds] == ["No Right.", "Yes Not so."]
    assert shown.select_one(".guess > .guess-answer a[href='solid.html#fig-line']")
    assert shown.select_one("#fig-drawn > svg.diagram[role=img]")["aria-label"] == "Two <cubes>"
    notebook = (book / "_build/notebooks/chapters/below.ipynb").read_text()
    assert "<summary>The answer</summary>" in notebook and "](data:image/svg+xml;base64," in notebook
    below.write_text(below.read_text().replace("- Yes", "- [x] Yes"))
    status, printed = build(book)
    assert status != 0 and "one of them is right" in printed


def test_the_data_of_a_replay_lie_directly_behind_its_picture(book):
    """The script that draws them begins at the node before."""
    replay = "import numpy as np\nfrom fpbook.replay import replay\nx = np.arange(5)\n"
    replay += "replay({'': dict(step=[0, 1], panels=[dict(x=x, curves={'h': np.array([x, 2 * x])})])}, at=1)"
    head = "---\nmystnb:\n  figure:\n    name: fig-moves\n    caption: A line.\n  image:\n    alt: A line.\n---\n"
    add_chapter(book, "moves", cell(replay, head=head))
    status, printed = build(book)
    assert status == 0, printed
    script = article(book, "moves").select_one("figure script.replay-data")
    assert script.find_previous_sibling().name == "img" and "replay.js" in page(book, "moves")
    assert "replay.js" not in page(book)


def test_make_page_renders_one_page_alone(book):
    add_chapter(book, "alone", cell("print('alone')", head=":tags: [hide-input]\n"))
    (book / "chapters/alone.md").write_text(
        (book / "chapters/alone.md").read_text() + "\nSee {numref}`fig-line`.\n\n```{nosuch}\n```\n"
    )
    status, printed, errors = bookbuild(book, "page", "alone")
    assert status == 1 and printed.count("executing") == 1, printed + errors
    address = printed.split()[-1]
    assert address.startswith("file://") and "alone" in address
    shown = BeautifulSoup(open(address.removeprefix("file://")).read(), "html.parser")
    assert "alone" in shown.select_one("article .cell_output").get_text()
    assert "nosuch" in errors and "fig-line" not in errors  # a fault of the page, and none of the missing pages
    status, _, errors = bookbuild(book, "page", "nosuch")
    assert status != 0 and errors.strip().splitlines() == ["no such page: nosuch; a page is listed in _toc.yml"]


def test_make_page_takes_a_page_without_cells_and_says_why_another_fails(book):
    add_chapter(book, "prose", "# Prose\n\nWords alone.\n")
    add_chapter(book, "broken", cell("print(1 / 0)", head=":tags: [hide-input]\n"))
    status, printed, errors = bookbuild(book, "page", "prose")
    assert status == 0 and printed.strip().endswith("prose.html"), printed + errors
    status, printed, errors = bookbuild(book, "page", "broken")
    assert status != 0 and "ZeroDivisionError" in errors and "Read the page" not in printed


def test_make_page_shows_the_figure_of_a_claim_that_fails_and_names_its_seeds(book):
    holds = "[0 < one < bound for _ in seed_range(3)]"
    (book / "chapters/solid.md").write_text(SOLID.replace(holds, "[seed != 1 for seed in seed_range(3)]"))
    status, printed, errors = bookbuild(book, "page", "solid")
    assert status == 1 and re.search(r"solid: ClaimError: .*not for seed 1\)", errors), errors
    shown = BeautifulSoup(open(printed.split()[-1].removeprefix("file://")).read(), "html.parser")
    assert shown.select("figure.answer img") and shown.select(".claim-false")


LABELS = {
    "fig-a": "Fig. 1.1.1",
    "numref fig-a": "Fig. 1.1.1",
    "eq-a": "(1.1.2)",
    "ex-a": "Exercise 1.1.3",
    "a2020": "Author, 2020",
    "thm-a": "Theorem 1.1.4",
    "sec-a": "Section title",
    "chapters/other": "Other page",
}
KNOWN = LABELS | {
    "address fig-a": "https://b/p.html#fig-a",
    "address a2020": "https://doi.org/1",
}


@pytest.mark.parametrize(
    "myst, markdown",
    [
        ("(sec-a)=\n# Title", "# Title"),
        ("See {numref}`fig-a`, {eq}`eq-a` and {ref}`sec-a`.", "See Fig. 1.1.1, (1.1.2) and Section title."),
        ("{numref}`figure %s <fig-a>`", "figure 1.1.1"),
        ("{cite}`a2020`, {cite:t}`a2020`", "(Author, 2020), Author (2020)"),
        ("{py:mod}`fpbook.monitor`", "`fpbook.monitor`"),
        ("$$ a = b $$ (eq-a)", "$$ a = b \\tag{1.1.2} $$"),
        ("$$\na\n$$ (eq-a)\n\nNext.", "$$\na\n\\tag{1.1.2} $$\n\nNext."),
        ("```{math}\n:label: eq-a\na = b\n```", "$$\na = b\n\\tag{1.1.2}\n$$"),
        (
            "::::{admonition} Why\n:class: dropdown\n:::{admonition} How\nIn.\n:::\n::::",
            "> **Why**\n>\n> > **How**\n> >\n> > In.",
        ),
        (":::{prf:theorem} Ann\n:label: thm-a\nTrue.\n:::", "> **Theorem 1.1.4 (Ann)**\n>\n> True."),
        ("```{exercise-start}\n:label: ex-a\n```\nDo.\n```{exercise-end}\n```", "**Exercise 1.1.3**\n\n\nDo."),
        ("```{solution-start} ex-a\n:class: dropdown\n```", "**Solution to Exercise 1.1.3**"),
        ("```python\n:::{note}\n```", "```python\n:::{note}\n```"),
        (
            "```{guess} One?\n- No\n- [x] Yes\n\nSee {numref}`fig-a`.\n```",
            "**Guess first.** One?\n\n- No\n- Yes\n\n<details><summary>The answer</summary>\n\n"
            "See Fig. 1.1.1.\n\n</details>",
        ),
    ],
)
def test_myst_becomes_plain_markdown(myst, markdown):
    assert plain(myst, LABELS) == markdown


def test_references_are_links_where_the_address_is_known():
    myst = "{numref}`fig-a` {numref}`figure %s <fig-a>` {cite}`a2020` {eq}`eq-a`"
    places = "[Fig. 1.1.1](https://b/p.html#fig-a) [figure 1.1.1](https://b/p.html#fig-a)"
    assert plain(myst, KNOWN) == f"{places} ([Author, 2020](https://doi.org/1)) (1.1.2)"


REFUSED = [":::{contents}\n:::", "{numref}`fig-b`", "{cite}`nobody`", "{ref}`x`", "[](#sec-a)", "[this](other.md)"]


@pytest.mark.parametrize("myst", REFUSED)
def test_myst_without_a_rule_is_an_error(myst):
    with pytest.raises((KeyError, ValueError)):
        plain(myst, LABELS)


def test_a_notebook_folds_what_the_page_folds_and_ends_with_the_solutions():
    gate = "```{{exercise-start}}\n:label: ex-a\n```\nDo.\n```{{exercise-end}}\n```\n\n"
    gate += "```{{solution-start}} ex-a\n:class: dropdown\n```\n\n{}"
    cells = [
        nbformat.v4.new_markdown_cell("# Title"),
        nbformat.v4.new_code_cell("x = 1", metadata={"tags": ["hide-input"], "mystnb": {"code_prompt_show": "Set-up"}}),
        nbformat.v4.new_markdown_cell(gate.format("Because")),
        nbformat.v4.new_code_cell("y = 2"),
        nbformat.v4.new_markdown_cell("so.\n\n```{solution-end}\n```\n\n## Summary"),
    ]
    made = readable(nbformat.v4.new_notebook(cells=cells), LABELS, title="1.1 Solid", page="https://b/solid.html")
    texts = [c.source for c in made.cells]
    assert "1.1 Solid" in texts[0] and "https://b/solid.html" in texts[0]
    assert texts[1:5] == ["# Title", f"# @title Set-up\n{INSTALL}\nx = 1", "**Exercise 1.1.3**\n\n\nDo.", "## Summary"]
    assert texts[5] == "## Solutions" and made.cells[5].metadata["jp-MarkdownHeadingCollapsed"] is True
    assert texts[6:] == ["**Solution to Exercise 1.1.3**\n\n\n\nBecause", "y = 2", "so."]
    assert made.cells[2].metadata["jupyter"]["source_hidden"] and made.cells[2].metadata["cellView"] == "form"
    made.cells[2].outputs = [nbformat.v4.new_output("stream", text="1")]
    assert [cell.source for cell in handout(made).cells] == texts[:5]
    assert handout(made).cells[2].outputs == [] and made.cells[2].outputs != []


def test_a_replay_moves_as_the_stored_output_of_a_notebook():
    data = {REPLAY: {"runs": [{"name": "</script>"}]}, "image/png": "AAAA", "text/plain": "Replay <of> steps"}
    cell = nbformat.v4.new_code_cell("replay()", outputs=[nbformat.v4.new_output("display_data", data)])
    (output,) = readable(nbformat.v4.new_notebook(cells=[cell]), LABELS).cells[0].outputs
    assert REPLAY not in output["data"] and output["data"]["image/png"] == "AAAA"
    page = BeautifulSoup(output["data"]["text/html"], "html.parser")
    stored, script = page.select("script")
    assert stored.find_previous_sibling().name == "img" and page.img["alt"] == "Replay <of> steps"
    assert json.loads(stored.string) == data[REPLAY] and "fpReplay" in script.string and "src" not in script.attrs


def test_dates_are_shown_only_with_the_whole_history(book, tmp_path):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    (book / ".gitignore").write_text("_build/\n_vendor\n")
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["commit", "-q", "-m", "one"],
        ["commit", "-q", "--allow-empty", "-m", "two"],
    ):
        subprocess.run([*git, *arguments], cwd=book, check=True)
    assert build(book)[0] == 0 and "Last updated on 20" in page(book)
    shallow = tmp_path / "shallow"
    subprocess.run([*git, "clone", "-q", "--depth", "1", f"file://{book}", shallow], check=True)
    (shallow / "_vendor").symlink_to(os.readlink(book / "_vendor"))
    shutil.copytree(book / "_build/executed", shallow / "_build/executed")
    status, printed = build(shallow)
    assert status == 0 and "executing" not in printed and "Last updated" not in page(shallow), printed
