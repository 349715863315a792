"""Ten Keras runs of the original notebook's code, seeds 0 to 9: `python keras_accuracy.py [FILE]`.

Writes mean, standard deviation (of the sample), minimum and maximum of the final test accuracy and loss, and every
run's own, with the versions, to FILE (keras_accuracy.json beside this script). Ten to twenty minutes on two cores.
"""

import json
import platform
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

import keras_lenet5 as original
import keras

import mnist

SEEDS = range(10)
EPOCHS = 10
BATCH = 128


def final_test(seed, train, test):
    """Test loss and accuracy after the original's ten epochs from this seed."""
    keras.utils.set_random_seed(seed)
    model = original.compiled()
    model.fit(*train, batch_size=BATCH, epochs=EPOCHS, verbose=0, validation_data=test)
    loss, accuracy = model.evaluate(*test, verbose=0)
    print(f"seed {seed}: loss {loss:.4f}, accuracy {accuracy:.4f}", flush=True)
    return {"seed": seed, "loss": round(loss, 6), "accuracy": round(accuracy, 4)}


def summary(numbers):
    return {
        "mean": round(statistics.mean(numbers), 6),
        "std": round(statistics.stdev(numbers), 6),
        "min": min(numbers),
        "max": max(numbers),
    }


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".json")
    train, test = (original.prepared(*pair) for pair in mnist.load_data())
    runs = [final_test(seed, train, test) for seed in SEEDS]
    result = {
        "recipe": {"epochs": EPOCHS, "batch_size": BATCH, "optimizer": "Adam", "learning_rate": 0.001},
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ["keras", "tensorflow", "numpy"]},
        "accuracy": summary([run["accuracy"] for run in runs]),
        "loss": summary([run["loss"] for run in runs]),
        "runs": runs,
    }
    file.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
