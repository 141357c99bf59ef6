# The menu. Each entry installs what it needs and says so; nothing else has to be done first.
.DEFAULT_GOAL := help
.PHONY: help run test test-browser lint docker fmt
SHELL := bash

ARGS ?=
LINT_FLAGS ?=
NEXTEST_PROFILE ?= default

help: ## This list
	@echo "Tintype. Usage: make TARGET [VARIABLE=value]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  %-12s %s\n' "$$name" "$$what"; done

run: setup-build ## Serve samples/ on http://127.0.0.1:8080/ (release build); ARGS='…' go to tintype serve
	@scripts/run.sh $(ARGS)

test: setup-build ## Every test of the workspace, documentation tests too
	@NEXTEST_PROFILE=$(NEXTEST_PROFILE) scripts/test.sh

test-browser: setup-build ## The page at / in headless Chromium, where Node.js and Chromium are installed
	@scripts/test-browser.sh

lint: setup-build ## rustfmt, clippy without warnings, and linters for shell, Docker, YAML, spelling, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@scripts/lint.sh $(LINT_FLAGS)

docker: ## Build the container image, run it hardened, fetch a picture, stop it
	@scripts/docker.sh

fmt: setup-build ## Format the Rust code
	cargo fmt --all

.PHONY: setup-build
setup-build:
	@scripts/setup/build.sh
