# make book   execute and render the book        make test   everything that CI runs        make twins   the .ipynb beside each section
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS := 1

book: .venv/stamp
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo "Read the book at file://$(CURDIR)/_build/html/index.html"

.venv/stamp: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed')"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.PHONY: book
