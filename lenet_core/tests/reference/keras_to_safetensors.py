"""Brings a Keras LeNet-5's weights to lenet_core.

    python keras_to_safetensors.py MODEL.keras WEIGHTS.safetensors

MODEL is what `model.save("MODEL.keras")` wrote after training the original notebook's network. Keras keeps images as
(row, column, channel), so three things change on the way:

- a convolution kernel [rows, columns, in, out] becomes [out, in, rows, columns];
- a dense kernel [in, out] becomes [out, in];
- C5's 256 inputs, which Keras flattens as (row, column, channel), are put in the order (channel, row, column).
"""

import os
import sys

import numpy as np

NAMES = ["c1", "c3", "c5", "f6", "output"]
SHAPES = {  # as Keras has them
    "c1": (5, 5, 1, 6),
    "c3": (5, 5, 6, 16),
    "c5": (256, 120),
    "f6": (120, 84),
    "output": (84, 10),
}
S4 = (4, 4, 16)  # S4's output in Keras: rows, columns, channels


def from_keras(kernels_and_biases):
    """Keras' list [kernel, bias, kernel, bias, ...] as lenet_core's named tensors."""
    shapes = [tuple(array.shape) for array in kernels_and_biases]
    expected = [shape for name in NAMES for shape in (SHAPES[name], SHAPES[name][-1:])]
    if shapes != expected:
        raise ValueError(f"these are not the weights of LeNet-5: expected shapes {expected}, got {shapes}")
    tensors = {}
    for name, kernel, bias in zip(NAMES, kernels_and_biases[::2], kernels_and_biases[1::2]):
        kernel = np.asarray(kernel)
        if kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            if name == "c5":
                kernel = kernel.reshape(*S4, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
            kernel = kernel.T
        tensors[f"{name}.weight"] = np.ascontiguousarray(kernel)
        tensors[f"{name}.bias"] = np.asarray(bias)
    return tensors


def to_keras(tensors):
    """The way back: lenet_core's named tensors as a list for `model.set_weights`."""
    kernels_and_biases = []
    rows, columns, channels = S4
    for name in NAMES:
        weight = tensors[f"{name}.weight"]
        if weight.ndim == 4:
            weight = weight.transpose(2, 3, 1, 0)
        else:
            weight = weight.T
            if name == "c5":
                weight = weight.reshape(channels, rows, columns, -1).transpose(1, 2, 0, 3).reshape(weight.shape)
        kernels_and_biases += [weight, tensors[f"{name}.bias"]]
    return kernels_and_biases


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: python keras_to_safetensors.py MODEL.keras WEIGHTS.safetensors")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    from safetensors.numpy import save_file

    model = keras.saving.load_model(sys.argv[1], compile=False)
    try:
        tensors = from_keras(model.get_weights())
    except ValueError as problem:
        sys.exit(f"{sys.argv[1]}: {problem}")
    save_file(tensors, sys.argv[2])


if __name__ == "__main__":
    main()
