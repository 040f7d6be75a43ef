"""Faults, each made for real on the scratch book: a false claim is never green, one bad run does not spoil the next.

Nothing stays half written.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
import second_run
from bookbuild.execute.results import result_path
from bookbuild.execute.runner import MAX_ATTEMPTS
from conftest import (
    ROOT,
    SOLID,
    Run,
    add_chapter,
    bookbuild,
    build,
    build_alone,
    cell,
    command,
    failure,
    page,
    shell_environment,
)

FALSE = "from fpbook.claims import claim\nclaim('two is one', 2 == 1)"


def ours(printed):
    """Lines of a traceback of the build's own code."""
    return re.findall(r".*bookbuild/[\w/]+\.py.*", printed)


def shown(book):
    """Every page and picture of the built book."""
    files = [path for path in (book / "_build/html").rglob("*") if path.suffix in {".html", ".webp", ".woff", ".css"}]
    return {path.relative_to(book): path.read_bytes() for path in files}


ALL_COMMANDS = """
import pathlib, sys
import second_run, seeds
from jupyter_book.cli.main import main
print(second_run.run_all_again(pathlib.Path()), *seeds.count_claims(pathlib.Path(), 0, 1))
sys.argv = ["jupyter-book", "build", "."]
main()
"""


def test_python_without_asserts_builds_repeats_and_counts_nothing(book):
    add_chapter(book, "false", cell(FALSE))
    path = os.pathsep.join(map(str, ["_ext", "tests/book", ROOT / "experiments"]))
    settings = shell_environment(PYTHONPATH=path, PYTHONOPTIMIZE="1")
    run = subprocess.run([sys.executable, "-c", ALL_COMMANDS], cwd=book, env=settings, capture_output=True, text=True)
    again, built = run.stdout.splitlines()[:2], run.stderr
    assert "PYTHONOPTIMIZE" in again[0] and again[1].startswith("1 ") and "without asserts" in again[1]
    assert run.returncode != 0 and "PYTHONOPTIMIZE" in built and not ours(built), built
    assert "ClaimError" in failure(book)  # with asserts again; nothing of the first run is used


@pytest.mark.parametrize("tag", ["raises-exception", "skip-execution"])
def test_a_tag_that_switches_a_claim_off_is_refused(book, tag):
    add_chapter(book, "false", cell(FALSE, head=f":tags: [{tag}]\n"))
    assert f"false: cell 1 has the tag {tag}" in failure(book)
    (book / "chapters/false.md").write_text(cell(FALSE))
    assert "ClaimError" in failure(book)


def test_a_run_that_wrote_to_stderr_or_drew_nothing_is_not_kept(book, monkeypatch, capsys):
    add_chapter(book, "loud", cell("import os, sys\nif 'LOUD' in os.environ:\n    print('a warning', file=sys.stderr)"))
    figure = (
        "import os\nimport matplotlib.pyplot as plt\nif 'LOUD' not in os.environ:\n    plt.plot([0, 1])\nplt.show()"
    )
    add_chapter(
        book, "blank", cell(figure, head="---\nmystnb:\n  figure:\n    name: fig-x\n    caption: A line.\n---\n")
    )
    monkeypatch.setenv("LOUD", "1")
    failures = failure(book)
    assert "loud: cell 1 wrote to stderr: a warning" in failures
    assert "blank: cell 1 has the caption of one figure (fig-x) and drew 0" in failures
    assert not any(result_path(book / f"chapters/{name}.md", book).exists() for name in ["loud", "blank"])
    monkeypatch.delenv("LOUD")
    assert not failure(book)


def test_a_stored_result_that_is_cut_keyless_or_bad_is_made_anew(book, capsys):
    result = result_path(book / "chapters/solid.md", book)
    whole = result.read_text()
    bad = nbformat.reads(whole, as_version=4)
    next(c for c in bad.cells if c.get("outputs")).outputs.append(
        nbformat.v4.new_output("stream", name="stderr", text="old sin")
    )
    keyless = nbformat.reads(whole, as_version=4)
    del keyless.metadata["fpbook"]
    for text in [whole[:1000], "", "{}", nbformat.writes(keyless), nbformat.writes(bad)]:
        capsys.readouterr()
        result.write_text(text)
        assert not failure(book) and "executing 1.1 solid" in capsys.readouterr().out
        assert "old sin" not in result.read_text() and len(result.read_text()) > 1000


