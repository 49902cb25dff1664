# make demo and make test each set up everything they need; make setup does the set-up alone.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint types imports check docs study fuzz fuzz-short faults wheel clean
.DEFAULT_GOAL := demo

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make setup PYTHON=/path/to/python"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fast,dev]'
	@touch $(STAMP)

demo: setup
	$(BIN)/rnnscope demo

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

imports: setup
	$(BIN)/python scripts/check_imports.py

check: lint types imports test

# Four small networks, side by side: runs/small/study.html.
study: setup
	$(BIN)/rnnscope study studies/small.toml --folder runs/small --workers 2
	test -s runs/small/study.html

# The site, in docs/_build/html; the notebook in it is run. A warning is an error.
docs: $(VENV)/.docs
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@

# Ten thousand inputs take some minutes; the short run is for every change.
fuzz: setup
	OMP_NUM_THREADS=1 $(BIN)/python scripts/fuzz.py --inputs 10000 --out docs/results/fuzz.json

fuzz-short: setup
	OMP_NUM_THREADS=1 $(BIN)/python scripts/fuzz.py --inputs 2500 --seconds 60

# Faults in every saved format; without --short also processes that are killed in earnest.
faults: setup
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/faults.py --short

wheel: setup
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) dist runs docs/_build docs/_api .pytest_cache .ruff_cache
