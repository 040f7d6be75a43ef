"""The run behind the book: time of each page, versions, device."""

import json
from pathlib import Path

from ..execute.results import facts_of
from ..toc import notebooks
from .claims import FromResults
from .tables import link, table

COLUMNS = {"python": "Python", "torch": "PyTorch", "numpy": "NumPy", "matplotlib": "Matplotlib"}


class Status(FromResults):
    """A table of the run: a row a page, and what all of them took."""

    def run(self):
        self.note_results()
        root, rows, total = Path(self.env.app.srcdir), [], 0.0
        for path in notebooks(root, self.config.external_toc_path):
            if not facts_of(path, root).is_file():
                continue
            ran = json.loads(facts_of(path, root).read_text(encoding="utf8"))["run"]
            page, total = path.relative_to(root).with_suffix("").as_posix(), total + ran["seconds"]
            rows.append(
                [
                    [link(page, "", title=True)],
                    f"{ran['seconds']:.0f}",
                    ran["device"],
                    *(ran["versions"][n] for n in COLUMNS),
                ]
            )
        rows.append(["all pages", f"{total:.0f}", *[""] * (1 + len(COLUMNS))])
        return [table(["page", "seconds", "device", *COLUMNS.values()], rows, [40, 10, 15, *[9] * len(COLUMNS)])]


def setup(app):
    app.add_directive("status-of-the-run", Status)
