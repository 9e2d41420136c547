#!/usr/bin/env python3
"""One hash per experiment: every instruction set, thread count, storage and platform, against tests/golden/hashes.json.

hash_table.py --native DALEA [--wide DALEA-WIDE] [--node DALEA.js ...] [--chromium] [--update]

--wide: the AVX-512 code on a machine that lacks it (CMakeLists.txt: dalea_wide). --chromium: the page too, with and
without threads, by links (tests/browser/hashes.js).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
GOLDEN = os.path.join(HERE, "golden", "hashes.json")

SMALL = ["training.epochs=2", "task.train=600", "task.validation=200", "task.held_out=200"]
ROWS = {
    "quickstart": ("quickstart", ["training.epochs=3"], [[]]),
    "flip-flop": ("flip-flop", SMALL, [[]]),
    "wave": ("wave", ["training.epochs=1", "task.train=200", "task.validation=100", "task.held_out=100"], [[]]),
    "recording": ("recording", ["training.epochs=2"], [[]]),
    "masked flip-flop": ("flip-flop", SMALL + ["connectivity.probability=0.1"],
                         [["connectivity.storage=" + s] for s in ("dense", "sparse", "auto")]),
    "digits": ("digits", ["training.epochs=1", "task.train=1000", "task.validation=200", "task.held_out=200"], [[]]),
    "digits, small": ("digits-small", ["training.epochs=1", "task.train=500", "task.validation=100", "task.held_out=200"],
                      [[]]),
    "masked leaky noisy recording": ("recording", ["training.epochs=1", "populations[0].tau_s=0.1", "network.noise=0.05",
                                                   "network.activation=softplus",
                                                   "connectivity.probability=[[0.1,0.5],[0.5,0]]"],
                                     [["connectivity.storage=" + s] for s in ("dense", "sparse")]),
}


NO_DIGITS = "digits"
PAGE_DIGITS = os.path.join(ROOT, "build", "web", "site", "digits", "train-images-idx3-ubyte.gz")  # enough for the rows


def run(command, experiment, sets, isa, threads, out):
    line = command + ["run", os.path.join(ROOT, "assets", "experiments", experiment + ".json"), "--json", "--quiet",
                      "--isa", isa, "--threads", str(threads), "--out", out]
    for s in sets:
        line += ["--set", s]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode == 1 and "is not available here" in done.stderr:
        return None
    if done.returncode == 1 and "needs the digits" in done.stderr:
        return NO_DIGITS
    if done.returncode != 0:
        return "exit %d: %s" % (done.returncode, done.stderr.strip().splitlines()[-1:])
    return json.loads(done.stdout)["hash"]


def chromium(native):
    """{(row, variant): [(build, hash), ...]} of the page."""
    keys, links = [], []
    for name, (experiment, sets, variants) in ROWS.items():
        if experiment.startswith("digits") and not os.path.exists(PAGE_DIGITS):
            continue
        for variant in variants:
            line = [native, "link", os.path.join(ROOT, "assets", "experiments", experiment + ".json")]
            for s in sets + variant:
                line += ["--set", s]
            links.append(subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip())
            keys.append((name, tuple(variant)))
    done = subprocess.run(["node", os.path.join(HERE, "browser", "hashes.js")], input="\n".join(links),
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("hash_table: the page failed: " + done.stderr.strip())
    found = {}
    for line in done.stdout.splitlines():
        r = json.loads(line)
        found.setdefault(keys[r["index"]], []).append((r["build"], r["hash"]))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--native", required=True)
    parser.add_argument("--wide")
    parser.add_argument("--node", action="append", default=[])
    parser.add_argument("--chromium", action="store_true")
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()

    programs = [("native", [args.native], ["scalar", "sse2", "avx2", "avx512"], [1, 2, 3, 8])]
    if args.wide:
        programs.append(("AVX-512 code in halves", [args.wide], ["avx512"], [1, 2]))
    for js in args.node:
        if not os.path.exists(js):
            sys.exit("hash_table: %s does not exist; build it first" % js)
        kind = "node " + os.path.basename(os.path.dirname(os.path.abspath(js)))
        threads = [1] if "nothreads" in kind else [1, 2, 3, 8]
        programs.append((kind, ["node", js], ["scalar", "simd128"], threads))

    page = chromium(args.native) if args.chromium else {}
    golden = json.load(open(GOLDEN))
    found, passed, failed, absent = {}, 0, 0, set()
    with tempfile.TemporaryDirectory() as out:
        for name, (experiment, sets, variants) in ROWS.items():
            cells = []
            for kind, command, isas, thread_counts in programs:
                for isa in isas:
                    for threads in thread_counts:
                        # The scalar reference is slow: once a program.
                        if isa == "scalar" and threads > 1:
                            continue
                        for variant in variants:
                            h = run(command, experiment, sets + variant, isa, threads, out)
                            if h is None:
                                absent.add(kind + " " + isa)
                                continue
                            if h == NO_DIGITS:
                                absent.add("the digits (./run digits installs them): row '%s' was not checked" % name)
                                continue
                            cells.append((h, "%s %s %d threads %s" % (kind, isa, threads, " ".join(variant))))
            for variant in variants:
                for build, h in page.get((name, tuple(variant)), []):
                    cells.append((h, "Chromium %s %s" % (build, " ".join(variant))))
            if not cells:
                found[name] = golden["hashes"].get(name)
                continue
            expected = cells[0][0] if args.update else golden["hashes"].get(name, "none recorded")
            found[name] = cells[0][0]
            bad = [c for c in cells if c[0] != expected]
            passed += len(cells) - len(bad)
            failed += len(bad)
            print("%-30s %s  %d ways%s" % (name, expected, len(cells), "" if not bad else ", %d DIFFER" % len(bad)))
            for h, where in bad:
                print("    %s  %s" % (h, where))
            sys.stdout.flush()
    for a in sorted(absent):
        print("not on this machine: " + a)
    if args.update:
        os.makedirs(os.path.dirname(GOLDEN), exist_ok=True)
        json.dump({"numerics": 1, "hashes": found}, open(GOLDEN, "w"), indent=2)
        open(GOLDEN, "a").write("\n")
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
