"""Sphinx extension of the pages: replays get their data, every file comes from the site itself, a policy says so."""

import base64
import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from fpbook_epub import SAME_IDS
from fpbook_words import store_previews
from PIL import Image
from sphinx.util.docutils import SphinxDirective

REPLAY = "application/vnd.fpbook.replay+json"  # as in fpbook.replay

VENDOR = ["_vendor", "fpbook/replay/replay.js", "fpbook/replay/replay.css"]  # copied to the site's _static
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'"
)
# What the theme and Jupyter Book put on each page: dead scripts, handlers that the policy forbids, a control without a name.
CHANGES = [
    (r'<summary>(?=<span class="toctree-toggle")', '<summary aria-label="Sections of this chapter">'),
    (
        r'<script[^>]*src="[^"]*scripts/fontawesome\.js[^"]*"[^>]*></script>',
        "",
    ),  # its style sheet and fonts are loaded too
    (r'<link[^>]*href="[^"]*scripts/fontawesome\.js[^"]*"[^>]*>', ""),
    (r"<script>const THEBE_JS_URL.*?</script>", ""),
    (r'<script[^>]*src="[^"]*sphinx-thebe\.js[^"]*"[^>]*></script>', ""),
    (r'<link[^>]*href="[^"]*sphinx-thebe\.css[^"]*"[^>]*>', ""),
    (r'<script type="text/x-thebe-config">.*?</script>\s*', ""),
    (r"<script>kernelName = .*?</script>\s*", ""),
    (r'role="doc-biblioentry"', 'role="listitem"'),  # deprecated
    SAME_IDS,
    (r' onclick="[^"]*"', ""),  # _static/page.js prints
    (r' aria-label="Toggle hidden content"', ""),  # the words that are shown name the control
    (r'(<button class="btn search-button-field[^>]*) aria-label="Search"', r"\1"),
    (r'<link rel="preload" as="script"[^>]*>', ""),
    (r"<script (?=[^>]*src=)(?![^>]*defer)", "<script defer "),
]
DESIGN = (
    r"<(link|script)[^>]*_static/(sphinx-design\.min\.css|design-tabs\.js)[^>]*>(</script>)?"  # for cards and tabs only
)
STYLES = re.compile(r'\s*<link[^>]*href="(?P<root>[^"]*)_static/(?P<path>[^"?]+\.css)[^"]*"[^>]*>')
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FONT = re.compile(r'url\([^)]*fa-solid-900\.woff2\) format\("woff2"\),url\([^)]*\) format\("truetype"\)')
IMAGE = re.compile(r'<img(?P<before>[^>]*) src="(?P<src>[^"]*_images/[^"]+\.png)"(?: style="[^"]*")?')
SEARCH = r'<script defer src="[^"]*(searchtools|language_data|searchindex)\.js[^"]*"></script>'  # only the search page searches
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL)
NOT_FOUND = """<h1>This page does not exist</h1>
<p>The address may be misspelt, or the page has moved.
<a href="index.html">Begin at the first page</a>, choose a section on the left, or <a href="search.html">search the book</a>.</p>"""


def site_address():
    """Where the book is published, from the environment; "" where that is unknown."""
    owner, _, name = os.environ.get("GITHUB_REPOSITORY", "").partition("/")
    default = f"https://{owner.lower()}.github.io/{name}/" if name else ""
    return os.environ.get("FPBOOK_SITE", default)


def choose_scripts(app):
    """The page needs scripts for formulas and replays, the EPUB has neither."""
    app.config.html_math_renderer = "mathml" if app.builder.name == "epub" else "mathjax"
    if app.builder.name == "html":
        app.config.html_static_path += VENDOR


