#!/usr/bin/env bash
# The linters of lint-tools.txt, in .tools/lint. Needs Python 3 with venv; touches nothing outside .tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

list=scripts/setup/lint-tools.txt
tools=.tools/lint
cmp -s "$list" "$tools/installed.txt" && exit 0

need python3 python3
need_ok python3-venv python3 -c 'import ensurepip, venv'
install_packages "the linters"
echo "Installing the linters of $list into $tools (pip)"
rm -rf "$tools"
python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check --retries 2 --requirement "$list"
cp "$list" "$tools/installed.txt"
