#!/usr/bin/env bash
# Builds the edge server as it would be shipped and serves samples/ with it, in the foreground; Ctrl-C ends it.
# Arguments go to `tintype serve`. Another address:  TINTYPE__SERVER__LISTEN=127.0.0.1:9000 make run
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked --bin tintype
listen=$(sed -n 's/^listen *= *\["\([^"]*\)".*/\1/p' config.toml | head -n 1)
base=http://${TINTYPE__SERVER__LISTEN:-$listen}
cat <<TXT

  $base/                                       the samples, with a form for the parameters
  $base/img/landscape.jpg?w=800&f=auto         12 megapixels, 800 wide, in the best format your browser takes
  $base/img/logo.png?w=320&f=webp&bg=ffd166    transparency on a colour
  $base/img/river.jpg?wm=tintype:se:16:16:0.15 a mark in a corner

TXT
exec cargo run --quiet --release --locked --bin tintype -- serve --config config.toml --set page.enabled=true \
  --set watermarks.0.name=tintype --set watermarks.0.file=samples/marks/tintype.png "$@"
