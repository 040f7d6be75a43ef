"""Print the built book into one PDF with Chromium: `make pdf`."""

import io
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit

LOOK = ".bd-header, .bd-footer { display: none !important; } body { font-size: 11pt; }"
PAPER = dict(format="A4", print_background=True, margin=dict(top="18mm", bottom="18mm", left="16mm", right="16mm"))
NUMBER = '<p class="number">'
FOOT = """.number {
  height: 261mm; margin: 0; break-after: page;
  display: flex; align-items: end; justify-content: center; font: 9px sans-serif
}"""


def pages(entries):
    """The pages of the book in reading order."""
    for entry in entries:
        yield entry["file"]
        yield from pages(entry.get("sections", []))


def number_pages(writer, browser):
    """A number at the foot of every page, through the whole book."""
    page = browser.new_page()
    page.set_content(f"<style>{FOOT}</style>" + "".join(f"{NUMBER}{i}</p>" for i in range(1, len(writer.pages) + 1)))
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


def main(root):
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    writer, html, starts = PdfWriter(), root / "_build" / "html", {}
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="light")
        for name in [toc["root"], *(name for part in toc["parts"] for name in pages(part["chapters"]))]:
            path = html / f"{name}.html"
            page.goto(path.as_uri())
            page.add_style_tag(content=LOOK)
            page.evaluate("async () => { if (window.MathJax) await MathJax.startup.promise; }")
            page.evaluate(
                "async () => { for (const i of document.images) { i.loading = 'eager'; await i.decode().catch(() => 0); } }"
            )
            printed = page.pdf(**PAPER)
            title = page.locator("article h1").first.evaluate(
                "node => node.firstChild.textContent + (node.childNodes[1]?.textContent || '')"
            )
            starts[path] = len(writer.pages)
            writer.append(PdfReader(io.BytesIO(printed)), import_outline=False)
            writer.add_outline_item(title=title.rstrip("#"), page_number=starts[path])
        number_pages(writer, browser)
        browser.close()
    link_inside(writer, starts)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.compress_identical_objects(remove_unreferenced=True)
    writer.write(root / "_build" / "book.pdf")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
