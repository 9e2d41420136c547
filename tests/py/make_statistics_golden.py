#!/usr/bin/python3
"""Reference values for tests/test_{statistics,significance,distributions}.cpp by scipy, numpy and mpmath.

make_statistics_golden.py   rewrites tests/golden/statistics.json (needs python3-scipy and python3-mpmath; the result is
committed and says which versions made it).
What scipy has not (exact p with ties, Westfall-Young, Holm, Benjamini-Hochberg) is written here from its definition, by
enumeration, without a look at the engine's way of computing it.
"""
import itertools
import json
import os

import mpmath as mp
import numpy as np
import scipy
from scipy import optimize, stats

OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "statistics.json")
rng = np.random.default_rng(20260)


def draw(n, digits=3, shift=0.0, scale=1.0):
    """Normal values, rounded so that few digits give ties."""
    return [float(v) for v in np.round(rng.normal(shift, scale, n), digits)]


# ---- special functions, 40 digits

def student(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    r = t * t / df
    if r < 1e-3:  # near 1 the integral converges from the other side
        return 1 - mp.betainc(mp.mpf(1) / 2, df / 2, 0, r / (1 + r), regularized=True)
    return mp.betainc(df / 2, mp.mpf(1) / 2, 0, 1 / (1 + r), regularized=True)


def noncentral(t, df, delta):
    """E[Phi(t S - delta)], S = sqrt(chi2/df): tanh-sinh quadrature over ln S in 40 pieces."""
    mp.mp.dps = 25
    t, df, delta = mp.mpf(t), mp.mpf(df), mp.mpf(delta)
    front = 2 * (df / 2) ** (df / 2) / mp.gamma(df / 2)
    w = 1 / mp.sqrt(2 * df)
    low, high = max(-60 / df - 2, -25 * w - 60 / df), min(mp.mpf(3.2), 25 * w)
    f = lambda u: mp.exp(df * u - df * mp.exp(2 * u) / 2) * mp.ncdf(t * mp.exp(u) - delta)
    v = front * mp.quad(f, mp.linspace(low, high, 41))
    mp.mp.dps = 40
    return v


def special():
    mp.mp.dps = 40
    return {
        "normal_upper": [[x, float(mp.erfc(mp.mpf(x) / mp.sqrt(2)) / 2)]
                         for x in list(np.linspace(-37, 37, 75)) + [1e-9, 2.4999, 2.5, 2.5001]],
        "log_gamma": [[x, float(mp.loggamma(x))]
                      for x in list(np.logspace(-3, 4, 40)) + [0.5, 1.0, 1.5, 2.0, 14.9, 15.0]],
        "log_gamma_half_step": [[x, float(mp.loggamma(mp.mpf(x) + mp.mpf(1) / 2) - mp.loggamma(x))]
                                for x in list(np.logspace(-3, 5, 40)) + [0.5, 1.0, 4.0]],
        "gamma_upper": [[a, a * r, float(mp.gammainc(a, a * r, regularized=True))]
                        for a in (0.5, 1.0, 2.0, 4.0, 10.0, 50.0, 500.0, 5000.0)
                        for r in (0.01, 0.5, 0.9, 1.0, 1.1, 1.5, 3.0)],
        "student": [[t, df, float(student(t, df))] for df in (1.0, 2.0, 2.5, 4.0, 8.0, 30.3, 198.0, 1e4)
                    for t in (1e-6, 0.01, 0.5, 1.0, 1.7, 1.75, 2.0, 3.0, 5.0, 10.0, 30.0, 1e20)],
        "noncentral": [[t, df, d, float(noncentral(t, df, d))] for df in (2.0, 3.0, 8.0, 58.0)
                       for d in (0.0, 0.5, -2.0, 9.9, 19.9, 20.1, 45.0) for t in (d * 0.8 - 1, d + 0.1, d * 1.3 + 2)],
    }


# ---- rank tests

def enumerated_mann_whitney(a, b):
    ranks = stats.rankdata(a + b)
    centre = len(a) * (len(a) + len(b) + 1) / 2
    seen = abs(sum(ranks[:len(a)]) - centre)
    away = [abs(sum(c) - centre) for c in itertools.combinations(ranks, len(a))]
    return sum(x >= seen - 1e-9 for x in away) / len(away)


def rank_tests():
    mw, wx = [], []
    for n, m, digits, shift in [(1, 1, 3, 0), (1, 6, 3, 0), (2, 2, 3, 1), (5, 5, 3, 0), (5, 5, 3, 3), (4, 7, 3, 1),
                                (8, 3, 3, -1), (10, 10, 3, 0.5), (20, 15, 3, 0.4), (40, 50, 4, 0.3), (60, 60, 5, 0.1),
                                (5, 5, 0, 0.5), (6, 4, 0, 1), (8, 8, 0, 0.5), (3, 9, 0, 0), (2, 5, 0, 2)]:
        a, b = draw(n, digits, shift), draw(m, digits)
        ties = len(set(a + b)) < n + m
        p = enumerated_mann_whitney(a, b) if ties else stats.mannwhitneyu(a, b, method="exact").pvalue
        r = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True)
        mw.append({"a": a, "b": b, "ties": ties, "u": float(r.statistic), "exact": float(p),
                   "asymptotic": float(r.pvalue)})
    for n, digits, shift in [(1, 3, 0), (2, 3, 1), (5, 3, 2), (6, 3, 0.5), (12, 3, 0.3), (25, 4, 0.4), (50, 5, 0.1),
                             (8, 0, 1), (12, 0, 0.5), (14, 1, 0.3)]:
        a, b = draw(n, digits, shift), draw(n, digits)
        d = np.array([x - y for x, y in zip(a, b)])
        d = np.round(d, digits + 1)
        a, b = [float(v) for v in d], [0.0] * n  # exact differences: rounding must not break ties here
        d = d[d != 0]
        ranks = stats.rankdata(abs(d))
        ties = len(set(ranks)) < len(d)
        if ties:
            centre = ranks.sum() / 2
            seen = abs(ranks[d > 0].sum() - centre)
            signs = np.array(list(itertools.product((0, 1), repeat=len(d))))
            p = float(np.mean(abs(signs @ ranks - centre) >= seen - 1e-9))
        else:
            p = float(stats.wilcoxon(d, mode="exact").pvalue)
        r = stats.wilcoxon(d, mode="approx", correction=True)
        wx.append({"a": a, "b": b, "ties": ties, "used": len(d), "w_plus": float(ranks[d > 0].sum()), "exact": p,
                   "asymptotic": float(r.pvalue)})
    return {"mann_whitney": mw, "wilcoxon": wx}


