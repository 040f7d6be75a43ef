"""The build's commands, after `python -m bookbuild`: `page NAME`, `twins [--check]`, `pdf`, `downloads`."""

import contextlib
import io
import os
import re
import sys

import yaml
from jupyter_book.sphinx import build_sphinx
from sphinx.util.console import strip_colors

from .publish import twins
from .settings import GLOSSARY, NOTATION, REFERENCES, ROOT, BuildError
from .toc import entries
from .write import site

ELSEWHERE = re.compile(
    "undefined label|(target|label .*) not found|(source|unknown) document|prf:ref|cross-reference|is (not )?assigned"
)


def main(command, options):
    """Carry out one command. Returns its exit status, or a message that ends it; BuildError if it cannot be done."""
    match command, options:
        case "page", [name]:
            return build_page(ROOT, name)
        case "twins", [] | ["--check"]:
            return "\n".join(twins.write_twins(ROOT, check=bool(options))) or None
        case "pdf", []:
            from .publish import pdf  # needs what only this command needs

            pdf.main(ROOT)
        case "downloads", []:
            print(site.offer_downloads(ROOT / "_build"))
        case _:
            return __doc__


def build_page(root, name):
    """Execute and render one page alone; show what is wrong but for references elsewhere. Returns the exit status."""
    pages = {entry.path.stem: entry.name for entry in entries(root)}
    if name not in pages:
        raise BuildError(f"no such page: {name}; a page is listed in _toc.yml")
    folder, page, toc = root / "_build" / "page" / name, pages[name], {"format": "jb-book", "root": pages[name]}
    html, file = folder / "html", folder / "html" / f"{page}.html"
    if beside := [{"file": other} for other in (GLOSSARY, NOTATION, REFERENCES) if other in {*pages.values()} - {page}]:
        toc["chapters"] = beside
    folder.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # a page that fails shows nothing old
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc))
    settings = {"external_toc_path": (folder / "_toc.yml").as_posix(), "latex_individualpages": False}
    settings |= {"nitpicky": False, "book_page": name}
    os.chdir(root)
    with contextlib.redirect_stderr(io.StringIO()) as warnings, contextlib.suppress(SystemExit):
        build_sphinx(root, html, noconfig=True, path_config=root / "_config.yml", confoverrides=settings, quiet=True)
    lines = strip_colors(warnings.getvalue()).splitlines()
    shown = "\n".join(line for line in lines if line.strip() and not ELSEWHERE.search(line))
    print(shown, file=sys.stderr)
    if not file.is_file():
        return 1
    print(f"Read the page at {file.as_uri()}")
    return int(bool(shown))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if sys.argv[1:] else "", sys.argv[2:]))
    except BuildError as error:
        sys.exit(str(error))
