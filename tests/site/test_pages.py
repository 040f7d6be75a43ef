"""The built book: numbers, claims, alternative texts, notebooks. Run after `make book`."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bookbuild.__main__ import ELSEWHERE
from bookbuild.execute.results import stated_claims
from bookbuild.read.claims import STRONGER, claim_anchor
from bookbuild.settings import CLAIM, GLOSSARY, NOTATION, REFERENCES, REPLAY
from bookbuild.toc import entries
from bs4 import BeautifulSoup
from PIL import Image
from sphinx.util.console import strip_colors

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
ENTRIES = entries(ROOT)
NUMBERS = {entry.path.stem: entry.number for entry in ENTRIES if entry.is_notebook}
SECTIONS = {entry.path.stem: entry.number for entry in ENTRIES if entry.is_notebook and entry.depth == 1}
PAGES = [entry.name for entry in ENTRIES if entry.name != "genindex"]
SOURCES = [f"figure 1.{i}" for i in range(1, 14)] + [f"equation 1.{i}" for i in range(1, 5)]


@functools.cache
def soup(page):
    """The page, parsed once; no test changes it."""
    return BeautifulSoup((HTML / f"{page}.html").read_text("utf8"), "html.parser")


@pytest.fixture(params=NUMBERS)
def section(request):
    return request.param


@functools.cache
def executed(name):
    return nbformat.read(ROOT / "_build/executed" / f"{name}.ipynb", as_version=4)


def test_pages_are_numbered_as_the_contents_list_them():
    for entry in ENTRIES:
        title = soup(entry.name).select_one("article h1").get_text()
        assert title.startswith(f"{entry.number}. " if entry.number else "") and bool(entry.number) == bool(
            soup(entry.name).select_one("article h1 .section-number")
        )
        assert not soup(entry.name).select("article :is(h2, h3, h4) .section-number")


@pytest.mark.parametrize("section", SECTIONS)
def test_figures_run_through_their_section(section):
    pages = [name for name, number in NUMBERS.items() if f"{number}.".startswith(f"{SECTIONS[section]}.")]
    numbers = [
        span.get_text().strip()
        for name in pages
        for span in soup(f"chapters/{name}").select("figcaption .caption-number")
    ]
    assert numbers == [f"Fig. {SECTIONS[section]}.{i}" for i in range(1, len(numbers) + 1)]
    drawn = sum("figure" in cell.metadata.get("mystnb", {}) for name in pages for cell in executed(name).cells)
    assert len(numbers) >= drawn > 0


def test_a_page_opens_with_its_answer_and_its_figure(section):
    opening, figure = [], soup(f"chapters/{section}").select_one("article figure.answer")
    for node in soup(f"chapters/{section}").select_one("article h1").find_next_siblings():
        if node == figure:
            break
        opening.append("guess" if "guess" in node.get("class", []) else node.name)
    assert 1 <= opening.count("p") == len(opening) - opening.count("guess") and opening.count("guess") <= 1
    assert ("guess-before" in (figure.find_previous_sibling().get("class") or [])) == ("guess" in opening)
    copies = soup(f"chapters/{section}").select(f"article .small-copy a[href='#{figure['id']}']")
    assert len(copies) == 1 and copies[0].img["src"] == figure.img["src"]


# Claims


def test_every_claim_stands_on_its_page_and_in_the_ledger_with_links_both_ways(section):
    page, ledger = soup(f"chapters/{section}"), soup("chapters/claims")
    claims = stated_claims(executed(section).cells)
    assert len(page.select(".claim")) == len(claims) >= 1 and not page.select(".claim-false")
    for number, claim in enumerate(claims, 1):
        anchor = claim_anchor(section, number)
        shown, row = page.find(id=anchor), ledger.find(id=anchor).find_parent("tr")
        assert shown.select_one(f'a[href="claims.html#{anchor}"]') and row.select_one(
            f'a[href="{section}.html#{anchor}"]'
        )
        words = claim["sentence"].partition("$")[0].strip()
        for text in (shown.get_text(), row.get_text()):
            assert words in " ".join(text.replace("’", "'").split())
        assert shown.select_one("details.claim-check")
    assert len(page.select(".claims")) == len(page.select("details.claim-check pre")) > 0


def test_each_figure_and_equation_of_the_source_has_a_verdict():
    rows = soup("chapters/claims").select("table.sources tbody tr")
    cells = [[cell.get_text().strip() for cell in row.select("td")] for row in rows]
    assert [source.lower() for source, *_ in cells] == SOURCES
    assert [source for source, verdict, _ in cells if verdict not in STRONGER] == []
    assert all(row.select("td:last-child a") and len(sentence) > 30 for row, (_, _, sentence) in zip(rows, cells))


def test_the_ledger_for_programs_is_the_ledger():
    listed = json.loads((HTML / "claims.json").read_text("utf8"))
    counts = {name: len(stated_claims(executed(name).cells)) for name in NUMBERS}
    anchors = [claim_anchor(name, number) for name, count in counts.items() for number in range(1, count + 1)]
    assert [claim["anchor"] for claim in listed] == anchors


# Pages


@pytest.mark.parametrize("page", PAGES)
def test_every_image_has_an_alternative_text_that_is_not_its_path(page):
    for image in soup(page).select("article img"):
        alt = image.get("alt", "")
        assert len(alt) >= 20 and not re.search(r"\.(png|jpe?g|svg)$|_images|_build", alt), image


def test_every_cell_was_executed_without_error(section):
    for cell in executed(section).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None
            assert {output.output_type for output in cell.outputs} <= {"stream", "display_data", "execute_result"}
            assert {output.name for output in cell.outputs if output.output_type == "stream"} <= {"stdout"}


def test_printed_text_holds_no_path_and_no_address(section):
    outputs = [output for cell in executed(section).cells for output in cell.get("outputs", [])]
    text = "\n".join(output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs)
    assert re.findall(rf"{ROOT}|{Path.home()}/|0x[0-9a-f]{{6,}}", text) == []


def shown_by(cells):
    """What the cells of a notebook print and draw."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [
        output.get("text") or (output["data"].get("image/png") or output["data"]["text/plain"]) for output in outputs
    ]


