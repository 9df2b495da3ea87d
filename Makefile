# Everything starts here. A fresh machine needs Python 3.11 or later, make and git.
PYTHON  ?= $(shell command -v python3.11 || command -v python3)
SECONDS ?=
BIN     := .venv/bin
READY   := .venv/ready
MAKEFLAGS += --no-print-directory

.PHONY: demo serve check test bench lock clean

demo: $(READY)  ## The whole path, simulated and live; SECONDS=20 ends it by itself
	$(BIN)/bittern demo $(if $(SECONDS),--seconds $(SECONDS))

serve: $(READY)  ## The server, with its data in ./data
	$(BIN)/bittern serve --data-dir data

check: $(READY)  ## Format, lint, types, layers, and what is unsafe
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit -q -c pyproject.toml -r src

test: $(READY)  ## All tests; what they need of the system is installed where that is possible
	@sh tests/system-packages
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(READY)  ## Load, latency and durability, as a user would load it
	$(BIN)/python -m bench

lock:  ## Fresh lock files; needs uv
	uv pip compile $(LOCK) -o requirements.lock pyproject.toml
	uv pip compile $(LOCK) -o requirements-dev.lock --extra dev pyproject.toml
LOCK := -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(READY): requirements-dev.lock pyproject.toml
	@echo "setting up .venv: once, about a minute"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@
