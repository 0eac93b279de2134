# Everything is done in a virtual environment of its own, .venv; nothing has to be installed by hand.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
IMAGES ?= 10000
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test test-ray lint bench scale docs format clean

help: ## Show what can be made
	@echo "make TARGET [PYTHON=$(PYTHON)] [VENV=$(VENV)] [WORKERS=$(WORKERS)]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed ## Install qm, score sample_data, show the summary and where the files are
	$(BIN)/qm score sample_data
	@echo
	@echo "Look further: $(BIN)/qm rank sample_data --model better --acquisition entropy --top 5"
	@echo "              $(BIN)/qm --help"

test: $(VENV)/.installed-dev ## Run all tests, on WORKERS processes
	$(BIN)/python -m pytest -n $(WORKERS)

test-ray: $(VENV)/.installed-ray ## Run the tests of the Ray backend on a real cluster of this machine
	$(BIN)/python -m pytest tests/backends/test_ray.py

lint: $(VENV)/.installed-dev ## Check style, format and types
	@failed=0; for check in "ruff check ." "ruff format --check ." mypy; do \
		echo "$$check"; $(BIN)/$$check || failed=1; \
	done; exit $$failed

bench: $(VENV)/.installed ## Measure qm side by side with its peers (benchmarks/README.md)
	$(BIN)/python benchmarks/run.py

scale: $(VENV)/.installed ## Measure memory and time over many images (IMAGES=10000)
	$(BIN)/python benchmarks/many_images.py --images $(IMAGES)

docs: $(VENV)/.installed-dev ## Write anew what README.md and docs/ show of the program, and tests/golden/
	$(BIN)/python docs/make.py
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/golden

format: $(VENV)/.installed-dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment, caches and the run of the demo
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis sample_data/qm-run sample_data/qm-run.old
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment; where this Python cannot put pip into it (Debian without python3-venv), its own pip does.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "qm needs Python 3.11 or later, this is " + sys.version.split()[0] + ": name another with make PYTHON=…")'
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-ray: $(VENV)/.installed-dev
	$(PIP) install --quiet --editable '.[ray]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@
