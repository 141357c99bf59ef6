# shellcheck shell=bash
# Sourced by scripts that test a running server from outside: `start_edge [--set …]` serves samples/ with TLS and HTTP/3
# on ports of the system's choice, with a certificate made for the purpose, until the script ends.
# Sets place (a folder of its own), address, secure_address, and public_key (its SHA-256 in Base64).

place=$(mktemp -d)
edge=
end_edge() {
    [ -z "$edge" ] || { kill "$edge" && wait "$edge"; } 2>/dev/null || true
    rm -rf "$place"
}
trap end_edge EXIT

start_edge() {
    local binary=${TINTYPE:-}
    if [ -z "$binary" ]; then
        cargo build --quiet --locked --package tintype
        binary=${CARGO_TARGET_DIR:-target}/debug/tintype
    fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -keyout "$place/key.pem" -out "$place/cert.pem" \
        -subj /CN=img.test -addext subjectAltName=DNS:img.test,DNS:localhost,IP:127.0.0.1 2>/dev/null
    public_key=$(openssl x509 -in "$place/cert.pem" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
    "$binary" serve --set server.listen=127.0.0.1:0 --set server.admin=127.0.0.1:0 --set log.format=json \
        --set tls.listen=127.0.0.1:0 --set tls.http3=true \
        --set "tls.certificates.0.cert=$place/cert.pem" --set "tls.certificates.0.key=$place/key.pem" "$@" 2>"$place/edge.log" &
    edge=$!
    for _ in $(seq 300); do
        [ "$(grep -c '"listening"' "$place/edge.log")" -ge 2 ] && break
        kill -0 "$edge" 2>/dev/null || break
        sleep 0.1
    done
    address=$(sed -n 's/.*"address":"\([^"]*\)".*"tls":false.*/\1/p;s/.*"tls":false.*"address":"\([^"]*\)".*/\1/p' "$place/edge.log" | head -n 1)
    secure_address=$(sed -n 's/.*"address":"\([^"]*\)".*"tls":true.*/\1/p;s/.*"tls":true.*"address":"\([^"]*\)".*/\1/p' "$place/edge.log" | head -n 1)
    export address secure_address public_key
    [ -n "$address" ] && [ -n "$secure_address" ] || { cat "$place/edge.log" >&2; return 1; }
}
