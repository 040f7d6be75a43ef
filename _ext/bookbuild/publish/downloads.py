"""EPUB and PDF beside the pages, offered at the foot of each page with their sizes: `make downloads`."""

import re
import shutil

from fpbook._files import replace

PLACE = re.compile(r'(?P<place><p class="downloads">).*?(?=</p>)')  # in `_config.yml`, empty
FILES = {"EPUB": ("epub/*.epub", "fpbook.epub"), "PDF": ("book.pdf", "fpbook.pdf")}


def offer(build):
    """Copy what was built in the folder `build` to the site, and link it from every page. Returns what is offered."""
    html, offers = build / "html", []
    for kind, (made, name) in FILES.items():
        (path,) = build.glob(made)
        shutil.copyfile(path, html / name)
        offers.append((name, f"{kind} ({path.stat().st_size / 1e6:.1f} MB)"))
    for page in html.rglob("*.html"):
        up = "../" * (len(page.relative_to(html).parts) - 1)
        links = ", ".join(f'<a href="{up}{name}" download>{words}</a>' for name, words in offers)
        text = page.read_text(encoding="utf8")
        replace(page, PLACE.sub(rf"\g<place>The whole book: {links}", text).encode("utf8"))
    return f"The book beside its pages: {', '.join(words for _, words in offers)}"
