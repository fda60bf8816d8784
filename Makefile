# The two commands that matter: `make run` and `make test`. Both install what is missing first.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Debug and release builds keep apart, so that switching between them rebuilds nothing.
DEBUG := .build
RELEASE := .build-release
BASIS := $(RELEASE)/release/basis

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: release ## Ingest real text and search it (DATA=file.jsonl for your own)
	@Scripts/demo.sh $(BASIS) "$(DATA)"

.PHONY: test
test: packages ## Build and run every test
	@swift build --build-tests --scratch-path $(DEBUG) --explicit-target-dependency-import-check error
	@swift test --skip-build --scratch-path $(DEBUG)

.PHONY: release
release: packages ## Build the program, optimised
	@swift build -c release --scratch-path $(RELEASE) --product basis

.PHONY: install
install: release ## Install the program (PREFIX=~/.local)
	@install -D -m 755 $(BASIS) "$(or $(PREFIX),$(HOME)/.local)/bin/basis"
	@echo "installed $(or $(PREFIX),$(HOME)/.local)/bin/basis"

.PHONY: format
format: ## Put the code into the house style
	@swift format --in-place --recursive --parallel Package.swift Sources Tests

.PHONY: lint
lint: ## Check the house style
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests

.PHONY: docs
docs: packages ## Build the documentation of every library, warnings as errors
	@Scripts/docs.sh

.PHONY: packages
packages:
	@Scripts/packages.sh

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf .build .build-* build
