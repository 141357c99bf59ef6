#!/usr/bin/env bash
# What a build needs beyond Rust: a C compiler, CMake and an assembler for the image encoders written in C.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

[ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ] && PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
if ! command -v cargo >/dev/null 2>&1; then
    echo "Rust is missing. Install rustup from https://rustup.rs, then run the same command again;" >&2
    echo "rust-toolchain.toml chooses the version." >&2
    exit 1
fi
need cc gcc
need c++ g++
need make make
need cmake cmake
case $(uname -m) in x86_64 | amd64) need nasm nasm ;; esac
install_packages "the build"
