"""What several parts of the build must agree on: where the book is published, where things lie, names of data."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # of the book that this extension belongs to
RECORD = Path("data", "records", "claims.json")  # the claims counted on other seeds, by `make claims`
CLAIM = "application/vnd.fpbook.claim+json"  # mime types of data for the page, as in fpbook.claims, .replay and .lab
REPLAY = "application/vnd.fpbook.replay+json"
LAB = "application/vnd.fpbook.lab+json"


def site_address():
    """Where the book is published, from the environment; "" where that is unknown."""
    owner, _, name = os.environ.get("GITHUB_REPOSITORY", "").partition("/")
    host = f"{owner.lower()}.github.io"
    default = "" if not name else f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
    address = os.environ.get("FPBOOK_SITE", default)
    return address.rstrip("/") + "/" if address else ""
