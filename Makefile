# Every target sets up everything it needs. The only requirements are Python 3.11 to 3.13 and make.
# PYTHON=/path/to/python selects another interpreter, OUT=folder the demo's output folder.

OUT ?= demo
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
READY := $(VENV)/ready
RUNTIME := $(READY)/train
TOOLS := $(READY)/dev
LOCK := requirements/dev.txt
LOCKED := --require-hashes --requirement $(LOCK)
RAY := $(VENV)/ray/$(notdir $(BIN))/python
PAGE := tests/studio/page
CLIENTS := tests/export/clients
OPENCV := $(VENV)/opencv
OPENCV_PYTHON := $(OPENCV)/$(notdir $(BIN))/python
OPENCV_LOCK := requirements/opencv.txt
TRACK := $(VENV)/track
TRACK_PYTHON := $(TRACK)/$(notdir $(BIN))/python
TRACK_LOCK := requirements/track.txt
UV := 'uv>=0.5'  # installs faster than pip, which is used where uv is not to be had
CHECKED := src tests tools benchmarks docs examples
CORES := --numprocesses auto --maxprocesses 4 --dist worksteal  # each needs 1.5 GB

# Without bytecode, each of the many processes of the tests compiles TensorFlow anew: 3 s.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-opencv test-ray test-rtsp test-track tiny dev lint docs libraries checkers lock clean

help:
	@echo "make demo    draw images, train, evaluate, export, and show detections"
	@echo "make test    run lint and all tests"
	@echo "make test-track  run the tests of tracking with the package trackers, in an environment of its own"
	@echo "make test-rtsp   run the tests of RTSP streams with the server of GStreamer"
	@echo "make test-opencv  run the tests of frozen graphs with OpenCV 4, in an environment of its own"
	@echo "make test-ray  run the tests of a real Ray cluster on this machine"
	@echo "make tiny    run the quick tests"
	@echo "make lint    check style, spelling, types, layers, unused code and known vulnerabilities"
	@echo "make docs    build the documentation: site/index.html"
	@echo "make dev     create the environment with all tools"
	@echo "make lock    update $(LOCK) and $(TRACK_LOCK) to the latest packages that pyproject.toml allows"
	@echo "make clean   remove the environment and all outputs"

demo: $(RUNTIME)
	@$(BIN)/python -m boxwright demo --out "$(OUT)"

test: libraries checkers lint
	@$(BIN)/python -m pytest $(CORES)

test-track: $(READY)/track
	@$(TRACK_PYTHON) -m pytest tests/tracking

test-rtsp: $(TOOLS)
	@BOXWRIGHT_RTSP=yes $(BIN)/python -m pytest -p no:xdist tests/sources/test_rtsp.py

test-opencv: $(READY)/opencv
	@BOXWRIGHT_OPENCV="$(abspath $(OPENCV))" $(BIN)/python -m pytest -p no:xdist tests/export/test_opencv_graphs.py

test-ray: $(READY)/ray
	@$(RAY) -m pytest -p no:xdist tests/parallel

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
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src tools
	@$(BIN)/python tools/audit.py

# The theme warns about MkDocs 2 at every build, although it requires MkDocs 1.
docs: $(TOOLS)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Ready: site/index.html"

libraries: $(TOOLS)
	@$(BIN)/python tools/system_libraries.py

checkers: $(READY)/checkers

dev: $(TOOLS)
	@echo "Ready: $(BIN)/boxwright, $(BIN)/pytest, $(BIN)/ruff, $(BIN)/mypy"

# One lock file for all Pythons and systems; another one for the extra whose OpenCV does not get on
# with MediaPipe's.
lock: $(READY)/venv
	@$(PIP) install $(UV)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --extra dev --output-file $(LOCK) pyproject.toml
	@echo pytest | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --extra track --extra video --output-file $(TRACK_LOCK) pyproject.toml -
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --extra ray --constraint $(LOCK) \
	  --output-file requirements/ray.txt pyproject.toml
	@echo 'opencv-python-headless<5' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --custom-compile-command "make lock" --output-file $(OPENCV_LOCK) -

