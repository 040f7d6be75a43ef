"""Formulas as MathML, which needs no script: in the EPUB, and on pages until MathJax draws them, on paper too."""

import re
from html import escape, unescape

from docutils import nodes
from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="math (?P<about>[^>]*)>\s*(?P<number><span class="eqno">.*?</span>)?'
    r"(?P<tex>[^<]*)</(?P=tag)>",
    re.DOTALL,
)
PRIMES = re.compile(r"(?P<primes>'+)\^(?P<power>\{[^{}]*\}|\\[a-zA-Z]+|\w)")
OPENING = re.compile(r"[(\[‘“]+$")
PUNCTUATION = re.compile(r"[.,;:!?)\]’”%]+|-[a-z]+[.,;:]?|s\b")


def texts(text):
    """A text as a list of nodes, empty where there is none."""
    return [nodes.Text(text)] if text else []


def keep_together(app, doctree, docname):
    """A formula, the brackets before it and the punctuation behind it stay on one line."""
    for formula in list(doctree.findall(nodes.math)):
        parent, place = formula.parent, formula.parent.index(formula)
        around = [parent[i] if 0 <= i < len(parent) else None for i in (place - 1, place + 1)]
        before, after = (part if isinstance(part, nodes.Text) else nodes.Text("") for part in around)
        opening, closing = OPENING.search(before), PUNCTUATION.match(after)
        if not (opening or closing):
            continue
        start = opening.start() if opening else len(before)
        end = closing.end() if closing else 0
        inside = texts(before[start:]) + [formula] + texts(after[:end])
        first, last = place - (around[0] is before), place + 1 + (around[1] is after)
        together = nodes.inline("", "", *inside, classes=["nobreak"])
        parent[first:last] = texts(before[:start]) + [together] + texts(after[end:])


def as_mathml(tex, block):
    """A formula as MathML; ValueError with the formula where that cannot be done."""
    tex = re.sub(r"\{(aligned|split)\}", "{align}", tex)  # it knows align only
    # A prime and a power are one superscript, which LaTeX writes as two.
    tex = PRIMES.sub(lambda match: "^{" + r"\prime " * len(match["primes"]) + match["power"].strip("{}") + "}", tex)
    try:
        return convert(tex, display="block" if block else "inline")
    except Exception as error:  # its errors have no common class
        raise ValueError(f"no MathML for the formula {tex!r}: {type(error).__name__}") from error


def draw(page):
    """The page with each formula as MathML; its TeX, which MathJax draws more finely, stands in `data-tex`."""

    def drawn(match):
        tex = unescape(match["tex"]).strip()
        inside = tex[2:-2] if tex[:2] in ("\\(", "\\[") else tex
        try:
            formula = as_mathml(inside, match["tag"] == "div")
        except ValueError:
            return match[0]
        formula = formula.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")  # HTML needs none
        head = f'<{match["tag"]} class="math {match["about"]} data-tex="{escape(tex)}">'
        return f"{head}{match['number'] or ''}{formula}</{match['tag']}>"

    return FORMULA.sub(drawn, page)