def test_the_notebook_for_colab_is_plain_and_keeps_its_outputs(section):
    path = ROOT / "_build/notebooks/chapters" / f"{section}.ipynb"
    assert path.read_bytes() == (HTML / "_sources/chapters" / path.name).read_bytes()
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert re.findall(r"^:::.*|^`{3,}\{.*|\{[\w:]+\}`[^`]*`|^\([\w:-]+\)=$", text, re.MULTILINE) == []
    assert sorted(shown_by(cells)) == sorted(shown_by(executed(section).cells))  # solutions stand last
    assert not {CLAIM, REPLAY} & {
        kind for c in cells for output in c.get("outputs", []) for kind in output.get("data", {})
    }


def test_plain_notebooks_number_their_figures_as_the_pages_do(section):
    path = ROOT / "_build/notebooks/chapters" / f"{section}.ipynb"
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    on_page = [span.get_text().strip() for span in soup(f"chapters/{section}").select("figcaption .caption-number")]
    assert sorted(re.findall(r"^\*\*(Fig\. [\d.]+)\*\*", text, re.MULTILINE)) == sorted(
        on_page
    )  # the answer stands where it is made


def test_no_button_points_at_an_unknown_repository():
    if "GITHUB_REPOSITORY" not in os.environ:
        links = [a["href"] for a in soup(f"chapters/{next(iter(NUMBERS))}").select("a[href]")]
        assert [href for href in links if "colab.research" in href or "OWNER" in href] == []


