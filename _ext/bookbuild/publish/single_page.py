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


def main(root, name):
    """Build a page into `_build/page/NAME`, say where it is, and what is wrong to stderr. Returns the exit status."""
    pages = {entry.path.stem: entry.name for entry in entries(root)}
    if name not in pages:
        raise BuildError(f"no such page: {name}; a page is listed in _toc.yml")
    folder, page = root / "_build" / "page" / name, pages[name]
    if not (root / f"{page}.md").is_file():
        raise BuildError(f"_toc.yml lists {page}, and there is no {page}.md")
    file, toc = folder / "html" / f"{page}.html", {"format": "jb-book", "root": page}
    if beside := [{"file": other} for other in (GLOSSARY, NOTATION, REFERENCES) if other in {*pages.values()} - {page}]:
        toc["chapters"] = beside
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # a page that fails shows nothing old
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    settings = {"external_toc_path": (folder / "_toc.yml").as_posix(), "latex_individualpages": False}
    settings |= {"nitpicky": False, "book_page": name}
    os.chdir(root)
    with contextlib.redirect_stderr(io.StringIO()) as warnings, contextlib.suppress(SystemExit):
        build_sphinx(
            root, folder / "html", noconfig=True, path_config=root / "_config.yml", confoverrides=settings, quiet=True
        )
    lines = strip_colors(warnings.getvalue()).splitlines()
    shown = "\n".join(line for line in lines if line.strip() and not ELSEWHERE.search(line))
    print(shown, file=sys.stderr)
    if not file.is_file():
        return 1
    print(f"Read the page at {file.as_uri()}")
    return int("ClaimError" in shown)
