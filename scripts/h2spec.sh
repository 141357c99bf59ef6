#!/usr/bin/env bash
# h2spec (https://github.com/summerwind/h2spec) against HTTP/2 over TLS; fails below 145 of its 146 tests.
# Needs Go for the first run: h2spec is built into .tools/bin.
set -euo pipefail
cd "$(dirname "$0")/.."
goal=${H2SPEC_GOAL:-145}

if ! [ -x .tools/bin/h2spec ] && ! command -v h2spec >/dev/null 2>&1; then
    if ! command -v go >/dev/null 2>&1; then
        echo "h2spec: skipped, it is not there and neither is Go (https://go.dev/dl) to install it"
        exit 0
    fi
    echo "Installing h2spec into .tools/bin (go install)"
    mkdir -p .tools/bin
    GOBIN=$PWD/.tools/bin go install github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
fi
PATH=$PWD/.tools/bin:$PATH

# shellcheck source=scripts/edge.sh
. scripts/edge.sh
# shellcheck disable=SC2119
start_edge
h2spec --host 127.0.0.1 --port "${secure_address##*:}" --tls --insecure --timeout 2 "$@" | tee "$place/h2spec.txt"
passed=$(sed -n 's/^[0-9]* tests, \([0-9]*\) passed.*/\1/p' "$place/h2spec.txt" | tail -n 1)
echo "h2spec: ${passed:-none} passed; goal: $goal"
[ "${passed:-0}" -ge "$goal" ]
