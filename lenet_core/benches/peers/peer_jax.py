"""LeNet-5 in JAX, for comparison, written as its users would who want it fast.

XLA compiles a step, and another one for the smaller batch at the end; the first epoch includes that. A `lax.scan` over the
steps of an epoch was tried: five times slower, for XLA's loops on a CPU have no fast convolution. XLA takes its threads from
the CPUs that the process may use.
"""

import os
import time
from functools import partial

from common import flags, mnist, print_end, print_epoch

options = flags(__doc__.splitlines()[0]).parse_args()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])  # before XLA makes its threads

import jax  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
from jax import lax  # noqa: E402
from jax import numpy as jnp  # noqa: E402

LEARNING_RATE, EPSILON = 0.001, 1e-7
LAYERS = {"c1": (5, 5, 1, 6), "c3": (5, 5, 6, 16), "c5": (256, 120), "f6": (120, 84), "output": (84, 10)}
OPTIMISER = optax.adam(LEARNING_RATE, eps=EPSILON)


def prepared(images, labels):
    return jnp.asarray(images[..., None], jnp.float32) / 255, jnp.asarray(labels.astype(np.int32))


def initialised(seed):
    """Glorot-uniform weights and zero biases, as Keras has them."""
    glorot = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(jax.random.key(seed), len(LAYERS))
    return {name: (glorot(key, shape), jnp.zeros(shape[-1])) for key, (name, shape) in zip(keys, LAYERS.items())}


def logits(parameters, x):
    def convolution(name, x):
        weight, bias = parameters[name]
        maps = jnp.tanh(lax.conv_general_dilated(x, weight, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias)
        images, height, width, channels = maps.shape
        return maps.reshape(images, height // 2, 2, width // 2, 2, channels).mean((2, 4))

    def dense(name, x):
        weight, bias = parameters[name]
        return x @ weight + bias

    x = convolution("c3", convolution("c1", x))
    x = jnp.tanh(dense("c5", x.reshape(len(x), -1)))
    return dense("output", jnp.tanh(dense("f6", x)))


def score(parameters, x, y):
    """Mean cross-entropy, and how many are right."""
    z = logits(parameters, x)
    return optax.softmax_cross_entropy_with_integer_labels(z, y).mean(), (z.argmax(1) == y).sum()


def step(state, batch):
    parameters, moments = state
    (loss, right), gradient = jax.value_and_grad(score, has_aux=True)(parameters, *batch)
    updates, moments = OPTIMISER.update(gradient, moments)
    return (optax.apply_updates(parameters, updates), moments), (loss * len(batch[1]), right)


@partial(jax.jit, donate_argnums=0)
def train_step(state, x, y, chosen):
    return step(state, (x[chosen], y[chosen]))


def train_epoch(state, key, x, y):
    order = jax.random.permutation(key, len(x))
    loss, right = 0.0, 0
    for start in range(0, len(x), options.batch_size):
        state, (step_loss, step_right) = train_step(state, x, y, order[start : start + options.batch_size])
        loss, right = loss + step_loss, right + step_right
    return state, float(loss) / len(x), float(right) / len(x)


evaluate = jax.jit(score)


def main():
    (x, y), test = (prepared(*pair) for pair in mnist.load_data())
    parameters = initialised(options.seed)
    state, key = (parameters, OPTIMISER.init(parameters)), jax.random.key(options.seed)

    def evaluated():
        loss, right = evaluate(state[0], *test)
        return float(loss), float(right) / len(test[1])

    for epoch in range(1, options.epochs + 1):
        started = time.perf_counter()
        state, loss, accuracy = train_epoch(state, jax.random.fold_in(key, epoch), x, y)
        val = evaluated()
        print_epoch(epoch, time.perf_counter() - started, loss, accuracy, *val)
    print_end("jax", options, ["jax", "optax", "numpy"], *evaluated())


if __name__ == "__main__":
    main()
