#!/usr/bin/python3
"""Reference values for tests/test_graph.cpp by networkx, scipy and numpy.

make_graph_golden.py   rewrites tests/golden/graph.json (needs python3-networkx and python3-scipy; the result is committed
and says which versions made it).
Distances, clustering, reciprocity and modularity are networkx's; the exponential is scipy's; reciprocity, degrees and
efficiency are written here from their definitions.
"""
import json
import os

import networkx as nx
import numpy as np
import scipy
from scipy.linalg import expm

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "graph.json")
rng = np.random.default_rng(909)


def of(w, parts):
    """w[i, j]: from i to j, signed; 0: no connection."""
    n = len(w)
    a = (w != 0) & ~np.eye(n, dtype=bool)
    size = np.where(a, np.abs(w), 0.0)
    g = nx.DiGraph()
    g.add_nodes_from(range(n))
    for i, j in zip(*np.nonzero(a)):
        g.add_edge(int(i), int(j), weight=float(size[i, j]), length=float(1 / size[i, j]))
    links = g.number_of_edges()
    steps = [(i, j, d) for i, to in nx.all_pairs_shortest_path_length(g) for j, d in to.items() if i != j]
    lengths = [(i, j, d) for i, to in nx.all_pairs_dijkstra_path_length(g, weight="length")
               for j, d in to.items() if i != j]
    groups = [{i for i in range(n) if parts[i] == p} for p in sorted(set(parts))]
    out, into = size.sum(1), size.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = np.nan_to_num(size / np.sqrt(out[:, None] * into[None, :]), nan=0, posinf=0)
    off = ~np.eye(n, dtype=bool)
    pairs = n * (n - 1)
    return {
        "density": links / pairs,
        "reciprocity": nx.overall_reciprocity(g),
        "in_degree_sd": float(a.sum(0).std()),
        "out_degree_sd": float(a.sum(1).std()),
        "clustering": float(np.mean(list(nx.clustering(g).values()))),
        "path_length": float(np.mean([d for _, _, d in steps])),
        "reachable": len(steps) / pairs,
        "efficiency": sum(1 / d for _, _, d in steps) / pairs,
        "region_modularity": nx.community.modularity(g, groups, weight=None),
        "communicability": float(np.log(expm(a.astype(float))[off].mean())),
        "weighted_clustering": float(np.mean(list(nx.clustering(g, weight="weight").values()))),
        "weighted_path_length": float(np.mean([d for _, _, d in lengths])),
        "weighted_efficiency": sum(1 / d for _, _, d in lengths) / pairs,
        "weighted_region_modularity": nx.community.modularity(g, groups, weight="weight"),
        "weighted_communicability": float(expm(s)[off].mean()),
        "spectral_radius": float(np.abs(np.linalg.eigvals(w)).max()),
        "at_least": {  # what a partition of networkx reaches; ours must come near it
            "modularity": max(nx.community.modularity(g, nx.community.louvain_communities(g, weight=None, seed=k),
                                                      weight=None) for k in range(10)),
            "weighted_modularity": max(nx.community.modularity(
                g, nx.community.louvain_communities(g, weight="weight", seed=k), weight="weight") for k in range(10)),
        },
    }


def network(n, density, blocks=1, own=True, signs=True):
    parts = [i * blocks // n for i in range(n)]
    p = np.array([[density * (4 if blocks > 1 and parts[i] == parts[j] else 1) for j in range(n)] for i in range(n)])
    w = np.where(rng.random((n, n)) < p, np.exp(rng.normal(-1, 1, (n, n))), 0)
    if signs:
        w *= np.where(rng.random(n) < 0.25, -1, 1)[:, None]
    if not own:
        np.fill_diagonal(w, 0)
    return np.round(w * 1024) / 1024, parts


cases = []
for name, (w, parts) in {
    "random, signed": network(23, 0.25, 3),
    "sparse, in pieces": network(30, 0.05, 2),
    "blocks": network(40, 0.1, 4, own=False, signs=False),
    "dense": network(17, 1.0, 2),
}.items():
    i, j = np.nonzero(w)
    cases.append({"name": name, "units": len(w), "from": i.tolist(), "to": j.tolist(), "weight": w[i, j].tolist(),
                  "parts": parts, "measures": of(w, parts)})
with open(OUT, "w") as f:
    json.dump({"made_by": f"networkx {nx.__version__}, scipy {scipy.__version__}, numpy {np.__version__}",
               "cases": cases}, f)
    f.write("\n")
