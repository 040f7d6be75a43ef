"""Parts of the build, each alone: what is kept, counted, offered, shown. None of these tests renders a book."""

import contextlib
import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import second_run
import seeds
from bookbuild import settings
from bookbuild.execute import results, runner
from bookbuild.publish.notebooks import cited, label_texts, readable
from bookbuild.publish.twins import INSTALL
from bookbuild.read import claims
from bookbuild.write.site import offer_downloads
from conftest import add_chapter, cell, failure
from docutils import nodes
from live_labs import try_labs
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook, new_output

import fpbook.lab
from fpbook.claims import Claim

PNG = {"image/png": "iVBORw0KGgo="}
KINDS = {kind: {"a": 1} for kind in (settings.CLAIM, settings.REPLAY, settings.LAB)}


def ran(*outputs, figure=False, count=1, source="1"):
    """A notebook of one executed cell."""
    about = {"mystnb": {"figure": {"name": "fig-a", "caption": "A *line*."}}} if figure else {}
    return new_notebook(cells=[new_code_cell(source, outputs=list(outputs), execution_count=count, metadata=about)])


def drawn(data):
    return new_output("display_data", data=dict(data))


# --- results


@pytest.mark.parametrize("notebook, flaw", [
    (ran(), ""),
    (ran(new_output("stream", name="stdout", text="a")), ""),
    (ran(new_output("stream", name="stderr", text="a warning")), "cell 1 wrote to stderr: a warning"),
    (ran(drawn(PNG), figure=True), ""),
    (ran(figure=True), "one figure (fig-a) and drew 0"),
    (ran(drawn(PNG), drawn(PNG), figure=True), "one figure (fig-a) and drew 2"),
    (ran(drawn(PNG), drawn(PNG)), ""),
    (ran(drawn({settings.LAB: {}})), "cell 1 shows a lab or a replay and names no figure"),
])  # fmt: skip
def test_what_makes_a_result_unfit(notebook, flaw):
    with pytest.raises(settings.BuildError, match=re.escape(flaw)) if flaw else contextlib.nullcontext():
        results.find_problem(notebook)


@pytest.mark.parametrize(
    "package", ["torch", "numpy", "matplotlib", "matplotlib-inline", "ipykernel", "ipython", "python"]
)
def test_the_key_covers_the_version_of_whatever_draws_or_prints(package, tmp_path, monkeypatch):
    (tmp_path / "fpbook").mkdir()
    (tmp_path / "fpbook/__init__.py").write_text("")
    before = results.result_key(ran(), tmp_path)
    if package == "python":
        monkeypatch.setattr("sys.version", re.sub(r"^\S+", "3.99.0", sys.version))
    installed = tmp_path / f"{package.replace('-', '_')}-0.dist-info"  # what is found first when it is asked for
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert results.result_key(ran(), tmp_path) != before


def test_the_numbers_of_a_claim_keep_their_order(book):
    add_chapter(book, "two", cell("from fpbook.claims import claim\nclaim('s', True, measured={'b': 1, 'a': 2})"))
    assert not failure(book)
    (claim,) = results.stated_claims(results.load_result(book / "chapters/two.md", book).cells)
    assert list(claim["measured"]) == ["b", "a"]


# --- execution


def test_a_kernel_has_the_settings_of_the_book_and_not_those_of_a_shell(tmp_path, monkeypatch):
    for name in ["FPBOOK_BUILD", "OMP_NUM_THREADS", "MPLBACKEND", "MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_NO_CONFIG"]:
        monkeypatch.setenv(name, "of the shell")
    for name in ["PYTHONOPTIMIZE", "PYTHONSTARTUP", "FPBOOK_DATA"]:
        monkeypatch.setenv(name, "of the shell")
    made = results.kernel_environment(tmp_path, FPBOOK_SEED="7")
    kept = {name for name, value in made.items() if value == "of the shell"}
    assert kept == {"FPBOOK_DATA"} and not {"PYTHONOPTIMIZE", "PYTHONSTARTUP"} & set(made)
    assert (made["FPBOOK_BUILD"], made["OMP_NUM_THREADS"], made["FPBOOK_SEED"]) == ("1", "1", "7")
    assert made["PYTHONPATH"].split(os.pathsep)[0] == str(tmp_path)


