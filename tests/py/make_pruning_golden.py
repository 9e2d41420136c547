#!/usr/bin/python3
"""Reference values for tests/test_pruning.cpp and tests/test_spanning_tree.cpp.

make_pruning_golden.py   rewrites tests/golden/pruning.json (needs python3-numpy, python3-scipy; the result is committed).
Published probabilities follow SEEDS 3.2 and 3.3 step by step; corrected ones solve sum(min(1, P + d)) = count for d; trees
come from scipy.sparse.csgraph, the hypergeometric distribution from scipy.stats. Matrices are column-major.
"""
import json
import os

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import hypergeom

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "pruning.json")
rng = np.random.default_rng(20240611)


def flat(a):
    return [float(v) for v in np.asarray(a).flatten(order="F")]


def published(a, s, tiny, share):
    a = np.abs(a.astype(np.float64))
    if tiny:
        a = np.where(a == 0, float(np.float32(1e-25)), a)
    n = a.size
    z0 = np.count_nonzero(a == 0) + min(a.shape)
    add = (s * n - z0) / (n - z0)
    p = n * (1 - add) / a.sum() * a
    while share:
        r = np.maximum(p - 1, 0).sum()
        if r <= 0:
            break
        c = np.count_nonzero(p < 1)
        p = np.where(p < 1, p + (r / c if c else 0), 1)
    p = np.minimum(p, 1)
    return np.where(a != 0, p, 0), p[a == 0].sum()


def corrected(a, s, diagonal):
    m = np.abs(a.astype(np.float64))
    ok = m != 0
    if not diagonal:
        ok &= ~np.eye(*m.shape, dtype=bool)
    count = (1 - s) * m.size
    if count >= ok.sum():
        return ok.astype(np.float64)
    p = count * m / m[ok].sum()
    d = brentq(lambda d: np.minimum(p[ok] + d, 1).sum() - count, -1e-9, 1, xtol=1e-16, rtol=1e-15)
    return np.where(ok, np.minimum(p + d, 1), 0)


def matrix(rows, cols, zeros, power):
    a = np.round(np.abs(rng.standard_normal((rows, cols))) ** power * 256) / 256 + 1 / 256
    a *= rng.choice([-1, 1], (rows, cols))
    return np.where(rng.random((rows, cols)) < zeros, 0, a).astype(np.float32)


def probability_cases():
    cases = []
    for rows, cols, zeros, power in [(9, 12, 0, 1), (12, 9, 0.3, 1), (14, 14, 0.4, 4)]:
        a = matrix(rows, cols, zeros, power)
        case = {"rows": rows, "cols": cols, "values": flat(a), "rules": []}
        for s in [0.3, 0.5, 0.8]:
            for tiny in [True, False]:
                for share in [True, False]:
                    keep, lost = published(a, s, tiny, share)
                    case["rules"].append({"rule": "published", "sparsity": s, "tiny": tiny, "share": share,
                                          "keep": flat(keep), "lost": float(lost)})
            for diagonal in [True, False]:
                case["rules"].append({"rule": "corrected", "sparsity": s, "diagonal": diagonal,
                                      "keep": flat(corrected(a, s, diagonal))})
        cases.append(case)
    return cases


def tree_case(a, unique):
    rows, cols = a.shape
    m = np.abs(a.astype(np.float64))
    top = m.max() + 1
    g = np.zeros((rows + cols, rows + cols))
    g[:rows, rows:] = np.where(m != 0, top - m, 0)  # 0 is no edge; least of (top - m) is greatest of m
    t = minimum_spanning_tree(csr_matrix(g)).toarray()[:rows, rows:] != 0
    i, j = np.nonzero(t)
    return {"rows": rows, "cols": cols, "values": flat(a), "edges": int(t.sum()), "weight": float(m[t].sum()),
            "entries": sorted(int(v) for v in j * rows + i) if unique else []}


def tree_cases():
    cases = []
    for rows, cols, zeros in [(1, 1, 0), (1, 6, 0), (8, 8, 0), (7, 13, 0), (13, 7, 0.3), (20, 20, 0.93), (24, 24, 0)]:
        a = (rng.permutation(rows * cols) + 1).reshape(rows, cols) / 64  # all different: one tree
        a = np.where(rng.random((rows, cols)) < zeros, 0, a * rng.choice([-1, 1], (rows, cols)))
        cases.append(tree_case(a.astype(np.float32), True))
    cases.append(tree_case(rng.integers(0, 4, (12, 12)).astype(np.float32), False))  # ties: only the weight is certain
    return cases


def hypergeometric_cases():
    cases = []
    for edges, entries, kept in [(19, 100, 0), (19, 100, 9), (19, 100, 95), (19, 100, 100), (99, 2500, 250),
                                 (99, 2500, 1500), (199, 10000, 500), (2879, 2073600, 207360)]:
        h = hypergeom(entries, edges, kept)
        mode = int(np.argmax(h.pmf(np.arange(edges + 1))))
        ks = sorted({min(max(k, 0), edges) for k in (0, 1, mode - 3, mode, mode + 2, edges)})
        cases.append({"edges": edges, "entries": entries, "kept": kept, "mean": float(h.mean() / edges),
                      "k": ks, "pmf": [float(h.pmf(k)) for k in ks]})
    return cases


golden = {"densities": [0.0] + [float(v) for v in np.linspace(0.01, 1, 14)], "probabilities": probability_cases(),
          "trees": tree_cases(), "hypergeometric": hypergeometric_cases()}
with open(OUT, "w") as f:
    json.dump(golden, f)
    f.write("\n")
