"""The book's drawn diagrams: `python _static/diagrams/draw.py` writes them beside itself.

Lines and words take the colour of the text around them (`currentColor`). The other colours are those of the light page;
`_static/book.css` says which one the dark page puts in the place of each. No element has an id, so a diagram can stand
in a page, and in a preview of it, at the same time.
"""

import base64
import json
import re
import struct
import zlib
from html import escape
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
RUNS = HERE.parents[1] / "web" / "landing-run.js"  # of the first page's two networks
WIDTH = 480
BLUE, ORANGE, GREEN, PINK, GROUND = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#ffffff"  # those of all figures
GREY = "#6a6a6a"  # darker than the target's grey in other figures, which as a thin line on white has a contrast below 3
INK = "currentColor"
SHIFTED = re.compile(r"([_^])(?:\{([^}]*)\}|(.))")


# Elements


def number(value):
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float | np.floating) else str(value)


def tag(name, *inside, **attributes):
    words = "".join(f' {key.replace("_", "-")}="{number(value)}"' for key, value in attributes.items())
    return f"<{name}{words}>{''.join(inside)}</{name}>" if inside else f"<{name}{words}/>"


def formula(text, size):
    """Letters in italics; what follows _ or ^ smaller and lower or higher."""
    out, at, back = [], 0, 0.0

    def piece(words, dy=0.0, small=False):
        for run in re.findall(r"[^\W\d_]+|[\W\d_]+", words):
            style = {"font_style": "italic"} if run[0].isalpha() else {}
            out.append(tag("tspan", escape(run), font_family="Georgia, serif", **style, **shift(dy, small)))
            dy = 0.0

    def shift(dy, small):
        return ({"dy": dy} if dy else {}) | ({"font_size": round(0.72 * size)} if small else {})

    for match in SHIFTED.finditer(text):
        piece(text[at : match.start()], back)
        lower = 0.25 * size if match[1] == "_" else -0.4 * size
        piece(match[2] or match[3], lower, small=True)
        at, back = match.end(), -lower
    piece(text[at:] or "\u200b", back)  # a space of no width brings the line back to its height
    return "".join(out)


def words(x, y, text, *, size=14, anchor="middle", fill=INK):
    """A line of text; what stands between dollars is a formula."""
    parts = [formula(part, size) if i % 2 else escape(part) for i, part in enumerate(text.split("$"))]
    return tag("text", *parts, x=x, y=y, text_anchor=anchor, font_size=size, fill=fill)


def line(x1, y1, x2, y2, *, stroke=INK, width=1.2, dash=""):
    more = {"stroke_dasharray": dash} if dash else {}
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **more)


def curve(x, y, *, stroke=INK, width=2.4, fill="none", dash="", opacity=None):
    d = "M" + "L".join(f"{number(float(a))} {number(float(b))}" for a, b in zip(x, y))
    more = ({"stroke_dasharray": dash} if dash else {}) | ({"fill_opacity": opacity} if opacity else {})
    return tag("path", d=d, fill=fill, stroke=stroke, stroke_width=width, stroke_linejoin="round", **more)


def dot(x, y, r, *, fill=INK, stroke=INK, width=1.2):
    return tag("circle", cx=x, cy=y, r=r, fill=fill, stroke=stroke, stroke_width=width)


def box(x, y, w, h, *, stroke=INK, fill="none", opacity=None, width=1.2):
    more = {"fill_opacity": str(opacity)} if opacity else {}
    return tag("rect", x=x, y=y, width=w, height=h, rx=8, fill=fill, stroke=stroke, stroke_width=width, **more)


def arrow(x1, y1, x2, y2, *, stroke=INK, width=1.4):
    ahead = np.array([x2 - x1, y2 - y1]) / np.hypot(x2 - x1, y2 - y1)
    aside, tip = np.array([-ahead[1], ahead[0]]), np.array([x2, y2])
    head = np.array([tip, tip - 8 * ahead + 4 * aside, tip - 8 * ahead - 4 * aside])
    stop = tip - 6 * ahead
    return line(x1, y1, *stop, stroke=stroke, width=width) + curve(*head.T, fill=stroke, stroke="none", width=0)


