# make book    execute what is out of date and render the book
# make test    everything that CI runs
# make epub    the book as EPUB
# make pdf     the book as PDF, printed by Chromium
# make twins   the .ipynb beside each section, after its .md was edited
PYTHON ?= python3
BIN := .venv/bin
COLAB := .venv-colab/bin
COLAB_SECTION ?= why
INSTALL := -m pip install --quiet --disable-pip-version-check
export OMP_NUM_THREADS := 1

.PHONY: book epub pdf test lint unit pages browser second-run colab twins clean

book: .venv/stamp
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "Read the book at file://$(CURDIR)/_build/html/index.html"

epub: .venv/stamp
	$(BIN)/jupyter-book build . -W -n --keep-going --builder custom --custom-builder epub
	@echo "The EPUB is in $(CURDIR)/_build/epub"

pdf: book browser
	$(BIN)/python _ext/pdf.py
	@echo "The PDF is $(CURDIR)/_build/book.pdf"

# The cheap checks come first. The book is executed twice: once to build it, once more for comparison.
test:
	$(MAKE) lint
	$(MAKE) unit
	$(MAKE) book
	$(MAKE) colab
	$(MAKE) second-run
	$(MAKE) pages

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/zizmor --offline --quiet .

unit: .venv/stamp
	$(BIN)/pytest --ignore=tests/site/test_pages.py --ignore=tests/site/test_site.py

pages: .venv/stamp browser
	$(BIN)/pytest tests/site/test_pages.py tests/site/test_site.py

# On a reader's machine the tests that need Chromium are skipped where it is missing; CI installs it.
browser:
	@command -v chromium || command -v google-chrome || test -z "$$CI" || { apt-get update -qq && apt-get install -y -qq chromium; }

second-run: .venv/stamp
	$(BIN)/python _ext/replicate.py

# One section as on Colab: an empty folder, older ipywidgets, numpy and matplotlib, the package fetched by the first cell. Labs are clicked there, too.
colab: .venv-colab/stamp
	rm -rf _build/colab && mkdir -p _build/colab
	cp chapters/$(COLAB_SECTION).ipynb _build/colab
	cd _build/colab && FPBOOK_REPO="file://$(CURDIR)" ../../$(COLAB)/jupyter execute --timeout=-1 $(COLAB_SECTION).ipynb
	PYTHONPATH=. $(COLAB)/python -m pytest -q tests/laws/test_lab.py tests/laws/test_replay.py

twins: .venv/stamp
	$(BIN)/python _ext/twins.py

.venv/stamp: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) -r requirements.txt
	touch $@

.venv-colab/stamp: requirements-colab.txt
	$(PYTHON) -m venv .venv-colab
	$(COLAB)/python $(INSTALL) -r requirements-colab.txt
	touch $@

clean:
	rm -rf _build
