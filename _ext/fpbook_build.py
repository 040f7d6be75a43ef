"""Sphinx extension of the book: executes the notebooks first, then lets the book be rendered from the results."""

import os
import shutil
import sys
from pathlib import Path

import nbformat
from execute import execute, write
from fpbook_pages import REPLAY
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from plain import plain_notebook
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
NUMBERED_AS = {"figure": "Fig.", "code-block": "Listing"}


def configure(app, config):
    """Take the repository's address from the environment; without one, no button points into the void."""
    options, repository = config.html_theme_options, os.environ.get("GITHUB_REPOSITORY")
    options["repository_url"] = f"https://github.com/{repository}" if repository else ""
    if not repository:
        options["launch_buttons"] = {}
        options["use_repository_button"] = False


def execute_notebooks(app):
    """Bring every notebook's result up to date and hand them to the cache that MyST-NB renders from.

    The cache is made anew each time, so it can hold no result other than those just found right.
    """
    root = Path(app.srcdir)
    app.fpbook_results, failures = execute(root)
    if failures:
        print("\n\n".join(failures), file=sys.stderr)
        sys.exit(1)
    folder = Path(app.outdir).parent / ".jupyter_cache"
    shutil.rmtree(folder, ignore_errors=True)
    cache = get_cache(folder)
    for path, result in app.fpbook_results.items():
        notebook = nbformat.read(result, as_version=4)
        for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
            output.get("data", {}).pop(REPLAY, None)  # MyST-NB draws the picture; fpbook_pages puts the data behind it
        data = {"execution_seconds": notebook.metadata.fpbook["seconds"]}
        cache.cache_notebook_bundle(CacheBundleIn(notebook, str(path), data=data), check_validity=False)


def depend_on_result(app, docname, content):
    """A page is read again when its executed notebook is newer, though its source is unchanged."""
    result = app.fpbook_results.get(Path(app.env.doc2path(docname)))
    if result:
        app.env.note_dependency(str(result))


def offer_notebook(app, pagename, templatename, context, doctree):
    """Let the theme's download button offer the notebook."""
    if doctree is not None and Path(app.env.doc2path(pagename)) in app.fpbook_results:
        context["ipynb_source"] = f"{pagename}.ipynb"


def remove_duplicate_scripts(app, pagename, templatename, context, doctree):
    """sphinx-thebe adds its script twice, which throws in every console."""
    scripts = {}
    for script in context.get("script_files", []):
        scripts.setdefault((str(script.filename), script.attributes.get("body")), script)
    context["script_files"] = list(scripts.values())


def cited(person_list, year):
    names = ["".join(str(part) for part in person.rich_last_names) for person in person_list]
    return f"{names[0]} et al., {year}" if len(names) > 2 else f"{' and '.join(names)}, {year}"


def texts_of_labels(env):
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
    return texts


def finish(app, exception):
    """Write the plain notebooks with their outputs: for the download button, and for the branch that Colab opens.

    A build with warnings is forgotten, so that the next one meets them again.
    """
    if exception is None and app.builder.format == "html":
        labels, address = texts_of_labels(app.env), app.config.html_theme_options["repository_url"]
        for path, result in app.fpbook_results.items():
            page = app.env.path2doc(str(path))
            try:
                notebook = plain_notebook(nbformat.read(result, as_version=4), labels, address)
            except (KeyError, ValueError) as error:
                LOGGER.warning(f"no plain notebook: {error}", location=page)
                continue
            for folder in [Path(app.outdir, "_sources"), Path(app.outdir).parent / "notebooks"]:
                write(notebook, folder / f"{page}.ipynb")
    if app._warncount:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def setup(app):
    if not app.warningiserror:
        app.keep_going = True  # a warning is an error in the plain command too
    app.connect("config-inited", configure, priority=400)
    app.connect("builder-inited", execute_notebooks)
    app.connect("source-read", depend_on_result)
    app.connect("html-page-context", offer_notebook, priority=400)
    app.connect("html-page-context", remove_duplicate_scripts, priority=950)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
