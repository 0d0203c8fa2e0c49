# What people and CI call. `make demo` and `make test` need Python 3.11 or later, make and git, nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo up stack test fast generated faults check format lint types imports schemas schemas-check migrations-check \
	migration migrate bench clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

install: .venv/installed ## Set up .venv with the locked dependencies

.venv/installed: uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv sync --quiet --locked --inexact --compile-bytecode --extra instruments
	@touch $@

demo: install ## Serve the trial on port 8000 and load the sample trial through its API (ONCE=1: print and leave)
	@$(BIN)/python -m services demo $(if $(ONCE),--once,)

up: install ## Serve the trial on port 8000 without loading anything
	@$(BIN)/python -m services serve

stack: install ## PostgreSQL, Kafka and every process natively, as docker-compose.yml has them, until Ctrl-C
	@$(BIN)/python -m deploy.native stack

RULES := $(wildcard tests/services/*/domain) tests/shared/kernel tests/shared/protocol tests/shared/contracts tests/shared/consent tests/shared/escalation tests/shared/response \
	tests/shared/statistics tests/shared/kinetics tests/shared/measurement tests/contracts
PYTEST := $(BIN)/python -m pytest -q --dist loadgroup

test: install ## Every test, with real PostgreSQL and real Kafka
	@$(PYTEST) -n 2 $(RULES) --cov --cov-report=json:.coverage.json
	@$(BIN)/python -m tests.architecture.coverage_gate .coverage.json
	@$(PYTEST) -n 3 $(foreach folder,$(RULES),--ignore=$(folder))

fast: install ## Domain, kernel and contract tests alone: seconds
	@$(PYTEST) -n 2 $(RULES)

generated: install ## Every request that can be made up from the OpenAPI documents, and 50 random ones each
	@GENERATED_SYSTEMATIC=100000 GENERATED_REQUESTS=50 $(PYTEST) -n 2 --timeout 1800 tests/architecture/test_generated_requests.py

faults: install ## The whole fault suite: at least 50 kills under load
	@FAULT_KILLS=$(or $(KILLS),60) $(BIN)/python -m pytest -q -m faults --timeout 1800 tests/faults

check: install ## Every gate: format, lint, types, imports, schemas, migrations
	@$(MAKE) --no-print-directory --jobs=2 --output-sync types lint imports schemas-check migrations-check

lint: install
	@$(BIN)/ruff format --check --quiet . || (echo "run make format"; exit 1)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/python -m tests.architecture.house_rules

types: install
	@$(BIN)/mypy

imports: install
	@$(BIN)/lint-imports

format: install ## Format and mend what can be mended
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

schemas: install ## Write the JSON schemas of all published events
	@$(BIN)/python -m shared.contracts.schemas write

schemas-check: install
	@$(BIN)/python -m shared.contracts.schemas check

migrations-check: install
	@$(BIN)/python -m tests.architecture.migrations_gate

migration: install ## Write a migration: make migration service=safety name="alert notes"
	@DATABASE_URL="sqlite+aiosqlite:///.trial/migration-{service}.sqlite3" $(BIN)/python -m services.$(service) revision "$(name)"

migrate: install ## Migrate the databases of DATABASE_URL, all services
	@for service in enrollment safety efficacy biomarkers projector; do $(BIN)/python -m services.$$service migrate || exit 1; done

bench: install ## Figures beside their floors, in the same rounds
	@$(BIN)/python -m bench

clean: ## Remove what running left behind, not the code
	@rm -rf .trial .stack .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
