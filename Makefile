# `make` alone prints what there is. In a fresh clone all of it needs only Python 3.11 or later, pip and make.

PYTHON ?= python3
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help climb lessons test test-slow damage test-processors test-pythons lint clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

climb: .venv/base ## train every rung of the ladder on embedded text, compare them in one table and one page
	$(BIN)/gradus climb

lessons: .venv/dev ## run the lessons, and write their notebooks anew
	$(BIN)/python docs/make_lessons.py

test: .venv/dev tests/explorer/node_modules ## ruff, strict types, and every test but the slow ones
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 2

test-slow: .venv/dev ## the tests that take minutes
	$(BIN)/pytest -m slow

damage: .venv/dev ## damage 300 runs and kill 100 trainings: nothing may be lost, and nothing pass unnoticed
	$(BIN)/python benchmarks/damage.py

test-processors: .venv/dev ## the engine's tests as on a processor without AVX-512, without AVX2, and without Numba
	NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2,+fma,+sse4.2,+popcnt $(BIN)/pytest -n 2 tests/engine tests/scalar
	NUMBA_CPU_NAME=x86-64 NUMBA_CPU_FEATURES=+sse2 $(BIN)/pytest -n 2 tests/engine tests/scalar
	$(BIN)/pytest -n 2 -p tests.without_numba tests/engine tests/scalar tests/models

test-pythons: ## every test but the slow ones, with each Python of PYTHONS that is installed
	@for python in $(PYTHONS); do \
	    $$python -c '' 2>/dev/null || { echo "$$python is not installed"; continue; }; \
	    echo "$$python:"; \
	    test -d .venv-$$python || $$python -m venv .venv-$$python || exit 1; \
	    .venv-$$python/bin/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt --editable '.[dev]' || exit 1; \
	    .venv-$$python/bin/pytest -n 2 || exit 1; \
	done

lint: .venv/dev ## format the code, and fix what ruff can fix
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/base: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing gradus into .venv ..."
	$(PIP) install --no-compile --constraint constraints.txt --editable '.[web]'
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing gradus and what its tests need into .venv ..."
	$(PIP) install --no-compile --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/base

# TypeScript checks the types of the explorer's JavaScript. Without npm, or a network, that test is skipped.
tests/explorer/node_modules: tests/explorer/package-lock.json
	@if command -v npm >/dev/null; then \
	    npm ci --prefix tests/explorer --silent --no-audit --no-fund && touch $@ || echo "TypeScript could not be installed"; \
	else echo "npm is not installed: the explorer's types are not checked"; fi

clean: ## remove the environments
	rm -rf .venv .venv-* tests/explorer/node_modules
