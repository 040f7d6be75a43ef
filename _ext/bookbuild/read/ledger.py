"""Lists made from the executed results: every claim of the book, what it says of the source, the run behind it.

`claims.md` holds the first two, `status.md` the third. The claims lie beside the pages as claims.json, too.
"""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from fpbook._files import replace
from fpbook.claims import Claim

from ..execute.results import stated_claims
from ..settings import RECORD, BuildError, rests_on

STRONGER = ["confirmed", "conditional", "corrected"]  # what one claim corrects, another cannot confirm
FORMULA = re.compile(r"\$([^$\n]+)\$")
PACKAGES = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "matplotlib": "Matplotlib"}


# Nodes of which pages are made


def text_nodes(text):
    """A text with formulas between dollar signs; nothing else in it is markup."""
    parts = FORMULA.split(str(text))
    made = [nodes.math("", part) if i % 2 else nodes.Text(part) for i, part in enumerate(parts)]
    return [node for node in made if node.astext()]


def link(page, anchor="", *, text=""):
    """A link to a place of the book; without a text it shows the number and title of the page."""
    shown = nodes.inline("", text)
    return pending_xref("", shown, refdomain="", reftype="place", reftarget=page, anchor=anchor, refexplicit=bool(text))


def resolve(app, env, node, contnode):
    """The address of a link, which differs between builders; a link to a page that is not there becomes its text."""
    page = node["reftarget"]
    if node["reftype"] != "place" or page not in env.all_docs:
        return contnode if node["reftype"] == "place" else None
    if not node["refexplicit"]:
        number = ".".join(map(str, env.toc_secnumbers.get(page, {}).get("", ())))
        contnode = nodes.inline("", f"{number} {env.titles[page].astext()}".strip())
    return make_refnode(app.builder, node["refdoc"], page, node["anchor"], contnode)


def table(header, rows, widths, classes=()):
    """A table from a list of nodes, or a text, per cell."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    group += nodes.thead("", _row(header))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=["colwidths-given", *classes])


def _row(cells):
    contents = [text_nodes(cell) if isinstance(cell, str) else cell for cell in cells]
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *content)) for content in contents))


# Claims


@dataclass(frozen=True)
class Stated:
    """A claim and where it stands; `counted` is what other seeds said of it, if that is known."""

    claim: Claim
    page: str
    number: int
    counted: dict | None

    @property
    def anchor(self):
        return claim_anchor(self.page, self.number)


def claim_anchor(page, number):
    """The anchor of a claim on its page, and of its row in the ledger."""
    return f"claim-{page.rpartition('/')[2]}-{number}"


def all_claims(app):
    """Every claim of the book in reading order."""
    record, found = load_record(Path(app.srcdir)), []
    for page, notebook in app.book.notebooks.items():
        entries = record.get(page.rpartition("/")[2], {}).get("claims", [])
        counted = {(entry["number"], entry["sentence"]): entry for entry in entries}
        for number, claim in enumerate(stated_claims(notebook), 1):
            found.append(Stated(Claim(**claim), page, number, counted.get((number, claim["sentence"]))))
    return found


def load_record(root):
    """What `make claims` counted, page -> counts with seeds, date and command; empty if there is no record.

    BuildError if it is damaged.
    """
    path = root / RECORD
    try:
        return json.loads(path.read_text(encoding="utf8"))["pages"] if path.exists() else {}
    except (ValueError, KeyError, TypeError):
        raise BuildError(f"{RECORD} is damaged: restore it, or remove it and count again with make claims") from None


def verdict_on(claims):
    """What several claims say of one figure or equation of the source: the strongest objection counts."""
    found = [claim.verdict for claim in claims if claim.verdict in STRONGER]
    return max(found, key=STRONGER.index) if found else ""


def write_list(app, exception):
    """The ledger for programs: claims.json beside the pages."""
    if exception is None and app.builder.name == "html":
        listed = [
            asdict(stated.claim)
            | {"page": stated.page, "number": stated.number, "anchor": stated.anchor, "other_seeds": stated.counted}
            | {"address": f"{stated.page}.html#{stated.anchor}"}
            for stated in all_claims(app)
        ]
        replace(Path(app.outdir, "claims.json"), (json.dumps(listed, indent=1, ensure_ascii=False) + "\n").encode())


# Directives


def marked(verdict, more=""):
    """A verdict with its colour, and what follows it."""
    shown = [nodes.inline("", verdict, classes=["verdict", f"verdict-{verdict}"])] if verdict else []
    return [*shown, nodes.Text(more)] if more else shown


class SourceVerdicts(SphinxDirective):
    """The source's figures and equations with the verdict of the claims, from lines `figure 1.1: Sentence`."""

    has_content = True

    def run(self):
        claims, rows = all_claims(self.env.app), []
        for text in filter(str.strip, self.content):
            source, _, sentence = (part.strip() for part in text.partition(":"))
            if not sentence:
                raise self.error(f"write 'figure 1.1: what the book finds', not {text!r}")
            about = [stated for stated in claims if stated.claim.source == source]
            where = []
            for i, stated in enumerate(about, 1):
                where += [nodes.Text(" "), link(stated.page, stated.anchor, text=f"[{i}]")]
            verdict = verdict_on([stated.claim for stated in about])
            rows.append([source.capitalize(), marked(verdict), [*text_nodes(sentence), *where]])
        return [table(["source", "verdict", "what the book finds"], rows, [15, 15, 70], ["sources"])]


