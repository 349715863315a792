"""Keras' part of make.py: `python from_keras.py FOLDER`."""

import json
import sys
from pathlib import Path

import keras_lenet5 as original  # first: it configures TensorFlow
import keras
import numpy as np
import tensorflow as tf

import inputs
import mnist
from inputs import EPOCH_BATCH, EVALUATION_BATCH, STEPS
from keras_to_safetensors import from_keras, to_keras


def model_with(weights):
    model = original.compiled()
    model.set_weights(to_keras(weights))
    return model


def one_pass(weights, data):
    """The same as `one_pass` in from_pytorch.py, by Keras' own training step."""
    x, y = original.prepared(data["images"], data["labels"])
    model = model_with(weights)
    logits = original.lenet5("linear")
    logits.set_weights(to_keras(weights))

    @tf.function  # compiled like Keras' own step
    def loss_and_gradients(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(keras.losses.categorical_crossentropy(y, model(x, training=True)))
        return loss, tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    loss, gradients = loss_and_gradients(tf.constant(x, tf.float32), tf.constant(y, tf.float32))
    out = {"logits": logits.predict(x, verbose=0), "loss": loss.numpy().reshape(1)}
    named = from_keras([gradient.numpy() for gradient in gradients])
    out |= {f"grad.{name}": gradient for name, gradient in named.items()}
    for step in range(1, STEPS + 1):
        model.train_on_batch(x, y)
        if step in (1, STEPS):
            out |= {f"step{step}.{name}": weight for name, weight in from_keras(model.get_weights()).items()}
    return out


def steps_alone(given, optimiser):
    """The parameters after each of the given gradients, [steps, parameters]."""
    parameter = keras.Variable(given["start"])
    after = []
    for gradient in given["gradients"]:
        optimiser.apply([tf.constant(gradient)], [parameter])
        after.append(parameter.numpy().copy())
    return np.stack(after)


def optimisers_alone(given):
    return {name: steps_alone(given, optimiser) for name, optimiser in {
        "sgd": keras.optimizers.SGD(),
        "momentum": keras.optimizers.SGD(momentum=0.9),
        "nesterov": keras.optimizers.SGD(momentum=0.9, nesterov=True),
        "rms_prop": keras.optimizers.RMSprop(),
        "adam_decay": keras.optimizers.Adam(weight_decay=10.0),
    }.items()}


def epoch(weights):
    """One epoch in the data set's order, then the test set."""
    train, test = (original.prepared(*pair) for pair in mnist.load_data())
    model = model_with(weights)
    history = model.fit(*train, batch_size=EPOCH_BATCH, epochs=1, shuffle=False, verbose=0).history
    test_loss, test_accuracy = model.evaluate(*test, batch_size=EVALUATION_BATCH, verbose=0)
    loss, accuracy = history["loss"][0], history["accuracy"][0]
    return {"loss": loss, "accuracy": accuracy, "test_loss": test_loss, "test_accuracy": test_accuracy}


def main(folder):
    weights, data, given = inputs.weights(), inputs.batch(), inputs.adam()
    tanh = keras.ops.convert_to_numpy(keras.ops.tanh(inputs.tanh()))
    adam = steps_alone(given, keras.optimizers.Adam())
    np.savez(folder / "keras.npz", tanh=tanh, adam=adam, **one_pass(weights, data))
    np.savez(folder / "keras_optimisers.npz", **optimisers_alone(given))
    (folder / "keras.json").write_text(json.dumps(epoch(weights)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
