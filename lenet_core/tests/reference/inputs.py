"""What both frameworks are given: weights, a batch, layers, points for tanh, gradients for optimisers. Drawn by numpy from
one seed."""

import numpy as np

import mnist
from keras_to_safetensors import SHAPES, from_keras

SEED = 1998
CLASSES = 10
LARGEST_BIAS = 0.1  # zero biases would hide a bias that is forgotten
BATCH = 37  # no multiple of a vector's width
BATCH_STRIDE = 270  # spreads the batch's images over the test set's 10,000
STEPS = 10  # Adam steps
EPOCH_BATCH = 128
EVALUATION_BATCH = 1000


def weights():
    """Glorot-uniform weights and small biases, drawn in the order of the file's tensors."""
    random = np.random.default_rng(SEED)
    kernels_and_biases = []
    for shape in SHAPES.values():
        receptive_field = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))
        kernels_and_biases.append(random.uniform(-limit, limit, shape).astype(np.float32))
        kernels_and_biases.append(random.uniform(-LARGEST_BIAS, LARGEST_BIAS, shape[-1:]).astype(np.float32))
    return from_keras(kernels_and_biases)


def batch():
    """Test images spread over the set, and their labels, which include every digit."""
    images, labels = mnist.load_data()[1]
    chosen = np.arange(BATCH) * BATCH_STRIDE
    assert set(labels[chosen]) == set(range(CLASSES))
    return {"images": images[chosen], "labels": labels[chosen]}


def tanh():
    """4,007 points: evenly spread, dense near zero in ratio, and the ends of float32."""
    even = np.linspace(-12, 12, 2001)
    ratio = np.geomspace(1e-45, 1e3, 1000)
    special = [0.0, -0.0, np.inf, -np.inf, np.finfo(np.float32).max, -np.finfo(np.float32).max]
    return np.concatenate([even, ratio, -ratio, special]).astype(np.float32)


def adam():
    """48 parameters and ten gradients for each, from 1e-9 (epsilon rules) to 1 (epsilon is lost)."""
    random = np.random.default_rng(SEED)
    scale = np.geomspace(1e-9, 1, 48)
    return {
        "start": random.uniform(-0.2, 0.2, scale.size).astype(np.float32),
        "gradients": (scale * random.normal(1, 0.5, (STEPS, scale.size))).astype(np.float32),
    }


def layers():
    """For each layer an input of five images, the gradient of its output, and its parameters.

    The input of max pooling has few different values, so that most windows hold their largest one several times.
    """
    random = np.random.default_rng(SEED)

    def values(*shape):
        return random.uniform(-2, 2, shape).astype(np.float32)

    maps, vector = (5, 2, 9, 9), (5, 12)
    given = {}
    for kernel in range(1, 8):
        side = 9 + 1 - kernel
        given[f"conv2d_{kernel}"] = {
            "x": values(*maps), "dy": values(5, 3, side, side),
            "weight": values(3, 2, kernel, kernel) / (2 * kernel), "bias": values(3),
        }
    for window in (2, 3, 4):
        given[f"avg_pool2d_{window}"] = {"x": values(*maps), "dy": values(5, 2, 9 // window, 9 // window)}
        given[f"max_pool2d_{window}"] = {"x": np.round(values(*maps)), "dy": values(5, 2, 9 // window, 9 // window)}
    for padding in (1, 2):
        given[f"zero_pad2d_{padding}"] = {"x": values(*maps), "dy": values(5, 2, 9 + 2 * padding, 9 + 2 * padding)}
    given["flatten"] = {"x": values(*maps), "dy": values(5, 162)}
    given["linear"] = {"x": values(*vector), "dy": values(5, 7), "weight": values(7, 12), "bias": values(7)}
    for activation in ("tanh", "relu", "sigmoid"):
        given[activation] = {"x": 3 * values(*vector), "dy": values(*vector)}
        given[activation]["x"][0, 0] = 0
    return given
