"""In an environment that holds the package alone: README's lines print what README says, doctests of the core hold."""

import contextlib
import doctest
import importlib
import io
import re
import sys
from pathlib import Path

import fpbook

CORE = ["_arrays", "contrib", "filtering", "monitor", "networks", "spectra", "targets", "training"]


def main() -> None:
    section = Path(sys.argv[1]).read_text(encoding="utf-8").partition("## Use it on your own model")[2]
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", section, flags=re.DOTALL)[:2]
    with contextlib.redirect_stdout(io.StringIO()) as found:
        exec(compile(code, "README.md", "exec"), {})
    if found.getvalue() != printed:
        sys.exit(f"README promises\n{printed}\nand its lines print\n{found.getvalue()}")
    assert "site-packages" in str(fpbook.__file__), fpbook.__file__
    assert not {"matplotlib", "IPython", "ipywidgets", "pooch"} & set(sys.modules)
    failed = [name for name in CORE if doctest.testmod(importlib.import_module(f"fpbook.{name}")).failed]
    sys.exit(f"doctests of {failed} fail" if failed else 0)


if __name__ == "__main__":
    main()
