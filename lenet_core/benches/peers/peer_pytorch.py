"""LeNet-5 in PyTorch, for comparison, written as its users would who want it fast.

Eager by default. Of what was tried this is the fastest eager code on a CPU: channels-last tensors, the fused Adam, the
data set in memory, batches picked by index. `--layout contiguous` and `--adam foreach` are PyTorch's defaults,
`--compile` adds `torch.compile` (whose first epoch includes the compiler).
"""

import time

from common import flags, mnist, print_end, print_epoch
import numpy as np
import torch
from torch.nn import functional

from load_in_pytorch import lenet5

LEARNING_RATE, EPSILON = 0.001, 1e-7


def prepared(images, labels, layout):
    x = torch.from_numpy(images.copy()).unsqueeze(1).float().div_(255)
    return x.contiguous(memory_format=layout), torch.from_numpy(labels.astype(np.int64))


def initialise(network):
    """Glorot-uniform weights and zero biases, as Keras has them."""
    for name, parameter in network.named_parameters():
        if name.endswith("weight"):
            torch.nn.init.xavier_uniform_(parameter)
        else:
            torch.nn.init.zeros_(parameter)


def train_epoch(network, optimiser, x, y, batch_size, layout):
    order = torch.randperm(len(x))
    loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    for chosen in order.split(batch_size):
        images, labels = x[chosen].contiguous(memory_format=layout), y[chosen]
        optimiser.zero_grad()
        logits = network(images)
        loss = functional.cross_entropy(logits, labels)
        loss.backward()
        optimiser.step()
        loss_sum += loss.detach() * len(labels)
        right += (logits.detach().argmax(1) == labels).sum()
    return loss_sum.item() / len(x), right.item() / len(x)


@torch.inference_mode()
def evaluate(network, x, y, batch_size):
    logits = torch.cat([network(images) for images in x.split(batch_size)])
    return functional.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    parser = flags(__doc__.splitlines()[0])
    parser.add_argument("--layout", choices=["channels-last", "contiguous"], default="channels-last")
    parser.add_argument("--adam", choices=["fused", "foreach"], default="fused")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format

    (x, y), test = (prepared(*pair, layout) for pair in mnist.load_data())
    network = lenet5()
    initialise(network)
    network = network.to(memory_format=layout)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, eps=EPSILON, **{options.adam: True})
    if options.compile:
        network = torch.compile(network)

    for epoch in range(1, options.epochs + 1):
        started = time.perf_counter()
        loss, accuracy = train_epoch(network, optimiser, x, y, options.batch_size, layout)
        val_loss, val_accuracy = evaluate(network, *test, options.batch_size)
        print_epoch(epoch, time.perf_counter() - started, loss, accuracy, val_loss, val_accuracy)
    print_end("pytorch", options, ["torch", "numpy"], *evaluate(network, *test, options.batch_size))


if __name__ == "__main__":
    main()
