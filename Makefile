# make demo       everything from nothing: weights, photographs, a table, a figure and a page
# make test       format, lint, types and the tests that are not slow; make test-all: the slow ones too
# make docs       the documentation, as site/index.html; a warning is an error
# make notebook   runs docs/first_steps.ipynb and stores it with its outputs
# make paper      the claims of two papers on your copies of datasets: make paper TID2013=DIR KADID10K=DIR;
#                 TID2008, LIVE, CSIQ and PIPAL, too, and CSV=FILE. Say it again to continue, or after iqa fetch for
#                 more networks. NAME_FLAGS are flags of iqa evaluate for a dataset: TID2013_FLAGS=--allow_partial
# Needs Python 3.11 or newer; where python3 is older, or to take another: make PYTHON=python3.12 demo

comma := ,
space := $(subst ,, )
lower = $(shell echo $(1) | tr A-Z a-z)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
LPIPS := alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex,vgg16/relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/unit@lpips-vgg

PAPER_MODELS := @study
PAPER_DATASETS := $(strip $(foreach name,TID2008 TID2013 LIVE CSIQ KADID10K PIPAL CSV,$(if $($(name)),$(name))))
PAPER_WEIGHTS := alexnet,vgg16,efficientnet_lite0,efficientnet_lite1,efficientnet_lite2
PAPER_JOINED := alexnet,vgg16,efficientnet_lite0,resnet18,resnet50,densenet121
PAPER_METRICS := psnr,ssim,ssim:wang2004,ssim:matlab,lpips-alex,lpips-vgg$(if $(wildcard checkpoints/dists),$(comma)dists$(comma)dists:resize256)
PAPER_FOLDERS := $(foreach name,$(PAPER_DATASETS),$(foreach part,native half joined,paper/$(call lower,$(name))/$(part)))

.PHONY: demo test test-all docs notebook paper clean
.DELETE_ON_ERROR:

# An environment of another Python than the one asked for is made anew.
ifneq ($(filter command environment,$(origin PYTHON)),)
  $(shell version=$$($(PYTHON) -c 'import platform; print(platform.python_version())') && \
    $(PYTHON) $(NEW_ENOUGH) && [ -e $(VENV)/pyvenv.cfg ] && \
    ! grep -q "^version = $$version$$" $(VENV)/pyvenv.cfg && rm -rf $(VENV))
endif

demo: $(VENV)/demo.installed
	$(BIN)/iqa fetch --models=alexnet,vgg16,efficientnet_lite0 --checkpoints_dir=checkpoints
	$(BIN)/iqa demo --data_dir=demo/data
	$(BIN)/iqa evaluate --dataset=demo --data_dir=demo/data --checkpoints_dir=checkpoints \
	  --models=alexnet,vgg16,efficientnet_lite0 --metrics=$(LPIPS) --output_dir=demo/results
	$(BIN)/iqa report --results=demo/results --output=demo/results/report.html

test test-all: $(VENV)/test.installed
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pytest --numprocesses=auto --maxprocesses=8 --dist=worksteal $(if $(filter test,$@),-m 'not slow')

# A run continues where it stopped, and adds the networks that have been fetched since.
define evaluate_for_paper
	$(BIN)/iqa evaluate --dataset=$(call lower,$(1)) --data_dir=$($(1)) --checkpoints_dir=checkpoints --allow_absent \
	  --models=$(PAPER_MODELS) --readouts=l2,mean,std --metrics=$(PAPER_METRICS) $($(1)_FLAGS) \
	  --output_dir=paper/$(call lower,$(1))/native
	$(BIN)/iqa evaluate --like=paper/$(call lower,$(1))/native --readouts=l2 --resize=factor:0.5 \
	  --output_dir=paper/$(call lower,$(1))/half
	$(BIN)/iqa evaluate --like=paper/$(call lower,$(1))/native --models=$(PAPER_JOINED) --metrics= --layers=cumulative \
	  --readouts=l2 --output_dir=paper/$(call lower,$(1))/joined

endef

paper: $(VENV)/study.installed
	$(if $(PAPER_DATASETS),,$(error make paper needs the folder of a dataset, such as TID2013=DIR))
	$(BIN)/iqa fetch --models=$(PAPER_WEIGHTS) --checkpoints_dir=checkpoints
	$(foreach name,$(PAPER_DATASETS),$(call evaluate_for_paper,$(name)))
	$(BIN)/iqa study --results=$(subst $(space),$(comma),$(strip $(PAPER_FOLDERS))) --output_dir=paper/study

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
