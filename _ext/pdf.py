"""Print the built book into one PDF with Chromium: `make pdf`."""

import io
import shutil
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

LOOK = """
.bd-header, .bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-area, .bd-footer { display: none !important; }
body { font-size: 11pt; }
figure, table, .math { break-inside: avoid; }
"""
FOOT = '<div style="width: 100%; text-align: center; font-size: 8px"><span class="pageNumber"></span></div>'


def pages(entries):
    """The pages of the book in reading order."""
    for entry in entries:
        yield entry["file"]
        yield from pages(entry.get("sections", []))


def main(root):
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    writer, html = PdfWriter(), root / "_build" / "html"
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(color_scheme="light")
        for name in [toc["root"], *(name for part in toc["parts"] for name in pages(part["chapters"]))]:
            page.goto((html / f"{name}.html").as_uri())
            page.add_style_tag(content=LOOK)
            page.evaluate("async () => { if (window.MathJax) await MathJax.startup.promise; }")
            page.evaluate("async () => { for (const i of document.images) { i.loading = 'eager'; await i.decode().catch(() => 0); } }")
            printed = page.pdf(format="A4", print_background=True, display_header_footer=True, header_template="<span></span>",
                               footer_template=FOOT, margin=dict(top="18mm", bottom="18mm", left="16mm", right="16mm"))  # fmt: skip
            title = page.locator("article h1").first.evaluate(
                "node => node.firstChild.textContent + (node.childNodes[1]?.textContent || '')"
            )
            start = len(writer.pages)
            writer.append(PdfReader(io.BytesIO(printed)), import_outline=False)
            writer.add_outline_item(title=title.rstrip("#"), page_number=start)
        browser.close()
    writer.write(root / "_build" / "book.pdf")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
