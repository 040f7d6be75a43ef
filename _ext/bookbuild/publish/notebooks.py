"""The notebooks that readers open: plain Markdown, outputs stored, folded where the page is, solutions at the end.

They go beside the pages, for the download button, and into `_build/notebooks`, whose branch Colab opens. Beside the
pages there is also a handout of each, without solutions and outputs.
"""

import re
from pathlib import Path

import nbformat
from sphinx.util import logging

from ..execute.results import write_notebook
from ..read.figures import for_notebooks
from ..settings import FOR_THE_PAGE, REPLAY, ROOT, site_address
from .markdown import plain
from .twins import add_install_lines

LOGGER = logging.getLogger(__name__)
NUMBERED_AS = {"figure": "Fig.", "code-block": "Listing"}
SOLUTION = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{solution-(?P<end>start|end)\}.*?^(?P=fence)\s*$", re.MULTILINE | re.DOTALL
)
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"
FOLDED = {"hide-input", "hide-cell"}
SOLUTIONS = "## Solutions"


def cited(person_list, year):
    names = ["".join(str(part) for part in person.rich_last_names) for person in person_list]
    return f"{names[0]} et al., {year}" if len(names) > 2 else f"{' and '.join(names)}, {year}"


def label_texts(env):
    """What the built page shows for a label, a page or a cited work, for the notebooks that leave Sphinx behind."""
    texts = {page: title.astext() for page, title in env.titles.items()}
    for label, (page, anchor, title) in env.domains["std"].labels.items():
        texts[label] = title
        number = env.toc_secnumbers.get(page, {})
        number = number.get(f"#{anchor}") or (number.get("") if title == texts.get(page) else None)
        if number:
            texts[f"numref {label}"] = f"Section {'.'.join(map(str, number))}"
    for kinds in env.toc_fignumbers.values():
        for kind, anchors in kinds.items():
            for anchor, number in anchors.items():
                text = ".".join(map(str, number))
                if kind == "displaymath":
                    texts[anchor.removeprefix("equation-")] = f"({text})"
                else:
                    texts[anchor] = texts[f"numref {anchor}"] = f"{NUMBERED_AS.get(kind, kind.capitalize())} {text}"
    for citation in env.domains["cite"].citations:
        entry = citation.entry
        texts[citation.key] = cited(entry.persons.get("author", []), entry.fields.get("year", ""))
    return texts | addresses(env)


def addresses(env):
    """Where a label can be read, {"address LABEL": address}: in the published book, or where a cited work lies."""
    site, found = site_address(), {}
    if site:
        found |= {f"address {page}": f"{site}{page}.html" for page in env.all_docs}
        for label, (page, anchor) in env.domains["std"].anonlabels.items():
            found[f"address {label}"] = f"{site}{page}.html#{anchor}"
        for page, kinds in env.toc_fignumbers.items():
            for kind, anchors in kinds.items():
                for anchor in anchors:
                    label = anchor.removeprefix("equation-") if kind == "displaymath" else anchor
                    found.setdefault(f"address {label}", f"{site}{page}.html#{anchor}")
    for citation in env.domains["cite"].citations:
        fields = citation.entry.fields
        where = f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url")
        if not where and fields.get("eprint"):
            where = f"https://arxiv.org/abs/{fields['eprint']}"
        if where and re.fullmatch(r"https?://[^\s()<>]+", where):
            found[f"address {citation.key}"] = where
    return found


def readable(notebook, labels, *, title="", page="", repository=""):
    """The notebook for readers: the page's title in the book and its address first, solutions last."""
    head, body, solutions, inside = [], [], [], False
    if title:
        read = f" [Read it there]({page}), with figures that move." if page else ""
        head = [
            nbformat.v4.new_markdown_cell(
                f'*This notebook is {title}, a page of the book "The Frequency Principle".*{read}'
            )
        ]
    add_install_lines(notebook)
    for cell in notebook.cells:
        cell = nbformat.from_dict(cell)
        if cell.cell_type != "markdown":
            into = solutions if inside else body
            into.append(_folded(cell, repository))
            if figure := cell.metadata.get("mystnb", {}).get("figure"):
                caption = f"**{labels.get(figure.get('name'), '')}** {plain(figure['caption'], labels)}"
                into.append(nbformat.v4.new_markdown_cell(caption.strip()))
            continue
        at = 0
        for gate in [*SOLUTION.finditer(cell.source), None]:
            part = cell.source[at : gate.start() if gate else None]
            if inside or not gate or gate["end"] == "start":
                _add(solutions if inside else body, part, labels)
            if gate:
                inside = gate["end"] == "start"
                if inside:
                    _add(solutions, gate[0], labels)
                at = gate.end()
    if solutions:
        heading = nbformat.v4.new_markdown_cell(SOLUTIONS, metadata={"jp-MarkdownHeadingCollapsed": True})
        body.append(heading)
    metadata = {
        key: value for key, value in notebook.metadata.items() if key != "jupytext"
    }  # it is paired with no source
    return nbformat.v4.new_notebook(cells=head + body + solutions, metadata=metadata)


def handout(notebook):
    """The notebook without its solutions and outputs, to be given to a class."""
    cells = [nbformat.from_dict(cell) for cell in notebook.cells]
    end = next((i for i, cell in enumerate(cells) if cell.source == SOLUTIONS), len(cells))
    for cell in cells[:end]:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.v4.new_notebook(cells=cells[:end], metadata=notebook.metadata)


def _add(cells, text, labels):
    if text := plain(text.strip("\n"), labels):
        cells.append(nbformat.v4.new_markdown_cell(for_notebooks(text, ROOT)))


def _folded(cell, repository):
    """A cell folded on the page is folded in JupyterLab and on Colab, under the same words."""
    if repository:
        cell.source = cell.source.replace(PLACEHOLDER, repository)
    if FOLDED & set(cell.metadata.get("tags", [])):
        words = cell.metadata.get("mystnb", {}).get("code_prompt_show", "Code")
        cell.metadata["jupyter"] = {"source_hidden": True}
        cell.metadata["cellView"] = "form"
        cell.source = f"# @title {words}\n{cell.source}"
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if REPLAY in data:
            from fpbook.replay import replay_html  # takes a second, and is wanted only when a notebook is written

            data["text/html"] = replay_html(data["image/png"], data["text/plain"], data[REPLAY])
        for kind in FOR_THE_PAGE:
            data.pop(kind, None)
    return cell


def write_all(app, exception):
    """Write the notebook of every page, beside the page and for the branch that Colab opens."""
    if exception is not None or app.builder.name != "html" or app.config.book_page or not app.book.fresh:
        return
    labels, repository, site = label_texts(app.env), app.config.html_theme_options["repository_url"], site_address()
    for page, notebook in app.book.notebooks.items():
        number = ".".join(map(str, app.env.toc_secnumbers.get(page, {}).get("", ())))
        title = f"{number} {app.env.titles[page].astext()}".strip()
        address = f"{site}{page}.html" if site else ""
        try:
            made = readable(notebook, labels, title=title, page=address, repository=repository)
        except (KeyError, ValueError) as error:
            LOGGER.warning(f"no plain notebook: {error}", location=page)
            continue
        for folder in [Path(app.outdir, "_sources"), app.book.folder / "notebooks"]:
            write_notebook(made, folder / f"{page}.ipynb")
        if any(cell.source == SOLUTIONS for cell in made.cells):
            write_notebook(handout(made), Path(app.outdir, "_sources", f"{page}-handout.ipynb"))