# ---- permutation tests

def welch_t(x, n):
    """Of the last axis, first n against the others."""
    a, b = x[..., :n], x[..., n:]
    return (a.mean(-1) - b.mean(-1)) / np.sqrt(a.var(-1, ddof=1) / n + b.var(-1, ddof=1) / (x.shape[-1] - n))


def permutation_tests():
    cases = []
    for n, m, shift in [(2, 2, 1), (3, 5, 1), (5, 5, 0), (5, 5, 4), (4, 8, -1), (7, 6, 0.8)]:
        a, b = draw(n, 3, shift), draw(m, 3, 0, 2)
        case = {"a": a, "b": b}
        for name, f in (("mean_difference", lambda u, v: np.mean(u) - np.mean(v)),
                        ("welch_t", lambda u, v: stats.ttest_ind(u, v, equal_var=False).statistic)):
            r = stats.permutation_test((a, b), lambda u, v: abs(f(u, v)), n_resamples=np.inf, alternative="greater",
                                       vectorized=False)
            case[name] = {"statistic": float(f(a, b)), "p": float(r.pvalue), "relabelings": len(r.null_distribution)}
        cases.append(case)
    return cases


def westfall_young():
    cases = []
    for n, m, endpoints, shift in [(3, 3, 4, 2.0), (5, 5, 12, 1.5), (4, 6, 6, 1.0), (6, 6, 21, 0.8)]:
        common = rng.normal(size=(n + m, 1))
        x = np.round(rng.normal(size=(n + m, endpoints)) + common, 3)
        x[:n] += np.linspace(0, shift, endpoints).round(3)
        x = x.round(3)
        t = abs(welch_t(x.T, n))
        orders = [list(c) + [i for i in range(n + m) if i not in c] for c in itertools.combinations(range(n + m), n)]
        null = np.array([abs(welch_t(x[o].T, n)) for o in orders])
        slack = 1e-9
        raw = (null >= t - slack).mean(0)
        single = (null.max(1)[:, None] >= t - slack).mean(0)
        falling = np.argsort(-t, kind="stable")
        down, before = np.zeros(endpoints), 0.0
        for k, e in enumerate(falling):
            before = max(before, float((null[:, falling[k:]].max(1) >= t[e] - slack).mean()))
            down[e] = before
        cases.append({"runs_a": n, "runs_b": m, "endpoints": endpoints, "a": x[:n].ravel().tolist(),
                      "b": x[n:].ravel().tolist(), "t": welch_t(x.T, n).tolist(), "p": raw.tolist(),
                      "single": single.tolist(), "down": down.tolist(), "relabelings": len(orders)})
    return cases


