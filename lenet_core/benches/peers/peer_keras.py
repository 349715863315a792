"""The original notebook's LeNet-5 in Keras, for comparison: its own code, `model.fit` as it stands."""

import time

from common import flags, mnist, print_end, print_epoch
import keras_lenet5 as original
import keras
import tensorflow as tf


class Epochs(keras.callbacks.Callback):
    """Times the epochs of `fit`, validation included, and prints each."""

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.started
        print_epoch(epoch + 1, seconds, *(logs[key] for key in ["loss", "accuracy", "val_loss", "val_accuracy"]))


def main():
    options = flags(__doc__).parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(options.seed)
    train, test = (original.prepared(*pair) for pair in mnist.load_data())
    model = original.compiled()
    model.fit(
        *train, batch_size=options.batch_size, epochs=options.epochs, verbose=0, validation_data=test,
        callbacks=[Epochs()],
    )
    loss, accuracy = model.evaluate(*test, batch_size=options.batch_size, verbose=0)
    print_end("keras", options, ["keras", "tensorflow", "numpy"], loss, accuracy)


if __name__ == "__main__":
    main()
