"""Small pages: pictures as WebP, one style sheet, an icon font of the icons in use.

Pictures keep their size in CSS pixels, and wait until they are near.
"""

import hashlib
import io
import logging
import re

from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

from fpbook._files import replace

STYLES = re.compile(r'\s*<link[^>]*href="(?P<root>[^"]*)_static/(?P<path>[^"?]+\.css)[^"]*"[^>]*>')
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FONT = re.compile(r'url\([^)]*fa-solid-900\.woff2\) format\("woff2"\),url\([^)]*\) format\("truetype"\)')
IMAGE = re.compile(r'<img(?P<before>[^>]*) src="(?P<src>[^"]*_images/[^"]+\.png)"(?: style="[^"]*")?')
SCROLLS = re.compile(  # in the theme's script
    r'window\.addEventListener\("resize",\w+\),new MutationObserver\(\w+\)\.observe\('
    r'document\.getElementById\("main-content"\),\{[^}]*\}\),\w+\(\)'
)
FONTS = "_static/vendor/fontawesome/webfonts"
NAMES = ["pictures", "style sheets", "icon font", "theme's look at what scrolls"]


def shrink(page, path, html):
    """The page with smaller files, and what of it was done."""
    hits = []
    page, count = IMAGE.subn(lambda match: picture(match, path), page)
    if count:
        hits.append("pictures")
    if STYLES.search(page):
        page, changed = one_style_sheet(page, html)
        hits += ["style sheets"] + ["icon font"] * changed
    return page, hits


def picture(match, page):
    """The tag of a figure with its size in CSS pixels, 100 dots per inch being one pixel each, and a smaller file."""
    png, source = page.parent / match["src"], match["src"].removesuffix(".png") + ".webp"
    with Image.open(png) as image:
        sizes = zip(image.size, image.info.get("dpi", (100, 100)))
        width, height = (round(length * 100 / inch) for length, inch in sizes)
        if not png.with_suffix(".webp").exists():  # its name is a hash of what it shows
            replace(png.with_suffix(".webp"), saved(image))
    return f'<img{match["before"]} loading="lazy" width="{width}" height="{height}" src="{source}"'


def saved(image):
    """The bytes of a picture as WebP."""
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True, method=2)
    return file.getvalue()


def one_style_sheet(page, html):
    """All style sheets of a page in one file, so that a browser need not fetch a dozen before it draws."""
    links = list(STYLES.finditer(page))
    names = [link["path"] for link in links]
    text = "".join(f"/* {name} */\n{(html / '_static' / name).read_text(encoding='utf8')}\n" for name in names)
    text = text.replace('@import "../basic.css";', (html / "_static/basic.css").read_text(encoding="utf8"), 1)
    text, changed = FONT.subn('url(../vendor/fontawesome/webfonts/icons.woff) format("woff")', text)
    name = f"all-{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
    replace(html / "_static/styles" / name, text.encode("utf8"))  # beside the theme's, whose addresses are relative
    page = STYLES.sub("", page)
    sheet = f'<link rel="stylesheet" href="{links[0]["root"]}_static/styles/{name}" />'
    return page[: links[0].start()] + sheet + page[links[0].start() :], bool(changed)


def quiet_theme(html):
    """What was done to the theme's script: it no longer looks for boxes that scroll.

    It measures and marks them one by one, so that the page is laid out anew for each, and again after every change, as
    while a lab trains. _static/site.js measures all of them first.
    """
    script = html / "_static/scripts/pydata-sphinx-theme.js"
    text, count = SCROLLS.subn("0", script.read_text(encoding="utf8"))
    replace(script, text.encode("utf8"))
    return {"theme's look at what scrolls"} if count else set()


def shrink_icons(html):
    """The icon font with the icons that a page, script or style sheet shows: the whole one is fifty times larger."""
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    sheets = [*html.glob("_static/*.css"), *html.glob("_static/styles/*theme.css")]
    styles = "".join(sheet.read_text(encoding="utf8") for sheet in sorted(sheets))
    named = {name: code for names, code in ICON.findall(styles) for name in re.findall(r"fa-[\w-]+", names)}
    files = [*html.rglob("*.html"), *(html / "_static/scripts").glob("*-theme.js")]
    used = {name for file in files for name in re.findall(r"fa-[\w-]+", file.read_text(encoding="utf8"))}
    codes = [named[name] for name in used & set(named)] + re.findall(r"\\(f[0-9a-f]{3})\b", ICON.sub("", styles))
    codes = {int(code, 16) for code in codes} | {ord(sign) for sign in styles if "\ue000" <= sign <= "\uf8ff"}
    font = TTFont(html / FONTS / "fa-solid-900.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter()
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    replace(html / FONTS / "icons.woff", file.getvalue())
