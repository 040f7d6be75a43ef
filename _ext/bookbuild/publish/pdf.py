"""Print the built book into one PDF with Chromium: `make pdf`. A title page and the contents stand first."""

import io
import shutil
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit

from fpbook._files import replace

from ..toc import entries

LOOK = ".bd-header, .bd-footer { display: none !important; } body { font-size: 11pt; }"
PAPER = dict(format="A4", print_background=True, margin=dict(top="18mm", bottom="18mm", left="16mm", right="16mm"))
LOAD = """async () => {
  for (const image of document.images) { image.loading = "eager"; await image.decode().catch(() => 0); }
}"""
NUMBER = '<p class="number">'
STYLE = f"<style>{Path(__file__).with_name('pdf.css').read_text(encoding='utf8')}</style>"


def number_pages(writer, browser):
    """A number at the foot of every page, through the whole book."""
    page = browser.new_page()
    page.set_content(STYLE + "".join(f"{NUMBER}{i}</p>" for i in range(1, len(writer.pages) + 1)))
    numbers = PdfReader(
        io.BytesIO(page.pdf(**PAPER | {"print_background": False, "margin": dict(top="18mm", bottom="8mm")}))
    )
    for written, number in zip(writer.pages, numbers.pages):
        written.merge_page(number)
        written.compress_content_streams()  # merging unpacks them


def link_inside(writer, starts):
    """What pointed to a page's file points to where that page begins in the book."""
    for number, page in enumerate(writer.pages):
        links = page.get("/Annots", [])
        for i in reversed(range(len(links))):
            link = links[i].get_object()
            address = urlsplit(str(link.get("/A", {}).get("/URI", "")))
            if address.scheme == "file":
                del links[i]
                target = Path(unquote(address.path))
                if target in starts:
                    writer.add_annotation(
                        number, Link(rect=link["/Rect"], target_page_index=starts[target], fit=Fit.fit_horizontally())
                    )


def front(browser, config, contents, shift):
    """The title page and the contents, whose page numbers begin behind them."""
    lines = []
    for title, start, depth in contents:
        place = ["", "deep", "deeper"][min(depth, 2)]
        words = f"<span>{escape(title)}</span><span></span><span>{start + shift + 1}</span>"
        lines.append(f'<li class="{place}">{words}</li>')
    about = f"<h1>{escape(config['title'])}</h1><p class='by'>{escape(config['author'])}, {config['copyright']}</p>"
    page = browser.new_page()
    page.set_content(f"{STYLE}{about}<h2>Contents</h2><ol>{''.join(lines)}</ol>")
    return PdfReader(io.BytesIO(page.pdf(**PAPER)))


def print_page(page, path):
    """One page of the book as a PDF, and its title with its number."""
    page.goto(path.as_uri())
    page.add_style_tag(content=LOOK)
    page.evaluate("async () => { if (window.MathJax) await drawFormulas(); }")
    page.evaluate(LOAD)
    title = page.locator("article h1").first.evaluate(
        "node => node.firstChild.textContent + (node.childNodes[1]?.textContent || '')"
    )
    return PdfReader(io.BytesIO(page.pdf(**PAPER))), title.rstrip("#")


def main(root):
    """Print every page, put title and contents before them, number all, and let links inside the book stay inside."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    html, printed, contents, starts, end = root / "_build" / "html", [], [], {}, 0
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="light")
        for entry in entries(root):
            pdf, title = print_page(page, html / f"{entry.name}.html")
            starts[html / f"{entry.name}.html"] = end
            contents.append((title, end, entry.depth))
            printed.append(pdf)
            end += len(pdf.pages)
        shift = len(front(browser, config, contents, 0).pages)
        writer = PdfWriter()
        writer.append(front(browser, config, contents, shift), import_outline=False)
        writer.add_outline_item(title="Contents", page_number=1)
        for pdf, (title, start, _) in zip(printed, contents):
            writer.append(pdf, import_outline=False)
            writer.add_outline_item(title=title, page_number=start + shift)
        number_pages(writer, browser)
        browser.close()
    link_inside(writer, {path: start + shift for path, start in starts.items()})
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.compress_identical_objects(remove_unreferenced=True)
    file = io.BytesIO()
    writer.write(file)
    replace(root / "_build" / "book.pdf", file.getvalue())