# OpenCV 4, which does not get on with the other environment's NumPy, and the archive of its sources.
$(READY)/opencv: $(OPENCV_LOCK) $(TOOLS)
	@echo "Installing OpenCV 4 and its sources into $(OPENCV)"
	@$(BIN)/python -m venv --clear $(OPENCV)
	@$(OPENCV_PYTHON) -m pip --disable-pip-version-check --quiet install --require-hashes --requirement $(OPENCV_LOCK)
	@$(OPENCV_PYTHON) -m pip --disable-pip-version-check --quiet download --require-hashes --requirement $(OPENCV_LOCK) \
	  --no-deps --no-binary opencv-python-headless --dest $(OPENCV)/sources
	@touch $@

# An environment of its own, which sees the packages of the other one.
$(READY)/ray: requirements/ray.txt $(TOOLS)
	@$(BIN)/python -m venv $(VENV)/ray
	@$(BIN)/python -c "import pathlib, sysconfig; \
	  print(sysconfig.get_path('purelib'), pathlib.Path('src').resolve(), sep='\n')" \
	  > "$$($(RAY) -c "import sysconfig; print(sysconfig.get_path('purelib'))")/dev.pth"
	@$(RAY) -m pip --disable-pip-version-check --quiet install --require-hashes --requirement requirements/ray.txt
	@touch $@

clean:
	rm -rf $(VENV) $(PAGE)/node_modules $(CLIENTS)/node_modules demo dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(TOOLS): pyproject.toml $(LOCK) $(READY)/venv
	@echo "Installing Boxwright and its test dependencies into $(VENV): this takes a few minutes"
	@$(PIP) install $(UV) && $(BIN)/uv pip install --no-config --quiet --python $(BIN)/python $(LOCKED) \
	  || $(PIP) install --no-compile $(LOCKED)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(RUNTIME) $@

$(RUNTIME): pyproject.toml $(READY)/venv
	@echo "Installing Boxwright with TensorFlow into $(VENV): the first time takes a few minutes"
	@$(PIP) install --editable '.[train]'
	@touch $@

# Types and style of the studio's page; tests that need them are skipped without npm.
$(READY)/checkers: $(PAGE)/package-lock.json $(CLIENTS)/package-lock.json $(READY)/venv
	@if npm ci --prefix $(PAGE) --ignore-scripts --silent && \
	    npm ci --prefix $(CLIENTS) --ignore-scripts --silent; then touch $@; \
	  else echo "Without npm and its registry, the types and style of the studio's page are not checked, \
	  and no exported file is run in JavaScript"; fi

$(READY)/track: pyproject.toml $(TRACK_LOCK) $(READY)/venv
	@echo "Installing Boxwright with trackers into $(TRACK)"
	@$(BIN)/python -m venv --clear $(TRACK)
	@$(TRACK_PYTHON) -m pip --disable-pip-version-check --quiet install --no-compile --require-hashes \
	  --requirement $(TRACK_LOCK)
	@$(TRACK_PYTHON) -m pip --disable-pip-version-check --quiet install --no-deps --editable .
	@touch $@

# An interpreter is suitable if it runs, has a supported version and can create environments. Shims of
# version managers may not run, and some systems lack venv.
$(READY)/venv:
	@chosen=; for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	      >/dev/null 2>&1; then chosen="$$python"; break; fi; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "Boxwright needs Python 3.11, 3.12 or 3.13 with venv, but found none$(if $(PYTHON), at $(PYTHON))." >&2; \
	  echo "Install one (on Debian or Ubuntu: apt install python3 python3-venv), or give its path:" >&2; \
	  echo "  make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "Creating the environment $(VENV) with $$("$$chosen" --version)"; \
	"$$chosen" -m venv --clear $(VENV) && mkdir -p $(READY) && touch $@