class Ledger(SphinxDirective):
    """Every claim of the book, page by page."""

    def run(self):
        claims, record = all_claims(self.env.app), load_record(Path(self.env.app.srcdir))
        header = ["no.", "claim", "held", "measured", "published", "verdict"] + ["other seeds"] * bool(record)
        widths = [5, 40, 12, 18, 10, 15] + [15] * bool(record)
        made = [nodes.paragraph("", "", *text_nodes(about_record(record)))] if record else []
        for page in dict.fromkeys(stated.page for stated in claims):
            made.append(nodes.paragraph("", "", link(page), classes=["ledger-page"]))
            rows = [ledger_row(stated)[: len(header)] for stated in claims if stated.page == page]
            made.append(table(header, rows, widths, ["ledger"]))
        return made


def ledger_row(stated):
    claim = stated.claim
    number = link(stated.page, stated.anchor, text=str(stated.number))
    row = [[nodes.target("", "", ids=[stated.anchor]), number], claim.sentence, claim.share or "holds", claim.numbers]
    verdict = marked(claim.verdict, f" ({claim.source})" if claim.source else "")
    return [*row, claim.published or "", verdict, other_seeds(claim, stated.counted)]


def other_seeds(claim, counted):
    """The count of a claim over other seeds in words; what it rests on if no seed changes it."""
    if not counted or rests_on(asdict(claim)):
        return rests_on(asdict(claim))
    low, high = (f"{100 * end:.0f}" for end in counted["interval"])
    return f"{counted['held']} of {counted['count']} {counted['of']} ({low} to {high} %)"


def about_record(pages):
    """Which seeds the counts are of; where not all pages were counted together, the smaller groups are named."""
    together = {}
    for name, page in pages.items():
        first, end = page["seeds"]
        more = f", in up to {page['draws']} draws for claims on a median" if page["draws"] > 1 else ""
        run = f"{page['command']}, {page['date']}, {page['device']}, PyTorch {page['versions']['torch']}"
        together.setdefault(f"{first} to {end - 1}{more} ({run})", []).append(name)
    (most, _), *others = sorted(together.items(), key=lambda group: -len(group[1]))
    apart = "".join(f"; on {', '.join(names)} they are {text}" for text, names in others)
    return (
        f"The other seeds are {most}{apart}. A page that draws several seeds at once takes them in whole groups, so it "
        "can go beyond the last of these. In brackets is the 95 % confidence interval (Wilson interval) for the share "
        "of all seeds on which a claim holds; it is wide where few draws were counted. A statement about a stored run, "
        "a formula or fixed data is the same for every seed, so it has no count."
    )


class Status(SphinxDirective):
    """The run behind the book: a row per page, and what all of them took."""

    def run(self):
        runs = {page: notebook.metadata.fpbook for page, notebook in self.env.app.book.notebooks.items()}
        rows = [
            [[link(page)], f"{run['seconds']:.0f}", run["device"], *(run["versions"][name] for name in PACKAGES)]
            for page, run in runs.items()
        ]
        total = sum(run["seconds"] for run in runs.values())
        rows.append(["all pages", f"{total:.0f}", *[""] * (1 + len(PACKAGES))])
        return [table(["page", "seconds", "device", *PACKAGES.values()], rows, [40, 10, 15, *[9] * len(PACKAGES)])]
