#!/usr/bin/env bash
# Bytes at equal score beside sharp, libvips and imgproxy, and how near q=auto comes; arguments go to
# benches/quality/compare.py.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/build.sh
scripts/setup/peers.sh
cargo build --release --locked -p tintype-imaging --example bench_quality
exec benches/quality/compare.py --ours "${CARGO_TARGET_DIR:-target}/release/examples/bench_quality" "$@"
