#!/usr/bin/env bash
# nginx and wrk for the comparison of hit paths. On Debian nginx is unpacked into .tools/nginx rather than installed, so
# that no web server starts on port 80 of this machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

need wrk wrk
need h2load nghttp2-client
need openssl openssl
need python3 python3
need taskset util-linux
install_packages "the comparison with nginx"
if command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || [ -x .tools/nginx/usr/sbin/nginx ]; then exit 0; fi
unpack_package nginx .tools/nginx
if ! .tools/nginx/usr/sbin/nginx -v 2>/dev/null; then
    echo "It needs libraries of your system:" >&2
    ldd .tools/nginx/usr/sbin/nginx | grep 'not found' >&2
    exit 1
fi
