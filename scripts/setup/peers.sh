#!/usr/bin/env bash
# libvips (PyPI's pyvips-binary) and sharp (npm) into .tools/peers, pinned, for `make bench-peers`.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh
pyvips=3.2.0 binary=8.18.7 sharp=0.35.5

tools=.tools/peers
[ "$(cat "$tools/installed" 2>/dev/null)" != "$pyvips $binary $sharp" ] || exit 0
need python3 python3
need_ok python3-venv python3 -c 'import ensurepip, venv'
need taskset util-linux
need npm npm
install_packages "the peers"
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "Missing for sharp: Node.js 20 or newer (https://nodejs.org); this is $(node --version)." >&2
    exit 1
fi
echo "Installing pyvips-binary $binary (pip) and sharp $sharp (npm) into $tools"
mkdir -p "$tools"
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check "pyvips==$pyvips" "pyvips-binary==$binary"
npm install --silent --no-audit --no-fund --no-save --prefix "$tools" "sharp@$sharp"
echo "$pyvips $binary $sharp" >"$tools/installed"
