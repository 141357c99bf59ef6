#!/usr/bin/env python3
"""The tables of docs/quality.md: our bytes at the scores that peers' defaults reach, and how near q=auto comes.

Photographs of the corpus (../shared, or TINTYPE_SHARED), 800 pixels wide. A peer encodes each at its own default; our
dial is turned to the same SSIMULACRA2, and bytes are interpolated between dials (logarithms, straight lines). `make
bench-quality` calls this; `--fit` writes the prediction of q=auto anew instead.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDERS = ["photo-jpeg", "photo-png-kodak", "photo-png-clic"]
# Of the first folder, what is no photograph.
NOT = ["67352ccc-d1b0-11e1-89ae-279075081939.png"]
DIALS = {"jpeg": "50,60,67,74,80,86,92", "webp": "40,52,62,71,79,86,93", "avif": "32,42,50,57,64,71,78,86"}
# What `chroma=auto` means at these sizes and dials.
CHROMA = {"jpeg": "420", "webp": "420", "avif": "444"}
LEVELS = {"low": 60, "medium": 70, "high": 80, "best": 90}
# Their documented defaults, as they hand them to their encoders. imgproxy 4 is libvips with its own settings: quality 80,
# but 79 for WebP and 63 for AVIF; WebP effort 4; AVIF speed 8, which is libvips' effort 1.
PEERS = {
    "sharp": {
        "jpeg": {"dial": 80, "options": {}},
        "webp": {"dial": 80, "options": {}},
        "avif": {"dial": 50, "options": {}},
    },
    "libvips": {
        "jpeg": {"dial": 75, "save": "jpegsave", "options": {}},
        "webp": {"dial": 75, "save": "webpsave", "options": {}},
        "avif": {"dial": 50, "save": "heifsave", "options": {"compression": "av1"}},
    },
    "imgproxy": {
        "jpeg": {"dial": 80, "save": "jpegsave", "options": {"optimize_coding": True}},
        "webp": {"dial": 79, "save": "webpsave", "options": {"effort": 4}},
        "avif": {"dial": 63, "save": "heifsave", "options": {"compression": "av1", "effort": 1}},
    },
}


def run(words):
    done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def photographs():
    shared = Path(os.environ.get("TINTYPE_SHARED", ROOT / "../shared")) / "corpora"
    files = [file for folder in FOLDERS for file in sorted((shared / folder).glob("*")) if file.name not in NOT]
    if not files:
        print(f"no corpus at {shared}: the samples instead, whose figures are not those of docs/quality.md")
        files = sorted((ROOT / "samples").glob("*.jpg"))
    return files


class Bench:
    def __init__(self, arguments, folder):
        self.ours, self.tools, self.jobs, self.folder = arguments.ours, arguments.tools, arguments.jobs, Path(folder)

    def each(self, work, items):
        with ThreadPoolExecutor(self.jobs) as pool:
            return [row for rows in pool.map(work, items) for row in rows]

    def references(self, files, width):
        def make(file):
            out = self.folder / f"{file.stem[:24]}.{width}.png"
            run([self.ours, "picture", file, width, out])
            return [out]
        return self.each(make, files)

    def ladder(self, codec, references, effort="-", chroma=None, dials=None):
        dials, chroma = dials or DIALS[codec], chroma or CHROMA[codec]
        return curves(self.each(lambda r: run([self.ours, "ladder", codec, dials, effort, chroma, r]), references))

    def peer(self, name, codec, references):
        how = PEERS[name][codec]
        if name == "sharp":
            spec = {"format": codec, "options": how["options"], "dials": [how["dial"]]}
            words = ["env", f"NODE_PATH={self.tools}/node_modules", "node", HERE / "with_sharp.cjs"]
        else:
            spec = {**how, "dials": [how["dial"]], "name": f"{name}.{codec}"}
            words = [f"{self.tools}/venv/bin/python", HERE / "with_vips.py"]
        def one(reference):
            rows = run([*words, json.dumps(spec), self.folder, reference])
            for row in rows:
                row["score"] = run([self.ours, "score", reference, row["file"]])[0]["score"]
            return rows
        return {row["picture"]: row for row in self.each(one, references)}


def curves(rows):
    found = {}
    for row in rows:
        found.setdefault(row["picture"], []).append(row)
    return {picture: sorted(curve, key=lambda row: row["score"]) for picture, curve in found.items()}


def at(curve, score, key):
    """Between the two dials round a score; beyond the ladder along its last step."""
    upper = next((i for i, row in enumerate(curve) if row["score"] >= score and i), len(curve) - 1)
    a, b = curve[upper - 1], curve[upper]
    part = (score - a["score"]) / max(b["score"] - a["score"], 1e-6)
    if key == "bytes":
        return math.exp(math.log(a[key]) + part * (math.log(b[key]) - math.log(a[key])))
    return a[key] + part * (b[key] - a[key])


def percent(ratio):
    return f"{'+' if ratio >= 1 else '−'}{abs(ratio - 1) * 100:.1f} %"


def against_peers(bench, codecs, references, ladders):
    print("| format | against | our bytes | worst photograph | our dial | our CPU | its CPU | its score |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for codec in codecs:
        ours = ladders[codec]
        for name in PEERS:
            theirs = bench.peer(name, codec, references)
            ratios = [at(ours[p], row["score"], "bytes") / row["bytes"] for p, row in theirs.items()]
            mean = math.exp(statistics.mean(map(math.log, ratios)))
            own = [at(ours[p], row["score"], "ms") for p, row in theirs.items()]
            dials = [at(ours[p], row["score"], "q") for p, row in theirs.items()]
            print(f"| {codec} | {name} | {percent(mean)} | {percent(max(ratios))} | {statistics.mean(dials):.0f} "
                  f"| {statistics.mean(own):.1f} ms | {statistics.mean(r['ms'] for r in theirs.values()):.1f} ms "
                  f"| {statistics.mean(r['score'] for r in theirs.values()):.1f} |", flush=True)


def auto(bench, codecs, references, ladders):
    print("\n| q=auto | off by, mean | median | 90 % below | worst | CPU | one plain encode at that score |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for codec in codecs:
        for level, target in LEVELS.items():
            rows = bench.each(lambda r: run([bench.ours, "auto", codec, level, r]), references)
            off = sorted(abs(row["score"] - target) for row in rows)
            once = [at(ladders[codec][row["picture"]], row["score"], "ms") for row in rows]
            print(f"| {codec} {level} | {statistics.mean(off):.1f} | {statistics.median(off):.1f} "
                  f"| {off[math.ceil(len(off) * 0.9) - 1]:.1f} | {off[-1]:.1f} "
                  f"| {statistics.mean(row['ms'] for row in rows):.0f} ms "
                  f"| {statistics.mean(once):.0f} ms |", flush=True)


def fit(bench, files):
    references = [r for width in (200, 400, 800) for r in bench.references(files, width)]
    every = "8,14,20,27,34,41,48,55,62,69,76,83,90,96"
    words = [sys.executable, HERE / "fit.py", bench.folder / "features"]
    write = lambda name, rows: (bench.folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    write("features", run([bench.ours, "features", *references]))
    for name in ["jpeg420", "jpeg444", "webp420", "avif420", "avif444"]:
        codec, chroma = name[:-3], name[-3:]
        # 4:2:0 is what AVIF's quick encoder writes.
        effort = "0" if name == "avif420" else "-"
        found = bench.ladder(codec, references, effort, chroma, every)
        write(name, [row for curve in found.values() for row in curve])
        words.append(f"{name}={bench.folder / name}")
        print(f"{name}: {len(found)} pictures", file=sys.stderr, flush=True)
    out = ROOT / "crates/imaging/src/quality/fit.rs"
    done = subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE, text=True)
    out.write_text(done.stdout)
    print(f"written: {out}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", required=True, help="the built example bench_quality")
    parser.add_argument("--tools", default=ROOT / ".tools/peers", help="where pyvips and sharp are")
    parser.add_argument("--codec", action="append", choices=list(DIALS), help="only this one; may be given again")
    parser.add_argument("--width", type=int, default=800)
    parser.add_argument("--pictures", type=int, default=1000, help="at most so many")
    parser.add_argument("--jobs", type=int, default=1, help="at once; times suffer")
    parser.add_argument("--only", choices=["peers", "auto"], help="one of the two tables")
    parser.add_argument("--fit", action="store_true", help="writes crates/imaging/src/quality/fit.rs; takes an hour")
    arguments = parser.parse_args()
    files = photographs()[: arguments.pictures]
    codecs = arguments.codec or list(DIALS)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        if arguments.fit:
            return fit(bench, files)
        references = bench.references(files, arguments.width)
        print(f"{len(references)} photographs, {arguments.width} pixels wide\n")
        ladders = {codec: bench.ladder(codec, references) for codec in codecs}
        if arguments.only != "auto":
            against_peers(bench, codecs, references, ladders)
        if arguments.only != "peers":
            auto(bench, codecs, references, ladders)


main()
