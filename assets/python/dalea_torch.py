"""A network trained with Dalea as a torch.nn.Module.

    from dalea_torch import load
    network = load("quick-start-weights.npz")  # of dalea convert, or Download > Weights (.npz) in the window
    outputs = network(inputs)                  # (trial, step, channel) -> (trial, step, output)

What it computes is the network as trained, without noise:
    drive[t] = W_rec fed_back[t - 1] + W_in input[t] + bias
    x[t]     = (1 - alpha) x[t - 1] + alpha drive[t]           alpha = dt / tau of each unit; 1: not leaky
    z[t]     = activation(x[t])
    fed_back = max(z, 0) where the network is rectified, else z
    output   = output_activation(W_out z[t] + b_out)
The state begins at 0. Outputs of a task with classes are logits.

state_dict():
    W_in (unit, channel), W_rec (post, pre: a column is a presynaptic unit), bias (unit), W_out (output, unit),
    b_out (output): parameters
    mask (post, pre), sign (unit: 1, -1, 0), alpha (unit), population (unit), readout_mask (output, unit): buffers

After each step of an optimizer, network.project() returns it to Dale's law and to the connections that exist.
"""
import numpy as np
import torch

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x,
               "softplus": lambda x: torch.clamp(x, min=0) + torch.log1p(torch.exp(-torch.abs(x)))}


def _columns(arrays, name, units):
    """A matrix too large for one array: values, row and col_start of compressed columns."""
    row, start = arrays[name + ".row"], arrays[name + ".col_start"]
    dense = np.zeros((units, len(start) - 1), np.float32)
    where = row, np.repeat(np.arange(len(start) - 1), np.diff(start))
    dense[where] = arrays[name + ".values"]
    exists = np.zeros(dense.shape, np.float32)
    exists[where] = 1
    return dense, exists


class Network(torch.nn.Module):
    """`arrays`: what numpy.load gives of an export, or a dictionary with the same names."""

    def __init__(self, arrays):
        super().__init__()
        units = len(arrays["sign"])
        if "W_rec" in arrays:
            W_rec, mask = arrays["W_rec"], arrays["mask"]
        else:
            W_rec, mask = _columns(arrays, "W_rec", units)
        W_in = arrays["W_in"] if "W_in" in arrays else _columns(arrays, "W_in", units)[0]
        bias = arrays["b_in"][:, 0] + arrays["b_rec"][:, 0]
        for name, value in (("W_in", W_in), ("W_rec", W_rec), ("bias", bias), ("W_out", arrays["W_out"]),
                            ("b_out", arrays["b_out"])):
            setattr(self, name, torch.nn.Parameter(torch.from_numpy(np.array(value, np.float32))))
        reads = np.zeros(arrays["W_out"].shape, np.float32)
        for (unit, unit_end), (output, output_end) in zip(arrays["readout_units"], arrays["readout_outputs"]):
            reads[output:output_end, unit:unit_end] = 1
        for name, value in (("mask", mask), ("sign", arrays["sign"]), ("alpha", arrays["alpha"]),
                            ("readout_mask", reads)):
            self.register_buffer(name, torch.from_numpy(np.array(value, np.float32)))
        self.register_buffer("population", torch.from_numpy(np.array(arrays["population"], np.int64)))
        self.population_names = [str(name) for name in arrays["population_name"]]
        self.activation = ACTIVATIONS[str(arrays["activation"])]
        self.output_activation = ACTIVATIONS[str(arrays["output_activation"])]
        self.rectified = bool(arrays["rectified"])

    def forward(self, inputs, state=None, details=False):
        """Outputs (trial, step, output) of inputs (trial, step, channel). `details`: also the activity z (trial, step,
        unit) and the state, which a later call can go on from."""
        if state is None:
            state = (inputs.new_zeros(len(inputs), len(self.sign)),) * 2
        x, fed_back = state
        activity = []
        for t in range(inputs.shape[1]):
            drive = fed_back @ self.W_rec.T + (inputs[:, t] @ self.W_in.T + self.bias)
            x = (1 - self.alpha) * x + self.alpha * drive
            z = self.activation(x)
            fed_back = torch.clamp(z, min=0) if self.rectified else z
            activity.append(z)
        z = torch.stack(activity, 1)
        outputs = self.output_activation(z @ self.W_out.T + self.b_out)
        return (outputs, z, (x, fed_back)) if details else outputs

    @torch.no_grad()
    def project(self):
        """Weights of the wrong sign, and those where there is no connection, become 0."""
        self.W_rec[(self.W_rec * self.sign) < 0] = 0
        self.W_rec *= self.mask
        self.W_out *= self.readout_mask


def load(file):
    """The network in an .npz that Dalea exported."""
    with np.load(file) as arrays:
        return Network({name: arrays[name] for name in arrays.files})
