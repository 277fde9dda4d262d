# run: start the app.  test: everything a change must pass.  check: style, types, imports.  bench: timings.
PYTHON ?= python3
BIN := .venv/bin
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: run test check format bench clean

# Only this computer is served: a server that strangers reach must not read its own disk for them. With two malloc
# arenas and a low trim threshold glibc gives the memory of a photo back; with its defaults it grew with each photo.
run: .venv/app
	SKINAPP_LOCAL=1 MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=131072 $(BIN)/streamlit run streamlit_app.py --server.address localhost

# One thread each: the networks of the tests are tiny, and threads that wait for one another cost more than they do.
test: .venv/dev chromium check
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist loadfile

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev chromium
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.dataset_page
	$(BIN)/python -m benchmarks.evaluation_page

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Skinapp needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/app: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ .venv/app

# The browser tests drive a real Chromium: the system's, or Debian's package where there is none.
.PHONY: chromium
chromium:
	@if [ -z "$(CHROMIUM)" ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core; \
	fi

clean:
	rm -rf .venv build dist *.egg-info
