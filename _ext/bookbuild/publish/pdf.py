"""Print the built book into one PDF with Chromium: `make pdf`. A title page and the contents stand first."""

import io
import re
import shutil
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit

from fpbook._files import replace

from ..toc import entries

LOOK = Path(__file__).with_name("pdf.css").read_text(encoding="utf8")
MARGIN = dict(top="18mm", bottom="18mm", left="16mm", right="16mm")
LOAD = """async () => {
  if (window.MathJax) await drawFormulas();
  for (const image of document.images) { image.loading = "eager"; await image.decode().catch(() => 0); }
}"""
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)


def heading(path):
    """The title of a page, with its number."""
    found = HEADING.search(path.read_text(encoding="utf8"))[1]
    return unescape(re.sub(r"<[^>]+>", "", found)).rstrip("#")


def printed(page, before):
    """What the browser shows as a PDF, its pages numbered behind those before it."""
    page.add_style_tag(content=f"{LOOK} :root {{ counter-reset: page {before}; }}")
    return PdfReader(io.BytesIO(page.pdf(format="A4", print_background=True, margin=MARGIN)))


def front(page, config, contents):
    """The title page and the contents."""
    lines = [
        f'<li class="depth-{depth}"><span>{escape(title)}</span><span></span><span>{start + 1}</span></li>'
        for title, start, depth in contents
    ]
    about = f"<h1>{escape(config['title'])}</h1><p class='by'>{escape(config['author'])}, {config['copyright']}</p>"
    page.set_content(f'<div class="front">{about}<h2>Contents</h2><ol>{"".join(lines)}</ol></div>')
    return printed(page, 0)


def link_inside(writer, starts):
    """What pointed to a page's file points to where that page begins in the book."""
    for number, page in enumerate(writer.pages):
        links = page.get("/Annots", [])
        for i in reversed(range(len(links))):
            link = links[i].get_object()
            address = urlsplit(str(link.get("/A", {}).get("/URI", "")))
            if address.scheme == "file":
                del links[i]
                if (start := starts.get(Path(unquote(address.path)))) is not None:
                    inside = Link(rect=link["/Rect"], target_page_index=start, fit=Fit.fit_horizontally())
                    writer.add_annotation(number, inside)


def main(root):
    """Print every page, put title and contents before them, number all, and let links inside the book stay inside."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    pages = {root / "_build" / "html" / f"{entry.name}.html": entry.depth for entry in entries(root)}
    titles, starts, pdfs, writer = list(map(heading, pages)), {}, [], PdfWriter()
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="light")
        end = len(front(page, config, zip(titles, [0] * len(titles), pages.values())).pages)
        for path in pages:
            page.goto(path.as_uri())
            page.evaluate(LOAD)
            starts[path] = end
            pdfs.append(printed(page, end))
            end += len(pdfs[-1].pages)
        writer.append(front(page, config, zip(titles, starts.values(), pages.values())), import_outline=False)
        browser.close()
    writer.add_outline_item(title="Contents", page_number=1)
    for title, pdf in zip(titles, pdfs):
        writer.append(pdf, outline_item=title, import_outline=False)
    link_inside(writer, starts)
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.compress_identical_objects(remove_unreferenced=True)
    file = io.BytesIO()
    writer.write(file)
    replace(root / "_build" / "book.pdf", file.getvalue())