def pixels(values, x, y, side, **more):
    """A square of grey values in [0, 1] as an uncompressed PNG, the same bytes on every machine."""
    rows = np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 8, 0, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(raw, 0)) + chunk(b"IEND", b"")
    href = "data:image/png;base64," + base64.b64encode(png).decode()
    return tag("image", href=href, x=x, y=y, width=side, height=side, style="image-rendering:pixelated", **more)


def svg(height, *parts):
    size = {"width": WIDTH, "height": height, "viewBox": f"0 0 {WIDTH} {height}"}
    family = "Helvetica, Arial, sans-serif"
    parts = (tag("rect", width=WIDTH, height=height, fill=GROUND), *parts)
    return tag(
        "svg", "\n", *(f"{part}\n" for part in parts), xmlns="http://www.w3.org/2000/svg", **size, font_family=family
    )


# Diagrams


def arc():
    """The way through the chapter: phenomenon, mechanism, three consequences, depth, what is open."""

    def step(x, y, w, colour, *lines):
        title, *rest = lines
        below = [words(x + w / 2, y + 40 + 17 * i, text, size=13) for i, text in enumerate(rest)]
        return "".join([box(x, y, w, 66, stroke=colour, fill=colour, opacity=0.08, width=1.6),
                        words(x + w / 2, y + 21, title, size=14), *below])  # fmt: skip

    parts = [
        step(8, 8, 212, BLUE, "1.1  The phenomenon", "low frequencies are", "usually learned first"),
        step(260, 8, 212, BLUE, "1.1.1  The mechanism", "a correction at one point", "moves its neighbours"),
        step(8, 122, 146, ORANGE, "1.2  Where it hurts", "fine detail is late,", "and what helps"),
        step(167, 122, 146, GREEN, "1.3  Where it helps", "stop before the", "noise is learned"),
        step(326, 122, 146, PINK, "1.4  Where it ends", "right for images,", "wrong for parity"),
        step(134, 236, 212, GREY, "1.5  What depth changes", "the target that", "later layers have to fit"),
        step(134, 350, 212, GREY, "1.6  What is still open", "other optimizers,", "generative models"),
    ]
    parts += [arrow(222, 41, 257, 41)]
    parts += [line(366, 74, 366, 98), line(81, 98, 399, 98)]
    parts += [arrow(x, 98, x, 120) for x in (81, 240, 399)]
    parts += [line(x, 188, x, 212) for x in (81, 240, 399)] + [line(81, 212, 399, 212), arrow(240, 212, 240, 234)]
    parts += [arrow(240, 302, 240, 348)]
    return svg(424, *parts)


def ricker():
    """The Ricker activation at two scales, and its spectrum."""
    x, omega = np.linspace(-1.5, 1.5, 241), np.linspace(0, 25, 201)
    parts = [words(112, 18, "activation $σ$"), words(362, 18, "its spectrum")]
    parts += [line(8, 150, 216, 150), line(262, 190, 468, 190)]
    parts += [arrow(112, 206, 112, 28, width=1.2), arrow(262, 190, 262, 28, width=1.2)]
    for a, colour in [(0.3, BLUE), (0.1, ORANGE)]:
        bump = np.pi**0.25 / (15 * a) * (1 - (x / a) ** 2) * np.exp(-((x / a) ** 2) / 2)
        band = (a * omega) ** 2 * np.exp(-((a * omega) ** 2) / 2) * np.exp(1) / 2
        peak = 262 + 8.2 * 2**0.5 / a
        parts.append(curve(112 + 68 * x, 150 - 120 * bump, stroke=colour))
        parts.append(line(peak, 60, peak, 190, stroke=colour, dash="3 4"))
        parts.append(curve(262 + 8.2 * omega, 190 - 130 * band, stroke=colour))
        parts.append(words(peak, 52, f"$a$ = {a}"))
        parts.append(words(peak, 207, "$√2/a$"))
    parts += [line(127, 62, 148, 54, width=0.8), words(152, 58, "$a$ = 0.1", anchor="start")]
    parts += [line(124, 122, 148, 104, width=0.8), words(152, 108, "$a$ = 0.3", anchor="start")]
    parts += [words(211, 145, "$x$"), words(470, 207, "$ω$", anchor="end")]
    return svg(216, *parts)


LAYERS = [1, 4, 4, 1]


