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

    def __init__(self, parameters, learning_rate, beta_1, beta_2, epsilon, weight_decay=0.0):
        super().__init__(parameters, lr=learning_rate, betas=(beta_1, beta_2), eps=epsilon, weight_decay=weight_decay,
                         decoupled_weight_decay=True)
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


def layer_alone(name, given, dtype):
    """A layer's output `y`, and the gradients of the sum of `y * dy`: `dx`, `dweight`, `dbias`."""
    kind, _, number = name.rpartition("_")
    functions = {
        "conv2d": functional.conv2d,
        "avg_pool2d": lambda x: functional.avg_pool2d(x, int(number)),
        "max_pool2d": lambda x: functional.max_pool2d(x, int(number)),
        "zero_pad2d": lambda x: functional.pad(x, [int(number)] * 4),
        "flatten": lambda x: x.flatten(1),
        "linear": functional.linear,
        "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid,
    }
    arguments = {name: torch.from_numpy(given[name]).to(dtype).requires_grad_()
                 for name in ["x", "weight", "bias"] if name in given}
    y = functions[kind or name](*arguments.values())
    y.backward(torch.from_numpy(given["dy"]).to(dtype))
    return {"y": y.detach().numpy()} | {f"d{name}": tensor.grad.numpy() for name, tensor in arguments.items()}


def layers_alone(given, dtype):
    return {f"{layer}.{name}": tensor for layer, tensors in given.items()
            for name, tensor in layer_alone(layer, tensors, dtype).items()}


def steps_alone(given, dtype, make):
    """The parameters after each of the given gradients, [steps, parameters], with the optimiser that `make` makes."""
    parameter = torch.from_numpy(given["start"]).to(dtype, copy=True)
    optimiser = make([parameter])
    after = []
    for gradient in given["gradients"]:
        parameter.grad = torch.from_numpy(gradient).to(dtype)
        optimiser.step()
        after.append(parameter.numpy().copy())
    return np.stack(after)


def adam_alone(given, dtype, constants):
    return steps_alone(given, dtype, lambda parameters: Adam(parameters, **constants))


def optimisers_alone(given, dtype):
    def sgd(**settings):
        return steps_alone(given, dtype, lambda parameters: torch.optim.SGD(parameters, lr=0.01, **settings))

    return {
        "sgd": sgd(), "momentum": sgd(momentum=0.9), "nesterov": sgd(momentum=0.9, nesterov=True),
        "adam_decay": adam_alone(given, dtype, KERAS_ADAM | {"weight_decay": 10.0}),
    }


def rates(steps, schedule, rate=1.0):
    """The learning rate of each step."""
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=rate)
    schedule = schedule(optimiser)
    rates = []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return np.array(rates)


def schedules():
    """40 steps of each schedule. OneCycleLR's last step is the one that ends a cycle, at a rate of zero; ours is the one
    before it, hence one step more here."""
    steps, warm_up, schedulers = 40, 0.15, torch.optim.lr_scheduler
    return {
        "constant": rates(steps, lambda optimiser: schedulers.ConstantLR(optimiser, factor=1.0), 0.05),
        "step": rates(steps, lambda optimiser: schedulers.StepLR(optimiser, step_size=7, gamma=0.3), 0.05),
        "cosine": rates(steps, lambda optimiser: schedulers.CosineAnnealingLR(optimiser, T_max=steps), 0.05),
        "one_cycle": rates(steps, lambda optimiser: schedulers.OneCycleLR(
            optimiser, 3e-3, total_steps=steps + 1, pct_start=(warm_up * steps + 1) / (steps + 1), final_div_factor=1e30)),
    }


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
        np.savez(folder / f"{name}_layers.npz", **layers_alone(inputs.layers(), dtype))
        np.savez(folder / f"{name}_optimisers.npz", **schedules(), **optimisers_alone(given, dtype))
        (folder / f"{name}.json").write_text(json.dumps(epoch(weights, dtype)))
    for name, constants in one_percent_changes():
        adam = adam_alone(given, torch.float64, constants)
        np.savez(folder / f"changed_{name}.npz", adam=adam, **one_pass(weights, data, torch.float64, constants))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
