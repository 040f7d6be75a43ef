"""Write the twin of each notebook page, NAME.ipynb beside NAME.md: the same notebook without outputs, for Jupyter.

`python -m bookbuild.publish.twins`
"""

import jupytext

from ..execute.results import write_notebook
from ..settings import ROOT
from ..toc import notebooks


def twin(path):
    """The notebook that belongs beside the source `path`; Jupytext keeps the two in step when either is edited."""
    notebook = jupytext.read(path)
    notebook.metadata.jupytext["formats"] = "ipynb,md:myst"
    return notebook


if __name__ == "__main__":
    for source in notebooks(ROOT):
        write_notebook(twin(source), source.with_suffix(".ipynb"))
