"""The build's commands, after `python -m bookbuild`: `page NAME`, `twins [--check]`, `pdf`, `downloads`."""

import sys

from .publish import single_page, twins
from .settings import ROOT, BuildError
from .write import site


def main(command, options):
    """Carry out one command. Returns its exit status, or a message that ends it; BuildError if it cannot be done."""
    match command, options:
        case "page", [name]:
            return single_page.main(ROOT, name)
        case "twins", [] | ["--check"]:
            return "\n".join(twins.write_twins(ROOT, check=bool(options))) or None
        case "pdf", []:
            from .publish import pdf  # needs what only this command needs

            pdf.main(ROOT)
        case "downloads", []:
            print(site.offer_downloads(ROOT / "_build"))
        case _:
            return __doc__


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if sys.argv[1:] else "", sys.argv[2:]))
    except BuildError as error:
        sys.exit(str(error))
