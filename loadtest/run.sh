#!/usr/bin/env bash
# Runs scenarios, each against a server of its own (release build, samples/, loopback), and fails where one breaks its budget.
#
#   loadtest/run.sh [hits] [misses] [stampede] [mixed] [overload] [crowd] [burst] [soak]
#                        the first four by k6, the others by loadtest/load; without arguments all but soak
#   LOAD_SECONDS=20      length of hits, misses and mixed
#   LOAD_DRAIN=1         mixed: SIGTERM in the middle; another server takes over the port as soon as it is free
#   LOAD_PORT=18080      k6's; the next one is the admin port
#   SOAK_SECONDS=3600    length of soak
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/build.sh

scenarios=("$@")
[ ${#scenarios[@]} -gt 0 ] || scenarios=(hits misses stampede mixed overload crowd burst)
by_k6=()
own=()
for scenario in "${scenarios[@]}"; do
    case $scenario in
    overload | crowd | burst | soak) own+=("$scenario") ;;
    *) by_k6+=("$scenario") ;;
    esac
done
port=${LOAD_PORT:-18080}
export LOAD_SECONDS=${LOAD_SECONDS:-20}
export TINTYPE_URL=http://127.0.0.1:$port TINTYPE_ADMIN=http://127.0.0.1:$((port + 1))

cargo build --release --locked --bin tintype
binary=${CARGO_TARGET_DIR:-target}/release/tintype
failed=()
for scenario in "${own[@]}"; do
    echo "=== $scenario"
    arguments=("$scenario")
    [ "$scenario" != soak ] || arguments+=(--seconds "${SOAK_SECONDS:-3600}")
    cargo run --release --locked --quiet -p tintype-testkit --example load -- --binary "$binary" "${arguments[@]}" || failed+=("$scenario")
done

# The verdict over all of them.
tell() {
    if [ ${#failed[@]} -gt 0 ]; then
        echo "OVER BUDGET: ${failed[*]}" >&2
        exit 1
    fi
    echo "All within budget: ${scenarios[*]}"
}
if [ ${#by_k6[@]} -eq 0 ]; then
    tell
    exit
fi

scripts/setup/load.sh
PATH=$PWD/.tools/bin:$PATH
work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null && wait "$server"; } || true
    rm -rf "$work"
}
trap stop EXIT

start() {
    TINTYPE__SERVER__LISTEN=127.0.0.1:$port TINTYPE__SERVER__ADMIN=127.0.0.1:$((port + 1)) \
        "$binary" serve --config config.toml >>"$work/server.log" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        if TINTYPE__SERVER__ADMIN=127.0.0.1:$((port + 1)) "$binary" health >/dev/null 2>&1; then return; fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$work/server.log" >&2
    echo "The server did not start." >&2
    exit 1
}

# SIGTERM in the middle of the load. The exit code says whether it drained in time.
drain_in_the_middle() {
    sleep $((LOAD_SECONDS / 2))
    kill -TERM "$server"
    local code=0
    wait "$server" || code=$?
    echo "the server drained and ended with $code"
    start
    [ "$code" -eq 0 ] || failed+=("drain")
}

start
for scenario in "${by_k6[@]}"; do
    echo "=== $scenario"
    export LOAD_RUN="$scenario-$$-$RANDOM"
    k6 run --quiet --no-usage-report --summary-mode=compact "loadtest/$scenario.js" &
    k6=$!
    if [ "$scenario" = mixed ] && [ -n "${LOAD_DRAIN:-}" ]; then drain_in_the_middle; fi
    wait "$k6" || failed+=("$scenario")
done
if grep -E '"level":"ERROR"|panicked' "$work/server.log" >&2; then failed+=("the server's log"); fi
tell
