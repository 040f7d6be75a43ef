"""The documents name nothing that is not there."""

import re
from pathlib import Path

import pytest

import fpbook

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"]
CODE = [path.read_text("utf8") for top in ("fpbook", "_ext", "tests/book") for path in (ROOT / top).rglob("*.py")]
MADE = {"_build", ".venv"}  # folders that a command makes
PLACEHOLDERS = ("NAME", "*", "<", " ")


def named(document):
    return re.findall(r"`([^`\n]+)`", (ROOT / document).read_text("utf8"))


def is_path(text):
    return not any(part in text for part in PLACEHOLDERS) and (
        text.endswith("/") or re.fullmatch(r"[\w./-]+\.(py|md|js|css|yml|txt|toml|cff|json)", text)
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document):
    paths = [text for text in named(document) if is_path(text) and text.split("/")[0] not in MADE]
    assert paths
    missing = [text for text in paths if not any((ROOT / top / text).exists() for top in SEARCHED)]
    assert missing == []


SEARCHED = ["", "web", "fpbook/lab", "_ext/bookbuild", "_ext/bookbuild/execute"]


def test_every_variable_in_the_table_is_read_by_the_code():
    table = (ROOT / "ARCHITECTURE.md").read_text("utf8").split("## Environment variables")[1].split("\n## ")[0]
    variables = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    places = "".join(CODE) + (ROOT / "Makefile").read_text("utf8")
    places += (ROOT / "_ext/bookbuild/publish/install_cell.py").read_text("utf8")
    assert variables and [name for name in variables if name not in places] == []


def test_every_command_that_a_document_names_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf8"), re.MULTILINE))
    for document in DOCUMENTS:
        for text in named(document):
            if text.startswith("make "):
                words = [word for word in text.split()[1:] if "=" not in word]
                assert set(words) <= targets, (document, text)


def test_a_version_is_cited_as_it_is():
    cited = re.findall(r"^ *version: (.*)$", (ROOT / "CITATION.cff").read_text("utf8"), re.MULTILINE)
    assert set(cited) == {fpbook.__version__}
