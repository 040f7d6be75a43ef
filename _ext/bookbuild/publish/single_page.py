"""Execute and render one page alone, in seconds: `make page NAME=why`.

What it refers to on other pages has no address here; such warnings are not shown. Words, symbols and citations are
there.
"""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

import yaml
from jupyter_book.sphinx import build_sphinx

from ..toc import entries

BESIDE = {"chapters/notation", "chapters/glossary", "chapters/references"}  # what any page may point at
ELSEWHERE = re.compile(
    "undefined label|target not found|(source|unknown) document|prf:ref|label .* not found|cross-reference"
    "|number is assigned"
)


def render(root, name):
    """Build the page into `_build/page/NAME`.

    Returns the exit status, the warnings worth reading, and the page's file.
    """
    pages = {entry.path.stem: entry for entry in entries(root)}
    if name not in pages:
        sys.exit(f"no such page: {name}; a page is listed in _toc.yml")
    folder, page = root / "_build" / "page" / name, pages[name].name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "html" / f"{page}.html"
    file.unlink(missing_ok=True)  # a page that fails shows nothing old
    beside = [entry.name for entry in pages.values() if entry.name in BESIDE - {page}]
    toc = {"format": "jb-book", "root": page} | ({"chapters": [{"file": file} for file in beside]} if beside else {})
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    settings = {
        "external_toc_path": (folder / "_toc.yml").as_posix(),
        "latex_individualpages": False,
        "book_page": name,
    }
    settings["nitpicky"] = False
    warnings = io.StringIO()
    try:
        with contextlib.redirect_stderr(warnings):
            status = build_sphinx(
                root,
                folder / "html",
                noconfig=True,
                path_config=root / "_config.yml",
                confoverrides=settings,
                quiet=True,
            )
    except SystemExit as stopped:  # what the build said is among the warnings
        status = stopped.code
    shown = [line for line in warnings.getvalue().splitlines() if line.strip() and not ELSEWHERE.search(line)]
    return status, shown, file


def main(root, name):
    try:
        status, shown, file = render(root, name)
    except SystemExit as error:
        return error.code
    print("\n".join(shown), file=sys.stderr)
    if not file.is_file():
        return status if isinstance(status, int) else str(status)
    print(f"Read the page at {file.as_uri()}")
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: make page NAME=why")
    os.chdir(here := Path(__file__).resolve().parents[3])
    sys.exit(main(here, sys.argv[1]))
