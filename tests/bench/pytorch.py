#!/usr/bin/env python3
"""Dalea's training step beside PyTorch's, interleaved in one run, one thread on one core.

pytorch.py DALEA [--workload NAME ...] [--rounds N] [--seconds S] [--malloc default]

Two PyTorch versions of each workload. "published loop": as the published notebooks do it, a Python loop over time steps of
nn.RNN, outputs written slice by slice into a preallocated tensor inside the graph, masks by clone and multiply, the
projection by a copy to numpy and back. "best plain": input projection and readout batched over time, relu in place of
clones, clamp in place, foreach Adam, eager and scripted; where there is a mask also sparse CSR products; the fastest counts.
glibc's allocator is told to keep freed blocks (--malloc default: as it is).
Before anything is timed, three training steps from Dalea's own weights and minibatches must give Dalea's losses.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

# glibc returns large freed blocks to the system and asks for them anew, a page fault for each 4 kB: PyTorch, which allocates
# its graph in each step, would spend half its time there. It is told to keep them.
keep = {"MALLOC_MMAP_THRESHOLD_": str(1 << 34), "MALLOC_TRIM_THRESHOLD_": str(1 << 34), "MALLOC_TOP_PAD_": str(1 << 28)}
if __name__ == "__main__" and "MALLOC_TRIM_THRESHOLD_" not in os.environ and "default" not in sys.argv:
    os.execve(sys.executable, [sys.executable] + sys.argv, {**os.environ, **keep})
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
if hasattr(os, "sched_setaffinity"):
    core = sorted(os.sched_getaffinity(0))[-1]
    os.sched_setaffinity(0, {core})

import numpy as np  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)


class Data:
    """What `dalea bench --dump` wrote."""

    def __init__(self, path):
        z = np.load(path)
        self.w = {k: torch.tensor(z[k]) for k in z.files if k[0] in "Wb"}
        self.x = torch.tensor(z["input"])  # (batches, B, T, inputs)
        self.y = torch.tensor(z["target"]) if "target" in z.files else None
        self.label = torch.tensor(z["label"]) if "label" in z.files else None
        self.losses = z["losses"]
        self.sign = torch.tensor(z["sign"]).float()
        self.mask = (self.w["W_rec"] != 0).float()
        self.masked = bool((self.mask == 0).any())
        self.outputs = [k for k in sorted(self.w, key=lambda s: (len(s), s)) if k.startswith("W_out")]


def populations(data, workload):
    """Columns each readout reads, and whether it is trained."""
    n = data.w["W_rec"].shape[0]
    if workload == "wave":
        first = data.w["W_out0"].shape[1]
        return [(0, first), (first, n)], True
    if workload.startswith("cell-type"):
        at, parts = 0, []
        for k in data.outputs:
            parts.append((at, at + data.w[k].shape[1]))
            at += data.w[k].shape[1]
        return parts, False
    return [(0, n)], workload != "large-sparse"


class Network(torch.nn.Module):
    def __init__(self, data, workload):
        super().__init__()
        w = data.w
        self.biases = w["b_rec"].numel() > 0
        n = w["W_rec"].shape[0]
        self.rnn = torch.nn.RNN(w["W_in"].shape[1], n, bias=self.biases, batch_first=True)
        with torch.no_grad():
            self.rnn.weight_ih_l0.copy_(w["W_in"])
            self.rnn.weight_hh_l0.copy_(w["W_rec"])
            if self.biases:
                self.rnn.bias_ih_l0.copy_(w["b_in"].flatten())
                self.rnn.bias_hh_l0.copy_(w["b_rec"].flatten())
        self.parts, trained = populations(data, workload)
        self.out = torch.nn.ModuleList()
        for k, (a, b) in enumerate(self.parts):
            linear = torch.nn.Linear(b - a, w[data.outputs[k]].shape[0])
            with torch.no_grad():
                linear.weight.copy_(w[data.outputs[k]])
                linear.bias.copy_(w[data.outputs[k].replace("W", "b")].flatten())
            linear.requires_grad_(trained)
            self.out.append(linear)
        self.tanh_output = workload == "flip-flop"
        self.last_only = workload == "mnist"

    def read(self, z):
        y = torch.cat([f(z[..., a:b]) for f, (a, b) in zip(self.out, self.parts)], -1)
        return torch.tanh(y) if self.tanh_output else y


def loss_of(net, data, k, y):
    if net.last_only:
        return torch.nn.functional.cross_entropy(y, data.label[k])
    return torch.nn.functional.mse_loss(y, data.y[k])


class Published:
    name = "published loop"

    def __init__(self, data, workload):
        self.data, self.net = data, Network(data, workload)
        self.adam = torch.optim.Adam([p for p in self.net.parameters() if p.requires_grad], lr=1e-3)
        self.sign = np.sign(data.sign.numpy())[None, :]

    def step(self, k):
        net, x = self.net, self.data.x[k]
        b, steps, _ = x.shape
        h = torch.zeros(1, b, net.rnn.hidden_size)
        states = torch.zeros(b, steps, net.rnn.hidden_size)
        for t in range(steps):
            z, h = net.rnn(x[:, t:t + 1, :], h)
            states[:, t, :] = z[:, 0, :]
            gate = h.clone()
            gate[gate > 0] = 1
            gate[gate < 0] = 0
            h = h.clone() * gate
        y = net.read(states[:, -1, :] if net.last_only else states)
        loss = loss_of(net, self.data, k, y)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        w = net.rnn.weight_hh_l0.detach().cpu().numpy().copy()
        w[(w * self.sign) < 0] = 0
        if self.data.masked:
            w = w * self.data.mask.numpy()
        with torch.no_grad():
            net.rnn.weight_hh_l0.copy_(torch.from_numpy(w))
        return float(loss)


def unroll(drive: torch.Tensor, w_t: torch.Tensor):
    """drive (T, B, N), W' -> states (T, B, N), relu-masked feedback.

    Steps come from unbind: the gradient of drive[t] would be a whole (T, B, N) of zeros for each t."""
    steps = drive.unbind(0)
    z = torch.tanh(steps[0])
    states = [z]
    for t in range(1, len(steps)):
        z = torch.tanh(torch.addmm(steps[t], torch.relu(z), w_t))
        states.append(z)
    return torch.stack(states)


class SparseProduct(torch.autograd.Function):
    """g (N, B) -> W g with W in CSR; the gradient on the mask alone."""

    @staticmethod
    def forward(ctx, g, values, holder):
        ctx.save_for_backward(g)
        ctx.holder = holder
        holder.fill(values)
        return holder.csr @ g

    @staticmethod
    def backward(ctx, d):
        (g,) = ctx.saved_tensors
        h = ctx.holder
        grad = (d.index_select(0, h.row) * g.index_select(0, h.col)).sum(1)
        return h.csc @ d, grad, None


class Holder:
    def __init__(self, dense):
        csr = dense.to_sparse_csr()
        self.crow, self.col = csr.crow_indices(), csr.col_indices()
        n = dense.shape[0]
        self.row = torch.repeat_interleave(torch.arange(n), self.crow[1:] - self.crow[:-1])
        self.values = csr.values().clone()
        self.shape = dense.shape
        order = torch.argsort(self.col * n + self.row)
        self.order = order
        counts = torch.bincount(self.col, minlength=n)
        self.ccol = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)])
        self.crow_of_csc = self.row[order]

    def fill(self, values):
        self.csr = torch.sparse_csr_tensor(self.crow, self.col, values.detach(), self.shape)
        self.csc = torch.sparse_csr_tensor(self.ccol, self.crow_of_csc, values.detach()[self.order], self.shape)


class Best:
    def __init__(self, data, workload, kind):
        self.name = "best plain, " + kind
        self.data, self.net, self.kind = data, Network(data, workload), kind
        rnn = self.net.rnn
        if kind == "sparse":
            self.holder = Holder(rnn.weight_hh_l0.detach())
            self.values = torch.nn.Parameter(self.holder.values)
            rnn.weight_hh_l0.requires_grad_(False)
            params = [p for p in self.net.parameters() if p.requires_grad] + [self.values]
            self.column_sign = data.sign[self.holder.col]
        else:
            params = [p for p in self.net.parameters() if p.requires_grad]
            self.unroll = torch.jit.script(unroll) if kind == "scripted" else unroll
        self.adam = torch.optim.Adam(params, lr=1e-3, foreach=True)
        n = data.sign.numel()
        self.plus = torch.nonzero(data.sign > 0).flatten()
        self.minus = torch.nonzero(data.sign < 0).flatten()
        contiguous = bool((data.sign[:len(self.plus)] > 0).all()) and len(self.plus) + len(self.minus) == n
        self.split = len(self.plus) if contiguous else None

    def step(self, k):
        net, rnn = self.net, self.net.rnn
        x = self.data.x[k].transpose(0, 1)
        drive = x @ rnn.weight_ih_l0.t()
        if net.biases:
            drive = drive + (rnn.bias_ih_l0 + rnn.bias_hh_l0)
        if self.kind == "sparse":
            steps = drive.transpose(1, 2).unbind(0)
            z = torch.tanh(steps[0])
            states = [z]
            for t in range(1, len(steps)):
                z = torch.tanh(steps[t] + SparseProduct.apply(torch.relu(z), self.values, self.holder))
                states.append(z)
            states = torch.stack(states).transpose(1, 2)
        else:
            states = self.unroll(drive, rnn.weight_hh_l0.t())
        y = net.read(states[-1]) if net.last_only else net.read(states).transpose(0, 1)
        loss = loss_of(net, self.data, k, y)
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            if self.kind == "sparse":
                self.values.mul_((self.values * self.column_sign >= 0).float())
            else:
                w = rnn.weight_hh_l0
                if self.split is not None:
                    w[:, :self.split].clamp_(min=0)
                    w[:, self.split:].clamp_(max=0)
                else:
                    w.mul_((w * self.data.sign >= 0).float())
                if self.data.masked:
                    w.mul_(self.data.mask)
        return float(loss)


def spread(v):
    v = sorted(v)
    return v[len(v) // 4], v[(3 * len(v)) // 4]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dalea")
    parser.add_argument("--workload", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each contender in each round")
    parser.add_argument("--isa", default="auto")
    parser.add_argument("--malloc", choices=["keep", "default"], default="keep")
    args = parser.parse_args()
    blas = os.path.realpath("/usr/lib/x86_64-linux-gnu/libblas.so.3") if os.path.exists(
        "/usr/lib/x86_64-linux-gnu/libblas.so.3") else "its own"
    print("PyTorch %s, BLAS %s%s" % (torch.__version__, blas, ", OPENBLAS_CORETYPE=" + os.environ["OPENBLAS_CORETYPE"]
                                     if "OPENBLAS_CORETYPE" in os.environ else ""))
    if "openblas" not in blas and blas != "its own":
        print("warning: not OpenBLAS; install libopenblas0-pthread for a fair comparison", file=sys.stderr)
    for workload in args.workload or ["flip-flop", "mnist", "wave", "cell-type-dense", "cell-type-sparse"]:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "dump.npz")
            subprocess.run([args.dalea, "bench", "--workload", workload, "--dump", path], check=True)
            data = Data(path)
        kinds = ["eager", "scripted"] + (["sparse"] if data.masked else [])
        contenders = [Published(data, workload)] + [Best(data, workload, k) for k in kinds]
        for c in contenders:
            got = [c.step(k) for k in range(len(data.losses))]
            worst = max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(got, data.losses))
            if not worst < 2e-4:
                sys.exit("%s, %s: losses %s differ from Dalea's %s" % (workload, c.name, got, list(data.losses)))
        times = {c.name: [] for c in contenders}
        times["Dalea"] = []
        for _ in range(args.rounds):
            for c in contenders:
                begin, count = time.perf_counter(), 0
                while count < 2 or time.perf_counter() - begin < args.seconds:
                    start = time.perf_counter()
                    c.step(count % len(data.losses))
                    times[c.name].append(1000 * (time.perf_counter() - start))
                    count += 1
            out = subprocess.run([args.dalea, "bench", "--workload", workload, "--threads", "1", "--isa", args.isa,
                                  "--seconds", str(args.seconds), "--json"], check=True, capture_output=True, text=True)
            r = json.loads(out.stdout)[0]
            times["Dalea"] += [r["ms_per_step"], *r["ms_quartiles"]]
        median = {k: statistics.median(v) for k, v in times.items()}
        best = min((k for k in median if k.startswith("best")), key=median.get)
        print("\n%s (losses agree)" % workload)
        for k, v in times.items():
            low, high = spread(v)
            print("  %-22s median %9.2f ms  quartiles %9.2f .. %9.2f  %6.2f x Dalea" % (k, median[k], low, high,
                                                                                         median[k] / median["Dalea"]))
        print("  Dalea computes %.0f GFLOP/s, %.0f %% of the measured peak of multiplications and additions" % (
            r["gflops"], 100 * r["gflops"] / r["peak_gflops"]))
        print("  ratio to the published loop %.1f, to the best plain PyTorch (%s) %.2f" % (
            median["published loop"] / median["Dalea"], best.split(", ")[1], median[best] / median["Dalea"]))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
