#!/usr/bin/env bash
# k6, into .tools/bin, by its Go module (some minutes once). Needs Go.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=v1.8.1

if command -v k6 >/dev/null 2>&1 || [ -x .tools/bin/k6 ]; then exit 0; fi
if ! command -v go >/dev/null 2>&1; then
    echo "Missing for load tests: k6, or Go 1.24 or newer to install it (https://go.dev/dl; Debian 12 has an older one)." >&2
    exit 1
fi
echo "Installing k6 $version into .tools/bin (go install, some minutes)"
mkdir -p .tools/bin
GOBIN=$PWD/.tools/bin go install "go.k6.io/k6@$version"
