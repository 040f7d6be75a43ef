"""The book's build: executes the notebooks, renders the pages from the results, and prepares what is published.

As a Sphinx extension it calls the `setup` of the modules below. As programs: `python -m bookbuild.execute.runner`,
`.publish.twins`, `.publish.single_page`, `.publish.pdf`. One file is one responsibility.
"""

MODULES = ["execute.build_state", "execute.cache", "read.section_numbers", "read.claims", "read.lead_figure"]
MODULES += ["read.folds", "read.guess", "read.diagrams", "read.interactive", "read.status", "read.tables"]
MODULES += ["read.glossary_links", "read.api_links", "read.typography", "publish.notebooks", "read.landing"]
MODULES += ["read.thumbnails", "write.site", "write.finish", "publish.epub"]


def setup(app):
    from importlib import import_module

    if not app.warningiserror:
        app.keep_going = True  # a warning is an error in the plain command too
    for name in MODULES:
        import_module(f"{__name__}.{name}").setup(app)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
