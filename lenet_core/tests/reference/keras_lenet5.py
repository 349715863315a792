"""The original notebook's network, loss and optimiser in Keras. Importing this file starts TensorFlow on the CPU."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's greetings
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras  # noqa: E402
from keras import layers  # noqa: E402

CLASSES = 10


def lenet5(output_activation="softmax"):
    """The network as the original notebook builds it; "linear" gives the logits instead of probabilities."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(6, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(120, activation="tanh"),
        layers.Dense(84, activation="tanh"),
        layers.Dense(CLASSES, activation=output_activation),
    ])


def compiled():
    """The network with the original notebook's loss, optimiser (Keras' default Adam) and metric."""
    model = lenet5()
    model.compile(loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.Adam(), metrics=["accuracy"])
    return model


def prepared(images, labels):
    """u8 images [n, 28, 28] and labels [n] as the original notebook prepares them: 0..1 in float64, one-hot.

    Keras itself turns the images into float32 as it takes them.
    """
    return (images / 255)[..., None], keras.utils.to_categorical(labels, CLASSES)
