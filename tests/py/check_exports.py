#!/usr/bin/python3
"""What dalea convert writes, read with numpy, scipy, h5py and PyTorch: check_exports.py DALEA

The same values in every format, bit for bit; assets/python/dalea_torch.py gives the engine's outputs to 1e-5.
"""
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DALEA = None
LAYERS = [{"name": "E1", "size": 12, "sign": "+", "tau_s": 0.1, "area": "V1", "layer": "L2/3"},
          {"name": "I", "size": 5, "sign": "-", "tau_s": 0.04, "type": "Sst"}, {"name": "E\u03b1", "size": 9, "sign": "+"}]
SMALL = {"steps": 12, "train": 60, "validation": 10, "held_out": 23}
TRAINING = {"epochs": 3, "batch": 10, "optimizer": {"lr": 0.01}}
EXPERIMENTS = {
    "flip-flop": {"populations": [{"name": "E", "size": 24, "sign": "+"}, {"name": "I", "size": 8, "sign": "-"}]},
    "leaky": {"populations": LAYERS},
    "plain": {"populations": LAYERS, "network": {"feedback": "plain", "activation": "softplus", "biases": False}},
    "wave": {"populations": LAYERS, "task": {"type": "wave"}, "network": {"activation": "sigmoid"}},
    "sparse": {"populations": LAYERS, "connectivity": {"probability": 0.2, "storage": "sparse"}},
    "populations": {"populations": LAYERS[:2], "task": {"type": "wave"},
                    "network": {"readout": "populations", "input_mask": True, "activation": "relu"}},
    "rectified-forward": {"populations": LAYERS, "training": {"constraint": "rectified-forward"}},
    "classes": {"populations": LAYERS, "training": {"loss": "cross-entropy"}},
}
np = sio = h5py = torch = None