def network(x, y, w, h, colour):
    """A small network whose edges are as thick as its weights are large: the same ones at every call."""
    columns = [[(x + w * i / 3, y + h * (j + 0.5) / n) for j in range(n)] for i, n in enumerate(LAYERS)]
    thick = iter(0.6 + 2.6 * np.random.default_rng(3).random(100) ** 2)
    lines = [line(*a, *b, stroke=colour, width=next(thick)) for p, q in zip(columns, columns[1:]) for a in p for b in q]
    return "".join(lines + [dot(*at, 6, fill=GROUND, stroke=colour, width=2) for column in columns for at in column])


def twins():
    """A network with its antisymmetric twin."""
    parts = [words(22, 138, "$x$", size=17), arrow(34, 128, 72, 66), arrow(34, 136, 72, 204)]
    for y, colour, name in [(16, BLUE, "$h_{θ}(x)$"), (152, ORANGE, "$h_{θ′}(x)$")]:
        parts.append(network(82, y, 150, 102, colour))
        parts.append(words(244, 56 if y == 16 else 226, name, anchor="start", size=15))
    parts += [arrow(240, 67, 317, 123), arrow(240, 203, 317, 147)]
    parts += [words(157, 139, "at the start $θ′ = θ$", size=13)]
    parts += [dot(330, 135, 13, fill=GROUND, width=1.6), line(324, 135, 336, 135, width=2)]
    parts += [arrow(343, 135, 372, 135), words(357, 126, "$/√2$", size=13)]
    parts += [words(427, 131, "output:"), words(427, 148, "0 at the start")]
    return svg(270, *parts)


RINGS = [0, 3, 6, 10, 16]


def portrait():
    """The picture of the page: 32 × 32 means over blocks of matplotlib's photograph of Grace Hopper, which is free."""
    from matplotlib.cbook import get_sample_data
    from matplotlib.image import imread

    with get_sample_data("grace_hopper.jpg") as file:
        grey = imread(file, format="jpg") @ [0.299, 0.587, 0.114] / 255
    return grey[40:360, 110:430].reshape(32, 10, 32, 10).mean(axis=(1, 3))


def rings():
    """Rings of frequency over the spectrum of a picture, and the picture from the rings up to each."""
    picture, k = portrait(), np.fft.fftfreq(32, 1 / 32)
    radius = np.hypot(k[:, None], k[None])
    fade = np.hanning(34)[1:-1]
    spectrum = np.fft.fftshift(np.log10(abs(np.fft.fft2(picture * np.outer(fade, fade))) + 1e-3))
    parts = [pixels(1 - (spectrum + 0.8) / 3.2, 16, 50, 208, data_flip="")]
    parts += [words(120, 40, "spectrum, over $k_1$ and $k_2$", size=17)]
    centre = 50 + 208 * 16.5 / 32
    places = [(254, 30), (366, 30), (254, 164), (366, 164)]
    for edge, colour, (x, y) in zip(RINGS[1:], [BLUE, ORANGE, GREEN, INK], places):
        shown = np.fft.ifft2(np.where(radius < edge, np.fft.fft2(picture), 0)).real
        parts.append(
            tag("circle", cx=centre - 34, cy=centre, r=6.5 * edge, fill="none", stroke=colour, stroke_width=2.4)
        )
        parts.append(pixels(shown, x, y, 94))
        parts.append(tag("rect", x=x, y=y, width=94, height=94, fill="none", stroke=colour, stroke_width=3))
        parts.append(words(x + 47, y - 10, f"from $|k| < {edge}$", size=17))
    return svg(270, *parts)


CORNERS = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]


def cube(x, y, mark):
    """A cube whose corners `mark` draws at their places; corner (0, 0, 0) lies left, below, in front."""
    place = {(a, b, c): (x + 92 * a + 44 * c, y + 132 - 92 * b - 34 * c) for a, b, c in CORNERS}
    edges = [(p, q) for p in CORNERS for q in CORNERS if p < q and sum(abs(np.subtract(p, q))) == 1]
    lines = [line(*place[p], *place[q], stroke=GREY, width=1.6) for p, q in edges]
    return "".join(lines + [mark(corner, *place[corner]) for corner in CORNERS])


