"""Formulas as MathML, which needs no script: in the EPUB, and on pages until MathJax draws them, on paper too."""

import re
from html import escape, unescape

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="math (?P<about>[^>]*)>\s*(?P<number><span class="eqno">.*?</span>)?'
    r"(?P<tex>[^<]*)</(?P=tag)>",
    re.DOTALL,
)
PRIMES = re.compile(r"(?P<primes>'+)\^(?P<power>\{[^{}]*\}|\\[a-zA-Z]+|\w)")


def as_mathml(tex, block):
    """A formula as MathML; ValueError with the formula where that cannot be done."""
    tex = re.sub(r"\{(aligned|split)\}", "{align}", tex)  # it knows align only

    def together(match):
        """A prime and a power are one superscript, which LaTeX writes as two."""
        primes = r"\prime " * len(match["primes"])
        return f"^{{{primes}{match['power'].strip('{}')}}}"

    try:
        return convert(PRIMES.sub(together, tex), display="block" if block else "inline")
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
