#!/usr/bin/env bash
# Builds the image, runs it as it should be run (read-only, no capabilities, own network), and proves that it becomes
# healthy, serves a resized picture, and stops cleanly. Removes the container afterwards; keeps the image `tintype:local`.
# DOCKER_BUILD_ARGS go to `docker build`.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v docker >/dev/null 2>&1; then
    echo "Docker is missing. On Debian:  apt-get install docker.io   Elsewhere: https://docs.docker.com/engine/install/" >&2
    exit 1
fi
if ! docker info >/dev/null 2>&1; then
    echo "The Docker engine does not answer: is it running, and may you use it (group docker)?" >&2
    exit 1
fi

read -ra build_args <<<"${DOCKER_BUILD_ARGS:-}"
DOCKER_BUILDKIT=1 docker build ${build_args[@]+"${build_args[@]}"} --file docker/Dockerfile --tag tintype:local .

container=$(docker run --detach --publish 127.0.0.1::8080 --read-only --tmpfs /tmp:size=16m --cap-drop ALL \
    --security-opt no-new-privileges --memory 2g --pids-limit 256 --health-interval 1s tintype:local)
trap 'docker rm --force "$container" >/dev/null' EXIT

health=starting
for _ in $(seq 60); do
    health=$(docker inspect --format '{{.State.Health.Status}}' "$container")
    [ "$health" = starting ] || break
    sleep 0.5
done
[ "$health" = healthy ] || { docker logs "$container" >&2; echo "FAILED: the container is $health" >&2; exit 1; }

address=$(docker port "$container" 8080/tcp | head -n 1)
user=$(docker exec "$container" id -u)
[ "$user" = 10001 ] || { echo "FAILED: runs as user $user" >&2; exit 1; }
python3 - "http://$address/img/river.jpg?w=200&f=png" <<'PY'
import sys, struct, urllib.request
body = urllib.request.urlopen(sys.argv[1], timeout=20).read()
size = struct.unpack(">II", body[16:24])
assert body.startswith(b"\x89PNG") and size == (200, 133), f"unexpected picture: {body[:16]!r} {size}"
print(f"ok: {sys.argv[1]} is a PNG of {size[0]}×{size[1]}, {len(body)} bytes")
PY

docker stop --time 20 "$container" >/dev/null
code=$(docker inspect --format '{{.State.ExitCode}}' "$container")
[ "$code" = 0 ] || { docker logs "$container" >&2; echo "FAILED: it ended with $code" >&2; exit 1; }
echo "ok: healthy, unprivileged, stopped cleanly; $(docker image inspect --format '{{.Size}}' tintype:local) bytes"
