"""Predicts with PyTorch from weights that lenet_core saved.

    python load_in_pytorch.py WEIGHTS.safetensors BATCH.safetensors

BATCH holds `images`, u8 [n, 28, 28]. Prints the logits, one JSON list for each image.
"""

import sys

from safetensors.torch import load_file
from torch import nn


def lenet5():
    """LeNet-5; its state has the tensor names and shapes of lenet_core's weights files."""
    network = nn.Sequential()
    for name, layer in {
        "c1": nn.Conv2d(1, 6, 5), "tanh1": nn.Tanh(), "s2": nn.AvgPool2d(2),
        "c3": nn.Conv2d(6, 16, 5), "tanh3": nn.Tanh(), "s4": nn.AvgPool2d(2), "flatten": nn.Flatten(),
        "c5": nn.Linear(256, 120), "tanh5": nn.Tanh(),
        "f6": nn.Linear(120, 84), "tanh6": nn.Tanh(), "output": nn.Linear(84, 10),
    }.items():
        network.add_module(name, layer)
    return network


if __name__ == "__main__":
    network = lenet5()
    network.load_state_dict(load_file(sys.argv[1]))
    images = load_file(sys.argv[2])["images"].float().div(255).unsqueeze(1)
    print("\n".join(str(logits) for logits in network(images).tolist()))
