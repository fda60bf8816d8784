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

PREFIX ?= $(HOME)/.local

.PHONY: install
install: release ## Install the program and shell completion (PREFIX=~/.local)
	@install -D -m 755 $(BASIS) "$(PREFIX)/bin/basis"
	@for shell in bash zsh fish; do \
	  mkdir -p build/completion && $(BASIS) --generate-completion-script $$shell >build/completion/$$shell; \
	done
	@install -D -m 644 build/completion/bash "$(PREFIX)/share/bash-completion/completions/basis"
	@install -D -m 644 build/completion/zsh "$(PREFIX)/share/zsh/site-functions/_basis"
	@install -D -m 644 build/completion/fish "$(PREFIX)/share/fish/vendor_completions.d/basis.fish"
	@if [ -d build/man ]; then install -d "$(PREFIX)/share/man/man1" && \
	  install -m 644 build/man/*.1 "$(PREFIX)/share/man/man1"; fi
	@echo "installed $(PREFIX)/bin/basis"

.PHONY: man
man: packages ## Write the manual pages to build/man; `make install` takes them along
	@mkdir -p build/man
	@swift package --scratch-path $(RELEASE) plugin --allow-writing-to-package-directory \
	  generate-manual --multi-page --output-directory build/man
	@ls build/man

.PHONY: format
format: ## Put the code into the house style
	@swift format --in-place --recursive --parallel Package.swift Sources Tests

.PHONY: lint
lint: ## Check the house style
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests

.PHONY: methods
methods: release ## Write METHODS.md from the rooms' catalogues
	@$(BASIS) methods --markdown >METHODS.md

.PHONY: claims
claims: release ## Measure all that the papers claim; writes Claims/ledger.json and its page
	@$(BASIS) lab run --all --ledger Claims/ledger.json --commit "$$(git rev-parse HEAD)"
	@$(BASIS) lab report Claims/ledger.json -o Claims --force

.PHONY: bench
bench: packages ## Measure against other libraries; writes Benchmarks/RESULTS.md
	@swift build -c release --package-path Benchmarks --scratch-path build/benchmarks
	@[ -x build/peers/bin/python ] || python3 -m venv build/peers
	@build/peers/bin/pip install --quiet --requirement Benchmarks/requirements.txt
	@build/peers/bin/python Benchmarks/peers.py build/benchmarks/release/Benchmark
	@build/peers/bin/python Benchmarks/neighbors.py build/benchmarks/release/Benchmark
	@build/peers/bin/python Benchmarks/filters.py build/benchmarks/release/Benchmark
	@build/peers/bin/python Benchmarks/clustering.py build/benchmarks/release/Benchmark
	@build/peers/bin/python Benchmarks/methods.py build/benchmarks/release/Benchmark

.PHONY: docs
docs: packages ## Build the documentation of every library, warnings as errors
	@Scripts/docs.sh

.PHONY: outside
outside: packages ## Build and run a package of somebody else's that depends on this one
	@Scripts/outside-package.sh

.PHONY: packages
packages:
	@Scripts/packages.sh

.PHONY: clean
clean: ## Remove everything that was built
	@rm -rf .build .build-* build
