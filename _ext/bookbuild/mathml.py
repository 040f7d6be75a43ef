"""Formulas as MathML, which needs no script: for the EPUB, and for previews on pages without formulas of their own."""

from latex2mathml.converter import convert


def as_mathml(tex, block):
    return convert(tex.replace("aligned}", "align}"), display="block" if block else "inline")  # it knows align only
