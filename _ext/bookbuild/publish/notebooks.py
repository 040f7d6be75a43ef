"""The notebooks that readers open: plain Markdown, outputs stored, folded where the page is, solutions at the end.

They go beside the pages, for the download button, and into `_build/notebooks`, whose branch Colab opens.
"""

import re
import shutil
from pathlib import Path

import nbformat
from sphinx.util import logging

from fpbook._files import replace

from ..execute.results import code_cells, notebook_bytes
from ..read.figures import for_notebooks
from ..settings import FOR_THE_PAGE, REPLAY, ROOT, site_address
from .markdown import plain
from .twins import add_install_lines

LOGGER = logging.getLogger(__name__)
NUMBERED_AS = {"figure": "Fig. {}", "code-block": "Listing {}", "displaymath": "({})"}
SOLUTION_START = re.compile(r"^(?=[`:]{3,}\{solution-start\})", re.MULTILINE)
SOLUTION_END = re.compile(r"^[`:]{3,}\{solution-end\}\n[`:]{3,}$", re.MULTILINE)
WORKS = {"doi": "https://doi.org/", "url": "", "eprint": "https://arxiv.org/abs/"}  # where a cited work lies
PLACEHOLDER = "https://github.com/OWNER/REPOSITORY"  # in the lines that fetch the package
SOLUTIONS = "## Solutions"


def cited(entry):
    """A work as the text cites it, "Ann and Bo, 2020"."""
    names = ["".join(map(str, person.rich_last_names)) for person in entry.persons.get("author", [])]
    return f"{f'{names[0]} et al.' if len(names) > 2 else ' and '.join(names)}, {entry.fields.get('year', '')}"


def label_texts(env):
    """What the built page shows for a label, a page or a cited work; under "address LABEL" where that can be read."""
    site, labels = site_address(), env.domains["std"].labels
    places = [(page, title.astext(), page, "") for page, title in env.titles.items()]
    places += [(label, title, page, f"#{anchor}") for label, (page, anchor, title) in labels.items()]
    for page, kinds in env.toc_fignumbers.items():
        for kind, anchors in kinds.items():
            name = NUMBERED_AS.get(kind, f"{kind.capitalize()} {{}}")
            for anchor, number in anchors.items():
                text = name.format(".".join(map(str, number)))
                places.append((anchor.removeprefix("equation-"), text, page, f"#{anchor}"))
    texts = {label: text for label, text, *_ in places}
    if site:
        texts |= {f"address {label}": f"{site}{page}.html{anchor}" for label, _, page, anchor in places}
    for label, (page, _, title) in labels.items():
        if title == texts.get(page) and (number := env.toc_secnumbers.get(page, {}).get("")):
            texts[f"numref {label}"] = f"Section {'.'.join(map(str, number))}"
    for citation in env.domains["cite"].citations:
        texts[citation.key], fields = cited(citation.entry), citation.entry.fields
        found = [f"{place}{fields[field]}" for field, place in WORKS.items() if field in fields]
        if found and re.fullmatch(r"https?://[^\s()<>]+", found[0]):
            texts[f"address {citation.key}"] = found[0]
    return texts


def readable(notebook, labels, *, title="", page="", repository=""):
    """The notebook for readers: the page's title in the book and its address first, solutions last."""
    body, solutions = [], []
    if title:
        read = f" [Read it there]({page}), with figures that move." if page else ""
        about = f'*This notebook is {title}, a page of the book "The Frequency Principle".*{read}'
        body.append(nbformat.v4.new_markdown_cell(about))
    add_install_lines(notebook)
    into = body
    for cell in map(nbformat.from_dict, notebook.cells):
        if cell.cell_type == "code":
            into.append(_folded(cell, repository))
            if figure := cell.metadata.get("mystnb", {}).get("figure"):
                _add(into, f"**{labels.get(figure.get('name'), '')}** {figure['caption']}", labels)
            continue
        for i, text in enumerate(SOLUTION_START.split(cell.source)):
            into = solutions if i else into
            for j, part in enumerate(SOLUTION_END.split(text)):
                into = body if j else into
                _add(into, part, labels)
    if solutions:
        body.append(nbformat.v4.new_markdown_cell(SOLUTIONS, metadata={"jp-MarkdownHeadingCollapsed": True}))
    metadata = {key: value for key, value in notebook.metadata.items() if key != "jupytext"}  # paired with no source
    return nbformat.v4.new_notebook(cells=body + solutions, metadata=metadata)


def handout(notebook):
    """The notebook without its solutions and outputs, to be given to a class; None where there are no solutions."""
    made = nbformat.from_dict(notebook)
    sources = [cell.source for cell in made.cells]
    if SOLUTIONS not in sources:
        return None
    del made.cells[sources.index(SOLUTIONS) :]
    for cell in code_cells(made):
        cell.outputs, cell.execution_count = [], None
    return made


def _add(cells, text, labels):
    if text := plain(text.strip("\n"), labels):
        cells.append(nbformat.v4.new_markdown_cell(for_notebooks(text, ROOT)))


def _folded(cell, repository):
    """A cell folded on the page is folded in JupyterLab and on Colab, under the same words."""
    cell.source = cell.source.replace(PLACEHOLDER, repository or PLACEHOLDER)
    if "hide-input" in cell.metadata.get("tags", []):
        words = cell.metadata.get("mystnb", {}).get("code_prompt_show", "Code")
        cell.metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
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
    if exception is not None or app.builder.name != "html" or app.config.book_page:
        return
    shutil.rmtree(app.book.folder / "notebooks", ignore_errors=True)
    labels, repository, site = label_texts(app.env), app.config.html_theme_options["repository_url"], site_address()
    for page, notebook in app.book.notebooks.items():
        title, address = app.book.title(app.env, page), f"{site}{page}.html" if site else ""
        try:
            made = readable(notebook, labels, title=title, page=address, repository=repository)
        except (KeyError, ValueError) as error:
            LOGGER.warning(f"no plain notebook: {error}", location=page)
            continue
        for folder in [Path(app.outdir, "_sources"), app.book.folder / "notebooks"]:
            replace(folder / f"{page}.ipynb", notebook_bytes(made))
        if without := handout(made):
            replace(Path(app.outdir, "_sources", f"{page}-handout.ipynb"), notebook_bytes(without))
