# In an active virtual environment its Python is used; otherwise one is made in .venv. Either way the first target
# that needs the package installs it with the pinned versions.
ENV := $(if $(VIRTUAL_ENV),$(VIRTUAL_ENV),.venv)
PYTHON := $(ENV)/bin/python
READY := $(ENV)/.meristem-ready
WORKERS ?= 2

.PHONY: help setup grow test check test-all lint types format bench clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /' | sort

setup: $(READY) ## install the package and what its tests need

$(READY): pyproject.toml constraints.txt
	test -x $(PYTHON) || python3 -m venv $(ENV)
	$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

grow: $(READY) ## the main job: grow a model from the penguins table
	mkdir -p out
	$(ENV)/bin/meristem grow examples/penguins.csv --target species --budget 20s --out out/penguins.mst --report out/penguins.html

test: lint types ## lint, types and the default tests
	OMP_NUM_THREADS=1 MERISTEM_STRICT=1 $(PYTHON) -m pytest -q -n $(WORKERS)

check: format test ## the same after formatting: run this before a commit

test-all: lint types ## every test, the slow ones too
	OMP_NUM_THREADS=1 MERISTEM_STRICT=1 $(PYTHON) -m pytest -q -n $(WORKERS) -m 'slow or not slow'

lint: $(READY) ## style and import rules
	$(PYTHON) -m ruff check --no-cache . # a cached verdict outlives a file it depended on
	$(PYTHON) -m ruff format --check .

types: $(READY) ## static types
	$(PYTHON) -m mypy

format: $(READY) ## write the standard format
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --no-cache --fix .

bench: $(READY) ## the quick benchmarks
	$(PYTHON) benchmarks/latency.py

clean: ## remove what the other targets made
	rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
