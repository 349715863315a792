"""The four MNIST files as numpy arrays, read from the folder in LENET_MNIST_DIR.

Data set: Yann LeCun and Corinna Cortes, licence CC BY-SA 3.0.
"""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np

IMAGE_HEADER = 16  # bytes: magic number, count, rows, columns
LABEL_HEADER = 8  # bytes: magic number, count
SIDE = 28
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def _read(name):
    folder = os.environ.get("LENET_MNIST_DIR")
    if not folder:
        sys.exit("set LENET_MNIST_DIR to the folder that holds the four uncompressed MNIST files")
    path = Path(folder) / name
    if not path.is_file():
        sys.exit(f"{path}: not found; LENET_MNIST_DIR must hold {', '.join(SHA256)}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        sys.exit(f"{path}: SHA-256 differs from the original file's; fetch it again")
    return np.frombuffer(content, np.uint8)


def _pair(split):
    images = _read(f"{split}-images-idx3-ubyte")[IMAGE_HEADER:].reshape(-1, SIDE, SIDE)
    return images, _read(f"{split}-labels-idx1-ubyte")[LABEL_HEADER:]


def load_data():
    """((x_train, y_train), (x_test, y_test)) as u8: images [n, 28, 28], labels [n]."""
    return _pair("train"), _pair("t10k")
