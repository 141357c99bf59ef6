#!/usr/bin/env bash
# The unit tests of crates/jpeg for 64-bit ARM, run by qemu: what its NEON kernels write is held against the scalar ones.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/arm.sh
target=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
exec cargo test --locked --target "$target" -p tintype-jpeg --lib "$@"
