"""The site around the pages, by settings and the context of a page: address, buttons, scripts, search, downloads."""

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
    options["use_repository_button"] = bool(repository)
    options["launch_buttons"] = options["launch_buttons"] if repository else {}
    if not shutil.which("git"):  # dates come from there; without them the theme would lose its download button too
        config.html_last_updated_fmt = None
    config.html_baseurl = site_address()
    if site_address():
        config.html_context["base"] = urlsplit(site_address()).path  # for _templates/404.html
        config.ogp_site_url, config.ogp_site_name, config.ogp_use_first_image = site_address(), config.html_title, True
        config.ogp_social_cards, config.ogp_enable_meta_description = {"enable": False}, False  # `describe` does that
        config.sitemap_url_scheme, config.sitemap_excludes = "{link}", ["404.html", "search.html", "genindex.html"]
    config.epub_contributor, config.epub_copyright = config.author, f"{config.copyright} {config.author}, CC BY 4.0"
    config.html_search_scorer = str(Path(__file__).with_name("search.js"))


def describe(app, pagename, templatename, context, doctree):
    """The download button offers the notebook; the first paragraph stands in the results of a search engine."""
    if pagename in app.book.notebooks:
        context["ipynb_source"] = f"{pagename}.ipynb"
    paragraph = next(doctree.findall(nodes.paragraph), None) if doctree else None
    if paragraph is not None:
        text = escape(shorten(paragraph.astext(), 200, placeholder=" …"))
        context["metatags"] += f'\n<meta name="description" content="{text}" />'


def inline_options(app, pagename, templatename, context, doctree):
    """The options, which inline scripts need first, stand in the page: no script is waited for."""
    scripts = context.get("script_files", [])
    for i, script in enumerate(scripts):
        if "documentation_options.js" in str(script.filename):
            options = Path(app.outdir, "_static/documentation_options.js").read_text(encoding="utf8")
            scripts[i] = type(script)(None, priority=script.priority, body=options)


def add_first_pages(app, pagename, templatename, context, doctree):
    """A search for a word of the glossary finds first the page that its entry names last; search.js reads it there."""
    if pagename == "search" and GLOSSARY in app.env.all_docs:
        pages, first = app.env.domains["std"].anonlabels, {}
        for entry in app.env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
            named = [link["reftarget"] for link in entry.findall(pending_xref) if link["reftarget"] in pages]
            for term in entry.findall(nodes.term) if named else []:
                first[re.sub(r"[-\s]+", " ", term.astext().lower())] = pages[named[-1]][0]
        found = json.dumps(first, ensure_ascii=False, separators=(",", ":"))
        app.add_js_file(None, body=f"const FIRST_PAGES = {found};".replace("<", "\\u003c"))


def offer_downloads(build):
    """EPUB and PDF of the folder `build` go beside the pages, which link them with their sizes. Returns what is so."""
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
