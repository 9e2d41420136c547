#!/usr/bin/python3
"""Reference values for tests/test_weight_report.cpp.

make_weights_golden.py   rewrites tests/golden/weights.json (needs python3-numpy, python3-scipy; the result is committed).
Densities come from scipy.stats.gaussian_kde, counts from numpy.histogram, divergences from scipy.stats.entropy with the
1e-7 of SEEDS 2.6. Matrices are row by row, (post, pre): 15 excitatory and 5 inhibitory columns.
"""
import json
import os

import numpy as np
from scipy.stats import entropy, gaussian_kde

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "weights.json")
N, E, BINS, EPSILON = 20, 15, 40, 1e-7
rng = np.random.default_rng(20250518)
sign = np.where(np.arange(N) < E, 1, -1)


def initial():
    return (rng.uniform(0, N ** -0.5, (N, N)) * sign).astype(np.float32)


def final(w, spread, constrained):
    w = w + rng.standard_normal((N, N)) * spread * (1 + 2 * (rng.random((N, N)) < 0.1))
    if constrained:
        w = np.where(w * sign > 0, w, 0)  # Dale's projection: exact zeros
    return w.astype(np.float32)


groups = []
for name, spread, constrained, runs in (("conventional", 0.05, False, 3), ("dale", 0.09, True, 2)):
    before = [initial() for _ in range(runs)]
    groups.append({"name": name, "initial": before, "final": [final(w, spread, constrained) for w in before]})


def everything(when):
    return [np.concatenate([w.ravel() for w in g[when]]).astype(np.float64) for g in groups]


low = min(v.min() for when in ("initial", "final") for v in everything(when))
high = max(v.max() for when in ("initial", "final") for v in everything(when))
edges = np.linspace(low, high, BINS + 1)
grid = np.linspace(low, high, 33)


def described(v):
    return {"mean": v.mean(), "sd": v.std(ddof=1), "zero": int((v == 0).sum()), "negligible": int((abs(v) < 1e-5).sum()),
            "positive": int((v > 0).sum()), "negative": int((v < 0).sum()),
            "counts": np.histogram(v, edges)[0].tolist(), "kde": gaussian_kde(v)(grid).tolist()}


def kl(p, q, common):
    ranges = [(min(p.min(), q.min()), max(p.max(), q.max()))] * 2 if common else [(p.min(), p.max()), (q.min(), q.max())]
    h = [np.histogram(v, BINS, r, density=not common)[0] for v, r in zip((p, q), ranges)]
    h = [x / x.sum() for x in h] if common else h
    return float(entropy(h[0] + EPSILON, h[1] + EPSILON))


out = {"bins": BINS, "grid": grid.tolist(), "groups": []}
for k, g in enumerate(groups):
    out["groups"].append({
        "name": g["name"],
        "initial": [w.ravel().tolist() for w in g["initial"]], "final": [w.ravel().tolist() for w in g["final"]],
        "before": described(everything("initial")[k]), "after": described(everything("final")[k]),
        "wrong_sign": int(sum((w * sign < 0).sum() for w in g["final"])),
        "mean_matrix": np.mean([w.astype(np.float64) for w in g["final"]], axis=0).ravel().tolist()})
for key, common in (("common", True), ("published", False)):
    pairs = [kl(p.ravel().astype(np.float64), q.ravel().astype(np.float64), common)
             for p in groups[0]["final"] for q in groups[1]["final"]]
    out[key] = {"pairs": pairs, "mean": np.mean(pairs), "sd": np.std(pairs, ddof=1), "bar": 0.5 * np.var(pairs)}
with open(OUT, "w") as f:
    json.dump(out, f)
    f.write("\n")
