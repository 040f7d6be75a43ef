"""Files that are written whole or not at all."""

import os
from pathlib import Path


def write_whole(path, content):
    """Write text or bytes so that no reader ever sees half of them; an equal file is left alone.

    True if it was written.
    """
    path = Path(path)
    data = content if isinstance(content, bytes) else content.encode("utf8")
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        part.write_bytes(data)
    return True


class replacing:
    """`with replacing(path) as part:` write `part`; it becomes `path` if that succeeds.

    Two processes have two parts.
    """

    def __init__(self, path):
        self.path, self.part = Path(path), Path(path).with_suffix(f".part-{os.getpid()}")

    def __enter__(self):
        return self.part

    def __exit__(self, kind, *_):
        if kind is None:
            self.part.replace(self.path)
        else:
            self.part.unlink(missing_ok=True)