def test_a_page_runs_in_an_empty_folder_under_the_key_of_the_files_before_it(book):
    look = "import os, pathlib\nprint(os.listdir(), os.environ['FPBOOK_BUILD'], os.environ['OMP_NUM_THREADS'])"
    edit = "with (pathlib.Path.cwd().parents[2] / 'fpbook/one.py').open('a') as f:\n    _ = f.write('more = 1\\n')"
    add_chapter(book, "edits", cell(f"import fpbook.one\n{look}\n{edit}"))
    left = book / "_build/home/edits/left-by-a-kill"
    left.parent.mkdir(parents=True)
    left.write_text("")
    assert not failure(book) and not left.exists()
    source = book / "chapters/edits.md"
    assert "[] 1 1" in results.result_path(source, book).read_text()
    assert results.load_result(source, book) is None  # it ran with the module as it was before


def test_a_cell_has_a_time_limit_and_the_message_names_it(book, monkeypatch):
    execute, limits = NotebookClient.async_execute, []

    async def soon(client, **how):
        limits.append(client.timeout)
        client.timeout = 1
        return await execute(client, **how)

    monkeypatch.setattr(NotebookClient, "async_execute", soon)
    add_chapter(book, "endless", cell("import time\ntime.sleep(60)"))
    told = failure(book)
    assert f"endless failed in its cell 1: it ran longer than {limits[0]} s" in told and 600 <= limits[0] <= 3600


BROKEN = {
    "is not UTF-8 (byte 2)": lambda text: b"# \xff\n" + text.encode(),
    "begins with a byte-order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "has code cells and no header of a notebook": lambda text: text.replace("format_name: myst", "").encode(),
}


@pytest.mark.parametrize("message, change", BROKEN.items(), ids=BROKEN)
def test_a_page_whose_claims_would_be_lost_stops_everything_with_one_line(message, change, book):
    path = book / "chapters/solid.md"
    path.write_bytes(change(path.read_text()))
    for command in (runner.execute, second_run.run_all_again, lambda root: seeds.count_claims(root, 0, 1)):
        with pytest.raises(settings.BuildError, match=re.escape(f"{path} {message}")):
            command(book)


@pytest.mark.parametrize("ends", ["", "\n\n\n", "\r\n"])
def test_the_end_of_a_line_and_of_a_page_execute_nothing(ends, book):
    path = book / "chapters/solid.md"
    text = path.read_text().rstrip("\n")
    path.write_bytes((text.replace("\n", "\r\n") if "\r" in ends else text).encode() + ends.encode())
    assert results.load_result(path, book)


# --- other seeds


def notebook_of(code):
    return new_notebook(cells=[new_code_cell(code)])


@pytest.mark.parametrize("code, count", [
    ("x = 1", 1), ("s = seed_range(5)", 5), ("a = [seed_range(20), seed_range(4)]\nb = seed_range(7)", 4),
    ("def f():\n    return seed_range(3)", 3), ("s = seed_range(n)", 1), ("s = range(9)", 1),
])  # fmt: skip
def test_a_count_steps_by_the_smallest_draw(code, count):
    assert seeds.seeds_of(notebook_of(code)) == count


def test_a_run_counts_only_for_the_files_it_was_made_with(tmp_path):
    run = {"key": "k", "first": 3, "claims": [], "errors": []}
    file = seeds.file_of(Path("chapters/a.md"), tmp_path, 3)
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(run))
    assert seeds.done(Path("chapters/a.md"), tmp_path, 3, "k") == run
    assert seeds.done(Path("chapters/a.md"), tmp_path, 3, "other") is None
    assert seeds.done(Path("chapters/a.md"), tmp_path, 4, "k") is None


