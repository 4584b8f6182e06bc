# make demo     compile and run an example network; the first run makes .venv
# make test     all tests, lit tests included
# make lint     ruff, pyright and clang-format; changes nothing
# make format   format Python and C

PYTHON ?= $(or $(shell command -v python3.11),python3)
JOBS ?= 2
BIN := .venv/bin
C_FILES = $(shell find runtime examples -name '*.[ch]')

.PHONY: demo test lint ruff ruff-format pyright clang-format format clean

demo: .venv/installed
	$(BIN)/python examples/resnet8/demo.py

test: .venv/installed-dev
	$(BIN)/pytest -n $(JOBS)

lint: ruff ruff-format pyright clang-format

ruff: .venv/installed-dev
	$(BIN)/ruff check

ruff-format: .venv/installed-dev
	$(BIN)/ruff format --check

pyright: .venv/installed-dev
	$(BIN)/pyright --pythonpath $(BIN)/python

clang-format: .venv/installed-dev
	$(BIN)/clang-format --dry-run -Werror $(C_FILES)

format: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(C_FILES)

clean:
	rm -rf .venv build deeploy-out *.egg-info

# Editable, so that only a change of the dependencies or entry points asks for another installation.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'error: Python 3.11 or newer is needed; set PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml setup.py | .venv/bin/pip
	@echo 'Installing Deeploy into .venv' >&2
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: .venv/installed
	@echo 'Installing tools for tests into .venv' >&2
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
