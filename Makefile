# Two commands are enough: `make run` and `make test`. Python 3.11 to 3.13 and Node 18 or newer are all they need.
# A variable behind a target reaches the program: `make run GATEWAY_BASE_URL=https://gateway.example GATEWAY_API_KEY=…`

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$each" && break; \
	done)
BIN := $(VENV)/bin
CODE := function_app.py $(wildcard functions shared sandbox infra tools tests)
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml
PYTEST_FLAGS ?=

.PHONY: help run test check demo bench lock clean

help: ## show these lines
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed sandbox/node_modules/.package-lock.json ## start the sandbox and Tether, until Ctrl-C
	@exec $(BIN)/python -m sandbox --with-parent

test: $(VENV)/.installed sandbox/node_modules/.package-lock.json tests/playground/node_modules/.package-lock.json ## run the tests, with branch coverage
	@exec $(BIN)/python -m pytest --cov --cov-report=term:skip-covered $(PYTEST_FLAGS)

check: $(VENV)/.installed ## format, lint, types and layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports

demo: $(VENV)/.installed sandbox/node_modules/.package-lock.json ## show what Tether does, headless, with milliseconds
	@exec $(BIN)/python -m sandbox.demo

bench: $(VENV)/.installed sandbox/node_modules/.package-lock.json ## measure what must hold; prints a table and writes JSON
	@exec $(BIN)/python -m sandbox.bench

lock: $(VENV)/.installed ## pin the dependencies of pyproject.toml again
	$(LOCK) -o requirements.txt
	$(LOCK) --group dev -o requirements-dev.txt
	echo checkov==3.3.30 | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate - -o tests/infra/requirements-checkov.txt

clean: ## remove logs, caches and results; the environments stay
	rm -rf .sandbox bench-results .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

$(VENV)/.installed: requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: put one on the PATH as python3, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13" >&2; exit 1; }
	@echo "installing Python packages in $(VENV), once"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "python3 -m venv failed: on Debian and Ubuntu, install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# checkov pins what Tether does not, so it lives apart; it is nothing but a program that one test runs.
.venv-checkov/.installed: tests/infra/requirements-checkov.txt
	@"$(PYTHON)" -m venv .venv-checkov
	@.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

sandbox/node_modules/.package-lock.json: sandbox/package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || { echo "Node.js 18 or newer is needed: put it on the PATH as node, with npm" >&2; exit 1; }
	@echo "installing the sandbox's npm packages, once"
	@cd sandbox && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

tests/playground/node_modules/.package-lock.json: tests/playground/package-lock.json
	@echo "installing Microsoft's agents playground for the tests, once"
	@cd tests/playground && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
