#!/usr/bin/python3
"""Reference losses, gradients and training steps by PyTorch in float64, for tests/test_against_torch.cpp.

make_torch_golden.py   rewrites tests/golden/torch.json (needs python3-torch; the result is committed).
The model is SEEDS 1.1 with the options of engine/network/model.h. Parameters and inputs are float32 values, so that both
sides start from the same numbers. A case with a state within 1e-5 of the relu edge is drawn anew.
"""
import json
import os

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
OUT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "torch.json")
F = {"tanh": torch.tanh, "relu": torch.relu, "softplus": torch.nn.functional.softplus, "sigmoid": torch.sigmoid,
     "identity": lambda x: x}


def forward(c, p):
    """Outputs (B, T, O), mean of g^2, and the least distance of a state from the relu edge."""
    B, T, N = c["batch"], c["steps"], c["units"]
    u = torch.tensor(c["input"]).reshape(B, T, -1)
    alpha = torch.tensor(c["alpha"]) if c["alpha"] else torch.ones(N)
    x, g = torch.zeros(B, N), torch.zeros(B, N)
    rows, rate, edge = [], 0.0, 1.0
    for t in range(T):
        drive = g @ p["W_rec"].T + u[:, t] @ p["W_in"].T
        if c["biases"]:
            drive = drive + p["b_in"] + p["b_rec"]
        x = (1 - alpha) * x + alpha * drive
        z = F[c["activation"]](x)
        g = z * (z > 0).to(z.dtype) if c["rectified"] else z
        edge = min(edge, float(x.abs().min()))
        rate = rate + (g ** 2).sum()
        parts = [z[:, a:b] @ p["W_out%d" % r].T + p["b_out%d" % r] for r, (a, b) in enumerate(c["readouts"])]
        rows.append(F[c["output"]](torch.cat(parts, 1)))
    return torch.stack(rows, 1), rate / (B * T * N), edge


def loss_of(c, p):
    y, rate, edge = forward(c, p)
    if c["loss"] == "cross-entropy":
        label = torch.tensor(c["label"]).reshape(-1)
        loss = torch.nn.functional.cross_entropy(y.reshape(-1, c["outputs"]), label, ignore_index=-1)
    else:
        e = (y - torch.tensor(c["target"]).reshape(y.shape)) ** 2
        s = torch.tensor(c["scored"], dtype=torch.float64).reshape(y.shape) if c["scored"] else torch.ones_like(e)
        loss = (e * s).sum() / s.sum()
    return loss + c["rate_l2"] * rate, edge


def f32(a):
    return np.asarray(a, dtype=np.float32).astype(np.float64)


def flat(a):
    return [float(v) for v in np.asarray(a).reshape(-1)]


