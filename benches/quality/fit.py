#!/usr/bin/env python3
"""Fits the prediction of q=auto: from features of pixels to the dial that reaches a score. Prints the Rust file.

  fit.py FEATURES SET=LADDER… > crates/imaging/src/quality/fit.rs

FEATURES and the ladders are lines of JSON that `bench_quality features` and `bench_quality ladder` print for the same
pictures. A picture's name up to the first point is its group: the error is told for pictures whose group was left out.
Ridge regression, in the standard library alone.
"""
import json
import math
import os
import statistics
import sys

SETS = ["jpeg420", "jpeg444", "webp420", "avif420", "avif444"]
TARGETS = [60, 70, 80, 90]
RIDGE = 0.02
LOW, HIGH = 5, 98


def lines(file):
    with open(file) as text:
        return [json.loads(line) for line in text]


def dial_at(curve, score):
    """Where the ladder crosses a score; outside of it, its end."""
    curve = sorted(curve, key=lambda row: row["q"])
    if score <= curve[0]["score"]:
        return curve[0]["q"]
    for a, b in zip(curve, curve[1:]):
        if b["score"] >= score:
            return a["q"] + (b["q"] - a["q"]) * (score - a["score"]) / max(b["score"] - a["score"], 1e-6)
    return HIGH


def slope_at(curve, score):
    """Score for a step of the dial round a score."""
    lower, upper = dial_at(curve, score - 3), dial_at(curve, score + 3)
    return 6 / (upper - lower) if upper - lower > 0.5 and upper < HIGH else None


def solve(matrix, vector):
    size = len(vector)
    rows = [list(row) + [value] for row, value in zip(matrix, vector)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for row in range(size):
            if row != at:
                factor = rows[row][at] / rows[at][at]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[at])]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def ridge(samples):
    size = len(samples[0][0])
    matrix = [[sum(x[i] * x[j] for x, _ in samples) + (RIDGE * len(samples) if i == j and i else 0) for j in range(size)]
              for i in range(size)]
    return solve(matrix, [sum(x[i] * y for x, y in samples) for i in range(size)])


def predict(coefficients, features):
    return min(max(sum(c * f for c, f in zip(coefficients, features)), LOW), HIGH)


def group(picture):
    return os.path.basename(picture).split(".")[0]


def main():
    features = {row["picture"]: row["features"] for row in lines(sys.argv[1])}
    ladders = dict(argument.split("=") for argument in sys.argv[2:])
    coefficients, slopes, usual = [], [], []
    for name in SETS:
        curves = {}
        for row in lines(ladders[name]):
            curves.setdefault(row["picture"], []).append(row)
        fitted, steps, middle = [], [], []
        for target in TARGETS:
            samples = [(features[p], dial_at(curve, target), group(p)) for p, curve in curves.items()]
            found = [slope for slope in (slope_at(curve, target) for curve in curves.values()) if slope]
            errors = []
            for left_out in sorted({g for _, _, g in samples}):
                partial = ridge([(x, y) for x, y, g in samples if g != left_out])
                errors += [abs(predict(partial, x) - y) for x, y, g in samples if g == left_out]
            fitted.append(ridge([(x, y) for x, y, _ in samples]))
            # Where no picture of the set gets that far (halved colours at the best level), a usual slope.
            steps.append(statistics.median(found) if len(found) > 3 else 0.5)
            middle.append(round(statistics.median(y for _, y, _ in samples)))
            spread = statistics.pstdev(y for _, y, _ in samples)
            print(f"{name} {target}: dial off by {statistics.mean(errors):.1f} (median {statistics.median(errors):.1f}) "
                  f"for pictures left out; {spread:.1f} is the deviation; slope {steps[-1]:.2f}", file=sys.stderr)
        coefficients.append(fitted)
        slopes.append(steps)
        usual.append(middle)
    number = lambda value: f"{value:.5f}"
    row = lambda values, form=number: "[" + ", ".join(form(v) for v in values) + "]"
    print("//! Written by benches/quality/fit.py, from ladders of encodes of the corpus' photographs at 200, 400 and 800 pixels;")
    print("//! `docs/quality.md` names the commands. Rows: JPEG 4:2:0 and 4:4:4, WebP, AVIF 4:2:0 and 4:4:4; in each")
    print("//! the levels low to best. Whoever changes an encoder's defaults fits anew.\n")
    print("use super::features::COUNT;\n")
    print("/// Dial = features × these.\n#[rustfmt::skip]")
    print("pub(super) const COEFFICIENTS: [[[f64; COUNT]; 4]; 5] = [")
    for fitted in coefficients:
        print("    [" + ",\n     ".join(row(values) for values in fitted) + "],")
    print("];\n\n/// Score for a step of the dial, near each level.\n#[rustfmt::skip]")
    print("pub(super) const SLOPES: [[f64; 4]; 5] = [" + ", ".join(row(v) for v in slopes) + "];")
    print("\n/// The dial of the middle picture.\n#[rustfmt::skip]")
    print("pub(super) const USUAL: [[u8; 4]; 5] = [" + ", ".join(row(v, str) for v in usual) + "];")


if __name__ == "__main__":
    main()
