#!/usr/bin/env python3
"""The conventional condition of the flip-flop task in PyTorch alone: conventional_flip_flop.py [SEED [EPOCHS]]

nn.RNN (tanh) with the signed initial weights of SEEDS 1.2, a readout through tanh, mean squared error, Adam at 1e-3,
batches of 200 out of 6,000 trials. Prints the published number, the sum over the five test batches, after each epoch.
Seed 1 ends on 2.43 after 100 epochs (PyTorch 1.13, one thread), after spikes like those of Dalea's conventional networks.
Needs python3-torch; minutes.
"""
import math
import sys

import torch

UNITS, STEPS, EVENT, BATCH = 128, 50, 0.05, 200


def trials(count):
    pulse = (torch.randint(0, 2, (count, STEPS, 1)).float() * 2 - 1) * (torch.rand(count, STEPS, 1) <= EVENT).float()
    target, held = torch.zeros_like(pulse), torch.zeros(count, 1)
    for t in range(STEPS):
        held = torch.where(pulse[:, t] != 0, pulse[:, t], held)
        target[:, t] = held
    return pulse, target


def main():
    torch.set_num_threads(1)
    torch.manual_seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    train, test = trials(6000), trials(1000)
    network, readout = torch.nn.RNN(1, UNITS, batch_first=True), torch.nn.Linear(UNITS, 1)
    with torch.no_grad():
        weights = torch.rand(UNITS, UNITS) / math.sqrt(UNITS)
        weights[:, int(0.8 * UNITS):] *= -1
        network.weight_hh_l0.copy_(weights)
    optimizer = torch.optim.Adam(list(network.parameters()) + list(readout.parameters()), lr=1e-3)

    def loss(part, rows):
        output = torch.tanh(readout(network(part[0][rows])[0]))
        return ((output - part[1][rows]) ** 2).mean()

    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(6000).split(BATCH):
            optimizer.zero_grad()
            loss(train, rows).backward()
            optimizer.step()
        with torch.no_grad():
            print(epoch, sum(loss(test, rows).item() for rows in torch.arange(1000).split(BATCH)), flush=True)


if __name__ == "__main__":
    main()
