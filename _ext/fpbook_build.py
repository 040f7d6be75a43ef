"""Sphinx extension of the book: executes the notebooks first, then lets the book be rendered from the results."""

import os
import shutil
import sys
from pathlib import Path

import nbformat
from execute import execute
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn


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


def finish(app, exception):
    """Put the executed notebooks, with their outputs, where the download button looks. Forget a build with warnings."""
    if app._warncount:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)
    if exception is None and app.builder.format == "html":
        for path, result in app.fpbook_results.items():
            target = Path(app.outdir, "_sources", app.env.path2doc(str(path)) + ".ipynb")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(result, target)


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
