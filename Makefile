# Every target does all its own set-up: Python 3.11 to 3.13 and make are enough.
# PYTHON=/path/to/python chooses another interpreter, OUT=folder where the demo writes.

OUT ?= demo
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
READY := $(VENV)/ready
RUNTIME := $(READY)/train
TOOLS := $(READY)/dev
LOCK := requirements/dev.txt
CHECKED := src tests tools benchmarks docs examples
CORES := --numprocesses auto --maxprocesses 4 --dist worksteal  # each needs 1.5 GB

.PHONY: help demo test tiny dev lint docs libraries lock clean

help:
	@echo "make demo    draw photos, train, evaluate, export, look at the result"
	@echo "make test    lint, types, layers, tests"
	@echo "make tiny    the tests that answer in seconds"
	@echo "make lint    lint, types and layers alone"
	@echo "make docs    the documentation as a site: site/index.html"
	@echo "make dev     the environment with all tools, and nothing else"
	@echo "make lock    renew $(LOCK): the newest packages that fit pyproject.toml"
	@echo "make clean   remove the environment and what the others wrote"

demo: $(RUNTIME)
	@$(BIN)/python -m boxwright demo --out "$(OUT)"

test: libraries lint
	@$(BIN)/python -m pytest $(CORES)

tiny: $(TOOLS)
	@$(BIN)/python -m pytest -m tiny

lint: $(TOOLS)
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)
	@$(BIN)/codespell $(CHECKED) $(wildcard *.md)
	@$(BIN)/mypy
	@$(BIN)/mypy tools
	@$(BIN)/lint-imports
	@$(BIN)/python tools/dead_code.py

# The theme warns of MkDocs 2 at every build; it requires MkDocs 1 itself.
docs: $(TOOLS)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Ready: site/index.html"

libraries: $(TOOLS)
	@$(BIN)/python tools/system_libraries.py

dev: $(TOOLS)
	@echo "Ready: $(BIN)/boxwright, $(BIN)/pytest, $(BIN)/ruff, $(BIN)/mypy"

# One file for every Python and system. uv is not among the tools: only this target needs it.
lock: $(READY)/venv
	@$(PIP) install 'uv>=0.5'
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --extra dev --output-file $(LOCK) pyproject.toml

clean:
	rm -rf $(VENV) demo dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(TOOLS): pyproject.toml $(LOCK) $(READY)/venv
	@echo "Installing Boxwright with all that its tests need into $(VENV): this takes a few minutes"
	@$(PIP) install --require-hashes --requirement $(LOCK)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@

$(RUNTIME): pyproject.toml $(READY)/venv
	@echo "Installing Boxwright with TensorFlow into $(VENV): the first time takes a few minutes"
	@$(PIP) install --editable '.[train]'
	@touch $@

# An interpreter counts if it runs, is of a fitting version and can make environments: shims of
# version managers exist without doing so, and some systems leave out venv.
$(READY)/venv:
	@chosen=; for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	      >/dev/null 2>&1; then chosen="$$python"; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "Boxwright needs Python 3.11, 3.12 or 3.13 with venv, and found none$(if $(PYTHON), at $(PYTHON))." >&2; \
	  echo "Install one (on Debian or Ubuntu: apt install python3 python3-venv), or name one:" >&2; \
	  echo "  make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "Making the environment $(VENV) with $$("$$chosen" --version)"; \
	"$$chosen" -m venv --clear $(VENV) && mkdir -p $(READY) && touch $@
