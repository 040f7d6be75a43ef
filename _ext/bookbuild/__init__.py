"""The book's build: executes the notebooks, renders the pages from the results, and prepares what is published.

As a Sphinx extension it calls the `setup` of the modules below. As programs: `python -m bookbuild.execute`,
`.replicate`, `.twins`, `.sweep`, `.page`, `.pdf`. One file is one responsibility.
"""

MODULES = ["whole", "render", "numbers", "claims", "answer", "folds", "guess", "diagrams", "replays", "status"]
MODULES += ["tables", "words", "codelinks", "typography", "notebooks", "landing", "cards", "site", "pages", "epub"]


def setup(app):
    from importlib import import_module

    if not app.warningiserror:
        app.keep_going = True  # a warning is an error in the plain command too
    for name in MODULES:
        import_module(f"{__name__}.{name}").setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
