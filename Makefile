# The commands of development; "make help" lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where "make run" keeps its data and listens.
DATA ?= data
HOST ?= 127.0.0.1
PORT ?= 8080
# Processes that run tests at the same time.
JOBS ?= 4
# How long "make chaos" breaks things on each database.
CHAOS_SECONDS ?= 120

PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.installed
DOCS_TOOLS := $(VENV)/.docs-tools

.DEFAULT_GOAL := help
.PHONY: help setup assets run test drill chaos lint format docs constraints clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) assets ## Install everything into .venv; does nothing where that is done.

$(INSTALLED): setup.py build_assets.py constraints.txt package.json package-lock.json
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet -c constraints.txt -e '.[test]'
	@touch $@

# The build makes the browser's files, and brings Node along where the machine has none.
assets: $(INSTALLED)
	@$(BIN)/python -c 'import pathlib, build_assets; exit(not build_assets.is_fresh(pathlib.Path()))' \
	  || $(PIP) install --quiet --no-deps -e .

run: setup ## Run everything, with its data in ./data. Ctrl-C stops it.
	@exec $(BIN)/incidentrelay quickstart --data $(DATA) --host $(HOST) --port $(PORT)

test: setup ## Run all tests.
	$(BIN)/python -m pytest -n $(JOBS)

drill: setup ## Kill processes for some seconds, on both databases, and see that every page comes.
	$(BIN)/python -m pytest -m chaos -k drill tests/e2e/test_chaos.py

chaos: setup ## Kill processes for some minutes and see that every page comes.
	$(BIN)/python -m pytest -m chaos tests/e2e/test_chaos.py
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --database sqlite
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --database postgresql

lint: setup ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Put the code into the usual form.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup $(DOCS_TOOLS) ## Make the generated pages anew, and build the site in ./site.
	$(BIN)/python -m docs.generate
	$(BIN)/mkdocs build --strict --quiet

$(DOCS_TOOLS): $(INSTALLED)
	$(PIP) install --quiet -c constraints.txt 'mkdocs==1.6.1'
	@touch $@

constraints: ## Pin the newest versions that fit into constraints.txt. Needs uv.
	uv pip compile setup.py --extra test --upgrade --no-emit-index-url --no-header --no-annotate \
	  --quiet -o constraints.txt

clean: ## Remove what was built, but no data.
	rm -rf $(VENV) build dist site node_modules incidentrelay/static/vendor *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