@pytest.fixture
def quick_count(book, monkeypatch):
    """A count without kernels: what the claims of a page say is made up here."""
    said = {}  # the count, and by first seed what kills the kernel

    async def execute(client, env):
        first = int(env["FPBOOK_SEED"])
        cell = next(cell for cell in client.nb.cells if cell.cell_type == "code")
        client.on_cell_execute(cell=cell, cell_index=0)
        claim = {"sentence": "s", "held": int(first < 102), "count": said.get("count"), "of": "seeds"}
        cell.outputs = [drawn({settings.CLAIM: claim})]
        if first in said:
            raise DeadKernelError(said[first])

    monkeypatch.setattr(NotebookClient, "async_execute", execute)
    return said


def counts(book):
    return json.loads((book / seeds.RECORD).read_text())["pages"]


def test_each_page_keeps_the_counts_and_the_seeds_that_they_are_of(book, quick_count, capsys):
    assert seeds.count_claims(book, 100, 104) == []
    both = counts(book)
    assert set(both) == {"solid", "below"}
    (below,) = both["below"]["claims"]  # draws nothing: one run per seed
    assert (below["held"], below["count"], below["of"]) == (2, 4, "draws")
    printed = capsys.readouterr().out
    assert "below, seeds 100 to 103\n  1. 2 of 4 draws: s" in printed
    assert "data/records/claims.json has new counts of solid, below: commit it" in printed
    assert seeds.count_claims(book, 100, 101, ["below"]) == []
    after = counts(book)
    assert after["solid"] == both["solid"] and after["solid"]["seeds"] == [100, 104]
    assert after["below"]["claims"][0]["count"] == 1 and after["below"]["seeds"] == [100, 101]
    assert after["below"]["command"] == "make claims SEEDS=100:101"
    assert "has new counts of below: commit it" in capsys.readouterr().out


def test_two_claims_of_one_sentence_are_two_rows(book, quick_count):
    claim = {"sentence": "s", "held": 1, "count": None, "of": "seeds"}
    runs = [{"claims": [claim, claim | {"held": 0}]}, {"claims": [claim, claim]}]
    assert [(entry["held"], entry["count"]) for entry in seeds.collect(runs)] == [(2, 2), (1, 2)]


def test_a_page_with_a_claim_on_a_draw_goes_on_to_as_many_draws(book, quick_count):
    assert seeds.count_claims(book, 100, 102, ["below"], draws=5) == []
    page = counts(book)["below"]
    assert (page["claims"][0]["held"], page["claims"][0]["count"]) == (2, 5)
    assert (page["command"], page["draws"]) == ("make claims SEEDS=100:102:5", 5)
    quick_count["count"] = 3  # now the claim counts its seeds
    seeds.count_claims(book, 200, 202, ["below"], draws=5)
    assert counts(book)["below"]["claims"][0]["count"] == 2 * 3


def test_a_count_tells_what_died(book, quick_count):
    quick_count[101] = "killed"
    died = ["below from seed 101: failed in its cell 1: the kernel died: killed"]
    assert seeds.count_claims(book, 100, 103, ["below"]) == died
    assert not (book / seeds.RECORD).exists()  # two of three is no count
    times = {path: path.stat().st_mtime_ns for path in (book / "_build/claims").glob("*.json")}
    assert {path.stem for path in times} == {"below-100", "below-102"}
    del quick_count[101]
    assert seeds.count_claims(book, 100, 103, ["below"]) == []  # the same command runs what died, and nothing else
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    (below,) = counts(book)["below"]["claims"]
    assert (below["held"], below["count"]) == (2, 3)


@pytest.mark.parametrize("first, end", [(5, 5), (6, 5), (-1, 3)])
def test_a_count_needs_seeds(book, first, end):
    assert "give seeds as FIRST:END" in seeds.count_claims(book, first, end)[0]


def claim_of(sentence, count, of="seeds"):
    return Claim(sentence, count or 1, count, of, None, "", None, None, "new")