def configure(app, config):
    config.html_baseurl = site_address()
    if site_address():
        config.ogp_site_url, config.ogp_site_name, config.ogp_use_first_image = site_address(), config.html_title, True
        config.ogp_social_cards, config.sitemap_url_scheme = {"enable": False}, "{link}"
        config.sitemap_excludes = ["404.html", "search.html", "genindex.html", "prf-prf.html"]
    config.mathjax_options = {"defer": "defer", "priority": 900}  # after page.js, which tells it how to begin
    config.mathjax3_config = {"options": {"enableMenu": False}, "chtml": {"mtextInheritFont": True}}


def add_replays(app, doctree, docname):
    """The data of each replay go into the page, directly behind its picture; the script finds them there."""
    result = app.fpbook_results.get(Path(app.env.doc2path(docname)))
    if app.builder.name != "html" or not result:
        return
    figures = {name: figure for figure in doctree.findall(nodes.figure) for name in figure["names"]}
    for cell in nbformat.read(result, as_version=4).cells:
        for output in cell.get("outputs", []):
            if REPLAY not in output.get("data", {}):
                continue
            figure = figures[cell.metadata["mystnb"]["figure"]["name"]]
            data = json.dumps(output["data"][REPLAY], separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
            script = f'<script type="application/json" class="replay-data">{data}</script>'
            figure.insert(1, nodes.raw("", script, format="html"))


def prepare_page(app, pagename, templatename, context, doctree):
    """Scripts of replays where there are any, and the date of the last change."""
    if doctree is not None and any("replay-data" in node.astext() for node in doctree.findall(nodes.raw)):
        app.add_js_file("replay.js", loading_method="defer")
        app.add_css_file("replay.css")
    if doctree is not None:
        log = ["git", "log", "-1", "--format=%cs", "--", app.env.doc2path(pagename)]
        date = subprocess.run(log, cwd=app.srcdir, capture_output=True, text=True).stdout.strip()
        context["last_updated"] = date or None


def not_found(app):
    if app.builder.name == "html":
        yield "404", {"title": "Page not found", "body": NOT_FOUND}, "page.html"


def policy(page):
    """The Content-Security-Policy of a page: scripts of the site, and those inside the page by their hash."""
    hashes = set()
    for script in SCRIPT.finditer(page):
        if "src=" not in script["attributes"] and "application/json" not in script["attributes"]:
            digest = base64.b64encode(hashlib.sha256(script["body"].encode()).digest()).decode()
            hashes.add(f"'sha256-{digest}'")
    return POLICY.format(hashes=" ".join(sorted(hashes)))


def picture(match, page):
    """The tag of a figure with its size in CSS pixels, where 100 dots an inch are one pixel each, and a smaller file of the same dots."""
    png = page.parent / match["src"]
    webp = png.with_suffix(".webp")
    with Image.open(png) as image:
        width, height = (
            round(length * 100 / inch) for length, inch in zip(image.size, image.info.get("dpi", (100, 100)))
        )
        if not webp.exists():  # its name is a hash of what it shows
            image.save(webp, lossless=True, method=2)
    return f'<img{match["before"]} loading="lazy" width="{width}" height="{height}" src="{match["src"].removesuffix(".png")}.webp"'


def icons(html):
    """The icon font with only the icons that some page or script names, or a style sheet shows; the whole font is fifty times larger."""
    sheets = [*html.glob("_static/*.css"), *html.glob("_static/styles/*theme.css")]
    styles = "".join(sheet.read_text(encoding="utf8") for sheet in sheets)
    named = {name: code for names, code in ICON.findall(styles) for name in re.findall(r"fa-[\w-]+", names)}
    files = [*html.rglob("*.html"), *(html / "_static/scripts").glob("*-theme.js")]
    used = {name for file in files for name in re.findall(r"fa-[\w-]+", file.read_text(encoding="utf8"))}
    codes = [named[name] for name in used & set(named)] + re.findall(r"\\(f[0-9a-f]{3})\b", ICON.sub("", styles))
    codes = {int(code, 16) for code in codes} | {ord(sign) for sign in styles if "\ue000" <= sign <= "\uf8ff"}
    font = TTFont(html / "_static/vendor/fontawesome/webfonts/fa-solid-900.ttf")
    subsetter = subset.Subsetter()
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff"
    font.save(html / "_static/vendor/fontawesome/webfonts/icons.woff")


def one_style_sheet(page, html):
    """All style sheets of a page in one file, so that a browser need not fetch a dozen before it draws."""
    links = list(STYLES.finditer(page))
    names = [link["path"] for link in links]
    text = "".join(f"/* {name} */\n{(html / '_static' / name).read_text(encoding='utf8')}\n" for name in names)
    text = text.replace('@import "../basic.css";', (html / "_static/basic.css").read_text(encoding="utf8"), 1)
    text = FONT.sub('url(../vendor/fontawesome/webfonts/icons.woff) format("woff")', text)
    name = f"all-{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
    (html / "_static/styles" / name).write_text(
        text, encoding="utf8"
    )  # beside the theme's, whose addresses are relative
    page = STYLES.sub("", page)
    sheet = f'<link rel="stylesheet" href="{links[0]["root"]}_static/styles/{name}" />'
    return page[: links[0].start()] + sheet + page[links[0].start() :]


def finish(app, exception):
    """Drop what is dead from every page, let it load what it needs in few files, give it its previews and its policy."""
    if exception or app.builder.name != "html":
        return
    html, parsed = Path(app.outdir), {}
    icons(html)
    options = (html / "_static/documentation_options.js").read_text(encoding="utf8")
    for path in html.rglob("*.html"):
        page = path.read_text(encoding="utf8")
        if "_static" in path.relative_to(html).parts:
            continue
        if "Content-Security-Policy" not in page:
            page = re.sub(
                r'<script src="[^"]*documentation_options\.js[^"]*"></script>',
                lambda _: f"<script>{options}</script>",
                page,
            )
            for pattern, replacement in CHANGES + ([] if path.name == "search.html" else [(SEARCH, "")]):
                page = re.sub(pattern, replacement, page, flags=re.DOTALL)
            if not re.search(r'class="[^"]*\bsd-', page):
                page = re.sub(DESIGN, "", page)
            page = one_style_sheet(page, html)
            page = IMAGE.sub(lambda match: picture(match, path), page)
            # A wrong address may lie in any folder, so this page's links must not depend on the folder it is shown in.
            base = (
                f'<base href="{urlsplit(site_address()).path}">' if path.name == "404.html" and site_address() else ""
            )
            head = f'<meta charset="utf-8" />{base}<meta http-equiv="Content-Security-Policy" content="{policy(page)}">'
            page = page.replace('<meta charset="utf-8" />', head, 1)
        path.write_text(store_previews(page, path, parsed), encoding="utf8")


class Status(SphinxDirective):
    """A table of the run behind the book: time of each section, versions, device."""

    def run(self):
        lines = [
            "| section | seconds | device | Python | PyTorch | NumPy | Matplotlib |",
            "|---|---|---|---|---|---|---|",
        ]
        for path, result in self.env.app.fpbook_results.items():
            self.env.note_dependency(str(result))
            ran = nbformat.read(result, as_version=4).metadata.fpbook
            cells = [f"{{doc}}`/{self.env.path2doc(str(path))}`", f"{ran['seconds']:.0f}", ran["device"]]
            cells += [ran["versions"][name] for name in ("python", "torch", "numpy", "matplotlib")]
            lines.append(f"| {' | '.join(cells)} |")
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app):
    if site_address():  # both need absolute addresses
        app.setup_extension("sphinxext.opengraph")
        app.setup_extension("sphinx_sitemap")
    app.add_directive("status-of-the-run", Status)
    app.connect("config-inited", configure, priority=100)
    app.connect("builder-inited", choose_scripts)
    app.connect("doctree-resolved", add_replays)
    app.connect("html-page-context", prepare_page)
    app.connect("html-collect-pages", not_found)
    app.connect("build-finished", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
