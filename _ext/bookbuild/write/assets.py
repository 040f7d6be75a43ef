"""Small pages: pictures as WebP, which wait until they are near; one style sheet and icon font of what is in use."""

import hashlib
import io
import re
from functools import cache

from fontTools import subset
from PIL import Image

from fpbook._files import replace

STYLES = re.compile(r'\s*<link[^>]*href="(?P<root>[^"]*)_static/(?P<path>[^"?]+\.css)[^"]*"[^>]*>')
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FONT = re.compile(r'url\([^)]*fa-solid-900\.woff2\) format\("woff2"\),url\([^)]*\) format\("truetype"\)')
IMAGE = re.compile(r'<img(?P<before>[^>]*) src="(?P<src>[^"]*_images/[^"]+\.png)"(?: style="[^"]*")?')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{};]+)\{[^{}]*\}")
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)")
FONTS = "_static/vendor/fontawesome/webfonts"


def shrink(page, path, html, known):
    """The page with smaller files, and what of it was done."""
    page, pictures = IMAGE.subn(lambda match: picture(match, path), page)
    page, fonts = one_style_sheet(page, html, known)
    return page, {name for name, count in {"pictures": pictures, "icon font": fonts}.items() if count}


def picture(match, page):
    """The tag of a figure with its size in CSS pixels, 100 dots per inch being one pixel each, and a smaller file."""
    png, source = page.parent / match["src"], match["src"].removesuffix(".png") + ".webp"
    with Image.open(png) as image:
        sizes = zip(image.size, image.info.get("dpi", (100, 100)))
        width, height = (round(length * 100 / inch) for length, inch in sizes)
        if not png.with_suffix(".webp").exists():  # its name is a hash of what it shows
            file = io.BytesIO()
            image.save(file, "WEBP", lossless=True, method=2)
            replace(png.with_suffix(".webp"), file.getvalue())
    return f'<img{match["before"]} loading="lazy" width="{width}" height="{height}" src="{source}"'


def known_names(texts, html):
    """Whether a name can be that of a class: a word of a page or script, or one that a script puts together."""
    scripts = [*html.glob("_static/*.js"), *html.glob("_static/scripts/[!f]*.js")]  # no page loads fontawesome.js
    said = {word for path in scripts for word in re.findall(r"[\w-]+", path.read_text(encoding="utf8"))}
    words = said.union(*(re.findall(r"[\w-]+", text) for text in texts))
    starts = tuple(word for word in said if word.endswith("-"))
    return cache(lambda name: name in words or name.startswith(starts))


@cache
def rules_in_use(text, known):
    """A style sheet without comments and without the rules of a theme for classes that no page here has."""

    def styles(selector):
        return all(map(known, CLASS.findall(re.sub(r":not\([^()]*\)", "", selector))))

    return RULE.sub(lambda rule: rule[0] if any(map(styles, rule[1].split(","))) else "", COMMENT.sub("", text))


def one_style_sheet(page, html, known):
    """All style sheets of a page in one file, so that a browser need not fetch a dozen before it draws."""
    links = list(STYLES.finditer(page))
    text = "\n".join((html / "_static" / link["path"]).read_text(encoding="utf8") for link in links)
    text = text.replace('@import "../basic.css";', (html / "_static/basic.css").read_text(encoding="utf8"), 1)
    text, fonts = FONT.subn('url(../vendor/fontawesome/webfonts/icons.woff) format("woff")', text)
    text = rules_in_use(text, known)
    name = f"all-{hashlib.sha256(text.encode()).hexdigest()[:12]}.css"
    replace(html / "_static/styles" / name, text.encode("utf8"))  # beside the theme's, whose addresses are relative
    page = STYLES.sub("", page)
    sheet = f'<link rel="stylesheet" href="{links[0]["root"]}_static/styles/{name}" />'
    return page[: links[0].start()] + sheet + page[links[0].start() :], fonts


def shrink_icons(html):
    """The icon font with the icons that a page, script or style sheet shows: the whole one is fifty times larger."""
    sheets = [*html.glob("_static/*.css"), *html.glob("_static/styles/*theme.css")]
    styles = "".join(sheet.read_text(encoding="utf8") for sheet in sorted(sheets))
    named = {name: code for names, code in ICON.findall(styles) for name in re.findall(r"fa-[\w-]+", names)}
    files = [*html.rglob("*.html"), *(html / "_static/scripts").glob("*-theme.js")]
    used = {name for file in files for name in re.findall(r"fa-[\w-]+", file.read_text(encoding="utf8"))}
    codes = [named[name] for name in used & set(named)] + re.findall(r"\\(f[0-9a-f]{3})\b", ICON.sub("", styles))
    codes += [f"{ord(sign):x}" for sign in styles if "\ue000" <= sign <= "\uf8ff"]
    font, made = html / FONTS / "fa-solid-900.ttf", html / FONTS / "icons.woff"
    subset.main([str(font), f"--unicodes={','.join(codes)}", "--flavor=woff", f"--output-file={made}"])
