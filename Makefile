# Conveniences; with the environment active (`. .venv/bin/activate`), plain dvc commands do the same work.

PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
SHELL := /bin/bash
# Many containers set it; without Python's caches, each process with PyTorch starts three times as slowly.
unexport PYTHONDONTWRITEBYTECODE
# This checkout's, whatever is installed.
CONVAE := PYTHONPATH=src python -P -m convae

.PHONY: help repro try compare verify check-lock push doctor shared-folder shared-cache \
  bench bench-quick results check-results pictures \
  deps test test-fast test-nightly test-team test-scale test-arm64 lint ruff format lock clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
# Unlike pip, uv fails without a cache that it can write.
CACHE := $$(cache=$$($(VENV)/bin/uv cache dir) && mkdir -p "$$cache" 2>/dev/null && test -w "$$cache" || \
  cache=.convae/uv; echo "$$cache")
UV := UV_CACHE_DIR="$(CACHE)" $(VENV)/bin/uv --quiet pip
INTO := --python $(VENV)/bin/python
# uv does not read pip's configuration. An index named there goes into a requirements file: uv's own has precedence.
INDEX := <($(PIP) config list | sed -nE "s/^(:env:|global)\.index-url='(.*)'/--index-url \2/p" | head -n 1)

# What running needs. Python's own pip installs uv, at the lock's version and hash; uv the rest, many times as fast.
# uv takes a package that a kill has left half installed for installed, so what did not end begins from nothing.
# Tools for developing that are there stay.
$(VENV)/installed: TOOLS = $(if $(wildcard $(VENV)/installed-dev),-dev)
$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@echo 'Installing the packages of requirements$(TOOLS).lock into $(VENV)'
	@test -e $@ -a -e $(VENV)/bin/pip || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(VENV)/installed*
	@$(PIP) install --quiet --require-hashes -r <(sed -n '/^uv==/,/[^\\]$$/p' requirements.lock)
	@$(UV) sync $(INTO) --build-constraints requirements.lock requirements$(TOOLS).lock $(INDEX)
	@$(UV) install $(INTO) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/installed{,$(TOOLS)}

# The tools for developing: the entries that only this lock has, always anew, since a kill may have left halves of them.
$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo 'Installing the tools for developing into $(VENV)'
	@rm -f $@
	@$(UV) install $(INTO) --build-constraints requirements-dev.lock --no-deps --reinstall -r $(INDEX) \
	  -r <(awk '/==/ { new = !seen[$$0]++ } NR > FNR && new' requirements.lock requirements-dev.lock)
	@touch $@

# What names a library there keeps it; the versions are those of requirements.lock.
libraries.yaml: requirements.lock
	@awk -F '==| |: ' 'NR == FNR { if (/^[a-z0-9-]+==/) version[$$1] = $$2; next } \
	  $$1 in version { $$0 = $$1 ": \"" version[$$1] "\"" } { print }' requirements.lock $@ > $@.new
	@mv $@.new $@

repro: $(VENV)/installed libraries.yaml ## rebuild what has changed, then print a summary of the results
	@$(CONVAE) doctor --quick
	dvc repro
	@$(CONVAE) report

try: $(VENV)/installed ## run the pipeline on the images in a folder FOLDER=..., and open the explorer
	@$(CONVAE) try "$(FOLDER)"

compare: $(VENV)/installed ## write a page that shows the current experiments side by side
	@$(CONVAE) compare

verify: $(VENV)/installed ## rebuild the last commit from scratch elsewhere and compare every artifact's hash
	@$(CONVAE) verify

check-lock: $(VENV)/installed ## check, without data or a run, that dvc.lock is up to date
	@$(CONVAE) check-lock

push: $(VENV)/installed ## share data and run cache on the default remote, even after a push that was cut off
	@$(CONVAE) push

doctor: $(VENV)/installed ## repair DVC's files, and damaged objects in cache and default remote; fetch and push what is missing
	@$(CONVAE) doctor

# DVC makes objects read-only; the sticky bit, and root as the folders' owner, keep members from replacing each other's.
shared-folder: ## with sudo: make a folder DIR=... in which a Unix group GROUP=... can share DVC's cache
	@test -n "$(DIR)" -a -n "$(GROUP)" || { echo 'error: shared-folder: say which, as DIR=... GROUP=...' >&2; exit 1; }
	install -d -g "$(GROUP)" -m 3770 "$(DIR)"{,/files,/files/md5,/runs} \
	  "$(DIR)"/{files/md5,runs}/{{0..9},{a..f}}{{0..9},{a..f}}

