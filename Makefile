# Two commands matter: `make demo` and `make test`. Both make their own environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test quick coverage bench peers docs lint types imports lock lock-check check clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

# The lock is complete: without --no-deps, pip resolves once more, and an extra of a pinned package makes it stumble
# as soon as there is a newer release of that package.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

demo: $(STAMP)  ## a private PostgreSQL, 2,000 members, three partners, curl calls to paste, and the server
	$(BIN)/gateway demo $(ARGS)

test: $(STAMP)  ## the whole suite, on a private PostgreSQL
	$(BIN)/pytest --numprocesses auto $(ARGS)

quick: $(STAMP)  ## the suite without its slow tests
	$(BIN)/pytest --numprocesses auto -m "not slow" $(ARGS)

coverage: $(STAMP)  ## the suite, with the branches that it does not reach
	$(BIN)/pytest --numprocesses auto --cov --cov-report=term $(ARGS)

bench: $(STAMP) $(if $(shell command -v npm),peers)  ## the benchmark: needs `wrk`, and two cores that do nothing else
	$(BIN)/python -m benchmarks $(ARGS)

peers: benchmarks/peers/node_modules/.installed  ## the servers in Node that the benchmarks compare with; needs npm

benchmarks/peers/node_modules/.installed: benchmarks/peers/package-lock.json
	cd benchmarks/peers && npm ci
	@touch $@

docs: $(STAMP)  ## the pages that are generated: of the tables, the shipped policy, the marks of clauses
	$(BIN)/gateway schema data-map > docs/data-map.md
	$(BIN)/gateway policy matrix --format markdown > docs/sharing-matrix.md
	$(BIN)/gateway policy text > docs/member-text.md
	$(BIN)/gateway policy clauses --format markdown > docs/clauses.md

lint: $(STAMP)  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy, strict, over code and tests
	$(BIN)/mypy

imports: $(STAMP)  ## the import contracts
	$(BIN)/lint-imports

lock: $(STAMP)  ## resolve pyproject.toml again into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	    --extra dev pyproject.toml --output-file requirements.lock

lock-check: $(STAMP)  ## the lock still satisfies pyproject.toml, pin for pin
	@cp requirements.lock $(VENV)/lock.check
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	    --extra dev pyproject.toml --output-file $(VENV)/lock.check
	@grep -oE '^[a-z0-9][^ ]*==[^ ]+' requirements.lock > $(VENV)/lock.pins
	@grep -oE '^[a-z0-9][^ ]*==[^ ]+' $(VENV)/lock.check | diff $(VENV)/lock.pins - \
	    && echo "requirements.lock: up to date"

check: lint types imports lock-check  ## everything that .ci/run checks besides the tests

clean:  ## remove the environment and the demo's data
	rm -rf $(VENV) .data .cache
