#!/usr/bin/env bash
# What running tests for 64-bit ARM elsewhere needs: a cross compiler, its C library, qemu, and Rust's standard library.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup/build.sh
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need aarch64-linux-gnu-g++ g++-aarch64-linux-gnu
need_ok libc6-dev-arm64-cross test -d /usr/aarch64-linux-gnu/lib
need qemu-aarch64 qemu-user
install_packages "tests for ARM"
if ! rustup target list --installed | grep -q '^aarch64-unknown-linux-gnu$'; then
    echo "Installing Rust's standard library for aarch64-unknown-linux-gnu (rustup)"
    rustup target add aarch64-unknown-linux-gnu
fi
