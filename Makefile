# The template's own workshop. `make` alone lists what it does.
PYTHON3 ?= python3
PYTHON := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# The interpreter must not leave __pycache__ inside the template: Cookiecutter would copy it into projects.
export PYTHONDONTWRITEBYTECODE := 1
export PRE_COMMIT_HOME := $(CURDIR)/.cache/pre-commit

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast test-long update account account-remove verify-aws bench check schema constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.ready ## Make .venv with all that the others use

demo: .venv/.ready ## From the answers to a trained model, AWS in the sandbox
	@$(PYTHON) -m sandbox run -- sh demo.sh

test: .venv/.ready ## Run the tests (under 15 minutes on 2 cores)
	$(PYTHON) -m pytest -n 2 --dist worksteal

test-fast: .venv/.ready ## Run the tests that take less than a minute together
	$(PYTHON) -m pytest -n 2 --dist worksteal -m 'not slow'

test-long: .venv/.ready ## Run them with every repetition, at night
	HYPOTHESIS_PROFILE=long $(PYTHON) -m pytest -n 2 --dist worksteal

update: .venv/.ready ## Bring an older repository up to date: REPOSITORY=../it
	@test -n '$(REPOSITORY)' || { echo 'name the repository: make update REPOSITORY=../tumor-diagnosis' >&2; exit 1; }
	@PYTHONPATH='<<cookiecutter.project_slug>>' $(PYTHON) -m mlops update --repository '$(REPOSITORY)' --template .

# The switches of the three below: PLAN=1 stops after the plan, YES=1 does not ask (verify-aws: with ACCOUNT=its number),
# FORCE=1 deletes files too, USE_STACK=1 takes the account stack that is there, and leaves it.
SWITCHES = $(if $(PLAN),--plan) $(if $(YES),--yes)
account: .venv/.ready ## Deploy the account stack: PLAN=1 YES=1 PARAMETERS=org.yaml
	@$(PYTHON) -m account deploy $(SWITCHES) $(if $(PARAMETERS),--parameters '$(PARAMETERS)')

account-remove: .venv/.ready ## Remove it: PLAN=1 YES=1, FORCE=1 for its files too
	@$(PYTHON) -m account remove $(SWITCHES) $(if $(FORCE),--force)

verify-aws: .venv/.ready ## Try the whole loop on your account: PLAN=1 USE_STACK=1
	@$(PYTHON) -m verify_aws $(SWITCHES) $(if $(ACCOUNT),--account '$(ACCOUNT)') $(if $(USE_STACK),--use-stack)

bench: .venv/.ready ## Measure rendering, setup, runs and updates beside peers
	$(PYTHON) -m benchmarks

check: .venv/.ready ## Run every linter
	$(PYTHON) -m pre_commit run --all-files --hook-stage manual

schema: .venv/.ready ## Write the JSON schema of mlops.yaml anew
	cd '<<cookiecutter.project_slug>>' && $(CURDIR)/$(PYTHON) -m mlops.settings >mlops/settings.schema.json

PINS := uv pip compile --universal --python-version 3.11.0 --no-header --no-annotate --quiet --upgrade
constraints: .venv/.ready ## Pin the newest versions that fit, here and in the template
	$(PINS) --group pyproject.toml:dev --output-file constraints.txt
	$(PINS) --group pyproject.toml:repository --constraint constraints.txt \
	  --output-file '<<cookiecutter.project_slug>>/constraints.txt'

clean: ## Remove the environment and all caches
	rm -rf .venv .cache build .hypothesis .mypy_cache .ruff_cache .pytest_cache

# uv makes the environment in seconds; where it is missing, pip brings it in.
.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "this needs Python 3.11 or newer; name one: make PYTHON3=python3.13")'
	@test -x $(PYTHON) || $(PYTHON3) -m venv .venv
	@test -x .venv/bin/uv || .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@.venv/bin/uv pip install --quiet --compile-bytecode --python $(PYTHON) -c constraints.txt --group dev
	@touch $@