@pytest.mark.parametrize("page", PAGES)
def test_an_id_names_one_place(page):
    names = [element["id"] for element in soup(page).select("article [id]")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("page", PAGES)
def test_no_script_is_loaded_twice(page):
    sources = [script["src"] for script in soup(page).select("script[src]")]
    assert len(sources) == len(set(sources))


@pytest.mark.parametrize("page", PAGES)
def test_every_image_has_a_size_and_waits_until_it_is_near(page):
    for image in soup(page).select("article img"):
        assert (
            image["loading"] == "lazy" and "style" not in image.attrs
        )  # a fixed height would distort it on narrow screens
        assert 100 < int(image["width"]) < 1000 and 100 < int(image["height"]) < 1600
        with Image.open((HTML / page).parent / image["src"]) as picture:
            assert picture.format == "WEBP" and picture.width >= 1.5 * int(
                image["width"]
            )  # sharp where a pixel has several dots


@pytest.mark.parametrize("page", PAGES)
def test_citations_and_words_have_their_previews_in_the_page(page):
    article = soup(page).select_one("article")
    addresses = [a["href"] for a in article.select("a.reference.internal")]
    links = {
        address for address in addresses if re.search(r"references\.html#|glossary\.html#term|#notation-", address)
    }
    previews = {template["data-for"]: template for template in article.select("template.preview")}
    assert links <= set(previews)
    for template in previews.values():
        assert (
            len(template.get_text()) > 15
            and not template.select("a, [id], script")
            and "\\(" not in template.get_text()
        )


def test_sections_link_words_to_the_glossary(section):
    terms = [a.get_text() for a in soup(f"chapters/{section}").select("article a.term")]
    assert terms
    text = (ROOT / "_build/notebooks/chapters" / f"{section}.ipynb").read_text("utf8")
    assert "glossary.html" not in text  # a notebook stands alone


def test_the_glossary_is_in_order_and_in_the_index():
    terms = [dt.get_text().removesuffix("#") for dt in soup("chapters/glossary").select("dl.glossary dt")]
    first = [
        dl.get_text().removesuffix("#")
        for dl in soup("chapters/glossary").select("dl.glossary dd + dt, dl.glossary dt:first-child")
    ]
    assert first == sorted(first, key=lambda term: re.sub("[^a-z]", " ", term.lower()))
    index = soup("genindex").select_one("article").get_text()
    assert len(terms) > 30 and [term for term in terms if term not in index] == []


PUBLISHED = ["why", "why-kernel"]  # with every kind of content that a section has, and with none but figures
MISSING = re.compile(f"{ELSEWHERE.pattern}|no such figure|no plain notebook")  # what lies on other pages
BESIDE = [GLOSSARY, NOTATION, REFERENCES]  # where the words of a page lead


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A few pages, with the same results and numbers, rendered as for the published book, whose address is known."""
    folder = tmp_path_factory.mktemp("published")
    listed = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    chapter, section = listed["parts"][0]["chapters"][0], {"file": f"chapters/{PUBLISHED[0]}"}
    section["sections"] = [{"file": f"chapters/{name}"} for name in PUBLISHED[1:]]
    chapters = [{"file": chapter["file"], "sections": [section]}]
    rest = [{"file": name} for name in [*BESIDE, "genindex"]]
    listed["parts"] = [{"numbered": True, "chapters": chapters}, {"chapters": rest}]
    (folder / "_toc.yml").write_text(yaml.safe_dump(listed))
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "--path-output", folder]
    run = subprocess.run(
        [*command, "--toc", folder / "_toc.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"GITHUB_REPOSITORY": "ann/book"},
    )
    lines = [line for line in strip_colors(run.stderr).splitlines() if re.search("WARNING|ERROR", line)]
    assert [line for line in lines if not MISSING.search(line)] == [] and "executing" not in run.stdout, run.stdout
    return folder / "_build/html"


def test_the_first_picture_of_a_section_is_that_of_a_figure(section):
    """It stands for the published page where somebody links to it."""
    article = soup(f"chapters/{section}").article
    assert article.img == article.select_one("figure img") and article.img["src"].endswith(".webp")


@pytest.mark.whole
@pytest.mark.parametrize("section", PUBLISHED)
def test_a_published_section_describes_itself_and_shows_its_first_figure(published, section):
    page = BeautifulSoup((published / f"chapters/{section}.html").read_text("utf8"), "html.parser")
    meta = {tag.get("property", tag.get("name")): tag["content"] for tag in page.select("meta[content]")}
    assert meta["og:title"].startswith(NUMBERS[section]) and len(meta["description"]) > 50
    picture = meta["og:image"].removeprefix("https://ann.github.io/book/")
    assert (published / picture).is_file() and Path(picture).stem == Path(
        page.select_one("article figure img")["src"]
    ).stem
    assert (
        page.select_one("link[rel=canonical]")["href"]
        == meta["og:url"]
        == f"https://ann.github.io/book/chapters/{section}.html"
    )
    assert [
        a["href"]
        for a in page.select("a[href]")
        if "colab.research.google.com/github/ann/book/blob/notebooks" in a["href"]
    ]


@pytest.mark.whole
def test_the_published_book_lists_its_pages_and_helps_at_wrong_addresses(published):
    listed = re.findall("<loc>https://ann.github.io/book/(.*?)</loc>", (published / "sitemap.xml").read_text("utf8"))
    names = ["index", "chapters/frequency-principle", *(f"chapters/{name}" for name in PUBLISHED), *BESIDE]
    pages = {f"{name}.html" for name in names}
    assert sorted(listed) == sorted(set(listed)) and pages <= set(listed)
    assert "404.html" not in listed and '<base href="/book/">' in (published / "404.html").read_text("utf8")


def test_a_page_tells_when_it_was_last_changed(section):
    def git(*command):
        return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    shown = soup(f"chapters/{section}").select_one(".last-updated")
    if not shutil.which("git") or git("rev-parse", "--is-shallow-repository") != "false":
        assert shown is None
    elif date := git("log", "-1", "--format=%as", "--", f"chapters/{section}.md"):
        assert f"Last updated on {date}" in shown.get_text()


@pytest.mark.whole
def test_the_epub_is_well_formed_and_complete(tmp_path):
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "--path-output", tmp_path]
    run = subprocess.run(
        [*command, "--builder", "custom", "--custom-builder", "epub"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout
    book = zipfile.ZipFile(next(tmp_path.glob("_build/epub/*.epub")))
    names, contents = set(book.namelist()), book.read("content.opf").decode()
    for name in (name for name in names if name.endswith(".xhtml")):
        page = book.read(name).decode()
        ElementTree.fromstring(page)  # a reader of EPUB shows nothing of a page with one wrong tag
        used = re.findall(r'(?:src|href)="([^":#]+\.(?:png|css|js|xhtml))', page)
        assert {os.path.normpath(os.path.join(os.path.dirname(name), file)) for file in used} <= names, name
        assert "<script" not in page and r"\(" not in page
        assert ("<math" in page) == bool(re.search(rf'href="{name}"[^>]*properties="mathml"', contents)), name
    for section in NUMBERS:
        page = book.read(f"chapters/{section}.xhtml").decode()
        assert page.count("<figcaption>") >= 1 and "find_spec(" not in page and "claim(" not in page  # no folded code
    assert "_static/book.css" not in names  # the checker of EPUB refuses the site's style sheet
    assert len(re.findall("<itemref", contents)) == len(set(re.findall('<itemref idref="(.*?)"', contents)))
