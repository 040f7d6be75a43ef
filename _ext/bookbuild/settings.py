"""What several parts of the build must agree on: where the book is published, where things lie, names of data."""

import os
from pathlib import Path

from fpbook.claims import CLAIM

ROOT = Path(__file__).resolve().parents[2]  # of the book that this extension belongs to
RECORD = Path("data", "records", "claims.json")  # the claims counted on other seeds, by `make claims`
GLOSSARY, NOTATION, REFERENCES = "chapters/glossary", "chapters/notation", "chapters/references"
LEDGER, API = "chapters/claims", "chapters/api"

REPLAY = "application/vnd.fpbook.replay+json"  # as in fpbook.replay and fpbook.lab, whose import takes seconds
LAB = "application/vnd.fpbook.lab+json"
FOR_THE_PAGE = {CLAIM, REPLAY, LAB}  # mime types of data that the build reads, and nobody else

# What a claim counts, where no seed changes it -> what it rests on.
FIXED = dict.fromkeys(["formula", "waves", "values", "steps from mode to mode", "kinds of points"], "formula")
FIXED |= dict.fromkeys(["rules", "fixed data"], "fixed data")


def rests_on(claim):
    """What a claim (its data) rests on if no seed changes it, "stored run of 3 seeds"; "" if it is drawn anew."""
    if claim["sentence"].startswith("stored run"):
        return "stored run" + (f" of {claim['count']} {claim['of']}" if claim["count"] else "")
    return FIXED.get(claim["of"], "")


class BuildError(Exception):
    """The build cannot go on; the message says why, and what to do."""


def site_address():
    """Where the book is published, from the environment; "" where that is unknown."""
    owner, _, name = os.environ.get("GITHUB_REPOSITORY", "").partition("/")
    host = f"{owner.lower()}.github.io"
    default = "" if not name else f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
    address = os.environ.get("FPBOOK_SITE", default)
    return address.rstrip("/") + "/" if address else ""
