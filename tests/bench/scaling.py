#!/usr/bin/env python3
"""How time and memory of a training step grow: N, density, T, batch, threads; fitted exponents. A Markdown table.

scaling.py DALEA [--isa NAME] [--seconds S]

One core (the last one), but for the rows of threads. Each row is `dalea bench` of one experiment; within a group of rows
one thing changes. The exponent is the slope of log(ms) against log(what changes), by least squares.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def experiment(units, density, steps, batch):
    e = int(0.8 * units)
    spec = {"dalea": 1, "populations": [{"name": "E", "size": e, "sign": "+"}, {"name": "I", "size": units - e, "sign": "-"}],
            "task": {"type": "flip-flop", "steps": steps, "train": batch}, "training": {"batch": batch}}
    if density < 1:
        spec["connectivity"] = {"probability": [[density, density], [density, density]]}
    return spec


def measure(args, units, density, steps, batch, threads=1):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(experiment(units, density, steps, batch), f)
        f.flush()
        cores = set(CORES[-threads:]) if CORES else None
        out = subprocess.run([args.dalea, "bench", f.name, "--threads", str(threads), "--isa", args.isa, "--seconds",
                              str(args.seconds), "--json"], check=True, capture_output=True, text=True,
                             preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
    return json.loads(out.stdout)[0]


def slope(x, y):
    lx, ly = [math.log(v) for v in x], [math.log(v) for v in y]
    mx, my = sum(lx) / len(lx), sum(ly) / len(ly)
    return sum((a - mx) * (b - my) for a, b in zip(lx, ly)) / sum((a - mx) ** 2 for a in lx)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dalea")
    parser.add_argument("--isa", default="auto")
    parser.add_argument("--seconds", type=float, default=1)
    args = parser.parse_args()
    groups = [
        ("units, all connected", "N", [(n, 1, 15, 64) for n in (128, 256, 512, 1024, 2048)]),
        ("units at 1 %", "N", [(n, 0.01, 15, 64) for n in (1280, 2560, 5120, 10240, 20000)]),
        ("density, N 2048", "density", [(2048, d, 15, 64) for d in (1, 0.3, 0.1, 0.03, 0.01)]),
        ("time steps, N 128", "T", [(128, 1, t, 200) for t in (25, 50, 100, 200, 400)]),
        ("batch, N 128", "batch", [(128, 1, 50, b) for b in (32, 64, 128, 256, 512)]),
    ]
    print("| N | density | T | batch | threads | ms a step | MB | ns a synapse, trial and step |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    fits = []
    for name, what, rows in groups:
        times, sizes, memory = [], [], []
        for n, d, t, b in rows:
            r = measure(args, n, d, t, b)
            print("| %d | %g %% | %d | %d | 1 | %.3g | %.3g | %.3f |" % (
                n, 100 * d, t, b, r["ms_per_step"], r["bytes"] / 1e6, r["ns_per_synapse_trial_step"]))
            sys.stdout.flush()
            times.append(r["ms_per_step"])
            memory.append(r["bytes"])
            sizes.append({"N": n, "density": d, "T": t, "batch": b}[what])
        fits.append((name, what, slope(sizes, times), slope(sizes, memory)))
    for n, d, t, b in ((128, 1, 50, 200), (1440, 1, 15, 200), (1440, 0.05, 15, 200)):
        for threads in range(1, min(8, max(1, len(CORES))) + 1):
            r = measure(args, n, d, t, b, threads)
            print("| %d | %g %% | %d | %d | %d | %.3g | %.3g | %.3f |" % (
                n, 100 * d, t, b, threads, r["ms_per_step"], r["bytes"] / 1e6, r["ns_per_synapse_trial_step"]))
            sys.stdout.flush()
    print("\n| what grows | time grows as | memory grows as |\n|---|---|---|")
    for name, what, a, m in fits:
        print("| %s | %s^%.2f | %s^%.2f |" % (name, what, a, what, m))


if __name__ == "__main__":
    main()
