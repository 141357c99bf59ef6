#!/usr/bin/env bash
# Runs each fuzz target for FUZZ_SECONDS (30), one after the other. FUZZ_TARGETS="url_parse render" chooses some.
# A finding ends its target, is kept under fuzz/artifacts, and fails the whole after all have run. What was learnt stays
# in fuzz/corpus for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup/fuzz.sh
PATH=$PWD/.tools/cargo/bin:$PATH
toolchain=${FUZZ_TOOLCHAIN:-nightly}
seconds=${FUZZ_SECONDS:-30}
read -ra targets <<<"${FUZZ_TARGETS:-$(cd fuzz/fuzz_targets && printf '%s ' *.rs | sed 's/\.rs//g')}"

found=()
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target"
    options=(-max_total_time="$seconds" -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=20 -print_final_stats=1)
    case $target in
    decode_* | jpeg)
        seeds=fuzz/seeds/${target#decode_}
        options+=(-max_len=16384 "-dict=fuzz/dictionaries/${target#decode_}.dict")
        ;;
    metadata) seeds=fuzz/seeds/metadata options+=(-max_len=8192) ;;
    gain_map) seeds=fuzz/seeds/gain_map options+=(-max_len=8192) ;;
    frames) seeds=fuzz/seeds/frames options+=(-max_len=16384) ;;
    proxy) seeds=fuzz/seeds/proxy options+=(-max_len=512) ;;
    render) seeds=fuzz/seeds/render options+=(-max_len=8192) ;;
    config) seeds=fuzz/seeds/config options+=(-max_len=4096 -dict=fuzz/dictionaries/config.dict) ;;
    *) seeds=fuzz/seeds/url options+=(-max_len=1024 -dict=fuzz/dictionaries/url.dict) ;;
    esac
    echo "=== $target, $seconds s"
    log=$(mktemp)
    if cargo "+$toolchain" fuzz run "$target" "fuzz/corpus/$target" "$seeds" -- "${options[@]}" >"$log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */ok: runs: /p; s/^stat::peak_rss_mb: */    peak memory, MB: /p' "$log"
    else
        found+=("$target")
        # All of it: not every finding comes again from its input alone.
        cp "$log" "fuzz/artifacts/$target/log.txt"
        grep -m 1 -A 3 -aE 'panicked at|ERROR: ' "$log" || true
        tail -n 4 "$log"
    fi
    rm -f "$log"
done
if [ ${#found[@]} -gt 0 ]; then
    echo "FINDINGS in: ${found[*]} (inputs and logs under fuzz/artifacts; fix with a test first)" >&2
    exit 1
fi