def sign(x, y, positive, *, r=13, dash=False):
    """A corner's value: blue with a plus, or orange with a minus."""
    colour = BLUE if positive else ORANGE
    cross = line(x - 5, y, x + 5, y, stroke=colour, width=2.4)
    cross += line(x, y - 5, x, y + 5, stroke=colour, width=2.4) if positive else ""
    return dot(x, y, r, fill=GROUND, stroke=colour, width=2.6) + cross


def parity():
    """The cube with parity's signs, and what one seen corner makes of it for who expects neighbours to agree."""
    seen = (0, 0, 0)

    def truth(corner, x, y):
        return sign(x, y, sum(corner) % 2 == 0)

    def completed(corner, x, y):
        if corner == seen:
            return dot(x, y, 18, fill=GROUND, width=1.4) + sign(x, y, True)
        right = sum(corner) % 2 == 0
        path = ([x - 6, x - 1, x + 7], [y, y + 6, y - 6]) if right else None
        strokes = curve(*path, stroke=BLUE, width=2.6) if right else ""
        if not right:
            strokes = line(x - 5, y - 5, x + 5, y + 5, stroke=ORANGE, width=2.6)
            strokes += line(x - 5, y + 5, x + 5, y - 5, stroke=ORANGE, width=2.6)
        return dot(x, y, 13, fill=GROUND, stroke=GREY, width=1) + strokes

    parts = [words(112, 18, "parity: neighbours differ"), words(366, 18, "completed: neighbours agree")]
    parts += [cube(44, 66, truth), cube(298, 66, completed)]
    parts += [words(298, 232, "seen"), words(460, 232, "✓ right  ✗ wrong", anchor="end", size=13)]
    return svg(242, *parts)


def effective():
    """The pre-condition component, the effective target, and the learning component."""

    def layers(x, y, columns, colour):
        at = [[(x + 34 * i, y + (150 - 30 * n) / 2 + 30 * (j + 0.5)) for j in range(n)] for i, n in enumerate(columns)]
        lines = [line(*p, *q, stroke=colour, width=1) for a, b in zip(at, at[1:]) for p in a for q in b]
        return "".join(lines + [dot(*p, 6, fill=GROUND, stroke=colour, width=2) for column in at for p in column])

    parts = [
        box(8, 36, 164, 172, stroke=BLUE, fill=BLUE, opacity=0.08),
        box(308, 36, 164, 172, stroke=ORANGE, fill=ORANGE, opacity=0.08),
    ]
    parts += [words(90, 18, "pre-condition component"), words(90, 228, "layers 1, …, $l$")]
    parts += [words(390, 18, "learning component"), words(390, 228, "layers $l+1$, …, $L$")]
    parts += [words(26, 126, "$x_i$", size=16), layers(52, 47, [1, 4, 4, 4], BLUE), layers(324, 47, [4, 4, 1], ORANGE)]
    parts += [words(444, 126, "$≈ y_i$", size=16)]
    parts += [line(240, 28, 240, 52, dash="4 4"), line(240, 196, 240, 218, dash="4 4"), words(240, 18, "the cut")]
    parts += [
        words(240, 76, "$S^{[l]}$", size=19),
        words(240, 100, "effective", size=13),
        words(240, 115, "target:", size=13),
    ]
    parts += [
        words(240, 141, "$f^{[l]}(x_i)$", size=15),
        words(240, 159, "↦", size=15),
        words(240, 179, "$y_i$", size=15),
    ]
    parts += [arrow(174, 122, 200, 122), arrow(280, 122, 306, 122)]
    return svg(238, *parts)


