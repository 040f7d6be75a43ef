"""Claims: one quiet line where the cell stands, and on a page a fold with the check; ledger, verdicts and run."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from fpbook._files import replace
from fpbook.claims import Claim

from ..execute import results
from ..settings import LEDGER, RECORD, BuildError, rests_on

STRONGER = ["confirmed", "conditional", "corrected"]  # what one claim corrects, another cannot confirm
FORMULA = re.compile(r"\$([^$\n]+)\$")
POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]\d+)\b")  # as Python writes a power of ten
MINUS = re.compile(r"(?<![^\s(])-(?=\d)")
PACKAGES = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "matplotlib": "Matplotlib"}


def text_nodes(text):
    """A text with formulas between dollar signs, its numbers as the tables write them; nothing else is markup."""
    parts = FORMULA.split(POWER.sub(lambda match: rf"${match[1]}\times10^{{{int(match[2])}}}$", str(text)))
    made = [nodes.math("", part) if i % 2 else nodes.Text(MINUS.sub("−", part)) for i, part in enumerate(parts)]
    return [node for node in made if node.astext()]


def raw(html):
    return nodes.raw("", html, format="html")


def link(app, page, anchor="", *, text=""):
    """A link to a place of the book, or to a notebook under its number and title; its text if the page is not there."""
    shown = nodes.inline("", text or app.book.title(app.env, page))
    if page not in app.env.found_docs:
        return shown
    address = app.builder.get_relative_uri(app.env.docname, page) + (f"#{anchor}" if anchor else "")
    return nodes.reference("", "", shown, internal=True, refuri=address)


def table(header, rows, widths, classes=()):
    """A table from a list of nodes, or a text, per cell."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in widths), cols=len(widths))
    for part, lines in ((nodes.thead, [header]), (nodes.tbody, rows)):
        group += part()
        for cells in lines:
            contents = [text_nodes(cell) if isinstance(cell, str) else cell for cell in cells]
            group[-1] += nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *content)) for content in contents))
    return nodes.table("", group, classes=["colwidths-given", *classes])


def insert_claims(app, doctree):
    """Put each claim of the page in the place of its printed line, and its cell's source into its fold."""
    page, number = app.env.docname, 0
    if page not in app.book.notebooks:
        return
    for box, cell in zip(code_cells(doctree), results.code_cells(app.book.notebooks[page]), strict=True):
        if not (stated := results.stated_claims([cell])):
            continue
        sources = [node for node in box if node.get("nb_element") == "cell_code_source"]
        outputs = [node for node in box if node not in sources]
        bundles = [node for output in outputs for node in output.findall(nodes.container) if "nb_element" in node]
        for bundle in bundles:  # the printed lines are for notebooks
            if bundle["nb_element"] == "mime_bundle" and bundle.astext().startswith(("✓", "✗")):
                bundle.parent.remove(bundle)
        box.children = []
        box += [output for output in outputs if output.children]
        for claim in stated:
            number += 1
            anchor, check = claim_anchor(page, number), []
            if app.builder.name == "html":
                row = nodes.paragraph("", "", link(app, LEDGER, anchor, text="This claim in the ledger"))
                head = raw('<details class="claim-check"><summary>check</summary>')
                check = [head, *(sources if claim is stated[-1] else []), row, raw("</details>")]
            box += claim_nodes(Claim(**claim), anchor, check)
        box["classes"] += ["claims"]
        box.attributes.pop("hide_mode", None)


def code_cells(doctree):
    return [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]


def title_outputs(app, doctree):
    """What a folded cell prints says where it comes from. The EPUB leaves out what is folded."""
    for cell in code_cells(doctree):
        if "tag_hide-input" not in cell["classes"]:
            continue
        printed = [node for node in cell if node.get("nb_element") == "cell_code_output" and node.astext().strip()]
        if printed and "prompt_show" in cell and not list(printed[0].findall(nodes.figure)):
            words = f"Output of “{cell['prompt_show']}”"
            printed[0].insert(0, nodes.paragraph("", words, classes=["output-title"]))
        if app.builder.name == "epub":
            cell.children = [node for node in cell if node.get("nb_element") != "cell_code_source"]
            cell.attributes.pop("hide_mode", None)
            if not cell.children:
                cell.parent.remove(cell)


