"""The same work by libvips, through pyvips: FILE SPEC THREADS SECONDS, one line of JSON. Caches off, one thread a picture."""
import json
import os
import statistics
import sys
import threading
import time

os.environ["VIPS_CONCURRENCY"] = "1"
import pyvips

pyvips.cache_set_max(0)
pyvips.cache_set_max_mem(0)
file, spec, threads, seconds = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
data = open(file, "rb").read()


def once():
    image = pyvips.Image.thumbnail_buffer(data, spec["width"], height=10_000_000, size="down")
    quality = spec.get("q")
    if spec["format"] == "jpeg":
        return image.jpegsave_buffer(Q=quality, keep="none"), image
    if spec["format"] == "webp":
        return image.webpsave_buffer(Q=quality, effort=spec["effort"], keep="none"), image
    if spec["format"] == "avif":
        return image.heifsave_buffer(compression="av1", Q=quality, effort=spec["effort"], keep="none"), image
    return image.pngsave_buffer(keep="none"), image


results = []


def work():
    for _ in range(3):
        out, image = once()
    start, times = time.perf_counter(), []
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        out, image = once()
        times.append(time.perf_counter() - before)
    results.append((times, time.perf_counter() - start, out, image.width, image.height))


workers = [threading.Thread(target=work) for _ in range(threads)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
times = [t for row in results for t in row[0]]
print(json.dumps({
    "rate": sum(len(row[0]) / row[1] for row in results),
    "median_ms": statistics.median(times) * 1e3,
    "bytes": len(results[0][2]),
    "width": results[0][3],
    "height": results[0][4],
}))
if "BENCH_OUT" in os.environ:
    open(os.environ["BENCH_OUT"], "wb").write(results[0][2])
