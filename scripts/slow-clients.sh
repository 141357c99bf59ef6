#!/usr/bin/env bash
# slowhttptest (Debian) against a running server: slow heads, slow bodies, slow reading, each with SLOW_CONNECTIONS (1000)
# connections for SLOW_SECONDS (20). Meanwhile a picture has to be served within a second, each time it is asked for.
set -euo pipefail
cd "$(dirname "$0")/.."
connections=${SLOW_CONNECTIONS:-1000} seconds=${SLOW_SECONDS:-20}
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh
need slowhttptest slowhttptest
install_packages "tests with slow clients" || { echo "slow clients: skipped"; exit 0; }
# shellcheck source=scripts/edge.sh
. scripts/edge.sh
start_edge --set server.header_timeout=5s --set server.write_timeout=5s
url="http://$address/img/river.jpg?w=1200&f=jpeg&q=95"
curl -sf -o "$place/expected" "$url"
failed=0
for mode in "H -i 10 -x 24" "B -i 10 -s 8192 -x 24" "X -k 3 -w 10 -y 20 -n 5 -z 32"; do
    read -ra options <<<"$mode"
    slowhttptest "-${options[0]}" "${options[@]:1}" -c "$connections" -r 500 -l "$seconds" -p 3 -u "$url" >"$place/slow.txt" 2>&1 &
    slow=$!
    asked=0 served=0
    while kill -0 "$slow" 2>/dev/null; do
        asked=$((asked + 1))
        if curl -sf -m 1 -o "$place/got" "$url" && cmp -s "$place/expected" "$place/got"; then served=$((served + 1)); fi
        sleep 0.2
    done
    wait "$slow" || true
    # It draws its report anew each second: the last one counts.
    available=$(tr '\r' '\n' <"$place/slow.txt" | sed 's/\x1b\[[0-9;]*m//g' | sed -n 's/.*service available: *//p' | tail -n 1)
    echo "slowhttptest -${options[0]}, $connections connections: service available: ${available:-unknown}; meanwhile $served of $asked answers in time"
    { [ "${available:-}" = YES ] && [ "$served" -eq "$asked" ]; } || failed=1
done
exit "$failed"
