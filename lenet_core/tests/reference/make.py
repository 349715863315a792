"""Makes every file in fixtures/ from PyTorch's and Keras' own runs: `python make.py`, a few minutes.

The README beside this file says what the fixtures hold and how far the frameworks stand from the truth.
"""

import json
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import inputs

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures"
FRAMEWORKS = ["pytorch", "keras"]
ADAM_CONSTANTS = ["learning_rate", "beta_1", "beta_2", "epsilon"]


def deviation(got, truth):
    """The largest difference, relative to the largest truth; the length of the difference, relative to the truth's."""
    difference = got - truth
    largest = np.abs(difference).max() / np.abs(truth).max()
    return np.array([largest, np.linalg.norm(difference) / np.linalg.norm(truth)])


def deviations(got, truth, weights):
    """The worst tensor of each kind. Weights after a step are compared by what the steps added to them."""
    kinds = {}
    for name, true in truth.items():
        kind, _, parameter = name.partition(".")
        if kind in ("tanh", "adam"):
            continue
        start = weights[parameter].astype(np.float64) if kind.startswith("step") else 0.0
        worst = deviation(got[name] - start, true - start)
        kinds[kind] = np.maximum(kinds.get(kind, 0), worst)
    return {kind: {"max": short(worst[0]), "l2": short(worst[1])} for kind, worst in kinds.items()}


def adam_deviation(got, truth):
    return short(np.abs(got["adam"] - truth["adam"]).max())


def ulps(got, truth):
    """The largest distance in units of the true value's last place, over the normal numbers."""
    normal = np.abs(truth) >= np.finfo(np.float32).tiny
    last_place = np.spacing(np.abs(truth[normal]).astype(np.float32))
    return short(np.max(np.abs(got[normal] - truth[normal]) / last_place))


def short(number):
    return float(f"{number:.2g}")


def save_tensors(name, tensors):
    tensors = {k: t if t.dtype == np.uint8 else np.ascontiguousarray(t, np.float32) for k, t in tensors.items()}
    save_file(tensors, FIXTURES / f"{name}.safetensors")


def save_json(name, content):
    (FIXTURES / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def main():
    weights, x, given = inputs.weights(), inputs.tanh(), inputs.adam()
    with tempfile.TemporaryDirectory() as folder:
        for framework in FRAMEWORKS:  # in processes of their own: PyTorch and TensorFlow do not get on in one
            subprocess.run([sys.executable, HERE / f"from_{framework}.py", folder], check=True)
        runs = {path.stem: dict(np.load(path)) for path in Path(folder).glob("*.npz")}
        epochs = {name: json.loads((Path(folder) / f"{name}.json").read_text()) for name in ["truth", *FRAMEWORKS]}
    truth = runs["truth"]

    FIXTURES.mkdir(exist_ok=True)
    save_tensors("weights", weights)
    save_tensors("batch", inputs.batch())
    save_tensors("tanh", {"x": x} | {name: runs[name]["tanh"] for name in ["truth", *FRAMEWORKS]})
    save_tensors("adam", given | {name: runs[name]["adam"] for name in ["truth", *FRAMEWORKS]})
    save_tensors("layers", runs["truth_layers"] | {
        f"{layer}.{name}": tensor for layer, tensors in inputs.layers().items() for name, tensor in tensors.items()
    })
    save_tensors("optimisers", {
        f"{framework}.{name}": tensor
        for framework in ["truth", *FRAMEWORKS] for name, tensor in runs[f"{framework}_optimisers"].items()
    })
    for name in ["truth", *FRAMEWORKS]:  # of the truth no steps: they would be a third of all fixtures' size
        left_out = ("tanh", "adam", "step") if name == "truth" else ("tanh", "adam")
        save_tensors(name, {key: tensor for key, tensor in runs[name].items() if not key.startswith(left_out)})
    save_json("trajectory", epochs)
    save_json("deviations", {
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ["torch", "keras", "tensorflow", "numpy"]},
        "float32_against_float64": {
            name: deviations(runs[name], truth, weights)
            | {"adam": adam_deviation(runs[name], truth), "tanh_ulps": ulps(runs[name]["tanh"], truth["tanh"])}
            for name in FRAMEWORKS
        },
        "one_percent_changed": {
            name: {
                kind: worst
                for kind, worst in deviations(runs[f"changed_{name}"], truth, weights).items()
                if kind.startswith("step")
            }
            | {"adam": adam_deviation(runs[f"changed_{name}"], truth)}
            for name in ADAM_CONSTANTS
        },
    })


if __name__ == "__main__":
    main()
