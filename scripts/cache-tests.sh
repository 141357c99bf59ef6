#!/usr/bin/env bash
# The HTTP cache tests (https://cache-tests.fyi) against routes with an HTTP origin, through the adapter of the shared folder.
# Fails when a required test fails that docs/http-conformance.md does not list. Skips, and says so, what is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

shared=${TINTYPE_SHARED:-$(cd .. && pwd)/shared}
adapter=$shared/conformance/cache
for tool in node npm; do
    command -v "$tool" >/dev/null || { echo "cache tests: skipped, no $tool"; exit 0; }
done
[[ -f $adapter/shim.mjs && -f $adapter/subset-derived.json ]] || { echo "cache tests: skipped, no $adapter"; exit 0; }

# As the tests build it: for the binary alone all dependencies would be built again, with fewer features.
cargo test --quiet --locked --workspace --no-run
target=${CARGO_TARGET_DIR:-target}
place=$target/cache-tests
mkdir -p "$place"
if [[ ! -d $place/node_modules/http-cache-tests || ! -d $place/node_modules/sharp ]]; then
    echo "cache tests: installing http-cache-tests and sharp from npm into $place"
    (cd "$place" && echo '{"private": true}' >package.json && npm install --no-audit --no-fund http-cache-tests@0.4.5 sharp >/dev/null 2>&1) ||
        { echo "cache tests: skipped, npm cannot install them"; exit 0; }
fi
# CACHE_TESTS names a checkout of the suite; the edition in the registry is older.
suite=${CACHE_TESTS:-$place/node_modules/http-cache-tests}
engine=$suite
[[ -d $suite/test-engine ]] && engine=$suite/test-engine
# The query of an original is part of its path here: docs/origins.md.
sed "s|replace('{path}',q.url.slice(1))|replace('{path}',q.url.slice(1).replace('?','%3F'))|" "$adapter/shim.mjs" >"$place/shim.mjs"

# Five ports that are free now.
read -r edge admin test origin front < <(node -e '
    const net = require("net"), servers = []
    for (let i = 0; i < 5; i++) servers.push(net.createServer().listen(0, "127.0.0.1"))
    setTimeout(() => { console.log(servers.map(s => s.address().port).join(" ")); servers.forEach(s => s.close()) }, 50)')
cat >"$place/edge.toml" <<CONFIG
[server]
listen = ["127.0.0.1:$edge"]
admin = "127.0.0.1:$admin"
[[origins]]
name = "web"
kind = "http"
base = "http://127.0.0.1:$origin/"
allow_private = ["127.0.0.0/8"]
[origins.http]
retries = 0 # the suite counts requests
[[routes]]
prefix = "/raw/"
origin = "web"
originals = true
[[routes]]
prefix = "/img/"
origin = "web"
CONFIG

started=()
trap 'kill "${started[@]}" 2>/dev/null || true' EXIT
"$target/debug/tintype" serve --config "$place/edge.toml" >"$place/edge.log" 2>&1 &
started+=($!)
npm_config_protocol=http npm_config_port=$test npm_config_pidfile=$place/server.pid node "$engine/server/server.mjs" >"$place/server.log" 2>&1 &
started+=($!)

# What may fail, and why, is written in the documentation: the first column of its tables.
listed() { sed -n "/^## $1/,/^## $2/s/^| \`\([^\`]*\)\`.*/\1/p" docs/http-conformance.md; }
mapfile -t known < <(listed Required Optimal; [[ -n ${CACHE_TESTS:-} ]] || listed 'The edition' 'What the')
failed=0
for route in 'raw/{path}' 'img/{path}?w=8&f=png'; do
    (cd "$place" && exec node shim.mjs --front "$front" --origin "$origin" --test "$test" --template "http://127.0.0.1:$edge/$route") \
        >"$place/shim.log" 2>&1 &
    shim=$!
    started+=("$shim")
    for _ in $(seq 100); do grep -q 'shim up' "$place/shim.log" && break; sleep 0.1; done
    npm_config_base=http://127.0.0.1:$front npm_package_config_id='' node --no-warnings "$engine/cli.mjs" >"$place/results.json"
    kill "$shim" 2>/dev/null || true
    wait "$shim" 2>/dev/null || true
    node scripts/cache-tests.mjs "$suite" "$place/results.json" "$adapter/subset-derived.json" "$route" "${known[@]}" || failed=1
done
exit "$failed"
