"""Write the twin of each section, NAME.ipynb beside NAME.md: the same notebook without outputs, for Jupyter."""

from pathlib import Path

import jupytext
from execute import notebooks, write


def twin(path):
    """The notebook that belongs beside the source `path`; Jupytext keeps the two in step when either is edited."""
    notebook = jupytext.read(path)
    notebook.metadata.jupytext["formats"] = "ipynb,md:myst"
    return notebook


if __name__ == "__main__":
    for source in notebooks(Path(__file__).resolve().parent.parent):
        write(twin(source), source.with_suffix(".ipynb"))
