#!/usr/bin/env bash
# The hit path beside nginx and Varnish; arguments go to loadtest/peers/compare.py.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/build.sh
scripts/setup/nginx.sh
case " $* " in *" --varnish "*) scripts/setup/varnish.sh ;; esac
target=${CARGO_TARGET_DIR:-target}/release
cargo build --release --locked --bin tintype
arguments=(--binary "$target/tintype")
case "$*" in
*h3*)
    scripts/setup/nginx-h3.sh
    cargo build --release --locked -p tintype-testkit --example load
    arguments+=(--load "$target/examples/load")
    ;;
esac
exec loadtest/peers/compare.py "${arguments[@]}" "$@"
