"""The site around the pages: its address, buttons, scripts, and the page for wrong addresses.

What a setting or the context of a page can do is done here; what only the finished HTML allows, in `finish`.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from ..settings import site_address

NOT_FOUND = """<h1>This page does not exist</h1>
<p>The address may be misspelt, or the page has moved.
<a href="index.html">Begin at the first page</a>, choose a section on the left,
or <a href="search.html">search the book</a>.</p>"""


def configure(app, config):
    """Addresses come from the environment; without them no button points into the void."""
    options, repository = config.html_theme_options, os.environ.get("GITHUB_REPOSITORY")
    options["repository_url"] = f"https://github.com/{repository}" if repository else ""
    if not repository:
        options["launch_buttons"] = {}
        options["use_repository_button"] = False
    if not shutil.which("git"):  # dates come from there; without them the theme would lose its download button too
        config.html_last_updated_fmt = None
    config.html_baseurl = site_address()
    if site_address():
        config.ogp_site_url, config.ogp_site_name, config.ogp_use_first_image = site_address(), config.html_title, True
        config.ogp_social_cards, config.sitemap_url_scheme = {"enable": False}, "{link}"
        config.sitemap_excludes = ["404.html", "search.html", "genindex.html"]
    config.html_search_scorer = str(Path(__file__).with_name("search.js"))
    config.mathjax_options = {"type": "text/mathjax", "priority": 900}  # site.js runs it where formulas are to be drawn
    config.mathjax3_config = {"options": {"enableMenu": False}, "chtml": {"mtextInheritFont": True}}


def copy_static(app):
    if app.builder.name == "html":
        app.config.html_static_path += ["_vendor"]


def offer_notebook(app, pagename, templatename, context, doctree):
    """Let the theme's download button offer the notebook."""
    if pagename in app.book.notebooks:
        context["ipynb_source"] = f"{pagename}.ipynb"


def order_scripts(app, pagename, templatename, context, doctree):
    """Each script once and after the page is read; the options, which inline scripts need first, in the page."""
    seen, scripts = set(), []
    for script in context.get("script_files", []):
        if "documentation_options.js" in str(script.filename):
            options = Path(app.outdir, "_static/documentation_options.js").read_text(encoding="utf8")
            script = type(script)(None, priority=script.priority, body=options)
        which = (str(script.filename), script.attributes.get("body"))
        if which in seen:
            continue
        seen.add(which)
        if script.filename and "async" not in script.attributes:
            script.attributes["defer"] = "defer"
        scripts.append(script)
    context["script_files"] = scripts


def not_found(app):
    if app.builder.name == "html":
        yield "404", {"title": "Page not found", "body": NOT_FOUND}, "page.html"


def add_base(page, name):
    """A wrong address may lie in any folder, so the links of the page shown there must not depend on the folder."""
    if name != "404.html" or not site_address():
        return page
    return page.replace(
        '<meta charset="utf-8" />', f'<meta charset="utf-8" /><base href="{urlsplit(site_address()).path}">', 1
    )
