#!/usr/bin/env bash
# Schemathesis (https://schemathesis.io) against the documents of auth, ingest, index and search, served by one
# tintype-standalone with everything in a folder that is thrown away. Fails on findings. What is left aside, and why, stands in
# scripts/schemathesis.toml. SCHEMATHESIS_CASES (60) is how many cases each operation gets; arguments choose services.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh
install_wheels scripts/setup/schemathesis.txt .tools/schemathesis "Schemathesis"

place=$(mktemp -d)
server=
# shellcheck disable=SC2329 # by the trap
end() {
    [ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$place"
}
trap end EXIT

binary=${TINTYPE_STANDALONE:-}
if [ -z "$binary" ]; then
    cargo build --quiet --locked --package tintype-standalone
    binary=${CARGO_TARGET_DIR:-target}/debug/tintype-standalone
fi
"$binary" serve --set server.listen=127.0.0.1:0 --set server.admin=127.0.0.1:0 --set log.format=json --set "platform.data=$place/data" \
    --set auth.access_token=1h --set requests.rate=0.0 --set auth.lockout.account_network=1000 --set auth.lockout.account=10000 \
    --set auth.lockout.network=100000 >"$place/out.txt" 2>"$place/log.json" &
server=$!
for _ in $(seq 300); do
    base=$(sed -n 's/.*"address":"\(127[^"]*\)".*/http:\/\/\1/p' "$place/log.json" | head -n 1)
    if [ -n "$base" ] && curl --silent --fail --output /dev/null "$base/auth/v1/openapi.json"; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$place/log.json" >&2; exit 1; }
    sleep 0.1
done
email=$(sed -n 's/ *e-mail: *//p' "$place/out.txt")
password=$(sed -n 's/ *password: *//p' "$place/out.txt")
token=$(curl --silent --fail "$base/auth/v1/sign-in" --json "{\"email\":\"$email\",\"password\":\"$password\"}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["accessToken"])')
# Something that can be found, changed and deleted.
for name in cats/tom.jpg cats/kim.jpg dogs/rex.jpg; do
    curl --silent --fail --output /dev/null --header "Authorization: Bearer $token" --upload-file samples/aeroplane.jpg \
        "$base/ingest/v1/files/$name"
done

services=("$@")
[ ${#services[@]} -gt 0 ] || services=(search index ingest auth)
failed=0
for service in "${services[@]}"; do
    echo "schemathesis: $service"
    # It keeps notes where it runs.
    (cd "$place" && SCHEMATHESIS_HOOKS=schemathesis_hooks PYTHONPATH="$here/scripts" PYTHONDONTWRITEBYTECODE=1 \
        "$here/.tools/schemathesis/bin/st" --config-file "$here/scripts/schemathesis.toml" run \
        "$base/$service/v1/openapi.json" --header "Authorization: Bearer $token" --max-examples "${SCHEMATHESIS_CASES:-60}" \
        --workers 2 --continue-on-failure) || failed=1
done
exit $failed