def optional(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def dalea(*args, code=0):
    done = subprocess.run(DALEA + list(args), capture_output=True, text=True, timeout=300)
    assert done.returncode == code, (args, done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def merged(name):
    e = {"dalea": 1, "name": name, "task": dict(SMALL), "training": dict(TRAINING)}
    for key, value in EXPERIMENTS[name].items():
        e[key] = {**e[key], **value} if key in ("task", "training") else value
    return e


def loader():
    spec = importlib.util.spec_from_file_location("dalea_torch", os.path.join(ROOT, "assets/python/dalea_torch.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Exports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.npz = {}
        for name in EXPERIMENTS:
            experiment = os.path.join(cls.dir, name + ".json")
            with open(experiment, "w") as f:
                json.dump(merged(name), f)
            cls.train(name, experiment)
        cls.train("digits", os.path.join(ROOT, "assets/experiments/digits.json"), "--set", "training.epochs=1", "--set",
                  "training.batch=10", "--set", "task.train=40", "--set", "task.validation=10", "--set",
                  "task.held_out=20", "--set", "task.folder=" + cls.digits())
        cls.train("recording", os.path.join(ROOT, "assets/experiments/recording.json"), "--set", "training.epochs=1")

    @classmethod
    def digits(cls):
        folder = os.path.join(cls.dir, "idx")
        os.makedirs(folder)
        for part, count in (("train", 50), ("t10k", 20)):
            images = bytes((3 * n + 5 * e) % 256 for n in range(count) for e in range(784))
            for name, content in (("images-idx3", struct.pack(">IIII", 0x803, count, 28, 28) + images),
                                  ("labels-idx1", struct.pack(">II", 0x801, count) + bytes(n % 10 for n in range(count)))):
                with open(os.path.join(folder, "%s-%s-ubyte" % (part, name)), "wb") as f:
                    f.write(content)
        return folder

    @classmethod
    def train(cls, name, experiment, *args):
        out = os.path.join(cls.dir, name)
        dalea("run", experiment, "--out", out, "--quiet", *args)
        cls.npz[name] = out + ".npz"
        dalea("convert", os.path.join(out, "session.npz"), out + ".npz", "--predictions")

    def convert(self, name, ending):
        out = os.path.join(self.dir, name + ending)
        dalea("convert", os.path.join(self.dir, name, "session.npz"), out, "--predictions")
        return out

    def same(self, a, b, what):
        self.assertEqual((a.dtype, a.shape), (b.dtype, b.shape), what)
        self.assertEqual(np.ascontiguousarray(a).tobytes(), np.ascontiguousarray(b).tobytes(), what)

    def test_numpy_has_what_the_session_has(self):
        for name, path in self.npz.items():
            a, s = np.load(path), np.load(os.path.join(self.dir, name, "session.npz"))
            if name != "sparse":
                self.same(a["W_rec"], s["parameters/W_rec"], name)
            self.assertTrue((a["W_rec"][a["mask"] == 0] == 0).all())
            if name not in ("digits", "recording"):
                self.assertTrue((a["W_rec"] * a["sign"] >= 0).all())
            self.same(a["history/train"], s["history/train"], name)
            self.assertEqual(json.loads(str(a["experiment"])), json.loads(bytes(s["spec.json"])))
            self.assertEqual(str(a["hash"]), json.loads(bytes(s["provenance.json"]))["hash"])
            y, scored = a["predictions/output"], a["predictions/scored"].astype(bool)
            if "predictions/target" in a:
                loss = ((y - a["predictions/target"].astype(float)) ** 2)[scored].mean()
            else:
                y = y.astype(float)
                odds = y - np.log(np.exp(y - y.max(-1, keepdims=True)).sum(-1, keepdims=True)) - y.max(-1, keepdims=True)
                loss = -np.take_along_axis(odds, np.maximum(a["predictions/label"], 0)[..., None], -1)[..., 0][scored].mean()
            self.assertAlmostEqual(loss / a["history/held_out"][-1], 1, places=5, msg=name)
        a = np.load(self.npz["leaky"])
        self.assertEqual(a["population_name"].tolist(), ["E1", "I", "E\u03b1"])
        self.assertEqual(a["population_layer"].tolist(), ["L2/3", "", ""])
        self.assertEqual(a["population"].tolist(), [0] * 12 + [1] * 5 + [2] * 9)
        s = np.load(os.path.join(self.dir, "sparse", "session.npz"))
        a = np.load(self.npz["sparse"])
        start, row = s["parameters/W_rec.col_start"], s["parameters/W_rec.row"]
        where = row, np.repeat(np.arange(26), np.diff(start))
        self.same(a["W_rec"][where], s["parameters/W_rec.values"], "sparse")
        self.assertEqual((a["mask"].sum(), a["mask"][where].min()), (len(row), 1))

    def test_matlab(self):
        if sio is None:
            self.skipTest("python3-scipy is not installed")
        for name, path in self.npz.items():
            mat = sio.loadmat(self.convert(name, ".mat"))
            for key, a in np.load(path).items():
                m, what = mat[key.replace("/", "_").replace(".", "_")], name + " " + key
                if a.dtype.kind != "U":
                    self.same(np.squeeze(m), np.squeeze(a), what)
                elif a.ndim == 0:
                    self.assertEqual(str(m[0]), str(a), what)
                else:
                    self.assertEqual([str(t[0]) if t.size else "" for t in m[:, 0]], a.tolist(), what)

    def test_hdf5(self):
        if h5py is None:
            self.skipTest("python3-h5py is not installed")
        for name, path in self.npz.items():
            with h5py.File(self.convert(name, ".h5"), "r") as f:
                npz = np.load(path)
                found = []
                f.visititems(lambda key, o: found.append(key) if isinstance(o, h5py.Dataset) else None)
                self.assertEqual(sorted(found), sorted(npz.files))
                for key, a in npz.items():
                    if a.dtype.kind != "U":
                        self.same(f[key][()], a, name + " " + key)
                    elif a.ndim == 0:
                        self.assertEqual(f[key].asstr()[()], str(a), key)
                    else:
                        self.assertEqual(f[key].asstr()[()].tolist(), a.tolist(), key)
                self.assertEqual(f["W_rec"].attrs["axes"], b"post, pre")
                self.assertEqual(f.attrs["written_by"], b"Dalea")

    def test_equal_bytes(self):
        for ending in (".mat", ".h5", ".hdf5", ".npz"):
            with open(self.convert("leaky", ending), "rb") as f:
                first = f.read()
            with open(self.convert("leaky", ending), "rb") as f:
                self.assertEqual(f.read(), first)

    def test_the_loader_gives_the_engines_outputs(self):
        if torch is None:
            self.skipTest("python3-torch is not installed")
        module = loader()
        for name, path in self.npz.items():
            a, network = np.load(path), module.load(path)
            with torch.no_grad():
                y, z, state = network(torch.from_numpy(a["predictions/input"]), details=True)
                self.assertLess(abs(y.numpy() - a["predictions/output"]).max(), 1e-5, name)
                self.assertEqual(z.shape, y.shape[:2] + (len(a["sign"]),))
                early, _, state = network(torch.from_numpy(a["predictions/input"][:, :5]), details=True)
                late = network(torch.from_numpy(a["predictions/input"][:, 5:]), state)
                self.assertLess(abs(torch.cat((early, late), 1) - y).max(), 1e-6, name)
            self.assertEqual(set(network.state_dict()), {"W_in", "W_rec", "bias", "W_out", "b_out", "mask", "sign", "alpha",
                                                         "population", "readout_mask"})
            network.load_state_dict(module.load(path).state_dict())

    def test_the_loader_trains_on_under_the_constraint(self):
        if torch is None:
            self.skipTest("python3-torch is not installed")
        for name in ("sparse", "populations"):
            a, network = np.load(self.npz[name]), loader().load(self.npz[name])
            x, target = (torch.from_numpy(a["predictions/" + key]) for key in ("input", "target"))
            optimizer = torch.optim.Adam(network.parameters(), 0.05)
            losses = []
            for _ in range(20):
                optimizer.zero_grad()
                loss = ((network(x) - target) ** 2).mean()
                loss.backward()
                optimizer.step()
                network.project()
                losses.append(loss.item())
            self.assertLess(losses[-1], losses[0])
            W = network.W_rec.detach().numpy()
            self.assertTrue((W * a["sign"] >= 0).all() and (W[a["mask"] == 0] == 0).all())
            self.assertTrue((network.W_out.detach().numpy()[network.readout_mask.numpy() == 0] == 0).all())

    def test_recordings_round_trip(self):
        rng = np.random.default_rng(1)
        x = rng.standard_normal((90, 4)).astype(np.float32)
        x[3, 1] = np.nan
        start = os.path.join(self.dir, "cells.npy")
        np.save(start, x)
        ends = [".npz", ".mat", ".npy", ".csv"] + ([".h5"] if h5py is not None else [])
        for end in ends:
            out = os.path.join(self.dir, "out" + end)
            o = json.loads(dalea("convert", start, out, "--json", "--set", "recording.rate_hz=30"))
            self.assertEqual((o["kind"], o["arrays"][0]["shape"]), ("recording", [90, 4]))
            self.assertEqual(o["bytes"], os.path.getsize(out))
            if end == ".h5":
                with h5py.File(out, "r") as f:
                    self.same(f["traces"][()], x, end)
                    self.assertEqual(f["rate_hz"][()], 30)
            back = os.path.join(self.dir, "back.npy")  # by Dalea's own readers
            dalea("convert", out, back)
            self.same(np.load(back), x, end)
        self.assertAlmostEqual(json.loads(dalea("inspect", os.path.join(self.dir, "out.csv"), "--json"))["rate_hz"], 30, places=8)

    def test_python_and_refusals(self):
        session, out = os.path.join(self.dir, "leaky", "session.npz"), os.path.join(self.dir, "n.npz")
        module = os.path.join(self.dir, "dalea_torch.py")
        text = dalea("convert", session, out, "--python", module)
        self.assertIn("W_rec", text)
        with open(module) as a, open(os.path.join(ROOT, "assets/python/dalea_torch.py")) as b:
            self.assertEqual(a.read(), b.read())
        self.assertNotIn("predictions/output", np.load(out).files)
        csv = os.path.join(self.dir, "r.csv")
        with open(csv, "w") as f:
            f.write("1,2\n2,3\n4,1\n")
        for args, words in (((session, "n.csv"), "ends in .npz, .mat"), ((session, session), "another name"),
                            ((session, out, "--array", "x"), "for recordings"), ((csv, "r.txt"), ".npy or .csv"),
                            ((csv, "r.npy", "--predictions"), "for sessions"),
                            ((os.path.join(self.dir, "leaky.json"), out), "not yet trained"),
                            ((session, out, "--recording", csv), "not trained on a recording"),
                            ((csv, "r.npy", "--orientation", "sideways"), "time-by-unit"),
                            ((session, os.path.join(self.dir, "no", "n.npz")), "cannot be written")):
            message = dalea("convert", *args, code=2 if "cannot be" in words else 1)
            self.assertIn(words, message)


if __name__ == "__main__":
    np = optional("numpy")
    if np is None:
        print("skipped: python3-numpy is not installed")
        sys.exit(0)
    sio, h5py, torch = optional("scipy.io"), optional("h5py"), optional("torch")
    DALEA = [os.path.abspath(sys.argv.pop(1))]
    unittest.main()
