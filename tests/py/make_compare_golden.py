"""Golden values of comparisons between conditions (tests/test_compare.cpp): every relabeling enumerated with numpy.

python3 tests/py/make_compare_golden.py
"""
import itertools
import json
import os

import numpy as np

OUT = os.path.join(os.path.dirname(__file__), "..", "golden", "compare.json")
rng = np.random.default_rng(20260112)


def welch_t(a, b):
    """b minus a, for each block."""
    return (b.mean(0) - a.mean(0)) / np.sqrt(a.var(0, ddof=1) / len(a) + b.var(0, ddof=1) / len(b))


def dealings(sizes):
    """All ways to deal the runs to conditions, the given one first."""
    def deal(left, sizes):
        if not sizes:
            yield []
            return
        for chosen in itertools.combinations(left, sizes[0]):
            rest = [r for r in left if r not in chosen]
            for others in deal(rest, sizes[1:]):
                yield [list(chosen)] + others
    return list(deal(list(range(sum(sizes))), list(sizes)))


def compare(groups, reference):
    sizes = [len(g) for g in groups]
    x = np.concatenate(groups)
    pairs = [(a, b) for a in range(len(groups)) for b in range(a + 1, len(groups))]
    if reference is not None:
        pairs = [(reference, b) for b in range(len(groups)) if b != reference]
    every = np.array([np.concatenate([welch_t(x[d[a]], x[d[b]]) for a, b in pairs]) for d in dealings(sizes)])
    seen = np.abs(every[0])
    size = np.abs(every)
    reach = lambda values, t: np.mean(values >= t - 1e-9 * (1e-3 + t))
    single = [reach(size.max(1), t) for t in seen]
    # Westfall & Young's step-down: the largest over the statistics that are no larger, then never below a larger one's.
    step = np.zeros(len(seen))
    running = 0
    for k in np.argsort(-seen):
        running = max(running, reach(size[:, seen <= seen[k]].max(1), seen[k]))
        step[k] = running
    alone = []
    for a, b in pairs:
        own = np.concatenate([groups[a], groups[b]])
        ts = np.array([welch_t(own[d[0]], own[d[1]]) for d in dealings([sizes[a], sizes[b]])])
        alone += [reach(np.abs(ts[:, k]), abs(ts[0, k])) for k in range(ts.shape[1])]
    return {"runs": [g.tolist() for g in groups], "reference": reference, "relabelings": len(every),
            "t": every[0].tolist(), "alone": alone, "single": single, "step": step.tolist()}


def main():
    cases = []
    for sizes, blocks, shift, reference in [((5, 5), 9, 2.5, None), ((4, 4), 4, 0.0, None), ((3, 5), 4, 3.0, None),
                                            ((3, 3, 3), 4, 4.0, None), ((3, 3, 3), 4, 4.0, 1), ((2, 3, 4), 4, 1.0, 0)]:
        mix = rng.normal(size=(blocks, blocks)) * 0.5 + np.eye(blocks)
        groups = [np.round(0.01 + 0.001 * (rng.normal(size=(n, blocks)) @ mix), 6) for n in sizes]
        groups[-1][:, 0] = np.round(groups[-1][:, 0] + 0.001 * shift, 6)
        cases.append(compare(groups, reference))
    with open(OUT, "w") as f:
        json.dump({"cases": cases}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
