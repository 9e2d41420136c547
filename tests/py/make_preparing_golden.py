# Smoothed traces by scipy.ndimage (away from the edges) and by a plain sum in numpy: tests/golden/preparing.json.
import json
import sys

import numpy as np
from scipy.ndimage import gaussian_filter1d

rng = np.random.default_rng(7)
x = np.round(np.cumsum(rng.normal(size=60)), 3)
missing = x.copy()
missing[[0, 11, 12, 13, 40, 59]] = np.nan


def by_sum(x, sd, ahead):
    cut = int(np.ceil(4 * sd))
    out = np.full(len(x), np.nan)
    for f in range(len(x)):
        g = np.arange(max(0, f - cut), min(len(x) - 1, f + (cut if ahead else 0)) + 1)
        g = g[~np.isnan(x[g])]
        w = np.exp(-0.5 * ((g - f) / sd) ** 2)
        if not np.isnan(x[f]):
            out[f] = (w * x[g]).sum() / w.sum()
    return out


def numbers(a):
    return [None if np.isnan(v) else round(float(v), 8) for v in a]


cases = []
for sd in (0.5, 1.0, 2.25):  # 4 sd is whole: scipy rounds it, Dalea rounds it up
    for name, trace in (("whole", x), ("missing", missing)):
        for smoothing in ("centred", "causal"):
            case = {"sd": sd, "smoothing": smoothing, "trace": numbers(trace)}
            case["expected"] = numbers(by_sum(trace, sd, smoothing == "centred"))
            if smoothing == "centred" and name == "whole":
                case["scipy"] = numbers(gaussian_filter1d(trace, sd, truncate=4.0))
            cases.append(case)
json.dump({"cases": cases}, open(sys.argv[1], "w"))
