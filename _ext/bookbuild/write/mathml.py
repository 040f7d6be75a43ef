"""Formulas as MathML, which needs no script: for the EPUB, and for previews on pages without formulas of their own."""

import re

from latex2mathml.converter import convert

PRIMES = re.compile(r"(?P<primes>'+)\^(?P<power>\{[^{}]*\}|\\[a-zA-Z]+|\w)")


def as_mathml(tex, block):
    """A formula as MathML; ValueError with the formula where that cannot be done."""
    tex = tex.replace("aligned}", "align}")  # it knows align only

    def together(match):
        """A prime and a power are one superscript, which LaTeX writes as two."""
        primes = r"\prime " * len(match["primes"])
        return f"^{{{primes}{match['power'].strip('{}')}}}"

    try:
        return convert(PRIMES.sub(together, tex), display="block" if block else "inline")
    except Exception as error:  # its errors have no common class
        raise ValueError(f"no MathML for the formula {tex!r}: {type(error).__name__}") from error
