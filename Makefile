# Needs python3 (3.11 or newer) and make. Uses uv when it is on PATH, plain pip otherwise.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
PLAN ?=
OUT ?=
TRUTH ?=

.DEFAULT_GOAL := help
.PHONY: help setup report test lint types notebooks data golden bounds bench truth truth-quick truth-slice truth-check clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1~/p' $(firstword $(MAKEFILE_LIST)) | while IFS='~' read -r name words; do printf '%-18s %s\n' "$$name" "$$words"; done

setup: $(VENV)/.installed-dev ## create .venv with whoworks and everything its tests need

report: $(VENV)/.installed ## the demo's report, or yours: make report DATA=pilot.csv PLAN=plan.toml [OUT=folder]
ifeq ($(strip $(DATA)$(PLAN)),)
	$(BIN)/whoworks demo --out reports/demo
else ifeq ($(strip $(PLAN)),)
	@echo 'A report needs a plan beside the data: make report DATA=$(DATA) PLAN=plan.toml' >&2
	@echo 'Draft one with: $(BIN)/whoworks init $(DATA)' >&2
	@exit 2
else
	$(BIN)/whoworks report "$(PLAN)" $(if $(DATA),--data "$(DATA)") $(if $(OUT),--out "$(OUT)")
endif

test: $(VENV)/.installed-dev ## run every test, a file at a time on each processor
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.installed-dev ## style and layout of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## static types, strict
	$(BIN)/mypy

notebooks: $(VENV)/.installed-dev ## run every notebook
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=300 notebooks

data: $(VENV)/.installed ## rebuild data/synthetic, byte for byte
	$(BIN)/python data/synthetic/make.py

golden: $(VENV)/.installed-dev ## write the numbers that the golden tests hold us to
	$(BIN)/python -m tests.golden.write

bounds: $(VENV)/.installed-dev ## run the kernels' tests with every index checked: compiled code does not check by itself
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.cache/bounds OMP_NUM_THREADS=1 \
	  $(BIN)/python -m pytest -n auto --dist loadfile tests/forests tests/scores/test_boosting.py

bench: $(VENV)/.installed-dev ## time the causal forest against EconML's (three quarters of an hour), and write docs/benchmarks.md
	$(BIN)/python -m benchmarks.forest

truth: $(VENV)/.installed-dev ## run what is missing of the truth table (hours; stop and go on at will), and write docs/truth.*
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.truth $(TRUTH)

truth-quick: $(VENV)/.installed-dev ## every diagnosand of the truth table, few cells and replicates (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.truth --quick $(TRUTH)

truth-slice: $(VENV)/.installed-dev ## write the first replicates of small cells, for truth-check
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.truth --slice $(TRUTH)

truth-check: $(VENV)/.installed-dev ## run three cells of the slice again, picked by the commit, and compare every digit
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.truth --check "$$(git rev-parse HEAD)" $(TRUTH)

clean: ## remove the environment and caches; reports and data stay
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- environment -------------------------------------------------------------------------------------------------

# $(call install,requirements): the fallback of the fallback is python3's own pip working on a .venv that has none
define install
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt $(1); \
	elif $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(1); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt $(1); \
	else \
	  echo '$(PYTHON) has neither ensurepip nor pip. Install one of them (Debian and Ubuntu: apt install python3-venv), or uv.' >&2; exit 2; \
	fi
endef

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo 'There is no $(PYTHON) on PATH. whoworks needs Python 3.11 or newer.' >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "whoworks needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 setup" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Setting up $(VENV) (a minute or two the first time) ...'
	$(call install,-e .)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo 'Adding what the tests need ...'
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' > $(VENV)/dev.txt
	$(call install,-r $(VENV)/dev.txt)
	@touch $@
