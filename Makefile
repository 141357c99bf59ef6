# The menu. Each entry installs what it needs and says so; nothing else has to be done first.
.DEFAULT_GOAL := help
.PHONY: help run test conformance test-browser test-arm bench bench-peers bench-quality load load-nginx soak fuzz lint docker fmt
SHELL := bash

ARGS ?=
LINT_FLAGS ?=
NEXTEST_PROFILE ?= default
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?=
LOAD_SECONDS ?= 20
LOAD_DRAIN ?=
SCENARIOS ?=
SOAK_SECONDS ?= 3600

help: ## This list
	@echo "Tintype. Usage: make TARGET [VARIABLE=value]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  %-12s %s\n' "$$name" "$$what"; done

run: setup-build ## Everything in one process on http://127.0.0.1:8080/ (release build); ARGS=… go to tintype-standalone serve
	@scripts/run.sh $(ARGS)

test: setup-test ## Every test of the workspace, documentation tests too
	@NEXTEST_PROFILE=$(NEXTEST_PROFILE) scripts/test.sh

test-browser: setup-build ## The page at / in headless Chromium, where Node.js and Chromium are installed
	@scripts/test-browser.sh

test-arm: ## The JPEG decoder's own tests for 64-bit ARM, cross-compiled, under qemu: its NEON kernels
	@scripts/test-arm.sh

lint: setup-build ## rustfmt, clippy without warnings, and linters for shell, Docker, YAML, spelling, licences
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@scripts/lint.sh $(LINT_FLAGS)

bench: setup-build ## Criterion benchmarks; ARGS='hit' chooses
	cargo bench --workspace --locked -- $(ARGS)

bench-peers: ## The same renders by Tintype, libvips and sharp; ARGS='--only WebP --rounds 3' and others
	@scripts/bench-peers.sh $(ARGS)

bench-quality: ## Bytes at equal score beside sharp, libvips, imgproxy; ARGS='--codec webp --jobs 4' and others
	@scripts/bench-quality.sh $(ARGS)

load: ## Scenarios with budgets; SCENARIOS="hits misses stampede mixed overload crowd burst", LOAD_SECONDS=20, LOAD_DRAIN=1
	@LOAD_SECONDS='$(LOAD_SECONDS)' LOAD_DRAIN='$(LOAD_DRAIN)' loadtest/run.sh $(SCENARIOS)

load-nginx: ## The hit path beside nginx; ARGS='--protocols h1-tls,h2-tls,h3 --rounds 3', --varnish and others
	@scripts/load-nginx.sh $(ARGS)

soak: ## Mixed traffic with faults for SOAK_SECONDS (3600): flat memory, nothing left behind
	@SOAK_SECONDS='$(SOAK_SECONDS)' loadtest/run.sh soak

fuzz: ## Run each fuzz target for FUZZ_SECONDS (30); FUZZ_TARGETS="url_parse render" chooses
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' FUZZ_TARGETS='$(FUZZ_TARGETS)' scripts/fuzz.sh

conformance: setup-build ## schemathesis, h2spec, foreign HTTP/3 clients, slow clients, HTTP cache tests; see docs/http-conformance.md
	@scripts/schemathesis.sh
	@scripts/h2spec.sh
	@scripts/http3-clients.sh
	@scripts/slow-clients.sh
	@scripts/cache-tests.sh

docker: ## Build the container image, run it hardened, fetch a picture, stop it
	@scripts/docker.sh

fmt: setup-build ## Format the Rust code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

.PHONY: setup-build setup-test
setup-build:
	@scripts/setup/build.sh
setup-test:
	@scripts/setup/test.sh
