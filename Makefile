# What a newcomer types. Every target sets the environment up first if that has not been done.
#
#   make run        build, verify and cost the units of designs/starter.toml
#   make test       the tests (a representative slice; about 18 minutes on 2 cores with an empty cache)
#   make lint       ruff, mypy and a strict build of the pages
#   make docs       the pages of docs/ and the reference as build/site/index.html
#   make sim        the regression list sim/regression.toml in cocotb
#   make sim-full   everything: exhaustive and long runs as well
#   make sweep      the three sweeps of synth/sweeps/ with their reports, in sweep_out/ (FULL=--full: the whole grids)
#   make gate       area and delay of the starter units against synth/released.csv; make released renews that file
#                   and the bundles in rtl_out/released/ (designs/released.toml)
#   make bench      the speed figures and the comparison with other units, in benchmarks/
#   make setup      only .venv and what goes into it
#   make clean      remove what runs have left in this directory, but no file of yours; distclean removes .venv as well
#   make lock       renew requirements.lock from pyproject.toml (needs uv)

SHELL   := /bin/sh
PYTHON  ?= python3
DESIGNS ?= designs/starter.toml
JOBS    ?= 2
VENV    := .venv
BIN     := $(VENV)/bin
STAMP   := $(VENV)/.fpgen-ready
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Started programs (the simulator's build among them) look for `python` on PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONNOUSERSITE := 1
unexport PYTHONPATH PYTHONHOME

# Not with --quiet: mkdocs then drops the warnings that --strict is to fail on.
DOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: run test lint docs sim sim-full sweep gate released bench setup clean distclean lock
.DEFAULT_GOAL := run

run: $(STAMP)
	@$(BIN)/fpgen run $(DESIGNS) --jobs $(JOBS)

test: $(STAMP)
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format: run .venv/bin/ruff format ."; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo || exit 1
	@$(DOCS)

docs: $(STAMP)
	@$(DOCS)

sim: $(STAMP)
	@$(BIN)/fpgen sim --jobs $(JOBS)

sim-full: $(STAMP)
	@$(BIN)/fpgen sim --full --jobs $(JOBS) --report docs/sim-full.md
	@$(BIN)/python -m pytest -n $(JOBS) -m "full or not full" $(ARGS)

sweep: $(STAMP)
	@for name in depth fma-formats dot-accumulator; do \
	    $(BIN)/fpgen sweep $$name --jobs $(JOBS) $(FULL) && $(BIN)/fpgen report sweep_out/$$name.csv || exit 1; done

gate: $(STAMP)
	@$(BIN)/fpgen sweep released --jobs $(JOBS)
	@$(BIN)/fpgen compare synth/released.csv sweep_out/released.csv

released: $(STAMP)
	@$(BIN)/fpgen sweep released --jobs $(JOBS)
	@cp sweep_out/released.csv synth/released.csv
	@$(BIN)/fpgen run designs/released.toml -o build/released --jobs $(JOBS)
	@$(BIN)/python scripts/released.py build/released

bench: $(STAMP)
	@$(BIN)/python -m benchmarks

setup: $(STAMP)
	@echo "fpgen is ready: $(VENV)/bin/fpgen; 'make run' does the main job, '$(VENV)/bin/fpgen doctor' lists the tools"

# pip runs only when the lock or the package's description changed, or the checkout was moved (programs in a virtual
# environment name its place). The stamp is the last thing made, so a set-up that was killed is done again.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
	@sh scripts/preflight.sh "$(PYTHON)"
	@echo "Setting up $(VENV) (once; about 300 MB from PyPI, 1.3 GB on disk)"
	@[ "$$(cat $(VENV)/.place 2>/dev/null)" = "$(CURDIR)" ] || { rm -rf $(VENV); "$(PYTHON)" -m venv $(VENV); }
	@echo "$(CURDIR)" > $(VENV)/.place
	@$(PIP) --require-hashes -r requirements.lock || { echo "fpgen: pip could not install what requirements.lock" \
	    "pins; is PyPI reachable? 'make setup' tries again" >&2; exit 1; }
	@$(BIN)/python -m pip uninstall --quiet --yes fpgen >/dev/null 2>&1 || true  # this distribution's name until 0.1
	@$(PIP) --no-deps --no-build-isolation --editable .
	@printf %s "$(CURDIR)" > $(STAMP)

clean:
	@"$(PYTHON)" scripts/clean.py rtl_out sweep_out
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis results.xml
	find fpgen sim tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

lock: $(STAMP)
	@$(PIP) uv
	@UV_NO_CONFIG=1 $(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --default-index https://pypi.org/simple --generate-hashes --no-annotate --quiet \
	    --custom-compile-command "make lock" --output-file requirements.lock
