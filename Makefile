# make demo       everything from nothing: weights, photographs, a table and a figure
# make test       format, lint, types and the tests that are not slow; make test-all: the slow ones too
# make docs       the documentation, as site/index.html; a warning is an error
# make notebook   runs docs/first_steps.ipynb and stores it with its outputs
# Needs Python 3.11 or newer; where python3 is older, or to take another: make PYTHON=python3.12 demo

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
LPIPS := alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex,vgg16/relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/unit@lpips-vgg

.PHONY: demo test test-all docs notebook clean
.DELETE_ON_ERROR:

# An environment of another Python than the one asked for is made anew.
ifneq ($(filter command environment,$(origin PYTHON)),)
  $(shell version=$$($(PYTHON) -c 'import platform; print(platform.python_version())') && \
    $(PYTHON) $(NEW_ENOUGH) && [ -e $(VENV)/pyvenv.cfg ] && \
    ! grep -q "^version = $$version$$" $(VENV)/pyvenv.cfg && rm -rf $(VENV))
endif

demo: $(VENV)/demo.installed
	$(BIN)/iqa fetch --models=alexnet,vgg16 --checkpoints_dir=checkpoints
	$(BIN)/iqa demo --data_dir=demo/data
	$(BIN)/iqa evaluate --dataset=demo --data_dir=demo/data --checkpoints_dir=checkpoints \
	  --models=alexnet,vgg16 --metrics=$(LPIPS) --output_dir=demo/results

test test-all: $(VENV)/test.installed
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal $(if $(filter test,$@),-m 'not slow')

docs: $(VENV)/docs.installed
	$(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet docs site

notebook: $(VENV)/docs.installed $(VENV)/demo.installed
	$(BIN)/python docs/run_notebook.py

$(VENV)/%.installed: pyproject.toml | $(BIN)/pip
	@echo "Installing jax-iqa[$*] into $(VENV) (a minute or two, once)"
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(BIN)/pip:
	@$(PYTHON) $(NEW_ENOUGH) || \
	  { echo "jax-iqa needs Python 3.11 or newer, and $(PYTHON) is older: say make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV) .venv-libtpu demo site jupyter_execute docs/generated .pytest_cache
