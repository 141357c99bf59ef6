#!/usr/bin/env bash
# The edge's page and the console in headless Chromium (tests/browser). Skips, and says so, where Node.js or Chromium is missing: both are
# large, and nothing else here needs them. SCREENSHOTS=directory keeps a picture of every test.
set -euo pipefail
cd "$(dirname "$0")/.."

playwright_version=1.65.1

chromium=${CHROMIUM:-}
for name in chromium chromium-browser google-chrome; do
    [ -n "$chromium" ] || chromium=$(command -v "$name" || true)
done
missing=()
[ -n "$chromium" ] || missing+=(chromium)
command -v node >/dev/null 2>&1 || missing+=(nodejs)
command -v npm >/dev/null 2>&1 || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    echo "Browser tests skipped: missing ${missing[*]} (names of the Debian packages)"
    exit 0
fi

tools=$PWD/.tools/browser
if ! grep -qs "\"version\": \"$playwright_version\"" "$tools/node_modules/playwright-core/package.json"; then
    echo "Installing playwright-core $playwright_version into .tools/browser (npm)"
    mkdir -p "$tools"
    npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel=error "playwright-core@$playwright_version"
fi

cargo build --locked --bin tintype --bin tintype-standalone
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
if [ -n "${SCREENSHOTS:-}" ]; then
    mkdir -p "$SCREENSHOTS"
    SCREENSHOTS=$(cd "$SCREENSHOTS" && pwd)
    export SCREENSHOTS
fi
TINTYPE_BINARY=$target/debug/tintype STANDALONE_BINARY=$target/debug/tintype-standalone CHROMIUM=$chromium \
    PLAYWRIGHT=$tools/node_modules/playwright-core node --test tests/browser/page.test.mjs tests/browser/console.test.mjs
