"""What the Python peers share: flags, MNIST, and the JSON lines they print."""

import argparse
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "reference"))
import mnist  # noqa: E402,F401


def flags(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def print_epoch(epoch, seconds, loss, accuracy, val_loss, val_accuracy):
    """One line when an epoch ends; `seconds` are training and validation."""
    print(json.dumps({
        "epoch": epoch, "seconds": round(seconds, 4), "loss": loss, "accuracy": accuracy,
        "val_loss": val_loss, "val_accuracy": val_accuracy,
    }), flush=True)


def print_end(peer, options, packages, test_loss, test_accuracy):
    """The last line; `compare.py` measures time and memory of the whole program from outside."""
    print(json.dumps({
        "peer": peer, "epochs": options.epochs, "batch_size": options.batch_size, "threads": options.threads,
        "test_loss": test_loss, "test_accuracy": test_accuracy,
        "versions": {"python": platform.python_version()} | {package: version(package) for package in packages},
    }), flush=True)
