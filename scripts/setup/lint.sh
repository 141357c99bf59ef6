#!/usr/bin/env bash
# The linters of lint-tools.txt, in .tools/lint. Needs Python 3 with venv; touches nothing outside .tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

install_wheels scripts/setup/lint-tools.txt .tools/lint "the linters"
