#!/usr/bin/python3
"""Reference values for tests/test_cone.cpp: quadratics and their minima under sign constraints.

make_cone_golden.py   rewrites tests/golden/cone.json (needs python3-numpy, python3-scipy; the result is committed).
Minima come from scipy.optimize.nnls (signs only) and from lsq_linear's bounded-variable least squares (free and absent
coordinates too). side: 1 excitatory, -1 inhibitory, 0 free, 2 absent.
"""
import json
import os

import numpy as np
from scipy.optimize import lsq_linear, nnls

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "cone.json")
rng = np.random.default_rng(20250917)


def problem(n, sides):
    root = np.round(rng.standard_normal((n + 2, n)) * 64) / 64  # products are exact: A is what we say it is
    a = root.T @ root
    b = np.round(rng.standard_normal(n) * 64) / 64
    side = rng.choice(sides, n)
    return root, a, b, side


cases = []
for k in range(36):
    n = 1 + k % 12
    mixed = k % 3 == 2
    root, a, b, side = problem(n, [-1, 1, 0, 2] if mixed else [-1, 1])
    if not mixed:
        x, _ = nnls(root * side, root @ b)
        w = side * x
    else:
        low = np.where((side == 1), 0.0, -np.inf)
        high = np.where((side == -1), 0.0, np.inf)
        here = side != 2
        w = np.zeros(n)
        if here.any():
            w[here] = lsq_linear(root[:, here], root @ b, (low[here], high[here]), method="bvls", tol=1e-15).x
    eig = np.linalg.eigvalsh(a)
    value = 0.5 * (w - b) @ a @ (w - b)
    cases.append({"a": a.flatten().tolist(), "b": b.tolist(), "side": side.tolist(), "mu": eig[0], "l": eig[-1],
                  "minimum": w.tolist(), "value": float(value)})

with open(OUT, "w") as f:
    json.dump({"minima": cases}, f, separators=(",", ":"))
    f.write("\n")
print(OUT, os.path.getsize(OUT))
