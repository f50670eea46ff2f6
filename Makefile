# The doors of the project; each is one command. See README.md.
PYTHON ?= python3
BIN := .venv/bin
HOME_DIR ?= home
TOWN ?= town
BORROWERS ?= 100000
export DEUNGDAE_HOME := $(abspath $(HOME_DIR))
export DEUNGDAE_SOURCES := ["$(abspath $(TOWN))"]
export GX_ANALYTICS_ENABLED := false

UNTIL := 2026-10-01
TRAINED := 2026-09-30

.PHONY: setup nightly test check docs bench bench-pull lock clean

setup: .venv/.done  ## the environment, from the lock

.venv/.done: requirements.lock pyproject.toml
	@echo "setting up .venv from requirements.lock (a minute or two)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt  # uv first, itself by its hashes: it brings the rest in a third of the time
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock  # who has a mirror of pip's alone
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.done

$(TOWN)/borrowers.parquet: | setup
	@$(BIN)/deungdae simulate --out $(TOWN) --borrowers 20000 --months 36 --seed 1 --until $(UNTIL)

$(HOME_DIR)/models/promotions/0001.json: | $(TOWN)/borrowers.parquet
	@$(BIN)/deungdae train --source $(TOWN) --as-of $(TRAINED) --home $(HOME_DIR)

nightly: setup $(TOWN)/borrowers.parquet $(HOME_DIR)/models/promotions/0001.json  ## simulate a town, train a first champion, run the night in Airflow
	@$(BIN)/python dags/once.py --as-of $(UNTIL)

test: setup  ## the whole suite, two files at a time
	@$(BIN)/python -m pytest -q --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: setup  ## lint, types, house rules
	@$(BIN)/python -m pytest -q tests/house

docs: setup  ## write the generated documents
	@$(BIN)/python docs/generate.py

bench: setup  ## how fast, and in how much memory, a night is beside a bare scan and predict, and other engines beside its features
	@$(BIN)/python bench/night.py --borrowers $(BORROWERS) --months 24

bench-pull: setup  ## how fast, and in how much memory, the pull is beside bare polars
	@$(BIN)/python bench/pull.py --borrowers $(BORROWERS)

lock:  ## resolve the lock again
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra spark --python-version 3.11 --no-emit-index-url --generate-hashes --no-header --no-annotate -q -o requirements.lock

clean:  ## remove the made-up town and its HOME
	rm -rf $(TOWN) $(TOWN)-truth $(HOME_DIR) .airflow
