#!/usr/bin/env bash
# Varnish for the tests of what stands in front. On Debian it is unpacked into .tools/varnish rather than installed, so that
# no cache starts on this machine by itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

if command -v varnishd >/dev/null 2>&1 || [ -x /usr/sbin/varnishd ] || [ -x .tools/varnish/usr/sbin/varnishd ]; then exit 0; fi
if ! command -v apt-get >/dev/null 2>&1; then
    need varnishd varnish
    install_packages "the tests with Varnish in front"
    exit
fi
# What varnishd is linked with; it compiles its configuration with gcc.
linked() { ldconfig -p | grep -q "$1"; }
need_ok libjemalloc2 linked libjemalloc.so.2
need_ok libpcre2-8-0 linked libpcre2-8.so.0
need gcc gcc
install_packages "the tests with Varnish in front"
unpack_package varnish .tools/varnish
if ! .tools/varnish/usr/sbin/varnishd -V 2>/dev/null; then
    echo "It needs libraries of your system:" >&2
    ldd .tools/varnish/usr/sbin/varnishd | grep 'not found' >&2
    exit 1
fi