def opening():
    """The Gaussian filter opening from the left, and the LFR and RDF that it gives."""
    lines, cutoffs, log = {3: 0.6, 40: 0.4}, [1.5, 11, 90], np.linspace(-0.3, 2.5, 281)
    x, at = 40 + 150 * (log + 0.3), lambda value: 40 + 150 * (np.log10(value) + 0.3)
    parts = [words(40, 16, "energy that the filter lets through", anchor="start", size=13)]
    parts += [words(at(38), 16, "$k_0$ grows", size=13), arrow(at(66), 12, at(150), 12)]
    for i, cutoff in enumerate(cutoffs):
        y = 122 - 88 * np.exp(-((10**log / cutoff) ** 2))
        parts.append(curve(x, y, stroke=GREY, width=1.8, dash=["2 3", "6 4", ""][i]))
    total = np.zeros_like(log)
    density = np.zeros_like(log)
    for omega, energy in lines.items():
        ratio = (omega / 10**log) ** 2
        total, density = total + energy * np.exp(-ratio), density + energy * 2 * ratio * np.exp(-ratio)
        parts.append(line(at(omega), 122, at(omega), 122 - 120 * energy, stroke=BLUE, width=4))
        parts.append(line(at(omega), 128, at(omega), 262, stroke=BLUE, width=1.2, dash="3 4"))
        name = {3: "$ω_1$", 40: "$ω_2$"}[omega]
        parts.append(words(at(omega) + 13, 118 - 40 * energy, name, size=15))
    parts += [line(40, 122, 460, 122), line(40, 262, 460, 262)]
    parts.append(
        curve(
            [*x, x[-1], x[0]], [*(262 - 90 * density), 262, 262], stroke=ORANGE, width=2.2, fill=ORANGE, opacity="0.15"
        )
    )
    parts.append(curve(x, 262 - 104 * total, width=2.4))
    parts += [words(460, 184, "LFR$(k_0)$", anchor="end", size=13), words(at(11), 240, "RDF$(k_0)$", size=13)]
    parts += [words(460, 138, "frequency $ω$", anchor="end", size=13)]
    parts += [words(460, 280, "cut-off $k_0$, logarithmic", anchor="end", size=13)]
    return svg(288, *parts)


def networks():
    """The first page's two networks after their recorded runs: output and curve, and when each wave was learned."""
    text, parts = RUNS.read_text("utf8"), []
    runs = json.loads(text[text.index("[") : text.rindex("]") + 1])
    for left, name, run in zip((0, 244), ("broad", "narrow"), runs):
        parts.append(words(left + 118, 16, f"{name} activation, $a$ = {run['declared']['network']['a']}"))
        parts += [network_panel(run, left), *waves_learned(run, left)]
    return svg(266, *parts)


def network_panel(run, left):
    x = np.pi * (2 * np.arange(41) + 1 - 41) / 41
    fine, last = np.linspace(x[0], x[-1], 201), run["frames"][-1]
    target = sum(np.sin(k * fine) for k in (1, 3, 5))
    at, high = lambda v: left + 118 + 114 * v / np.pi, lambda v: 104 - 30 * np.clip(np.asarray(v), -2.6, 2.6)
    off = np.sqrt(np.mean((last["h"] - target) ** 2) / np.mean(target**2))
    parts = [
        curve(at(fine), high(target), stroke=GREY, width=6, dash=""),
        curve(at(fine), high(last["h"]), stroke=PINK),
    ]
    parts += [dot(at(v), high(y), 1.6) for v, y in zip(x, last["at"])]
    return "".join([*parts, words(left + 118, 202, f"off by {100 * off:.0f} % between the points", size=13)])


def waves_learned(run, left):
    """Slow, middle and fast wave with the step from which its relative error stays below the threshold."""
    threshold = run["declared"]["watch"]["threshold"]
    phase = np.linspace(0, 2 * np.pi, 61)
    for i, (k, colour) in enumerate({1: BLUE, 3: ORANGE, 5: GREEN}.items()):
        above = [j for j, row in enumerate(run["rows"]) if row[1 + i] >= threshold]
        step = run["rows"][above[-1] + 1][0]
        x, y = left + 20 + 76 * i, 226
        yield curve(x + 52 * phase / (2 * np.pi), y - 8 * np.sin(k * phase), stroke=colour)
        yield words(x + 26, y + 28, f"step {step}", size=13)


DIAGRAMS = {
    "arc": arc,
    "ricker": ricker,
    "twins": twins,
    "rings": rings,
    "parity": parity,
    "effective": effective,
    "opening": opening,
    "networks": networks,
}


def drawn():
    """{file name: text} of all diagrams."""
    return {f"{name}.svg": f"{draw()}\n" for name, draw in DIAGRAMS.items()}


if __name__ == "__main__":
    for name, text in drawn().items():
        (HERE / name).write_text(text, encoding="utf8")
