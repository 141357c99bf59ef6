#!/usr/bin/env bash
# What fuzzing needs beyond a build: a nightly compiler and cargo-fuzz (into .tools/cargo, about a minute).
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup/build.sh

toolchain=${FUZZ_TOOLCHAIN:-nightly}
if ! rustup toolchain list | grep -q "^$toolchain"; then
    echo "Installing the Rust toolchain $toolchain for fuzzing (rustup)"
    rustup toolchain install "$toolchain" --profile minimal
fi
if ! command -v cargo-fuzz >/dev/null 2>&1 && [ ! -x .tools/cargo/bin/cargo-fuzz ]; then
    echo "Installing cargo-fuzz into .tools/cargo (cargo install)"
    CARGO_TARGET_DIR=.tools/build cargo install --quiet --locked --root .tools/cargo cargo-fuzz@0.13.2
    rm -rf .tools/build
fi
