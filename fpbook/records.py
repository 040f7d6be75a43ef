"""Records of long runs: arrays, and beside them the command, seeds, versions, date and device that made them."""

import io
import json

import numpy as np

from fpbook.datasets import EMBEDDED, DataError, checked


def record(name):
    """Arrays of a long run made by a script in ``experiments/``, and what is known about that run.

    Parameters
    ----------
    name : str
        ``"vgg_hard_samples"`` for ``data/records/vgg_hard_samples.npz``.

    Returns
    -------
    dict of arrays, dict
        The second is the JSON beside the arrays: command, parameters, seeds, versions, device, date, duration.

    Raises
    ------
    DataError
        If one of the two files is missing or damaged, or they do not belong together.
    """
    arrays, about = (EMBEDDED / "records" / f"{name}.{end}" for end in ("npz", "json"))
    for path in (arrays, about):
        if not path.is_file():
            raise DataError(f"there is no record {path}; experiments/README.md names the command that makes it")
    try:
        known = json.loads(about.read_text())
        content = checked(arrays, "sha256", known["sha256"])
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return dict(archive), known
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the record {about} is damaged ({error!r}); restore both files with git checkout") from error
