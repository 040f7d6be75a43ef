# The commands of the book; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
COLAB := .venv-colab/bin
COLAB_SECTION ?= difficulties
SEEDS ?= 1000:1020
PAGES ?=
JOBS ?= 2
DASK ?=
INSTALL := -m pip install --quiet --disable-pip-version-check
export OMP_NUM_THREADS := 1
BUILD := PYTHONPATH=_ext $(BIN)/python -m bookbuild
BOOK := PYTHONPATH=_ext:experiments $(BIN)/python tests/book
.DEFAULT_GOAL := book

.PHONY: help book page epub pdf downloads test lint unit pages browser second-run colab claims twins clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1  \2/p' Makefile

book: .venv/stamp ## execute what is out of date and render the book
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "Read the book at file://$(CURDIR)/_build/html/index.html"

page: .venv/stamp ## execute and render one page alone: make page NAME=why
	@$(BUILD) page $(or $(NAME),$(error name a page, as in make page NAME=why))

epub: .venv/stamp ## the book as EPUB
	$(BIN)/jupyter-book build . -W -n --keep-going --builder custom --custom-builder epub
	@echo "The EPUB is in $(CURDIR)/_build/epub"

pdf: book browser ## the book as PDF, printed by Chromium
	$(BUILD) pdf
	@echo "The PDF is $(CURDIR)/_build/book.pdf"

downloads: epub pdf ## EPUB and PDF beside the pages, offered on each with their sizes
	@$(BUILD) downloads

# The cheap checks come first, the two that use one core beside each other. The book is executed twice: once to build it,
# once more for comparison.
test: ## everything that CI runs; tells what each part took, unit and pages their ten slowest tests
	@rm -f _build/parts
	$(call part,-j2 lint colab)
	$(call part,unit)
	$(call part,book)
	$(call part,second-run)
	$(call part,pages)
	@sort -rn _build/parts

# One part of the tests, and the seconds that it took.
define part
@start=$$(date +%s); $(MAKE) $(1) && mkdir -p _build && echo "$$(( $$(date +%s) - start )) s: make $(1)" >> _build/parts
endef

# Types of the scripts, by the JSDoc in them, where npm has installed TypeScript; nothing else needs npm.
NO_TSC := The types of web/ are not checked: there is no tsc here (npm install --global typescript).

lint: .venv/stamp ## style, spelling, types, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/biome ci --error-on-warnings
	@if command -v tsc > /dev/null; then tsc -p web; else echo "$(NO_TSC)"; fi
	$(BIN)/zizmor --offline --quiet .

unit: .venv/stamp ## laws, rules, the build on a scratch book: five minutes on two cores
	$(BIN)/pytest -n 2 --dist loadfile --ignore=tests/site --durations=10

pages: .venv/stamp browser ## the built pages, in a browser too
	$(BIN)/pytest -n 2 -m 'not alone' --durations=10 tests/site
	$(BIN)/pytest -m alone tests/site

# On a reader's machine the tests that need Chromium or Firefox are skipped where it is missing; CI has both, or gets them.
CHROMIUM := command -v chromium || command -v google-chrome
FIREFOX := command -v firefox-esr || command -v firefox
browser:
	@test -z "$$CI" || { { $(CHROMIUM); } && { $(FIREFOX); }; } || { apt-get update -qq && apt-get install -y -qq chromium firefox-esr; }

second-run: .venv/stamp ## execute the book once more: every line must be printed again
	$(BOOK)/second_run.py

claims: .venv/stamp ## every claim with other seeds, counted: make claims SEEDS=1000:1020 PAGES='why'
	$(BOOK)/seeds.py $(SEEDS) $(PAGES) --jobs $(JOBS) $(if $(DASK),--dask $(DASK))

# One page as on Colab: an empty folder, older ipywidgets, numpy and matplotlib, the package fetched by the first cell. Labs are clicked there, too.
colab: .venv-colab/stamp ## one page as Colab runs it: make colab COLAB_SECTION=why
	rm -rf _build/colab && mkdir -p _build/colab
	cp chapters/$(COLAB_SECTION).ipynb _build/colab
	cd _build/colab && FPBOOK_REPO="file://$(CURDIR)" ../../$(COLAB)/jupyter execute --timeout=-1 $(COLAB_SECTION).ipynb
	PYTHONPATH=. $(COLAB)/python -m pytest -q tests/laws/test_lab.py tests/laws/test_lab_kernel.py tests/laws/test_replay.py

twins: .venv/stamp ## the .ipynb beside each page, after its .md was edited
	$(BUILD) twins

.venv/stamp: requirements.txt requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python $(INSTALL) -r requirements.txt
	touch $@

.venv-colab/stamp: requirements-colab.txt | $(BIN)/python
	$(BIN)/python -m venv .venv-colab
	$(COLAB)/python $(INSTALL) -r requirements-colab.txt
	touch $@

# Both environments come from one Python, which is looked at once, before either is filled.
$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv .venv

clean: ## remove everything that was built
	rm -rf _build