# ---- effects

def effects():
    cases = []
    for n, m, shift, scale, confidence in [(2, 2, 1, 1, 0.95), (5, 5, 0, 1, 0.95), (5, 5, 3, 1, 0.9),
                                           (5, 20, -1, 3, 0.95),
                                           (3, 4, 12, 1, 0.99), (20, 20, 0.5, 1, 0.95), (10, 12, -6, 1, 0.95)]:
        a, b = draw(n, 4, shift), draw(m, 4, 0, scale)
        va, vb = np.var(a, ddof=1) / n, np.var(b, ddof=1) / m
        df = (va + vb) ** 2 / (va ** 2 / (n - 1) + vb ** 2 / (m - 1))
        r = stats.ttest_ind(a, b, equal_var=False)
        critical = mp.findroot(lambda x: student(x, df) - (1 - mp.mpf(confidence)),
                               stats.t.ppf((1 + confidence) / 2, df))
        reach = float(critical) * np.sqrt(va + vb)  # scipy's quantile itself is good to 1e-9 only
        diff = np.mean(a) - np.mean(b)
        nu = n + m - 2
        d = diff / np.sqrt(((n - 1) * np.var(a, ddof=1) + (m - 1) * np.var(b, ddof=1)) / nu)
        j = float(mp.gamma(mp.mpf(nu) / 2) / (mp.sqrt(mp.mpf(nu) / 2) * mp.gamma(mp.mpf(nu - 1) / 2)))
        root = np.sqrt(n * m / (n + m))
        t = d * root
        end = lambda q: optimize.brentq(lambda x: stats.nct.cdf(t, nu, x)
                                 - q, t - 25, t + 25, xtol=1e-13, rtol=1e-13) / root
        ea, eb = np.exp(a).tolist(), np.exp(b).tolist()
        la, lb = np.log(ea), np.log(eb)
        cases.append({"a": a, "b": b, "confidence": confidence, "difference": diff, "se": np.sqrt(va + vb),
                      "t": float(r.statistic),
                      "df": df, "p": float(r.pvalue), "low": diff - reach, "high": diff + reach, "d": d,
                      "g": j * d, "j": j,
                      "g_low": end((1 + confidence) / 2), "g_high": end((1 - confidence) / 2), "exp_a": ea, "exp_b": eb,
                      "ratio": float(stats.gmean(ea) / stats.gmean(eb)),
                      "ratio_p": float(stats.ttest_ind(la, lb, equal_var=False).pvalue),
                      "ratio_low": float(np.exp(diff - reach)), "ratio_high": float(np.exp(diff + reach))})
    return cases


def one_group():
    cases = []
    for n, digits in [(2, 3), (3, 3), (5, 3), (12, 0), (31, 1)]:
        x, y = draw(n, digits), draw(n, digits)
        c = {"x": x, "y": y, "mean": np.mean(x), "sd1": np.std(x, ddof=1), "sd0": np.std(x), "se": float(stats.sem(x)),
             "median": np.median(x), "ranks": stats.rankdata(x).tolist(),
             "quantiles": [[q, np.quantile(x, q)] for q in (0.0, 0.025, 0.1, 0.25, 0.5, 0.9, 0.975, 1.0)]}
        steps = np.cumsum(rng.uniform(0.01, 1, n)).round(4)
        c["steps"], c["area"] = steps.tolist(), np.trapz(y, steps)
        if n > 2:
            for name, f in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
                r = f(x, y)
                perfect = abs(r[0]) > 1 - 1e-12
                c[name] = [float(r[0]), 0.0 if perfect else float(r[1])]  # scipy's p of a rounded 1 is about 1e-8
        cases.append(c)
    return cases


