#!/usr/bin/env bash
# What the tests need beyond a build: the real servers that they start, each on ports of their own.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/setup/build.sh
# shellcheck source=scripts/setup/packages.sh
. scripts/setup/packages.sh

need redis-server redis-server
need redis-cli redis-tools
# libavif: what others make of our AVIF sequences.
need avifdec libavif-bin
# Outside the path, in a folder for each version. The tests run clusters of their own, not Debian's.
need_ok postgresql sh -c 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb'
install_packages "the tests"
scripts/setup/varnish.sh
# S3 and other AWS services, where the server within the tests knows too little of them.
install_wheels scripts/setup/test-tools.txt .tools/moto "moto for the tests"
# What stands in for OpenSearch.
install_wheels scripts/setup/search-tools.txt .tools/opensearch "an OpenSearch-compatible server for the tests"
