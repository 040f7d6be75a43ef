"""Claims on their pages: one quiet line where the cell stands, with mark, sentence and numbers.

At its end a fold holds how it is checked, and the way to the claim's row in the ledger.
"""

from docutils import nodes

from fpbook.claims import Claim

from ..settings import CLAIM, LEDGER
from .ledger import claim_anchor, link, text_nodes


def insert_claims(app, doctree):
    """Put each claim of the page in the place of its printed line, and its cell's source into its fold."""
    notebook, number = app.book.notebooks.get(app.env.docname), 0
    if notebook is None:
        return
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for box, cell in zip(code_cells(doctree), ran, strict=True):
        stated = [output["data"][CLAIM] for output in cell.get("outputs", []) if CLAIM in output.get("data", {})]
        if not stated:
            continue
        lines = []
        for claim in stated:
            number += 1
            lines.append(claim_nodes(Claim(**claim), claim_anchor(app.env.docname, number)))
        sources = [node for node in box if node.get("nb_element") == "cell_code_source"]
        shown = [node for node in box if node not in sources]
        remove_printed_lines(shown)
        lines[-1][-1].insert(0, sources)
        box.children = []
        box += [*(output for output in shown if output.children), *lines]
        box["classes"] += ["claims"]
        box.attributes.pop("hide_mode", None)


def code_cells(doctree):
    return [node for node in doctree.findall(nodes.container) if node.get("nb_element") == "cell_code"]


def remove_printed_lines(outputs):
    """The printed lines of claims are for notebooks."""
    for output in outputs:
        bundles = [node for node in output.findall(nodes.container) if node.get("nb_element") == "mime_bundle"]
        for bundle in bundles:
            if bundle.astext().startswith(("✓", "✗")):
                bundle.parent.remove(bundle)


def title_outputs(app, doctree):
    """What a folded cell prints says where it comes from."""
    for cell in code_cells(doctree):
        words = cell.get("prompt_show", "") if "tag_hide-input" in cell["classes"] else ""
        printed = [node for node in cell if node.get("nb_element") == "cell_code_output" and node.astext().strip()]
        if words and printed and not list(printed[0].findall(nodes.figure)):
            printed[0].insert(0, nodes.paragraph("", f"Output of “{words}”", classes=["output-title"]))


def claim_nodes(claim, anchor):
    """One claim: its line, and what is behind it."""
    notes = [claim.share, claim.numbers, f"published {claim.published}" if claim.published else ""]
    notes += [f"the notes’ {claim.source}: {claim.verdict}" if claim.source else ""]
    line = nodes.paragraph("", "", nodes.inline("", "✓" if claim.holds else "✗", classes=["claim-mark"]))
    line += [nodes.Text(" "), *text_nodes(claim.sentence)]
    if numbers := "; ".join(filter(None, notes)):
        line += [nodes.Text(" "), nodes.inline("", "", *text_nodes(f"({numbers})"), classes=["claim-numbers"])]
    row = nodes.paragraph("", "", link(LEDGER, anchor, text="This claim in the ledger"))
    behind = nodes.container("", row, classes=["claim-check"])
    classes = ["claim"] if claim.holds else ["claim", "claim-false"]
    return nodes.container("", line, behind, ids=[anchor], classes=classes)


def fold(app, doctree, docname):
    """On a page what is behind a claim is a fold at the end of its line; other kinds of book leave it out."""
    behind = [node for node in doctree.findall(nodes.container) if "claim-check" in node["classes"]]
    for node in behind:
        if app.builder.name == "html":
            head = raw('<details class="claim-check"><summary>check</summary>')
            node.parent.replace(node, [head, *node.children, raw("</details>")])
        else:
            node.parent.remove(node)


def raw(html):
    return nodes.raw("", html, format="html")