def test_home_backend_and_options_of_the_shell_change_nothing(book):
    for result in (book / "_build/executed").glob("*.ipynb"):
        result.unlink()
    status, printed = build_alone(
        book, HOME="/proc/nowhere", MPLBACKEND="Agg", MPLCONFIGDIR="/proc/nowhere", IPYTHONDIR="/proc/nowhere"
    )
    assert status == 0 and printed.count("executing") == 2 and "fig-line" in page(book), printed
    status, printed = build(book)
    assert status == 0 and "executing" not in printed, printed


@pytest.mark.parametrize("code", ["print((1", "%timeit 1"])
def test_code_that_is_no_python_names_its_page_and_the_others_run(book, code):
    if code.startswith("%"):
        code += "\nraise ValueError('after the magic')"
    add_chapter(book, "odd", cell(code))
    add_chapter(book, "right", cell("print('right')"))
    status, printed = build(book)
    assert (
        status != 0
        and "odd failed" in printed
        and re.search("SyntaxError|after the magic", printed)
        and not ours(printed)
    ), printed
    assert result_path(book / "chapters/right.md", book).exists()


def test_a_kernel_that_dies_is_told_with_its_page_and_cell(book):
    add_chapter(book, "dead", cell("print('first')\n```\n\nThen:\n\n```{code-cell} ipython3\nimport os\nos._exit(3)"))
    assert "dead failed in its cell 2: the kernel died" in failure(book)


@pytest.mark.parametrize("deaths", [1, MAX_ATTEMPTS])
def test_a_kernel_that_dies_before_its_first_cell_is_started_once_more(deaths, book):
    (book / "sitecustomize.py").write_text(  # what every Python that a kernel runs in reads first
        "import os, pathlib, sys\n"
        "left = pathlib.Path(__file__).with_name('deaths')\n"
        "if 'ipykernel_launcher' in sys.orig_argv and (n := int(left.read_text())):\n"
        "    left.write_text(str(n - 1))\n"
        "    os._exit(1)\n"
    )
    (book / "deaths").write_text(str(deaths))
    add_chapter(book, "late", cell("print('first')"))
    failed = failure(book)
    assert (book / "deaths").read_text() == "0"
    if deaths < MAX_ATTEMPTS:
        assert not failed and result_path(book / "chapters/late.md", book).exists()
    else:
        assert "late failed before its first cell: the kernel died" in failed


def test_a_page_that_is_no_text_is_one_line(book):
    (book / "chapters/chapter.md").write_bytes("# Chapitre étrange\n".encode("latin-1"))
    status, printed = build(book)
    assert status != 0 and "chapter.md is not UTF-8" in printed and "Traceback" not in printed, printed


def test_an_unknown_page_is_one_line(book):
    status, _, errors = bookbuild(book, "execute", "nosuch")
    assert status != 0 and errors.strip() == "no such page: nosuch"


def test_what_is_missing_or_cannot_be_read_is_made_again(book):
    whole, made = shown(book), book / "_build"
    for damage in [
        lambda: shutil.rmtree(made / "jupyter_execute"),
        lambda: (made / ".doctrees/environment.pickle").unlink(),
        lambda: (made / ".built.json").write_text("{"),
        lambda: [shutil.rmtree(made / folder) for folder in ("html", ".jupyter_cache")],
    ]:
        damage()
        status, printed = build(book)
        assert status == 0 and shown(book) == whole, printed


def test_a_build_killed_at_any_moment_leaves_nothing_half_done(book):
    whole = shown(book)
    for moment in [
        "reading sources",
        "pickling environment",
        "writing output",
        "copying images",
        "dumping object inventory",
    ]:
        shutil.rmtree(book / "_build/html")
        run = Run(book, "build", ".")
        wait_for(lambda run=run, moment=moment: moment in run.printed()[0])
        os.kill(run.pid, signal.SIGKILL)
        assert run.end()[0] == -signal.SIGKILL, moment
        status, printed = build(book)
        assert status == 0 and shown(book) == whole, (moment, printed)
    assert not list(book.rglob("*.part*"))


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.01)