def draw(rng, k, **fixed):
    N, B, T, I = int(rng.integers(10, 25)), int(rng.integers(5, 20)), int(rng.integers(7, 13)), int(rng.integers(1, 4))
    c = dict(units=N, batch=B, steps=T, inputs=I, activation=["tanh", "relu", "softplus", "sigmoid"][k % 4],
             rectified=(k // 4) % 2 == 0, biases=(k // 8) % 2 == 0, loss="cross-entropy" if k % 3 == 2 else "mse",
             output="identity", rate_l2=0.1 if k % 5 == 4 else 0.0, excitatory=int(0.8 * N), alpha=[], scored=[], label=[],
             target=[], mask=[], in_mask=[])
    c.update(fixed)
    E = c["excitatory"]
    two = k % 4 == 1 and c["loss"] == "mse"
    c["readouts"] = [[0, E], [E, N]] if two else [[0, N]]
    c["outputs"] = 2 if two else 3 if c["loss"] == "cross-entropy" else int(rng.integers(1, 3))
    if c["loss"] == "mse" and k % 2 == 0:
        c["output"] = "tanh"
    if k % 3 == 1:
        c["alpha"] = flat(f32(rng.uniform(0.1, 1.0, N)))
    c["input"] = flat(f32(rng.normal(size=(B, T, I))))
    if c["loss"] == "mse":
        c["target"] = flat(f32(rng.normal(size=(B, T, c["outputs"]))))
        if k % 7 == 3:
            c["scored"] = [int(v) for v in rng.integers(0, 2, B * T * c["outputs"])]
    else:
        c["label"] = [int(v) for v in rng.integers(-1, 3, B * T)]
    p = {"W_in": f32(rng.uniform(-1, 1, (N, I))), "W_rec": f32(rng.uniform(0, 1.2 / np.sqrt(N), (N, N)))}
    p["W_rec"][:, E:] *= -1
    if k % 6 == 5:
        mask = rng.random((N, N)) < 0.3
        p["W_rec"] *= mask
        c["mask"] = [int(v) for v in mask.reshape(-1)]
        in_mask = rng.random((N, I)) < 0.5
        p["W_in"] *= in_mask
        c["in_mask"] = [int(v) for v in in_mask.reshape(-1)]
    if c["activation"] in ("relu", "softplus"):
        p["W_rec"] = f32(0.3 * p["W_rec"])  # unbounded units must not run away within the trial
    for b in ("b_in", "b_rec"):
        p[b] = f32(rng.uniform(-0.3, 0.3, N))
    for r, (a, b) in enumerate(c["readouts"]):
        # A saturated tanh output has 1 - y^2 of float32 rounding errors alone.
        size = 0.1 if c["output"] == "tanh" else 1.0
        p["W_out%d" % r] = f32(rng.uniform(-size, size, (c["outputs"] // len(c["readouts"]), b - a)))
        p["b_out%d" % r] = f32(rng.uniform(-1, 1, c["outputs"] // len(c["readouts"])))
    return c, p


def tensors(p):
    return {k: torch.tensor(v, requires_grad=True) for k, v in p.items()}


def gradient_case(k):
    seed = k
    while True:
        c, p = draw(np.random.default_rng(seed), k)
        t = tensors(p)
        loss, edge = loss_of(c, t)
        if edge > 1e-5:
            break
        seed += 1000
    loss.backward()
    c["parameters"] = {n: flat(v) for n, v in p.items()}
    c["expected_loss"] = float(loss)
    grads = {}
    for n, v in t.items():
        g = v.grad.numpy() if v.grad is not None else np.zeros(v.shape)
        if n == "W_rec" and c["mask"]:
            g = g * np.reshape(c["mask"], g.shape)
        if n == "W_in" and c["in_mask"]:
            g = g * np.reshape(c["in_mask"], g.shape)
        grads[n] = flat(g)
    c["expected_gradient"] = grads
    return c


def step_case(k, optimizer, constraint, clip, weight_l2):
    """20 updates; Adam and RMSprop with a large epsilon, so that a rounding error of a tiny gradient is not blown up."""
    c, p = draw(np.random.default_rng(500 + k), 0, activation="tanh", rectified=constraint == "dale", biases=True,
                loss="mse", rate_l2=0.0)
    c.update(optimizer=optimizer, constraint=constraint, clip=clip, weight_l2=weight_l2, lr=0.01, epsilon=1e-2 if optimizer == "rmsprop" else 1e-3,
             momentum=0.0)
    t = tensors(p)
    names = list(t)
    if optimizer == "adam":
        o = torch.optim.Adam(t.values(), lr=0.01, eps=1e-3)
    elif optimizer == "rmsprop":
        o = torch.optim.RMSprop(t.values(), lr=0.01, eps=1e-2)
    else:
        c["momentum"] = 0.9 if optimizer == "sgd-momentum" else 0.0
        o = torch.optim.SGD(t.values(), lr=0.01, momentum=c["momentum"])
    sign = torch.ones(c["units"])
    sign[c["excitatory"]:] = -1
    first = torch.where(t["W_rec"].detach() < 0, -1.0, 1.0)

    def rectified(w):
        return w * (w * sign > 0).to(w.dtype)

    for _ in range(20):
        o.zero_grad()
        used = dict(t)
        if constraint == "rectified-forward":
            used["W_rec"] = rectified(t["W_rec"])
        loss, _ = loss_of(c, used)
        (loss + weight_l2 * (used["W_rec"] ** 2).sum()).backward()
        if clip:
            norm = float(torch.sqrt(sum((t[n].grad ** 2).sum() for n in names)))
            if norm > clip:
                for n in names:
                    t[n].grad *= clip / norm
        o.step()
        with torch.no_grad():
            if constraint == "dale":
                t["W_rec"].copy_(rectified(t["W_rec"]))
            elif constraint == "rectified":
                t["W_rec"].copy_(torch.clamp(t["W_rec"], min=0) * first)
    end = {n: v.detach().numpy() for n, v in t.items()}
    if constraint == "rectified-forward":
        end["W_rec"] = rectified(t["W_rec"].detach()).numpy()
    c["parameters"] = {n: flat(v) for n, v in p.items()}
    c["expected_parameters"] = {n: flat(v) for n, v in end.items()}
    return c


def schedules():
    def rates(make, epochs):
        o = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
        s, out = make(o), []
        for _ in range(epochs):
            out.append(o.param_groups[0]["lr"])
            o.step()
            s.step()
        return out
    s = torch.optim.lr_scheduler
    return {"cosine": rates(lambda o: s.CosineAnnealingLR(o, 10, 1e-4), 45),
            "cosine-restarts": rates(lambda o: s.CosineAnnealingWarmRestarts(o, 10, 1, 1e-4), 45)}


def main():
    golden = {"torch": torch.__version__, "gradients": [gradient_case(k) for k in range(48)], "steps": [], "schedules": schedules()}
    k = 0
    for optimizer in ("adam", "sgd", "sgd-momentum", "rmsprop"):
        for constraint in ("dale", "conventional", "rectified", "rectified-forward"):
            golden["steps"].append(step_case(k, optimizer, constraint, 0.5 if k % 2 else 0.0, 0.01 if k % 3 == 0 else 0.0))
            k += 1
    with open(OUT, "w") as f:
        json.dump(golden, f, separators=(",", ":"))
        f.write("\n")
    print("wrote", OUT, os.path.getsize(OUT), "bytes")


if __name__ == "__main__":
    main()
