"""PyTorch's part of make.py, in float32 and, as the truth, in float64: `python from_pytorch.py FOLDER`."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import inputs
import mnist
from inputs import EPOCH_BATCH, EVALUATION_BATCH, STEPS
from load_in_pytorch import lenet5

KERAS_ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


class Adam(torch.optim.Adam):
    """PyTorch's Adam made to compute Keras' formula, which lenet_core follows.

    Keras: p -= lr * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon).
    PyTorch: p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
    They agree when eps = epsilon / sqrt(1 - b2^t), so eps is set anew before each step t.
    """

    def __init__(self, parameters, learning_rate, beta_1, beta_2, epsilon):
        super().__init__(parameters, lr=learning_rate, betas=(beta_1, beta_2), eps=epsilon)
        self.epsilon, self.beta_2, self.steps = epsilon, beta_2, 0

    def step(self):
        self.steps += 1
        self.param_groups[0]["eps"] = self.epsilon / np.sqrt(1 - self.beta_2**self.steps)
        super().step()


def network_with(weights, dtype):
    network = lenet5()
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.items()})
    return network.to(dtype)


def prepared(images, labels, dtype):
    x = torch.from_numpy(images.copy()).unsqueeze(1).to(dtype) / 255
    return x, torch.from_numpy(labels.astype(np.int64))


def one_pass(weights, data, dtype, constants):
    """Logits, loss, gradients, and the weights after one and ten Adam steps on the same batch."""
    network = network_with(weights, dtype)
    x, y = prepared(data["images"], data["labels"], dtype)
    optimiser = Adam(network.parameters(), **constants)
    out = {}
    for step in range(1, STEPS + 1):
        optimiser.zero_grad()
        logits = network(x)
        loss = functional.cross_entropy(logits, y)
        loss.backward()
        if step == 1:
            out["logits"], out["loss"] = logits.detach().numpy(), loss.detach().numpy().reshape(1)
            out |= {f"grad.{name}": p.grad.numpy().copy() for name, p in network.named_parameters()}
        optimiser.step()
        if step in (1, STEPS):
            out |= {f"step{step}.{name}": p.detach().numpy().copy() for name, p in network.named_parameters()}
    return out


def adam_alone(given, dtype, constants):
    """The parameters after each of the given gradients, [steps, parameters]."""
    parameter = torch.from_numpy(given["start"]).to(dtype, copy=True)
    optimiser = Adam([parameter], **constants)
    after = []
    for gradient in given["gradients"]:
        parameter.grad = torch.from_numpy(gradient).to(dtype)
        optimiser.step()
        after.append(parameter.numpy().copy())
    return np.stack(after)


def epoch(weights, dtype):
    """One epoch in the data set's order, then the test set."""
    train, test = mnist.load_data()
    network = network_with(weights, dtype)
    optimiser = Adam(network.parameters(), **KERAS_ADAM)

    def in_batches(pair, size):
        for start in range(0, len(pair[0]), size):
            x, y = prepared(*(array[start:start + size] for array in pair), dtype)
            logits = network(x)
            loss = functional.cross_entropy(logits, y)
            yield loss, np.array([loss.item() * len(y), (logits.argmax(1) == y).sum().item()])

    training = np.zeros(2)
    for loss, numbers in in_batches(train, EPOCH_BATCH):
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        training += numbers
    with torch.inference_mode():
        testing = sum(numbers for _, numbers in in_batches(test, EVALUATION_BATCH))
    loss, accuracy = training / len(train[0])
    test_loss, test_accuracy = testing / len(test[0])
    return {"loss": loss, "accuracy": accuracy, "test_loss": test_loss, "test_accuracy": test_accuracy}


def one_percent_changes():
    """Keras' Adam with one constant changed: the learning rate and epsilon by 1 %, the betas by 1 % of 1 - beta."""
    for name, value in KERAS_ADAM.items():
        changed = 1 - 1.01 * (1 - value) if name.startswith("beta") else 1.01 * value
        yield name, KERAS_ADAM | {name: changed}


def main(folder):
    weights, data, given = inputs.weights(), inputs.batch(), inputs.adam()
    for name, dtype in {"truth": torch.float64, "pytorch": torch.float32}.items():
        tanh = torch.tanh(torch.from_numpy(inputs.tanh()).to(dtype)).numpy()
        adam = adam_alone(given, dtype, KERAS_ADAM)
        np.savez(folder / f"{name}.npz", tanh=tanh, adam=adam, **one_pass(weights, data, dtype, KERAS_ADAM))
        (folder / f"{name}.json").write_text(json.dumps(epoch(weights, dtype)))
    for name, constants in one_percent_changes():
        adam = adam_alone(given, torch.float64, constants)
        np.savez(folder / f"changed_{name}.npz", adam=adam, **one_pass(weights, data, torch.float64, constants))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
