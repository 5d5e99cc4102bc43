# Both work in a fresh clone with only Python 3.11 or later, pip and make.
#   make climb   train every rung of the ladder on embedded text, compare them in one table and one page
#   make test    ruff, strict types, and every test but the slow ones

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: climb test test-slow lint clean

climb: .venv/base
	$(BIN)/gradus climb

test: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 2

test-slow: .venv/dev
	$(BIN)/pytest -m slow

lint: .venv/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/base: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing gradus into .venv ..."
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing gradus and what its tests need into .venv ..."
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/base

clean:
	rm -rf .venv