def kernels(run):
    return [
        child.pid
        for child in psutil.Process(run.pid).children(recursive=True)
        if "ipykernel" in " ".join(child.cmdline())
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_with_one_line(book, number):
    for name in ["slow", "slower", "slowest"]:
        add_chapter(book, name, cell("import time\nopen('at-work', 'w').close()\ntime.sleep(120)"))
    run = Run(book, "build", ".")
    wait_for(lambda: len(list(book.glob("_build/home/*/at-work"))) == 2)
    before, started, start = run.printed()[0], kernels(run), time.monotonic()
    os.killpg(run.pid, number)  # as a terminal sends it
    status, printed, _ = run.end()
    seconds = time.monotonic() - start
    assert status != 0
    assert printed.removeprefix(before).strip() == "stopped by a signal; nothing half done was kept"
    assert len(started) == 2 and not any(psutil.pid_exists(pid) for pid in started)
    assert seconds < 30, seconds  # two on an idle machine; the cells go on for 120


def test_two_builds_at_once_wait_for_each_other(book):
    for result in (book / "_build/executed").glob("*.ipynb"):
        result.unlink()
    ends = [run.end() for run in [Run(book, "build", ".") for _ in range(2)]]
    printed = [text for _, text, _ in ends]
    assert [status for status, *_ in ends] == [0, 0], printed
    assert (
        sum("executing 1.1 solid" in text for text in printed) == 1
        and sum("another build" in text for text in printed) == 1
    )
    whole = shown(book)
    shutil.rmtree(book / "_build/html")
    assert build(book)[0] == 0 and shown(book) == whole


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" "$0" && cd "$0" && exec "$@"'


def build_read_only(book, *options):
    """A build of a book on a file system that cannot be written."""
    line = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(book), *command(*options)]
    run = subprocess.run(line, env=shell_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return run.returncode, run.stdout


def test_a_checkout_that_cannot_be_written_is_one_line(book, tmp_path):
    able = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(tmp_path), "true"]
    if not shutil.which("unshare") or subprocess.run(able, capture_output=True).returncode:
        pytest.skip("this user cannot mount a folder read-only")
    status, printed = build_read_only(book)
    assert status != 0 and "Traceback" not in printed and "cannot be written" in printed, printed
    output = tmp_path / "elsewhere"
    status, printed = build_read_only(
        book, "--path-output", str(output)
    )  # the results are there: nothing is written beside them
    assert status == 0 and "executing" not in printed, printed
    (book / "chapters/solid.md").write_text(SOLID.replace("'one is'", "'One is'"))
    status, printed = build_read_only(book, "--path-output", str(output))
    assert status != 0 and "solid must be executed" in printed and "Traceback" not in printed, printed


def test_without_the_program_git_pages_have_no_date(book):
    status, printed = build(book, PATH="/nowhere")
    assert status == 0 and "Last updated" not in page(book) and "download-buttons" in page(book), printed
    assert page(book).count('<p class="downloads"></p>') == 1  # where `make downloads` offers the book


def test_a_second_run_reports_the_worst_status(book, monkeypatch):
    assert second_run.run_all_again(book) == 0
    result = result_path(book / "chapters/solid.md", book)
    result.write_text(result.read_text().replace("one is 1", "one is 2"))  # the other page is printed again as it was
    assert second_run.run_all_again(book) != 0
    for codes in [(0, -9), (1, 0)]:
        found = iter(codes)
        monkeypatch.setattr(second_run, "run_again", lambda result, root, found=found: next(found))
        assert second_run.run_all_again(book) != 0
    result.unlink()
    assert second_run.run_all_again(book) != 0


def test_a_stray_file_executes_nothing(book):
    for name in [
        "data/.DS_Store",
        "fpbook/.one.py.swp",
        "data/make_subset.py",
        "_ext/bookbuild/write/.finish.py.swp",
        "chapters/.solid.md.swp",
    ]:
        (book / name).write_bytes(b"\0")
    status, printed = build(book)
    assert status == 0 and "executing" not in printed, printed
