# Development commands; "make help" lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Where "make run" keeps its data and listens.
DATA ?= data
HOST ?= 127.0.0.1
PORT ?= 8080
# Parallel test processes.
JOBS ?= 4
# How long "make chaos" runs on each database.
CHAOS_SECONDS ?= 120

# Without bytecode each process compiles the whole program again; tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PIP := $(BIN)/python -m pip --disable-pip-version-check
# Prints a dot per package. A shell loop, because mawk buffers its input.
DOTS := while read -r word _; do case $$word in (Collecting|Requirement) printf .;; esac; done; echo
PIP_FAILED := pip failed; see its messages above. Behind a proxy, set HTTPS_PROXY; \
  for your own index, set PIP_INDEX_URL. Then run make again.
install = $(PIP) install -c constraints.txt $(1) | { $(DOTS); } || { echo "$(PIP_FAILED)" >&2; exit 1; }
INSTALLED := $(VENV)/.installed
TEST_TOOLS := $(VENV)/.test-tools
DOCS_TOOLS := $(VENV)/.docs-tools

.DEFAULT_GOAL := help
.PHONY: help setup assets run test drill chaos bench bench-quick lint format docs constraints clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) assets ## Install the program and its libraries into .venv.

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is required. Choose one: make run PYTHON=python3.11" >&2; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)

$(INSTALLED): setup.py constraints.txt | $(BIN)/pip
	@echo "Installing IncidentRelay and its libraries ..."
	@$(call install,-e .)
	@touch $@

$(TEST_TOOLS): $(INSTALLED)
	@echo "Installing the tools for tests and checks ..."
	@$(call install,-e '.[test]')
	@touch $@

# Downloads Node if the machine has none.
assets: | $(BIN)/pip
	@$(BIN)/python build_assets.py

run: setup ## Run everything, with data in ./data. Stop it with Ctrl-C.
	@exec $(BIN)/incidentrelay quickstart --data $(DATA) --host $(HOST) --port $(PORT)

test: setup $(TEST_TOOLS) ## Run all tests.
	$(BIN)/python -m pytest -n $(JOBS)

drill: setup $(TEST_TOOLS) ## Kill processes for a few seconds and check that every page arrives.
	$(BIN)/python -m pytest -m chaos -k drill tests/e2e/test_chaos.py

chaos: setup $(TEST_TOOLS) ## Kill processes for minutes and check that every page arrives.
	$(BIN)/python -m pytest -m chaos tests/e2e/test_chaos.py
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --database sqlite
	$(BIN)/python -m tests.chaos --seconds $(CHAOS_SECONDS) --database postgresql

bench: setup ## Measure speed beside a floor, on both databases, for some minutes.
	$(BIN)/python -m benchmarks --json benchmark.json

bench-quick: setup ## See that the benchmark itself works.
	$(BIN)/python -m benchmarks --quick

lint: setup $(TEST_TOOLS) ## Check style and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup $(TEST_TOOLS) ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup $(DOCS_TOOLS) ## Regenerate the generated pages and build the site in ./site.
	$(BIN)/python -m docs.generate
	$(BIN)/mkdocs build --strict --quiet

$(DOCS_TOOLS): $(TEST_TOOLS)
	@echo "Installing the tools for the documentation ..."
	@$(call install,'mkdocs==1.6.1')
	@touch $@

# Pinned for every supported Python; some pins carry a marker.
constraints: ## Pin the newest compatible versions in constraints.txt. Needs uv.
	uv pip compile setup.py --extra test --universal --python-version 3.11.0 --upgrade \
	  --no-emit-index-url --no-header --no-annotate --quiet -o constraints.txt

clean: ## Remove everything that was built, but no data.
	rm -rf $(VENV) build dist site node_modules incidentrelay/static/vendor *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
