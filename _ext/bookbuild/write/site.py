"""The site around the pages: its address, buttons, scripts and style sheets of each page, dates.

The page for wrong addresses.

What a setting or the context of a page can do is done here; what only the finished HTML allows stands in `html_fixes`.
"""

import hashlib
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from ..settings import site_address

VENDOR = ["_vendor"]  # copied to the site's _static
NOT_FOUND = """<h1>This page does not exist</h1>
<p>The address may be misspelt, or the page has moved.
<a href="index.html">Begin at the first page</a>, choose a section on the left,
or <a href="search.html">search the book</a>.</p>"""
CARD = re.compile(r'class="[^"]*\bsd-')  # cards and tabs, which few pages have
DESIGN = re.compile(r"sphinx-design\.min\.css|design-tabs\.js")


def look_of(root):
    """A hash of the scripts and style sheets that pages hold or name: when one changes, every page is written anew."""
    files = [
        path
        for folder in ["_static", "fpbook/replay", "fpbook/lab", "web"]
        for path in sorted((root / folder).glob("*.*s"))
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files if path.suffix in {".css", ".js"})).hexdigest()


def configure(app, config):
    """Addresses come from the environment; without them no button points into the void."""
    options, repository = config.html_theme_options, os.environ.get("GITHUB_REPOSITORY")
    options["repository_url"] = f"https://github.com/{repository}" if repository else ""
    if not repository:
        options["launch_buttons"] = {}
        options["use_repository_button"] = False
    config.html_baseurl = site_address()
    config.html_context["look"] = look_of(Path(app.srcdir))
    if site_address():
        config.ogp_site_url, config.ogp_site_name, config.ogp_use_first_image = site_address(), config.html_title, True
        config.ogp_social_cards, config.sitemap_url_scheme = {"enable": False}, "{link}"
        config.sitemap_excludes = ["404.html", "search.html", "genindex.html", "prf-prf.html"]
    config.html_search_scorer = str(Path(__file__).with_name("search.js"))
    config.mathjax_options = {"type": "text/mathjax", "priority": 900}  # site.js runs it where formulas are to be drawn
    config.mathjax3_config = {"options": {"enableMenu": False}, "chtml": {"mtextInheritFont": True}}


def vendor(app):
    if app.builder.name == "html":
        app.config.html_static_path += VENDOR


def offer_notebook(app, pagename, templatename, context, doctree):
    """Let the theme's download button offer the notebook."""
    if doctree is not None and Path(app.env.doc2path(pagename)) in app.book_results:
        context["ipynb_source"] = f"{pagename}.ipynb"


def choose_files(app, pagename, templatename, context, doctree):
    """Each script once and after the page is read; styles of cards and tabs where there are some.

    Options inside the page.
    """
    cards, seen, scripts = CARD.search(context.get("body") or ""), set(), []
    for script in context.get("script_files", []):
        if "documentation_options.js" in str(script.filename):  # scripts inside the page need it before any file is run
            options = Path(app.outdir, "_static/documentation_options.js").read_text(encoding="utf8")
            script = type(script)(None, priority=script.priority, body=options)
        which = (str(script.filename), script.attributes.get("body"))
        if which in seen or (DESIGN.search(which[0]) and not cards):
            continue
        seen.add(which)
        if script.filename and "async" not in script.attributes:
            script.attributes["defer"] = "defer"
        scripts.append(script)
    context["script_files"] = scripts
    if not cards:
        context["css_files"] = [
            sheet for sheet in context.get("css_files", []) if not DESIGN.search(str(sheet.filename))
        ]


def date_page(app, pagename, templatename, context, doctree):
    context["last_updated"] = _date(app.env.doc2path(pagename), str(app.srcdir)) if doctree is not None else None


def _git(folder, *command):
    if not shutil.which("git"):
        return ""
    return subprocess.run(["git", *command], cwd=folder, capture_output=True, text=True).stdout.strip()


@lru_cache
def _whole_history(folder):
    return _git(folder, "rev-parse", "--is-shallow-repository") == "false"


def _date(path, folder):
    """When a page was last changed; None where nobody knows, as in a clone without the whole history."""
    return (_git(folder, "log", "-1", "--format=%cs", "--", path) or None) if _whole_history(folder) else None


def not_found(app):
    if app.builder.name == "html":
        yield "404", {"title": "Page not found", "body": NOT_FOUND}, "page.html"


def base_of(page, name):
    """A wrong address may lie in any folder, so the links of the page shown there must not depend on the folder."""
    if name != "404.html" or not site_address():
        return page
    return page.replace(
        '<meta charset="utf-8" />', f'<meta charset="utf-8" /><base href="{urlsplit(site_address()).path}">', 1
    )


def setup(app):
    if site_address():  # both need absolute addresses
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", vendor)
    app.connect("html-page-context", offer_notebook, priority=400)
    app.connect("html-page-context", choose_files, priority=950)
    app.connect("html-page-context", date_page)
    app.connect("html-collect-pages", not_found)
