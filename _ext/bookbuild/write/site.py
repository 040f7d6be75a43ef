"""The site around the pages: its address, buttons, scripts, search and downloads.

What a setting or the context of a page can do is done here; what only the finished HTML allows, in `finish`.
"""

import json
import os
import re
import shutil
from html import escape
from pathlib import Path
from textwrap import shorten
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.addnodes import pending_xref

from fpbook._files import replace

from ..settings import GLOSSARY, site_address

DOWNLOADS_PLACE = re.compile(r'(?P<place><p class="downloads">).*?(?=</p>)')  # in `_config.yml`, empty
DOWNLOADS = {"EPUB": ("epub/*.epub", "fpbook.epub"), "PDF": ("book.pdf", "fpbook.pdf")}


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
        config.html_context["base"] = urlsplit(site_address()).path  # for _templates/404.html
        config.ogp_site_url, config.ogp_site_name, config.ogp_use_first_image = site_address(), config.html_title, True
        config.ogp_social_cards, config.sitemap_url_scheme = {"enable": False}, "{link}"
        config.ogp_enable_meta_description = False  # `describe` does that, with an address or without
        config.sitemap_excludes = ["404.html", "search.html", "genindex.html"]
    config.html_search_scorer = str(Path(__file__).with_name("search.js"))


def copy_static(app):
    if app.builder.name == "html":
        app.config.html_static_path += ["_vendor"]


def offer_notebook(app, pagename, templatename, context, doctree):
    """Let the theme's download button offer the notebook."""
    if pagename in app.book.notebooks:
        context["ipynb_source"] = f"{pagename}.ipynb"


def describe(app, pagename, templatename, context, doctree):
    """A page's first paragraph describes it where pages are listed, as in the results of a search engine."""
    paragraph = next(doctree.findall(nodes.paragraph), None) if doctree else None
    if paragraph is not None:
        text = escape(shorten(paragraph.astext(), 200, placeholder=" …"))
        context["metatags"] += f'\n<meta name="description" content="{text}" />'


def order_scripts(app, pagename, templatename, context, doctree):
    """Each script after the page is read; the options, which inline scripts need first, in the page."""
    scripts = []
    for script in context.get("script_files", []):
        if "documentation_options.js" in str(script.filename):
            options = Path(app.outdir, "_static/documentation_options.js").read_text(encoding="utf8")
            script = type(script)(None, priority=script.priority, body=options)
        if script.filename and "async" not in script.attributes:
            script.attributes["defer"] = "defer"
        scripts.append(script)
    context["script_files"] = scripts


def add_first_pages(app, pagename, templatename, context, doctree):
    """A search for a word of the glossary finds first the page that its entry names; search.js reads them there."""
    if pagename == "search" and GLOSSARY in app.env.all_docs:
        found = json.dumps(first_pages(app.env), ensure_ascii=False, separators=(",", ":"))
        app.add_js_file(None, body=f"const FIRST_PAGES = {found};".replace("<", "\\u003c"))


def first_pages(env):
    """Each term in small letters, with blanks for hyphens -> the page to which its entry leads, as "chapters/why"."""
    pages, first = env.domains["std"].anonlabels, {}
    for entry in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        named = next((link["reftarget"] for link in entry.findall(pending_xref) if follows_see(link)), None)
        if named in pages:
            terms = [term.astext() for term in entry.findall(nodes.term)]
            first |= {re.sub(r"[-\s]+", " ", term.lower()): pages[named][0] for term in terms}
    return first


def follows_see(link):
    """True for the reference of "See section 1.1"."""
    before = link.parent.children[: link.parent.index(link)]
    return bool(before) and before[-1].astext().rstrip().endswith("See")


def offer_downloads(build):
    """EPUB and PDF, as built in the folder `build`, go beside the pages; the foot of each links them with their sizes.

    Returns what is offered.
    """
    html, offers = build / "html", []
    for kind, (made, name) in DOWNLOADS.items():
        (path,) = build.glob(made)
        shutil.copyfile(path, html / name)
        offers.append((name, f"{kind} ({path.stat().st_size / 1e6:.1f} MB)"))
    for page in html.rglob("*.html"):
        up = "../" * (len(page.relative_to(html).parts) - 1)
        links = ", ".join(f'<a href="{up}{name}" download>{words}</a>' for name, words in offers)
        text = page.read_text(encoding="utf8")
        replace(page, DOWNLOADS_PLACE.sub(rf"\g<place>The whole book: {links}", text).encode("utf8"))
    return f"The book beside its pages: {', '.join(words for _, words in offers)}"
