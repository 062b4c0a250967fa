# Conveniences; with the environment active (`. .venv/bin/activate`), plain dvc commands do the same work.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
SHELL := /bin/bash

.PHONY: help repro verify bench bench-quick test test-fast lint format lock clean compare check-lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --require-hashes -r requirements.lock
	touch $@

repro: $(VENV)/installed ## rebuild what has changed, then print a summary of the results
	dvc repro
	@PYTHONPATH=src python -m convae.report

compare: $(VENV)/installed ## write a page that shows the current experiments side by side
	@PYTHONPATH=src python -m convae.compare

verify: $(VENV)/installed ## rebuild the last commit from scratch elsewhere and compare every artifact's hash
	@PYTHONPATH=src python -m convae.verify

bench: $(VENV)/installed ## measure it beside the tutorial's program, half an hour; ONLY=run,tsne,dvc,growth: these sections
	@PYTHONPATH=src python -m benchmarks.run $(if $(ONLY),--only $(ONLY))

bench-quick: $(VENV)/installed ## the same on an eighth of the data, in three minutes; keeps nothing
	@PYTHONPATH=src python -m benchmarks.run --quick $(if $(ONLY),--only $(ONLY))

check-lock: $(VENV)/installed ## check, without data or a run, that dvc.lock is up to date
	@PYTHONPATH=src python -m convae.lock

test: $(VENV)/installed lint ## every check and test
	pytest

test-fast: $(VENV)/installed lint ## without the real pipeline runs, under a minute
	pytest -m "not slow"

lint: $(VENV)/installed ## ruff and mypy
	ruff format --check .
	ruff check .
	mypy

format: $(VENV)/installed ## let ruff format and fix
	ruff check --fix .
	ruff format .

lock: $(VENV)/installed ## resolve pyproject.toml anew into requirements.lock, with hashes and no index address
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --extra dev --upgrade --output-file requirements.lock pyproject.toml

clean: ## remove the environment and the scratch, not the artifacts or DVC's cache
	rm -rf $(VENV) .convae dvc_plots .pytest_cache .mypy_cache .ruff_cache
