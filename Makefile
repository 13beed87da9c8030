# `make demo` and `make test` set up what they need, once, on a machine with Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where pip looks for torch: empty is pip's own default; README.md says how to take a CPU or CUDA build.
TORCH_INDEX ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo test test-all lint bench clean

setup: $(VENV)/ready mlflow.db

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "soilfuse: error: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed: make PYTHON=python3.11" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

mlflow.db: | $(VENV)/ready
	mlflow db upgrade sqlite:///$@ >/dev/null 2>&1 || { rm -f $@; mlflow db upgrade sqlite:///$@; }

demo: setup
	dvc repro
	@echo
	@echo "Done: products/*.nc, results/trends/, reports/index.html. Next:"
	@echo "  source $(BIN)/activate"
	@echo "  mlflow ui                                   # every run"
	@echo "  mlflow run . -e infer -P ssp=ssp370         # one scenario again"
	@echo "  soilfuse verify products/ssp370.nc          # prove it"

# One thread a process, two processes: tests run side by side, and small tensors gain nothing. Files
# keep the order of tests/conftest.py, the longest first; those with most tests first is the default.
PYTEST := OMP_NUM_THREADS=1 python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup
	$(PYTEST) -m "not long"

test-all: setup
	$(PYTEST)

lint: setup
	ruff check .
	ruff format --check .
	mypy

bench: setup
	python -m benchmarks

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
