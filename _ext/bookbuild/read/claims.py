"""Claims on the pages, and the ledger that collects them.

A cell that states a claim shows it as a line with a mark; below it, folded, how it is checked. `claims.md` lists
every claim of the book from the executed results, and what they say of the source's figures and equations. The same
list lies beside the pages as claims.json.
"""

import json
import os
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from ..execute.results import facts_of
from ..files import write_whole
from ..settings import CLAIM, RECORD
from ..toc import notebooks
from .tables import inline, link, table

LOGGER = logging.getLogger(__name__)
LEDGER = "chapters/claims"
STRONGER = ["confirmed", "conditional", "corrected"]  # what one claim corrects, another cannot confirm


def anchor_of(page, number):
    return f"claim-{page.rpartition('/')[2]}-{number}"


def draw(app, doctree):
    """Put each claim of the page where its cell stands: a line in words, and below it the cell's source, folded."""
    notebook = app.book_notebooks.get(app.env.docname)
    if notebook is None:
        return
    number = 0
    for box, cell in zip(
        code_cells(doctree), [cell for cell in notebook.cells if cell.cell_type == "code"], strict=True
    ):
        claims = [output["data"][CLAIM] for output in cell.get("outputs", []) if CLAIM in output.get("data", {})]
        if not claims:
            continue
        lines = []
        for claim in claims:
            number += 1
            lines.append(line(claim, app.env.docname, number))
        shown = [node for node in box if node.get("nb_element") != "cell_code_source"]
        for output in shown:  # the printed lines of the claims, which are for notebooks
            bundles = [node for node in output.findall(nodes.container) if node.get("nb_element") == "mime_bundle"]
            for bundle in bundles[:]:
                if bundle.astext().startswith(("✓", "✗")):
                    bundle.parent.remove(bundle)
        sources = [node for node in box if node.get("nb_element") == "cell_code_source"]
        box.children = []
        for node in [*(output for output in shown if output.children), *lines]:
            box += node
        words = box.get("prompt_show", "")
        words = "How this is checked" if not words or "{type}" in words else words
        fold = HideCodeCellNode("", *sources, prompt_show=words, prompt_hide=words, classes=["above-input"])
        box += fold
        box["classes"] += ["claims"]
        box.attributes.pop("hide_mode", None)


def code_cells(doctree):
    return [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]


def line(claim, page, number):
    """One claim as a line: mark, count, sentence; the numbers in small print; a link to its row in the ledger."""
    from fpbook.claims import claim_holds, measured_text  # takes a second, and is wanted only when a page is read

    held = claim_holds(claim)
    first = nodes.paragraph("", "", classes=["claim-line"])
    first += nodes.inline("", "✓" if held else "✗", classes=["claim-mark"])
    first += nodes.Text(" ")
    if claim["count"]:
        first += nodes.inline("", f"{claim['held']} of {claim['count']} {claim['of']}:", classes=["claim-count"])
        first += nodes.Text(" ")
    first += inline(claim["sentence"])
    small = nodes.paragraph("", "", classes=["claim-numbers"])
    notes = [measured_text(claim), f"published {claim['published']}" if claim["published"] else ""]
    notes += [f"source {claim['source']}: {claim['verdict']}" if claim["source"] else ""]
    small += inline("; ".join(filter(None, notes)))
    if small.children:
        small += nodes.Text("; ")
    small += link(LEDGER, anchor_of(page, number), nodes.Text("ledger"))
    return nodes.container(
        "", first, small, ids=[anchor_of(page, number)], classes=["claim", "" if held else "claim-false"]
    )


def all_claims(app):
    """Every claim of the book in reading order: dicts of a claim with its `page`.

    `number` and what other seeds said of it.
    """
    root, found = Path(app.srcdir), []
    others = other_seeds(root)
    for path in notebooks(root, app.config.external_toc_path):
        page = path.relative_to(root).with_suffix("").as_posix()
        try:
            claims = json.loads(facts_of(path, root).read_text(encoding="utf8"))["claims"]
        except OSError:
            claims = []
        counted = {(entry["number"], entry["sentence"]): entry for entry in others.get(path.stem, {}).get("claims", [])}
        for number, claim in enumerate(claims, 1):
            other = counted.get((number, claim["sentence"]))
            found.append(
                claim | {"page": page, "number": number, "anchor": anchor_of(page, number), "other_seeds": other}
            )
    return found


def other_seeds(root):
    """What `make claims` counted, page -> counts with seeds, date and command; empty if there is none, or damaged."""
    try:
        pages = json.loads((root / RECORD).read_text(encoding="utf8"))["pages"]
        whole = {"seeds", "draws", "command", "date", "device", "versions", "claims"}
        return pages if all(whole <= set(page) for page in pages.values()) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def verdict_on(claims):
    """What several claims say of one figure or equation of the source: the strongest objection counts."""
    found = [claim["verdict"] for claim in claims if claim["verdict"] in STRONGER]
    return max(found, key=STRONGER.index) if found else ""


