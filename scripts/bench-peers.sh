#!/usr/bin/env bash
# Our engine beside libvips and sharp; arguments go to benches/peers/compare.py.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/build.sh
scripts/setup/peers.sh
cargo build --release --locked --example bench_peers
exec benches/peers/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/bench_peers" "$@"
