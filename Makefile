# Gatehouse: `make run` and `make test` do all the set-up on a fresh machine with Python 3.11 or newer and pip.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
# One more than cores: a test that waits for a browser or a process leaves its own to another.
WORKERS ?= 3
# Every process would compile each module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test check format lint lint-types lint-rest bench audit clean

help:
	@echo "make run    start Gatehouse with a sample organization (GATEHOUSE_BIND, default 127.0.0.1:8000)"
	@echo "make test   run the tests;  make lint   check the code;  make bench   measure (writes bench.json)"
	@echo "make check  lint what differs from the main branch, and run the tests that are near it"
	@echo "make format lay out code and templates as make lint expects them"
	@echo "make audit  ask for known vulnerabilities of dependencies"

$(PY):
	@test -n "$(PYTHON)" || { echo "Gatehouse needs Python 3.11 or newer: install python3."; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV)
	@echo "$(CURDIR)" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/gatehouse.pth"

# The system's pip installs into the environment: a copy of pip there takes seconds, and needs Debian's python3-venv.
# The file names every dependency with its hash, so there is none to look for. It is installed in four parts, two at a
# time: pip itself uses one core. Modules are compiled when they are used.
define install
	@pip="$(PYTHON) -m pip --python $(PY)"; \
	if ! $$pip --version >/dev/null 2>&1; then pip="$(PY) -m pip"; $$pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null; fi; \
	echo "Installing the locked dependencies of $(1) ..."; \
	awk '/^[^ #]/ {part++} {print > ("$(VENV)/part-" part % 4 ".txt")}' $(1); \
	printf '%s\0' $(VENV)/part-?.txt | xargs -0 -n 1 -P 2 $$pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile -r
	@rm -f $(VENV)/part-?.txt; touch $@
endef

$(VENV)/.run: .requirements/run.txt | $(PY)
	$(call install,.requirements/run.txt)

$(VENV)/.dev: .requirements/dev.txt | $(PY)
	$(call install,.requirements/dev.txt)

setup: $(VENV)/.run

run: setup
	@exec $(PY) -m console.demo.supervisor

test: $(VENV)/.dev
	@$(PY) -m tests.services
	@$(PY) -m tests.passes $(WORKERS)

check: $(VENV)/.dev
	@$(PY) -m tests.affected $(SINCE)

format: $(VENV)/.dev
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix-only --quiet .
	@$(VENV)/bin/djlint templates --reformat --quiet || true

# The types take as long as all else, and one core.
lint: $(VENV)/.dev
	@$(MAKE) --no-print-directory --output-sync=target -j 2 lint-types lint-rest

lint-types: $(VENV)/.dev
	@$(PY) -m mypy console iam

lint-rest: $(VENV)/.dev
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/djlint templates --lint --quiet
	@$(VENV)/bin/djlint templates --check --quiet || $(VENV)/bin/djlint templates --check
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) -m tests.house_rules
	@$(PY) -m tests.wording

bench: $(VENV)/.dev
	@$(PY) -m tests.bench

audit: $(VENV)/.run
	@$(PY) -m tests.advisories

clean:
	rm -rf $(VENV) var bench.json