def test_the_ledger_says_how_many_of_which_seeds():
    entry = {"held": 38, "count": 40, "of": "seeds", "interval": [0.8349, 0.9862]}
    live = claim_of("a live one", count=8)
    assert claims.other_seeds(live, entry) == "38 of 40 seeds (83 to 99 %)" and claims.other_seeds(live, None) == ""
    for claim, said in (
        (claim_of("stored run: a", count=3), "stored run of 3 seeds"),
        (claim_of("stored run: a", count=None), "stored run"),
        (claim_of("an identity", count=None, of="formula"), "formula"),
    ):
        assert claims.other_seeds(claim, entry) == said and seeds.collect([{"claims": [asdict(claim)]}]) == []
    about = {"seeds": [1000, 1020], "draws": 1, "command": "c", "date": "d", "device": "e", "versions": {"torch": "1"}}
    one = claims.about_record({"why": about, "parity": about})
    assert "The other seeds are 1000 to 1019 (c, d, e, PyTorch 1)." in one
    two = claims.about_record({"parity": about | {"draws": 40}, "why": about, "why-kernel": about})
    assert "The other seeds are 1000 to 1019 (c, d, e, PyTorch 1); on parity they are 1000 to 1019, in" in two
    assert "in up to 40 draws for claims on a median (c, d, e, PyTorch 1)." in two


# --- the second run


def test_the_second_run_ends_with_a_trial_of_every_claim(tmp_path):
    claimed = "claim(\n    'a square is not negative', (t**2 >= 0).all(1))"
    first = new_notebook(cells=[new_code_cell("t = 1"), new_code_cell(f"pair = t\n{claimed}"), new_code_cell("t")])
    nbformat.write(first, tmp_path / "a.ipynb")
    *before, trial = nbformat.read(second_run.with_trial(tmp_path / "a.ipynb", tmp_path), as_version=4).cells
    assert [c.source for c in before] == [c.source for c in first.cells]
    names = {"t": np.ones((2, 2)), "claim": __import__("fpbook.claims").claims.claim}
    with pytest.raises(ValueError, match="hold whatever is measured: 'a square"):
        exec(trial.source, names)
    nbformat.write(new_notebook(cells=[new_code_cell("t = 1")]), tmp_path / "b.ipynb")
    assert len(nbformat.read(second_run.with_trial(tmp_path / "b.ipynb", tmp_path), as_version=4).cells) == 1


def test_the_second_run_trains_each_lab_in_a_live_kernel():
    lab = """lab(
    data=dict(points=9, low=-1, high=1, sines={1: 1}), network=dict(hidden=[3], activation=ACTIVATION),
    training=dict(lr=0.1, steps=99), watch=dict(series=["training"]), says="{end:training}",
)"""
    try_labs([lab], {"lab": fpbook.lab.lab, "ACTIVATION": "tanh"})
    with pytest.raises(ValueError, match="did you mean 'tanh'"):
        try_labs([lab], {"lab": fpbook.lab.lab, "ACTIVATION": "tahn"})


# --- what readers open


def work(names, **fields):
    people = [SimpleNamespace(rich_last_names=[name]) for name in names]
    return SimpleNamespace(persons={"author": people}, fields={"year": "2020"} | fields)


def test_a_cited_work_has_one_two_or_the_first_of_more_names():
    people = ("Ann", "Bo", "Cy")
    assert [cited(work(people[:n])) for n in (1, 2, 3)] == ["Ann, 2020", "Ann and Bo, 2020", "Ann et al., 2020"]


def test_a_reference_has_its_text_and_leads_to_its_place_in_the_published_book(monkeypatch):
    titles = {"p": nodes.title("", "Page")}
    std = SimpleNamespace(labels={"sec-p": ("p", "sec-p", "Page"), "sec-a": ("p", "a", "Part")})
    fields = [{"doi": "10.1/x", "url": "https://u"}, {"url": "https://u"}, {"eprint": "1"}, {"url": "javascript:x"}, {}]
    made = [SimpleNamespace(key=f"w{i}", entry=work(("Ann", "Bo"), **more)) for i, more in enumerate(fields)]
    numbers = {"p": {"figure": {"fig-a": (1, 2)}, "displaymath": {"equation-eq-a": (1, 3)}, "exercise": {"ex-a": (4,)}}}
    domains, sections = {"std": std, "cite": SimpleNamespace(citations=made)}, {"p": {"": (1, 1), "#a": ()}}
    env = SimpleNamespace(titles=titles, domains=domains, toc_fignumbers=numbers, toc_secnumbers=sections)
    texts = {"p": "Page", "sec-p": "Page", "numref sec-p": "Section 1.1", "sec-a": "Part"}
    texts |= {"fig-a": "Fig. 1.2", "eq-a": "(1.3)", "ex-a": "Exercise 4"}
    texts |= {f"w{i}": "Ann and Bo, 2020" for i in range(5)}
    places = {"w0": "https://doi.org/10.1/x", "w1": "https://u", "w2": "https://arxiv.org/abs/1"}
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert label_texts(env) == texts | {f"address {label}": place for label, place in places.items()}
    monkeypatch.setenv("FPBOOK_SITE", "https://b/")
    places |= {"p": "https://b/p.html", "eq-a": "https://b/p.html#equation-eq-a"}
    places |= {label: f"https://b/p.html#{anchor}" for label, anchor in [("sec-p", "sec-p"), ("sec-a", "a")]}
    places |= {label: f"https://b/p.html#{label}" for label in ("fig-a", "ex-a")}
    assert label_texts(env) == texts | {f"address {label}": place for label, place in places.items()}


