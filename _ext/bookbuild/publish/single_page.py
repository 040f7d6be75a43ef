"""Execute and render one page alone, in seconds: `make page NAME=why`.

What it refers to on other pages has no address here; such warnings are not shown. Words, symbols and citations are
there. A claim that does not hold is shown with its figure, and ends the command with an error.
"""

import contextlib
import io
import os
import re
import sys

import yaml
from jupyter_book.sphinx import build_sphinx
from sphinx.util.console import strip_colors

from ..settings import GLOSSARY, NOTATION, REFERENCES, BuildError
from ..toc import entries

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
        raise BuildError(f"no such page: {name}; a page is listed in _toc.yml")
    folder, page = root / "_build" / "page" / name, pages[name].name
    file = folder / "html" / f"{page}.html"
    known = {entry.name for entry in pages.values()}
    beside = [other for other in (GLOSSARY, NOTATION, REFERENCES) if other in known - {page}]
    toc = {"format": "jb-book", "root": page} | ({"chapters": [{"file": file} for file in beside]} if beside else {})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # a page that fails shows nothing old
        (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    except OSError as error:
        raise BuildError(f"{folder} cannot be written: {error}") from None
    settings = {
        "external_toc_path": (folder / "_toc.yml").as_posix(),
        "latex_individualpages": False,
        "nitpicky": False,
        "book_page": name,
    }
    warnings, config = io.StringIO(), root / "_config.yml"
    try:
        with contextlib.redirect_stderr(warnings):
            status = build_sphinx(
                root, folder / "html", noconfig=True, path_config=config, confoverrides=settings, quiet=True
            )
    except SystemExit as stopped:  # what the build said is among the warnings
        status = stopped.code
    lines = strip_colors(warnings.getvalue()).splitlines()
    return status, [line for line in lines if line.strip() and not ELSEWHERE.search(line)], file


def main(root, name):
    """Render a page and say where it is; what is wrong goes to stderr. Returns the exit status."""
    os.chdir(root)
    status, shown, file = render(root, name)
    print("\n".join(shown), file=sys.stderr)
    if not file.is_file():
        return status or 1
    print(f"Read the page at {file.as_uri()}")
    return int(any("ClaimError" in line for line in shown))
