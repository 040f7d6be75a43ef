import sys
from importlib.util import find_spec
from os import environ, system
from os.path import isdir

if not find_spec("fpbook"):  # beside the book's folder, or on Colab and Kaggle: fetch the package
    repo = environ.get("FPBOOK_REPO", "https://github.com/OWNER/REPOSITORY")
    found = [folder for folder in ("..", "fpbook-book") if isdir(f"{folder}/fpbook")]
    if not found and system(f'git clone -q --depth 1 "{repo}" fpbook-book'):
        raise SystemExit(
            f"fpbook could not be fetched from {repo}. Switch the internet on (Kaggle: Settings, Internet), "
            "or put this notebook into the folder chapters of the book."
        )
    sys.path.insert(0, found[0] if found else "fpbook-book")
