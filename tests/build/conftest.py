"""A scratch book of three small pages, with the real extension, configuration and package.

What the build does is tried on it.
"""

import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bookbuild.execute.runner import execute
from bookbuild.settings import BuildError

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = itertools.count()  # of programs that were started
HEADER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
SOLID = f"""{HEADER}
(sec-solid)=
# Solid

One is one.

## Numbers

```{{code-cell}} ipython3
---
mystnb:
  code_prompt_show: Set-up
tags: [hide-input]
---
import matplotlib.pyplot as plt
from fpbook.claims import claim, seed_range
from fpbook.one import one
```

Prose.

```{{code-cell}} ipython3
print('one is', one)
```

See {{numref}}`fig-line`, {{prf:ref}}`thm-a` and {{cite}}`a2020`.

```{{code-cell}} ipython3
---
mystnb:
  figure:
    name: fig-line
    caption: A line, $y = x$.
  image:
    alt: A straight line that rises from the left to the right.
tags: [answer]
---
fig, ax = plt.subplots(figsize=(2, 2))
_ = ax.plot([0, 1], [0, one])
plt.show()
```

It is checked.

```{{code-cell}} ipython3
---
mystnb:
  code_prompt_show: How this is checked
tags: [hide-input]
---
bound = 50
holds = [0 < one < bound for _ in seed_range(3)]
claim(f"each of the numbers is below ${{bound}}$", holds, measured=one, source="figure 1.1")
```

:::{{prf:theorem}} Ann
:label: thm-a
True.
:::

```{{exercise-start}}
:label: ex-a
```
Do it.
```{{exercise-end}}
```

```{{solution-start}} ex-a
```
Done.
```{{solution-end}}
```
"""

BELOW = f"""{HEADER}
# Below

Words, see {{numref}}`fig-line`, `seed_range`, `claim()`, `fpbook.claims.ClaimError`, and no entry for `one`.

## A heading

```{{code-cell}} ipython3
print('below')
```

```{{figure}} ../_static/favicon.svg
:name: fig-icon
:alt: The icon of the book
An icon.
```
"""
TOC = """format: jb-book
root: index
parts:
- numbered: true
  chapters:
  - file: chapters/chapter
    sections:
    - file: chapters/solid
      sections:
      - file: chapters/below
- chapters:
  - file: chapters/api
  - file: chapters/claims
  - file: chapters/status
  - file: genindex
"""
CLAIMS = """(sec-claims)=
# Claims

```{source-verdicts}
figure 1.1: It holds.
equation 1.4: Nobody knows.
```

```{ledger}
```
"""
API = "# Interface\n\n```{eval-rst}\n.. automodule:: fpbook.claims\n   :members:\n```\n"
FILES = {
    "_toc.yml": TOC,
    "index.md": "# Scratch\n\nWords, see {cite}`a2020` and {ref}`sec-solid`.\n\n```{bibliography}\n```\n",
    "references.bib": "@book{a2020, author={Ann Author}, title={A book}, publisher={P}, year={2020}}\n",
    "README.md": "# Not a page\n",
    "chapters/chapter.md": "# Chapter\n\nWords.\n",
    "chapters/solid.md": SOLID,
    "chapters/below.md": BELOW,
    "chapters/api.md": API,
    "chapters/claims.md": CLAIMS,
    "chapters/status.md": "# Status\n\n```{status-of-the-run}\n```\n",
    "data/numbers.csv": "1\n",
    "fpbook/one.py": "from .base import base\n\none = 1 + base\n",
    "fpbook/base.py": "base = 0\n",
    "fpbook/apart.py": "",
    "genindex.md": "# Index\n",
}


@pytest.fixture(scope="session")
def made_book(tmp_path_factory):
    """The scratch book as it is made once, executed and rendered, and the place where each test gets its copy.

    It is made in that place, which the results of Sphinx name.
    """
    kept, place = tmp_path_factory.mktemp("made") / "book", tmp_path_factory.mktemp("place") / "book"
    place.mkdir()
    clean = shutil.ignore_patterns("__pycache__")
    for folder in ["_ext", "_static", "_templates", "fpbook", "tests/book"]:
        shutil.copytree(ROOT / folder, place / folder, ignore=clean)
    (place / "_vendor").symlink_to(ROOT / "_vendor")
    shutil.copy(ROOT / "_config.yml", place)
    for name, text in FILES.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text)
    status, printed = build(place)
    assert status == 0, printed
    return shutil.copytree(place, kept, symlinks=True), place


@pytest.fixture
def book(made_book):
    """The scratch book, executed and rendered."""
    kept, place = made_book
    shutil.rmtree(place)
    return shutil.copytree(kept, place, symlinks=True)


def shell_environment(**settings):
    """The shell's variables but those of this test run."""
    dropped = {
        "PYTHONPATH",
        "GITHUB_REPOSITORY",
        "FPBOOK_BUILD",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "PYTEST_CURRENT_TEST",
    }
    return {k: v for k, v in os.environ.items() if k not in dropped} | settings


@functools.cache
def warm():
    """The program that forks those of the book; it ends with this one, whose pipe it reads."""
    program = [sys.executable, Path(__file__).with_name("warm.py")]
    return subprocess.Popen(program, env=shell_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask_warm(**what):
    print(json.dumps(what), file=warm().stdin, flush=True)
    return int(warm().stdout.readline())


class Run:
    """A program of the book at work, without the seconds that its imports take."""

    def __init__(self, book, *arguments, program="jupyter-book", errors=False, **settings):
        self.files = [book.with_name(f"{name}-{next(NUMBERS)}") for name in ("printed", "errors")]
        output, elsewhere = map(str, self.files)
        self.pid = ask_warm(
            folder=str(book), program=program, arguments=arguments, environment=shell_environment(**settings),
            output=output, errors=elsewhere if errors else output,
        )  # fmt: skip

    def printed(self):
        """What it has printed by now, to stdout or to both; to stderr, if that is kept apart."""
        return [file.read_text("utf8") if file.exists() else "" for file in self.files]

    def end(self):
        """Its exit status when it has ended, and what `printed` gives then."""
        return ask_warm(wait=self.pid), *self.printed()


def build(book, *options, **how):
    """The plain command; returns exit status and everything printed."""
    return Run(book, "build", ".", *options, **how).end()[:2]


def bookbuild(book, *arguments):
    """A command of the build's own; returns exit status, what it printed, and what it wrote to stderr."""
    return Run(book, *arguments, program="bookbuild", errors=True).end()


def command(*options):
    return [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", *options]


def build_alone(book, *options, **settings):
    """The plain command as a new Python, with these variables of a shell; exit status and everything printed."""
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    run = subprocess.run(command(*options), cwd=book, env=shell_environment(**settings), **pipes)
    return run.returncode, run.stdout


def failure(book):
    """Why the book cannot be executed; "" if it can."""
    try:
        execute(book)
    except BuildError as error:
        return str(error)
    return ""


def page(book, name="solid"):
    return (book / "_build/html/chapters" / f"{name}.html").read_text()


def add_chapter(book, name, text):
    (book / "chapters" / f"{name}.md").write_text(text)
    toc = (book / "_toc.yml").read_text()
    (book / "_toc.yml").write_text(
        toc.replace("    - file: chapters/solid\n", f"    - file: chapters/{name}\n    - file: chapters/solid\n")
    )


def cell(code, head=""):
    return f"{HEADER}\n# A page\n\nWords.\n\n```{{code-cell}} ipython3\n{head}{code}\n```\n"