def adjusted():
    cases = []
    for p in ([0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
               0.7590, 1.0],  # Benjamini & Hochberg 1995, section 4.1
              [0.04], [0.5, 0.01, 0.01, 1.0, 0.0, 0.03], rng.uniform(0, 1, 21).round(3).tolist()):
        n, order = len(p), np.argsort(p, kind="stable")
        q = np.array(p)[order]
        holm = [min(1, max((n - j) * q[j] for j in range(i + 1))) for i in range(n)]
        bh = [min(1, min(n / (j + 1) * q[j] for j in range(i, n))) for i in range(n)]
        back = np.argsort(order, kind="stable")
        cases.append({"p": p, "holm": np.array(holm)[back].tolist(), "bh": np.array(bh)[back].tolist()})
    return cases


# ---- distributions

def published_kl(a, b, bins, eps):
    """SEEDS 2.6, as the notebooks had it."""
    return stats.entropy(np.histogram(a, bins=bins, density=True)[0] + eps,
                         np.histogram(b, bins=bins, density=True)[0] + eps)


def distributions():
    sets = [rng.normal(0, 0.1, 400), rng.normal(0.05, 0.2, 300), abs(rng.normal(0, 0.15, 250)),
            np.round(rng.normal(0, 0.1, 200), 2)]
    sets = [np.round(s, 6) for s in sets]
    out = {"sets": [s.tolist() for s in sets], "histograms": [], "kde": [], "kl": []}
    for s in sets:
        for edges in (np.histogram_bin_edges(s, 25), np.array([-0.2, -0.05, 0.0, 0.01, 0.1, 0.12])):
            c, d = np.histogram(s, edges)[0], np.histogram(s, edges, density=True)[0]
            out["histograms"].append({"edges": edges.tolist(), "counts": c.tolist(), "density": d.tolist(),
                                      "below": int((s < edges[0]).sum()), "above": int((s > edges[-1]).sum())})
        grid = np.linspace(-0.8, 0.8, 33)
        k = stats.gaussian_kde(s, bw_method="scott")
        out["kde"].append({"grid": grid.tolist(), "density": k(grid).tolist(),
                           "bandwidth": float(np.sqrt(k.covariance[0, 0]))})
    for i, j, bins in [(0, 1, 100), (1, 0, 100), (0, 2, 100), (0, 0, 100), (3, 0, 17)]:
        a, b = sets[i], sets[j]
        edges = np.histogram_bin_edges(np.concatenate([a, b]), bins)
        share = [np.histogram(s, edges)[0] / len(s) + 1e-7 for s in (a, b)]
        out["kl"].append({"i": i, "j": j, "bins": bins, "own": float(published_kl(a, b, bins, 1e-7)),
                          "common": float(stats.entropy(*share))})
    pairs = [published_kl(a, b, 100, 1e-7) for a in sets[:2] for b in sets[2:]]
    out["pairs"] = {"values": pairs, "mean": np.mean(pairs), "variance": np.var(pairs), "sd": np.std(pairs, ddof=1)}
    p, q = [1.0, 0.0, 3.0, 4.0], [2.0, 1.0, 1.0, 7.0]
    out["entropy"] = {"p": p, "q": q, "value": float(stats.entropy(p, q))}
    return out


def main():
    golden = {"made_by": {"scipy": scipy.__version__, "numpy": np.__version__, "mpmath": mp.__version__},
              "special": special(),
              **rank_tests(), "permutation": permutation_tests(), "westfall_young": westfall_young(),
              "effects": effects(),
              "one_group": one_group(), "adjusted": adjusted(), "distributions": distributions()}
    with open(OUT, "w") as f:
        json.dump(golden, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
