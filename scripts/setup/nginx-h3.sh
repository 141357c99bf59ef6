#!/usr/bin/env bash
# nginx with HTTP/3 for the comparison of hit paths, where the system's own has none: Debian 13's, with the libraries that it
# needs, unpacked into .tools/nginx-h3. Nothing is installed, and the system's own lists of packages are not touched.
set -euo pipefail
cd "$(dirname "$0")/../.."
place=$PWD/.tools/nginx-h3

if [ -x "$place/nginx" ]; then exit 0; fi
if nginx -V 2>&1 | grep -q http_v3_module; then
    mkdir -p "$place"
    ln -sf "$(command -v nginx)" "$place/nginx"
    exit 0
fi
missing() {
    echo "Missing: an nginx with HTTP/3 (1.25 or newer); install it with your system's package manager." >&2
    exit 1
}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
if ! command -v apt-get >/dev/null 2>&1 || [ ! -e "$keys" ]; then missing; fi
# The mirror that this system itself uses.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v -- -security | head -n 1 || true)
if [ -z "$mirror" ]; then missing; fi
echo "Unpacking Debian 13's nginx into .tools/nginx-h3 (apt-get download)"
apt=$place/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$place/root"
echo "deb [signed-by=$keys] $mirror trixie main" >"$apt/sources.list"
cat >"$apt/apt.conf" <<END
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt";
APT::Architecture "$(dpkg --print-architecture)";
APT::Sandbox::User "";
END
export APT_CONFIG=$apt/apt.conf
apt-get update -qq
(cd "$apt" && apt-get download -qq nginx libc6 libssl3t64 libcrypt1 libpcre2-8-0 zlib1g libzstd1)
for package in "$apt"/*.deb; do dpkg -x "$package" "$place/root"; done
rm -rf "$apt"
# Run by the C library that it was unpacked with, not by the system's older one.
loader=$(find "$place/root/usr/lib" -name 'ld-linux*.so.*' -type f | head -n 1)
cat >"$place/nginx" <<END
#!/bin/sh
exec "$loader" --library-path "$(dirname "$loader")" "$place/root/usr/sbin/nginx" "\$@"
END
chmod +x "$place/nginx"
"$place/nginx" -v