class FromResults(SphinxDirective):
    """A directive that is made from the executed results, and is made again when they change."""

    def note_results(self):
        root = Path(self.env.app.srcdir)
        for path in notebooks(root, self.config.external_toc_path):
            self.env.note_dependency(os.path.relpath(facts_of(path, root), root))
        self.env.book_record = other_seeds(root)


def reread_when_counted(app, env, added, changed, removed):
    """The record of other seeds need not exist, so it cannot be a dependency: a change of it is found here."""
    root = Path(app.srcdir)
    record = other_seeds(root)
    if (root / RECORD).exists() and not record:
        LOGGER.warning(f"{RECORD} is damaged: restore it, or make it again with make claims")
    same = getattr(env, "book_record", {}) == record
    return [] if same or LEDGER not in env.found_docs else [LEDGER]


class SourceVerdicts(FromResults):
    """`figure 1.1.

    Sentence` lines become a table of the source's figures and equations with the verdict of the claims.
    """

    has_content = True

    def run(self):
        self.note_results()
        claims, rows = all_claims(self.env.app), []
        for text in self.content:
            source, colon, sentence = text.partition(":")
            if not text.strip():
                continue
            if not colon or not sentence.strip():
                raise self.error(f"write 'figure 1.1: what the book finds', not {text!r}")
            about = [claim for claim in claims if claim["source"] == source.strip()]
            where = []
            for i, claim in enumerate(about, 1):
                where += [nodes.Text(" "), link(claim["page"], claim["anchor"], nodes.Text(f"[{i}]"))]
            verdict = verdict_on(about)
            shown = [nodes.inline("", verdict, classes=["verdict", f"verdict-{verdict}"])] if verdict else []
            rows.append([source.strip().capitalize(), shown, [*inline(sentence.strip()), *where]])
        return [table(["source", "verdict", "what the book finds"], rows, [15, 15, 70], ["sources"])]


class Ledger(FromResults):
    """Every claim of the book, page by page."""

    def run(self):
        self.note_results()
        from fpbook.claims import measured_text

        claims, made = all_claims(self.env.app), []
        record = other_seeds(Path(self.env.app.srcdir))
        wide = bool(record)
        if wide:
            made.append(nodes.paragraph("", "", *inline(_about(record))))
        for page in dict.fromkeys(claim["page"] for claim in claims):
            made.append(nodes.paragraph("", "", link(page, "", title=True), classes=["ledger-page"]))
            rows = []
            for claim in (claim for claim in claims if claim["page"] == page):
                held = f"{claim['held']} of {claim['count']} {claim['of']}" if claim["count"] else "holds"
                to = link(page, claim["anchor"], nodes.Text(f"{claim['number']}"))
                verdict = nodes.inline("", claim["verdict"], classes=["verdict", f"verdict-{claim['verdict']}"])
                about = f" ({claim['source']})" if claim["source"] else ""
                row = [[nodes.target("", "", ids=[claim["anchor"]]), to], claim["sentence"], held, measured_text(claim)]
                row += [claim["published"] or "", [verdict, nodes.Text(about)]]
                rows.append(row + ([_other(claim["other_seeds"])] if wide else []))
            header = ["no.", "claim", "held", "measured", "published", "verdict"] + ["other seeds"] * wide
            made.append(table(header, rows, [5, 40, 12, 18, 10, 15] + [15] * wide, ["ledger"]))
        return made


def _other(entry):
    if not entry:
        return ""
    low, high = (f"{100 * end:.0f}" for end in entry["interval"])
    return f"{entry['held']} of {entry['count']} {entry['of']} ({low} to {high} %)"


def _about(pages):
    """Which seeds the counts are of; the pages are named where they were not counted together."""
    together = {}
    for name, page in pages.items():
        first, end = page["seeds"]
        more = f", and more for claims on a median, up to {page['draws']} draws" if page["draws"] > 1 else ""
        text = f"{page['command']} on {page['date']}, seeds {first} to {end - 1}{more}, {page['device']}, "
        together.setdefault(text + f"PyTorch {page['versions']['torch']}", []).append(name)
    named = [text + (f" ({', '.join(names)})" if len(together) > 1 else "") for text, names in together.items()]
    return (
        f"Other seeds: {'; '.join(named)}. In brackets the 95 % Wilson interval of the share that holds. "
        "What is said of a record or of a formula does not depend on the seed, yet is counted in each run."
    )


def write_list(app, exception):
    """The ledger for programs: claims.json beside the pages."""
    if exception is None and app.builder.name == "html":
        listed = [claim | {"address": f"{claim['page']}.html#{claim['anchor']}"} for claim in all_claims(app)]
        write_whole(Path(app.outdir, "claims.json"), json.dumps(listed, indent=1, ensure_ascii=False) + "\n")


def setup(app):
    app.add_directive("source-verdicts", SourceVerdicts)
    app.add_directive("ledger", Ledger)
    app.connect("env-get-outdated", reread_when_counted)
    app.connect("doctree-read", draw, priority=400)
    app.connect("build-finished", write_list, priority=400)
