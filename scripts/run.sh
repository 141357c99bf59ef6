#!/usr/bin/env bash
# Builds tintype-standalone as it would be shipped and starts it in the foreground; Ctrl-C ends it. Data are kept in data/; the
# first start makes an administrator, prints the password once, and imports samples/ so that there is something to see.
# Arguments go to `tintype-standalone serve`. Another address:  TINTYPE__SERVER__LISTEN=127.0.0.1:9000 make run
# A quick build that runs slowly:  PROFILE=dev make run
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${PROFILE:-release}
cargo build --profile "$profile" --locked -p tintype-standalone -p tintype
target=$(cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
binaries=$target/$profile
[ "$profile" != dev ] || binaries=$target/debug
listen=$(sed -n 's/^listen *= *\["\([^"]*\)".*/\1/p' config.toml | head -n 1)
base=http://${TINTYPE__SERVER__LISTEN:-$listen}
cat <<TXT

  $base/                         the console: sign in, upload, find, copy URLs
  $base/samples                  the samples, with a form for the parameters
  $base/img/river.jpg?w=400      one of them, 400 wide
  $base/img/river.jpg?wm=tintype:se:16:16:0.15   with a mark in a corner

  On the command line:
    $binaries/tintype login --server $base
    $binaries/tintype upload photo.jpg
    $binaries/tintype sign --remote 'photo.jpg?w=800&f=auto'

TXT
# The password and these lines should not scroll away under those of each request.
exec "$binaries/tintype-standalone" serve --config config.toml --first-import samples \
  --set log.filter=warn,standalone=info --set page.enabled=true --set watermarks.0.name=tintype --set watermarks.0.file=samples/marks/tintype.png "$@"
