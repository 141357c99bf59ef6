#!/usr/bin/env bash
# Lints everything that is not Rust: shell, Dockerfile, YAML, workflows, spelling; and licences where cargo-deny is there.
#
#   scripts/lint.sh             fails when a linter cannot be installed
#   scripts/lint.sh --optional  says so and goes on: a registry that is down must not stop a change; findings always do
set -euo pipefail
cd "$(dirname "$0")/.."

if ! timeout 300 scripts/setup/lint.sh; then
    echo "SKIPPED: the linters for shell, Docker, YAML and spelling could not be installed"
    [ "${1:-}" = --optional ] && exit 0
    exit 1
fi

bin=$PWD/.tools/lint/bin
failed=0
# run TITLE COMMAND…: one linter; a finding fails the whole, after all have spoken.
run() {
    local title=$1
    shift
    if "$@"; then echo "ok: $title"; else
        echo "FAILED: $title" >&2
        failed=1
    fi
}
# files PATTERN…: tracked files and new ones that are not ignored.
files() { git ls-files --cached --others --exclude-standard --deduplicate -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done; }

mapfile -t shell < <(files '*.sh' '.ci/run')
mapfile -t yaml < <(files '*.yaml' '*.yml')
mapfile -t docker < <(files '*Dockerfile')
run "shellcheck, ${#shell[@]} files" "$bin/shellcheck" --external-sources "${shell[@]}"
[ ${#yaml[@]} -eq 0 ] || run "yamllint, ${#yaml[@]} files" "$bin/yamllint" --strict "${yaml[@]}"
[ ${#docker[@]} -eq 0 ] || run "hadolint, ${#docker[@]} files" "$bin/hadolint" "${docker[@]}"
[ ! -d .github/workflows ] || run "zizmor" "$bin/zizmor" --offline --quiet --no-progress .github/workflows
run "typos" "$bin/typos"
if command -v cargo-deny >/dev/null 2>&1; then
    run "cargo-deny" cargo deny --log-level error check bans licenses sources
else
    echo "note: cargo-deny is not installed; its lists are held by the test 'licences' (crates/testkit)"
fi
exit $failed
