#!/usr/bin/env python3
"""Renders the same pictures with Tintype's engine, libvips and sharp, and prints the comparison as markdown.

Fair: input and output in memory, the same output size and quality setting, one thread a picture, caches off, warmed up;
the peers take turns, in an order that changes from round to round; figures are medians over rounds. Peak memory is VmHWM
of a whole process with four pictures in flight, and so includes each runtime (an idle Python with pyvips, an idle Node).

  compare.py --ours BINARY [--rounds 5] [--seconds 2] [--only NAME]

Pictures: photographs of TINTYPE_SHARED (or ../shared) when they are there, else samples/. Standard library only.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools" / "peers"
PYTHON = TOOLS / "venv" / "bin" / "python"
SHARED = pathlib.Path(os.environ.get("TINTYPE_SHARED", ROOT.parent / "shared")) / "corpora" / "photo-jpeg"


def pictures():
    large = SHARED / "Canon_EOS_450D.jpg"
    larger = SHARED / "Issue_266.jpg"
    sample = ROOT / "samples" / "landscape.jpg"
    return (large if large.exists() else sample), (larger if larger.exists() else sample)


def alpha_picture(photo):
    """800 pixels of the photograph behind a soft round mask, as PNG."""
    out = TOOLS / f"alpha-{photo.stem}.png"
    if not out.exists():
        code = ("import pyvips,sys; i=pyvips.Image.thumbnail(sys.argv[1],800); x=pyvips.Image.xyz(i.width,i.height);"
                "d=((x[0]-i.width/2)**2/(i.width/2)**2+(x[1]-i.height/2)**2/(i.height/2)**2);"
                "a=((1.2-d)*400).cast('uchar'); i.bandjoin(a).copy(interpretation='srgb').pngsave(sys.argv[2],keep='none')")
        subprocess.run([PYTHON, "-c", code, photo, out], check=True)
    return out


def cases():
    photo, larger = pictures()
    mp = lambda p: "22 MP" if "Issue" in p.name else "12 MP"
    jpeg = {"format": "jpeg", "width": 800, "q": 80}
    return [
        (f"{mp(photo)} → 800 JPEG q80", photo, "w=800&f=jpeg&q=80", jpeg),
        (f"{mp(photo)} → 800 WebP q80, same method (2)", photo, "w=800&f=webp&q=80",
         {"format": "webp", "width": 800, "q": 80, "effort": 2}),
        (f"{mp(photo)} → 800 WebP q80, each one's default", photo, "w=800&f=webp&q=80",
         {"format": "webp", "width": 800, "q": 80, "effort": 4}),
        (f"{mp(larger)} → 400 JPEG q80", larger, "w=400&f=jpeg&q=80", dict(jpeg, width=400)),
        ("800 px alpha PNG → WebP q80, same method (2)", alpha_picture(photo), "f=webp&q=80",
         {"format": "webp", "width": 800, "q": 80, "effort": 2}),
        (f"{mp(photo)} → 800 AVIF, each one's default", photo, "w=800&f=avif",
         {"format": "avif", "width": 800, "q": 50, "effort": 4}),
    ]


def run(command, threads, pin):
    """One worker to its end: what it printed, with peak memory and CPU time per second of the run."""
    cores = "0" if pin else f"0-{(os.cpu_count() or 1) - 1}"
    env = dict(os.environ, UV_THREADPOOL_SIZE=str(threads), NODE_PATH=str(TOOLS / "node_modules"))
    wrapper = ("import resource,subprocess,sys;r=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE);"
               "sys.stdout.buffer.write(r.stdout);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.exit(r.returncode)")
    done = subprocess.run(["taskset", "-c", cores, sys.executable, "-c", wrapper, *map(str, command)],
                          capture_output=True, text=True, env=env)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    *_, line, peak = done.stdout.strip().splitlines()
    return dict(json.loads(line), peak_mb=int(peak) / 1024)


def versions(ours):
    ask = lambda *c: subprocess.run(list(map(str, c)), capture_output=True, text=True, env=dict(os.environ, NODE_PATH=str(TOOLS / "node_modules"))).stdout.strip()
    vips = ask(PYTHON, "-c", "import pyvips;print('.'.join(str(pyvips.version(i)) for i in range(3)))")
    sharp = ask("node", "-e", "const v=require('sharp').versions;console.log(`${v.sharp} (libvips ${v.vips})`)")
    commit = ask("git", "-C", ROOT, "rev-parse", "--short", "HEAD")
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), os.uname().machine)
    return f"tintype {commit}; libvips {vips} (pyvips-binary); sharp {sharp}; {os.cpu_count()} × {cpu}, Linux {os.uname().release}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    parallel = min(4, os.cpu_count() or 1)

    print(f"| | threads | tintype | libvips | sharp | against libvips | against sharp | bytes (ours, libvips, sharp) | peak MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---|---|")
    for name, file, query, spec in (case for case in cases() if options.only in case[0]):
        workers = lambda threads: {
            "tintype": [options.ours, file, query, "baseline", threads, options.seconds],
            "libvips": [PYTHON, ROOT / "benches/peers/with_vips.py", file, json.dumps(spec), threads, options.seconds],
            "sharp": ["node", ROOT / "benches/peers/with_sharp.cjs", file, json.dumps(spec), threads, options.seconds],
        }
        for threads in (1, parallel):
            results = {}
            for _ in range(options.rounds):
                turn = list(workers(threads).items())
                random.shuffle(turn)
                for peer, command in turn:
                    results.setdefault(peer, []).append(run(command, threads, pin=threads == 1))
            median = lambda peer, key: statistics.median(row[key] for row in results[peer])
            sizes = {(row["width"], row["height"]) for rows in results.values() for row in rows}
            if len(sizes) != 1:
                sys.exit(f"{name}: the results differ in size: {sizes}")
            if threads == 1:
                cells = [f"{median(p, 'median_ms'):.1f} ms" for p in ("tintype", "libvips", "sharp")]
                ratios = [median(p, "median_ms") / median("tintype", "median_ms") for p in ("libvips", "sharp")]
            else:
                cells = [f"{median(p, 'rate'):.1f} /s" for p in ("tintype", "libvips", "sharp")]
                ratios = [median("tintype", "rate") / median(p, "rate") for p in ("libvips", "sharp")]
            kilobytes = ", ".join(f"{median(p, 'bytes') / 1000:.1f} K" for p in ("tintype", "libvips", "sharp"))
            peaks = ", ".join(f"{median(p, 'peak_mb'):.0f}" for p in ("tintype", "libvips", "sharp"))
            print(f"| {name} | {threads} | {' | '.join(cells)} | **{ratios[0]:.2f} ×** | **{ratios[1]:.2f} ×** | {kilobytes} | {peaks} |", flush=True)
    print(f"\n{versions(options.ours)}. Medians of {options.rounds} rounds of {options.seconds:g} s. Differences: the JPEG of all three is "
          "4:2:0 baseline without optimised tables where the encoder offers the choice; sharp and libvips resize with Lanczos3 "
          "after shrink-on-load; AVIF rows compare defaults (libvips and sharp: q50, effort 4), not equal quality.")


if __name__ == "__main__":
    main()
