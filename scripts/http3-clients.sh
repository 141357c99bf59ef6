#!/usr/bin/env bash
# Three HTTP/3 clients that are not ours fetch every sample, and get the same bytes as over HTTP/1.1: aioquic (PyPI), ngtcp2's
# (Debian: ngtcp2-client), Chromium. A client that is not there and cannot be installed is named and skipped;
# HTTP3_NEED_CLIENTS=1 makes that a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/edge.sh
. scripts/edge.sh
# shellcheck disable=SC2119
start_edge
port=${secure_address##*:}
failed=0 skipped=0

mapfile -t names < <(cd samples && find . -type f ! -name '*.md' ! -name '*.txt' ! -name '*.toml' -printf '%P\n' | sort)
targets=()
for name in "${names[@]}"; do
    # An original that is not a picture of its own is no target.
    status=$(curl -s -o "$place/expected" -w '%{http_code}' "http://$address/img/$name?w=300&f=webp")
    [ "$status" = 200 ] || continue
    mv "$place/expected" "$place/expected-${#targets[@]}"
    targets+=("/img/$name?w=300&f=webp")
done
echo "samples: ${#targets[@]}"
[ "${#targets[@]}" -gt 0 ]

verdict() { # CLIENT GOT: how many of the files CLIENT-n are the expected ones
    local same=0 number
    for number in "${!targets[@]}"; do
        cmp -s "$place/expected-$number" "$place/$1-$number" && same=$((same + 1))
    done
    echo "$2: $same of ${#targets[@]} intact"
    [ "$same" -eq "${#targets[@]}" ] || failed=1
}
skip() {
    echo "$1: skipped, $2"
    skipped=1
}

tools=$PWD/.tools/http3
if [ ! -x "$tools/bin/python" ]; then
    { python3 -m venv "$tools" && "$tools/bin/pip" install -q aioquic==1.7.2; } >/dev/null 2>&1 || rm -rf "$tools"
fi
if [ -x "$tools/bin/python" ]; then
    "$tools/bin/python" scripts/http3-aioquic.py 127.0.0.1 "$port" "$place/cert.pem" "$place/aioquic" "${targets[@]}" || failed=1
    verdict aioquic "aioquic $("$tools/bin/pip" list 2>/dev/null | sed -n 's/^aioquic *//p')"
else
    skip aioquic "no Python 3 with venv, or no way to PyPI"
fi

# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh
need gtlsclient ngtcp2-client
(install_packages "HTTP/3 clients") >/dev/null 2>&1 || true
if command -v gtlsclient >/dev/null; then
    for number in "${!targets[@]}"; do
        mkdir -p "$place/ngtcp2"
        rm -f "$place"/ngtcp2/*
        gtlsclient -q --exit-on-all-streams-close --download="$place/ngtcp2" 127.0.0.1 "$port" \
            "https://img.test:$port${targets[$number]}" >/dev/null 2>&1 || true
        find "$place/ngtcp2" -type f -exec mv {} "$place/ngtcp2-$number" \; -quit
    done
    verdict ngtcp2 "ngtcp2 $(dpkg-query -W -f '${Version}' ngtcp2-client 2>/dev/null || true)"
else
    skip ngtcp2 "no gtlsclient (Debian: ngtcp2-client)"
fi

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -n "$chromium" ] && command -v node >/dev/null; then
    printf '%s\n' "${targets[@]}" >"$place/targets"
    timeout 120 node scripts/http3-chromium.mjs "$chromium" "$port" "$public_key" "$place" || failed=1
    verdict chromium "$("$chromium" --version 2>/dev/null | head -n 1)"
else
    skip Chromium "no Chromium, or no Node.js"
fi

[ "$failed" -eq 0 ] && { [ "$skipped" -eq 0 ] || [ "${HTTP3_NEED_CLIENTS:-}" != 1 ]; }
