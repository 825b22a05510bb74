# Saccade's commands. Everything is installed into .venv; the system is left alone.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# setuptools warns of every editable installation that the folder could be mistaken for the package; here it is the same.
QUIET := PYTHONWARNINGS=ignore
PACKAGING := setup.py pyproject.toml constraints.txt

.PHONY: help demo install dev test test-all check bench docs clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## install Saccade and run the main job on real images
	$(BIN)/saccade demo

install: $(VENV)/.installed ## install Saccade into .venv

dev: $(VENV)/.dev $(VENV)/.azurite ## install Saccade and all that its checks and tests need

test: $(VENV)/.dev $(VENV)/.azurite ## run the tests, the slow ones left out
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(VENV)/.dev $(VENV)/.azurite ## run every test
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev ## look at form, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed ## time the data layer
	$(BIN)/python benchmarks/data_layer.py $(ARGS)

docs: $(VENV)/.dev ## check the documents: their links, and the examples in them
	$(BIN)/python -m pytest -q tests/docs $(ARGS)

clean: ## remove the environment and what was built
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.made:
	@python=$$(sh .ci/find-python) && echo "making $(VENV) with $$python" && "$$python" -m venv $(VENV)
	@touch $@

# The build tools come first and are pinned as well, so that the same setuptools builds on every machine.
$(VENV)/.tools: $(VENV)/.made constraints.txt
	@$(PIP) install -q -c constraints.txt pip setuptools
	@touch $@

$(VENV)/.installed: $(VENV)/.tools $(PACKAGING)
	@echo "installing Saccade and what it needs into $(VENV)"
	@$(QUIET) $(PIP) install -q -c constraints.txt --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.tools $(PACKAGING)
	@echo "installing Saccade and what its tests need into $(VENV)"
	@$(QUIET) $(PIP) install -q -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@ $(VENV)/.installed

# The server that stands for Azure in the tests. Without npm they are left out, and pytest says so.
$(VENV)/.azurite: $(VENV)/.made tests/servers/package.json tests/servers/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing azurite into $(VENV)/azurite"; \
		mkdir -p $(VENV)/azurite && cp tests/servers/package.json tests/servers/package-lock.json $(VENV)/azurite && \
		npm ci --prefix $(VENV)/azurite --ignore-scripts --no-audit --no-fund --silent && touch $@; \
	else \
		echo "there is no npm: the tests with an Azure server will be skipped"; \
	fi