def test_an_offered_notebook_has_pictures_captions_and_no_data_of_the_page():
    made = readable(ran(drawn(PNG | KINDS | {"text/plain": "Replay"}), figure=True), {"fig-a": "Fig. 1"})
    shown, caption = made.cells
    assert not set(KINDS) & set(shown.outputs[0].data) and shown.outputs[0].data["image/png"] == PNG["image/png"]
    assert caption.source == "**Fig. 1** A *line*."
    assert "source_hidden" not in str(shown.metadata) and shown.source == f"{INSTALL}\n1"


def test_an_offered_notebook_fetches_the_package_from_where_the_book_lies():
    for repository, address in (("https://github.com/a/b", "a/b"), ("", "OWNER/REPOSITORY")):
        (only,) = readable(notebook_of("1"), {}, repository=repository).cells
        assert f'"https://github.com/{address}")' in only.source and only.source.endswith("\n1")


# --- pages


def test_the_address_of_the_site_is_that_of_its_repository_in_small_letters(monkeypatch):
    monkeypatch.delenv("FPBOOK_SITE", raising=False)
    for repository, address in (
        ("Ann/Book", "https://ann.github.io/Book/"),
        ("Ann/ann.github.io", "https://ann.github.io/"),
        ("", ""),
    ):
        monkeypatch.setenv("GITHUB_REPOSITORY", repository)
        assert settings.site_address() == address
    for given in ("https://b/c/", "https://b/c"):
        monkeypatch.setenv("FPBOOK_SITE", given)
        assert settings.site_address() == "https://b/c/"


def test_each_page_offers_the_whole_book_with_sizes(tmp_path):
    for name in ["html/index.html", "html/chapters/why.html"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('<p class="downloads"></p><p>Words.</p>')
    (tmp_path / "epub").mkdir()
    for name, size in {"epub/the-book.epub": 2_040_000, "book.pdf": 13_000_000}.items():
        (tmp_path / name).write_bytes(bytes(size))
    for _ in range(2):  # the second time nothing stands there twice
        assert offer_downloads(tmp_path).endswith("EPUB (2.0 MB), PDF (13.0 MB)")
    for name, up in {"index.html": "", "chapters/why.html": "../"}.items():
        text = (tmp_path / "html" / name).read_text()
        assert text.endswith(f'<a href="{up}fpbook.pdf" download>PDF (13.0 MB)</a></p><p>Words.</p>')
        assert text.count("<a ") == 2 and f'href="{up}fpbook.epub" download>EPUB (2.0 MB)<' in text
    assert (tmp_path / "html/fpbook.epub").stat().st_size == 2_040_000


@pytest.mark.parametrize("text", ['{"cut', "[]", "{}", "null"])
def test_a_damaged_record_of_counts_is_named_with_the_remedy(tmp_path, text):
    record = tmp_path / settings.RECORD
    assert claims.load_record(tmp_path) == {}
    record.parent.mkdir(parents=True)
    record.write_text(text)
    with pytest.raises(settings.BuildError, match="claims.json is damaged: restore it, or remove it"):
        claims.load_record(tmp_path)
