# Portunus: `make demo` shows it at work, `make test` runs every test.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PY := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
DEMO_PORT ?= 8080
# The tests start many processes: what is compiled stays so.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help install demo test test-real test-clients check schema lock bench bench-revocation fairness prove-quota audit format \
	clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/ready ## install everything into .venv (with uv, which is bootstrapped when absent)

.uv/bin/uv:
	@echo "uv is not installed: putting it into .uv"
	@python3 -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check uv

.venv/ready: pyproject.toml requirements-dev.lock requirements-model.lock $(filter .uv/bin/uv,$(UV))
	@$(UV) venv --quiet --allow-existing .venv
	@$(UV) pip install --quiet --compile-bytecode --python .venv --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --python .venv --require-hashes -r requirements-model.lock \
		|| echo "The model server's wheel does not install here: the demo uses a stub instead."
	@$(UV) pip install --quiet --python .venv --no-deps -e .
	@touch $@

demo: install ## run the main job against a real model server and keep serving (DEMO_EXIT=1 ends instead)
	@$(PY) -m demo --port $(DEMO_PORT)

test: install ## every test, on SQLite and on PostgreSQL
	@$(PY) -m pytest -n 2 --dist worksteal tests

test-real: install ## the tests against heavier real model servers (installs them into .real first; gigabytes)
	@scripts/real_servers.sh
	@$(PY) -m pytest -m real tests/real

test-clients: install ## real OAuth clients and a browser against a served Portunus (needs Node 20 or newer and Chromium)
	@cd tests/clients && npm ci --no-audit --no-fund --silent
	@$(PY) -m pytest -m clients tests/clients

check: install ## lint, types, architecture, schema and unit tests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m pytest -n 2 --dist worksteal tests/unit tests/architecture

schema: install ## print schema.graphql from the code
	@$(PY) -m api.graphql.print_schema > schema.graphql

audit: install ## judge GraphQL over HTTP with the graphql-http audit suite (needs Node 20 or newer)
	@cd tests/e2e/audit && npm ci --no-audit --no-fund --silent
	@PORTUNUS_AUDIT=1 $(PY) -m pytest tests/e2e/test_graphql_audit.py

bench: install ## throughput, latency and CPU per call, beside a direct call and a bare pass-through
	@$(PY) -m bench

fairness: install ## how long one tenant waits beside another's flood, in one run
	@$(PY) -m bench.fairness

bench-revocation: install ## how long one process takes a token that another has revoked
	@$(PY) -m bench.revocation

prove-quota: install ## kill workers while they spend a quota; print billed, charged and overspent (PORTUNUS_SEED repeats a run)
	@$(PY) -m tests.prove_quota

lock: ## resolve the dependencies anew
	@$(UV) pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 --no-header -o requirements.lock -U
	@$(UV) pip compile -q pyproject.toml --group dev --universal --generate-hashes --python-version 3.11 --no-header -o requirements-dev.lock -U
	@$(UV) pip compile -q --group model --universal --generate-hashes --python-version 3.11 --no-header -o requirements-model.lock -U

format: install ## format the code
	@.venv/bin/ruff check --fix --quiet .
	@.venv/bin/ruff format --quiet .

clean: ## remove what make created
	rm -rf .venv .uv .demo .real
