# Everything a developer needs; `make help` lists it. Leaves nothing behind but .venv/ and .dev/.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON_ENV := .venv/bin/python
# `make bench BROKER=kafka`: two distributed workers and a Kafka node.
BROKER ?= embedded

# SECONDS is taken from the command line only: some shells export a variable of that name.
ifeq ($(origin SECONDS),command line)
DEMO_ARGS := --seconds $(SECONDS)
endif

.PHONY: help setup servers stop demo test test-fast check format bench bench-java clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with the project and its development tools
	@scripts/setup.sh

servers: ## get and start real Postgres, MySQL, MariaDB and Kafka under .dev/
	@python3 scripts/servers.py start

stop: ## stop the servers that this checkout started
	@python3 scripts/servers.py stop

demo: setup ## watch Postgres being replicated to MySQL until Ctrl-C; make demo SECONDS=30 stops by itself
	@scripts/with_servers.sh postgres mysql -- $(PYTHON_ENV) scripts/demo.py $(DEMO_ARGS)

test: setup ## run every test against real servers
	@scripts/with_servers.sh postgres mysql mariadb kafka -- $(PYTHON_ENV) -m pytest --require-services -n 2 --dist loadfile $(ARGS)

test-fast: setup ## run the unit tests only
	@$(PYTHON_ENV) -m pytest tests/unit -q -n 2 $(ARGS)

check: setup ## lint, formatting, types, import rules
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup ## put the code in its standard form
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: setup ## measure throughput against real servers (BROKER=kafka: through Kafka)
	@scripts/with_servers.sh postgres mysql -- $(PYTHON_ENV) -m tests.benchmarks.run --broker $(BROKER) $(ARGS)

bench-java: setup ## the same work by Debezium and Kafka Connect on Java, beside ours; takes minutes
	@scripts/with_servers.sh postgres mysql -- $(PYTHON_ENV) -m tests.benchmarks.compare $(ARGS)

clean: ## stop the servers, remove everything that was made
	@python3 scripts/servers.py wipe
	@rm -rf .dev .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
