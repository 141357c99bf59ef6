#!/usr/bin/env bash
# All tests of the workspace. With nextest where it is installed (cargo install --locked cargo-nextest: some minutes),
# else with cargo's own runner: both run the same tests and both must pass. nextest leaves documentation tests to cargo.
# The HTTP cache tests come last: they need the server itself.
set -euo pipefail
cd "$(dirname "$0")/.."

# They are installed by now: a test that does not find its server fails instead of being skipped.
export TINTYPE_NEED_SERVERS=1

if command -v cargo-nextest >/dev/null 2>&1; then
    cargo nextest run --workspace --locked --profile "${NEXTEST_PROFILE:-default}"
    cargo test --workspace --locked --doc
else
    cargo test --workspace --locked --no-fail-fast
fi
exec scripts/cache-tests.sh
