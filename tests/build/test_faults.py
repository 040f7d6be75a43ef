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
from conftest import (
    ROOT,
    Run,
    add_chapter,
    build,
    build_alone,
    cell,
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


def test_a_stored_result_that_is_cut_or_keyless_is_made_anew(book, capsys):
    result = result_path(book / "chapters/solid.md", book)
    whole = result.read_text()
    keyless = nbformat.reads(whole, as_version=4)
    del keyless.metadata["fpbook"]
    for text in [whole[:1000], "", "{}", nbformat.writes(keyless)]:
        capsys.readouterr()
        result.write_text(text)
        assert not failure(book) and "executing 1.1 solid" in capsys.readouterr().out
        assert len(result.read_text()) > 1000


def test_home_backend_and_options_of_the_shell_change_nothing(book):
    for result in (book / "_build/executed").glob("*.ipynb"):
        result.unlink()
    status, printed = build_alone(
        book, HOME="/proc/nowhere", MPLBACKEND="Agg", MPLCONFIGDIR="/proc/nowhere", IPYTHONDIR="/proc/nowhere"
    )
    assert status == 0 and printed.count("executing") == 2 and "fig-line" in page(book), printed
    status, printed = build(book)
    assert status == 0 and "executing" not in printed, printed


def test_code_that_is_no_python_names_its_page_before_anything_runs(book):
    add_chapter(book, "odd", cell("print((1"))
    add_chapter(book, "right", cell("print('right')"))
    status, printed = build(book)
    assert status != 0 and "odd: no Python: '(' was never closed: print((1" in printed, printed
    assert "executing" not in printed and not ours(printed), printed


def test_a_kernel_that_dies_is_told_with_its_page_and_cell(book):
    add_chapter(book, "dead", cell("print('first')\n```\n\nThen:\n\n```{code-cell} ipython3\nimport os\nos._exit(3)"))
    assert "dead failed in its cell 2: the kernel died" in failure(book)


def test_a_kernel_that_dies_before_its_first_cell_is_told(book):
    (book / "sitecustomize.py").write_text(  # what every Python that a kernel runs in reads first
        "import os, sys\nif 'ipykernel_launcher' in sys.orig_argv:\n    os._exit(1)\n"
    )
    add_chapter(book, "late", cell("print('first')"))
    assert "late failed before its first cell: the kernel died" in failure(book)


@pytest.mark.skipif(os.name != "posix", reason="kernels are reached through ports there")
def test_a_kernel_needs_no_port_that_another_process_could_take(book):
    code = "import json\nfrom ipykernel.connect import get_connection_info\n"
    add_chapter(book, "reached", cell(f"{code}print(json.loads(get_connection_info())['transport'])"))
    assert not failure(book) and '"ipc\\n"' in result_path(book / "chapters/reached.md", book).read_text()
    assert second_run.run_all_again(book, ["reached"]) == 0  # it prints the same


def test_a_page_that_is_no_text_is_one_line(book):
    (book / "chapters/chapter.md").write_bytes("# Chapitre étrange\n".encode("latin-1"))
    status, printed = build(book)
    assert status != 0 and "chapter.md is not UTF-8" in printed and "Traceback" not in printed, printed


def test_a_build_that_was_killed_leaves_nothing_half_done(book):
    whole = shown(book)
    run = Run(book, "build", ".")
    wait_for(lambda: "writing output" in run.printed()[0])
    os.kill(run.pid, signal.SIGKILL)
    assert run.end()[0] == -signal.SIGKILL
    status, printed = build(book)
    assert status == 0 and shown(book) == whole, printed
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


def test_an_interrupt_stops_everything_with_one_line(book):
    for name in ["slow", "slower", "slowest"]:
        add_chapter(book, name, cell("import time\nopen('at-work', 'w').close()\ntime.sleep(120)"))
    run = Run(book, "build", ".")
    wait_for(lambda: len(list(book.glob("_build/home/*/at-work"))) == 2)
    before, started, start = run.printed()[0], kernels(run), time.monotonic()
    os.killpg(run.pid, signal.SIGINT)  # as a terminal sends it
    status, printed, _ = run.end()
    seconds = time.monotonic() - start
    assert status != 0
    assert printed.removeprefix(before).strip() == "stopped; nothing half done was kept"
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


def test_without_the_program_git_pages_have_no_date(book):
    status, printed = build(book, PATH="/nowhere")
    assert status == 0 and "Last updated" not in page(book) and "download-buttons" in page(book), printed
    assert page(book).count('<p class="downloads"></p>') == 1  # where `make downloads` offers the book


ENDS_AT_ONCE = """import os, sys
if "--nbval" in sys.orig_argv:
    how = {}["below.ipynb" in sys.orig_argv[-1]]
    os.kill(os.getpid(), -how) if how < 0 else os._exit(how)
"""


def test_a_second_run_reports_the_worst_status(book):
    assert second_run.run_all_again(book) == 0
    result = result_path(book / "chapters/solid.md", book)
    result.write_text(result.read_text().replace("one is 1", "one is 2"))  # the other page is printed again as it was
    assert second_run.run_all_again(book) != 0
    for codes, worst in [((0, 0), 0), ((0, -9), 9), ((-9, 0), 9), ((1, 0), 1), ((0, 1), 1)]:
        (book / "sitecustomize.py").write_text(ENDS_AT_ONCE.format(codes))  # which every Python reads first
        assert second_run.run_all_again(book) == worst
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