def claim_nodes(claim, anchor, check):
    """One claim: its line, and what is behind it."""
    notes = [claim.share, claim.numbers, f"published {claim.published}" if claim.published else ""]
    notes += [f"the notes’ {claim.source}: {claim.verdict}" if claim.source else ""]
    line = nodes.paragraph("", "", nodes.inline("", "✓" if claim.holds else "✗", classes=["claim-mark"]))
    line += [nodes.Text(" "), *text_nodes(claim.sentence)]
    if numbers := "; ".join(filter(None, notes)):
        line += [nodes.Text(" "), nodes.inline("", "", *text_nodes(f"({numbers})"), classes=["claim-numbers"])]
    classes = ["claim"] if claim.holds else ["claim", "claim-false"]
    return nodes.container("", line, *check, ids=[anchor], classes=classes)


class Stated(NamedTuple):
    """A claim and where it stands; `counted` is what other seeds said of it, if that is known."""

    claim: Claim
    page: str
    number: int
    anchor: str
    counted: dict | None


def claim_anchor(page, number):
    """The anchor of a claim on its page, and of its row in the ledger."""
    return f"claim-{page.rpartition('/')[2]}-{number}"


def all_claims(app):
    """Every claim of the book in reading order."""
    record, found = load_record(Path(app.srcdir)), []
    for page, notebook in app.book.notebooks.items():
        entries = record.get(page.rpartition("/")[2], {}).get("claims", [])
        counted = {(entry["number"], entry["sentence"]): entry for entry in entries}
        for number, claim in enumerate(results.stated_claims(notebook.cells), 1):
            about = claim_anchor(page, number), counted.get((number, claim["sentence"]))
            found.append(Stated(Claim(**claim), page, number, *about))
    return found


def load_record(root):
    """What `make claims` counted, page -> counts with seeds, date and command; BuildError if that is damaged."""
    path = root / RECORD
    try:
        return json.loads(path.read_text(encoding="utf8"))["pages"] if path.exists() else {}
    except (ValueError, KeyError, TypeError):
        raise BuildError(f"{RECORD} is damaged: restore it, or remove it and count again with make claims") from None


def verdict_on(claims):
    """What several claims say of one figure or equation of the source: the strongest objection counts."""
    return max((claim.verdict for claim in claims if claim.verdict in STRONGER), key=STRONGER.index, default="")


def write_list(app, exception):
    """The ledger for programs: claims.json beside the pages."""
    if exception is None and app.builder.name == "html":
        listed = []
        for claim, page, number, anchor, counted in all_claims(app):
            place = {"page": page, "number": number, "anchor": anchor, "other_seeds": counted}
            listed.append(asdict(claim) | place | {"address": f"{page}.html#{anchor}"})
        replace(Path(app.outdir, "claims.json"), (json.dumps(listed, indent=1, ensure_ascii=False) + "\n").encode())


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
            finding = text_nodes(sentence)
            for i, stated in enumerate(about, 1):
                finding += [nodes.Text(" "), link(self.env.app, stated.page, stated.anchor, text=f"[{i}]")]
            rows.append([source.capitalize(), marked(verdict_on([stated.claim for stated in about])), finding])
        return [table(["source", "verdict", "what the book finds"], rows, [15, 15, 70], ["sources"])]


class Ledger(SphinxDirective):
    """Every claim of the book, page by page."""

    def run(self):
        app, record = self.env.app, load_record(Path(self.env.app.srcdir))
        claims = all_claims(app)
        header = ["no.", "claim", "held", "measured", "published", "verdict"] + ["other seeds"] * bool(record)
        widths = [5, 40, 12, 18, 10, 15] + [15] * bool(record)
        made = [nodes.paragraph("", "", *text_nodes(about_record(record)))] if record else []
        for page in dict.fromkeys(stated.page for stated in claims):
            made.append(nodes.paragraph("", "", link(app, page), classes=["ledger-page"]))
            rows = [ledger_row(app, stated)[: len(header)] for stated in claims if stated.page == page]
            made.append(table(header, rows, widths, ["ledger"]))
        return made


def ledger_row(app, stated):
    claim, number = stated.claim, link(app, stated.page, stated.anchor, text=str(stated.number))
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
    return f"The other seeds are {most}{apart}."


class Status(SphinxDirective):
    """The run behind the book: a row per page, and what all of them took."""

    def run(self):
        app, rows, total = self.env.app, [], 0
        for page, notebook in app.book.notebooks.items():
            run = notebook.metadata.fpbook
            versions = [run["versions"][name] for name in PACKAGES]
            rows.append([[link(app, page)], f"{run['seconds']:.0f}", run["device"], *versions])
            total += run["seconds"]
        rows.append(["all pages", f"{total:.0f}", *[""] * (1 + len(PACKAGES))])
        return [table(["page", "seconds", "device", *PACKAGES.values()], rows, [40, 10, 15, *[9] * len(PACKAGES)])]
