# On Colab this cell fetches the book's package. Where fpbook can be imported it does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("fpbook") is None:
    address = os.environ.get("FPBOOK_REPO", "https://github.com/OWNER/REPOSITORY")
    if not os.path.isdir("fpbook-book"):
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", address, "fpbook-book"], check=True)
    sys.path.insert(0, os.path.abspath("fpbook-book"))
