import sys
from importlib.util import find_spec
from os import environ, system

if not find_spec("fpbook"):  # on Colab: fetch the book's package
    repo = environ.get("FPBOOK_REPO", "https://github.com/OWNER/REPOSITORY")
    system(f'test -d fpbook-book/fpbook || git clone -q --depth 1 "{repo}" fpbook-book')
    sys.path.insert(0, "fpbook-book")
