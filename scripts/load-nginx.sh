#!/usr/bin/env bash
# The hit path beside nginx static and proxy_cache; arguments go to loadtest/nginx/compare.py.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/build.sh
scripts/setup/nginx.sh
cargo build --release --locked --bin tintype
exec loadtest/nginx/compare.py --binary "${CARGO_TARGET_DIR:-target}/release/tintype" "$@"
