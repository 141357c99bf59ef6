#!/usr/bin/env bash
# Builds tintype-standalone as it would be shipped and starts it in the foreground; Ctrl-C ends it. Data are kept in data/; the
# first start makes an administrator, prints the password once, and imports samples/ so that there is something to see.
# Arguments go to `tintype-standalone serve`. Another address:  TINTYPE__SERVER__LISTEN=127.0.0.1:9000 make run
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --locked -p tintype-standalone -p tintype
listen=$(sed -n 's/^listen *= *\["\([^"]*\)".*/\1/p' config.toml | head -n 1)
base=http://${TINTYPE__SERVER__LISTEN:-$listen}
cat <<TXT

  $base/                                            the console: sign in, upload, find
  $base/samples                                     the samples, with a form for the parameters
  $base/a/main/samples/landscape.jpg?w=800&f=auto   12 megapixels, 800 wide, in the best format your browser takes
  $base/img/river.jpg?wm=tintype:se:16:16:0.15      a mark in a corner

TXT
exec cargo run --quiet --release --locked -p tintype-standalone -- serve --config config.toml --first-import samples \
  --set page.enabled=true --set watermarks.0.name=tintype --set watermarks.0.file=samples/marks/tintype.png "$@"