shared-cache: $(VENV)/installed ## let this clone use the shared folder DIR=...
	@test -w "$(DIR)/files/md5" || { echo 'error: $(DIR): is no shared folder of yours; see docs/sharing.md' >&2; exit 1; }
	dvc cache dir --local "$(DIR)"
	dvc config --local cache.shared group
	dvc config --local cache.type reflink,symlink,copy

bench: $(VENV)/installed-dev ## measure it beside the reference program, an hour and a half; ONLY=run,tsne,dvc,growth: these sections
	@PYTHONPATH=src python -m benchmarks.run $(if $(ONLY),--only $(ONLY)) $(if $(SIZES),--sizes $(SIZES))

bench-quick: $(VENV)/installed-dev ## the same on an eighth of the data, in minutes; keeps nothing
	@PYTHONPATH=src python -m benchmarks.run --quick $(if $(ONLY),--only $(ONLY))

results: $(VENV)/installed ## run the missing experiments of docs/results.md, hours if all are; ONLY=sizes,noise: these blocks
	@PYTHONPATH=src python -m benchmarks.comparisons.run $(if $(ONLY),--only $(ONLY))

check-results: $(VENV)/installed ## check, without data, whether code or parameters have moved since docs/results.md
	@PYTHONPATH=src python -m benchmarks.comparisons.check

# A module's tests share what they have made, and so stay together, in the order that tests/conftest.py gives. One more
# process than there are cores: they wait for disks and servers, and for each other's ends. Each on one thread of BLAS:
# those that wait would take the time of the others.
PYTEST = OPENBLAS_NUM_THREADS=1 pytest --numprocesses $(WORKERS) \
  --maxprocesses 4 --dist loadfile --no-loadscope-reorder
WORKERS = $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))
# mypy runs beside the tests, since it uses one core.
BESIDE_MYPY = mypy & checks=$$!; $(1); tests=$$?; wait $$checks && exit $$tests
test: $(VENV)/installed-dev ruff ## every check and test that CI runs, ten minutes
	$(call BESIDE_MYPY,$(PYTEST) -m "not nightly")

test-fast: WORKERS = $(shell getconf _NPROCESSORS_ONLN)
test-fast: $(VENV)/installed-dev ruff ## without real pipeline runs, servers and browsers, under a minute
	$(call BESIDE_MYPY,$(PYTEST) -m "not slow and not nightly")

test-nightly: $(VENV)/installed-dev ## what takes too long for each push: the other Python, more kills, the benchmark
	$(PYTEST) -m nightly

test-team: $(VENV)/installed-dev ## remotes on real servers, a shared cache, faults and experiments
	$(PYTEST) tests/team

test-scale: $(VENV)/installed-dev ## what grows: hosts, shards, reading in order, neighbours, pages of many points; two minutes
	$(PYTEST) -m "not nightly" tests/hosts tests/pipeline/test_hosts.py tests/training/test_reading.py \
	  tests/data/test_shards.py tests/data/test_tables.py tests/maps/test_search.py tests/browser/test_many.py

.convae/emulated/made: tests/emulated/environment.sh requirements.lock | $(VENV)/installed
	@echo 'Putting emulators and an ARM Python with PyTorch into .convae/emulated'
	@tests/emulated/environment.sh .convae/emulated

test-arm64: .convae/emulated/made ## train small networks on emulated ARM, in minutes; MACHINES='Haswell EPYC': on these
	nice python tests/emulated/compare.py $(or $(MACHINES),arm64)

pictures: $(VENV)/installed-dev ## make the pictures in docs/ anew, from the current code; ONLY=explorer,emoji: these
	@PYTHONPATH=src python -m tools.pictures $(if $(ONLY),--only $(ONLY))

deps: $(VENV)/installed-dev ## write what follows from the code: dependencies in dvc.yaml, the stages' table in docs/design.md
	@python -m tools.dependencies

lint: $(VENV)/installed-dev ruff ## ruff and mypy
	mypy

ruff: $(VENV)/installed-dev
	ruff format --check .
	ruff check .

format: $(VENV)/installed-dev ## let ruff format and fix
	ruff check --fix .
	ruff format .

# No address of an index is written. Both files have the same versions.
COMPILE := $(UV) compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate \
  --no-header --no-emit-index-url --upgrade --group install
lock: $(VENV)/installed ## resolve pyproject.toml anew into requirements.lock and requirements-dev.lock, with hashes
	$(COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml $(INDEX)
	$(COMPILE) --extra s3 --extra ssh --extra webdav --constraint requirements-dev.lock --output-file requirements.lock \
	  pyproject.toml $(INDEX)
	@$(MAKE) --silent libraries.yaml

clean: ## remove the environment and the scratch, not the artifacts or DVC's cache
	rm -rf $(VENV) .convae dvc_plots .pytest_cache .mypy_cache .ruff_cache
