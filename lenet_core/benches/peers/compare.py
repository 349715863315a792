"""Runs LeNet-5 of this project and of its peers in turns on this machine, and writes the comparison as Markdown.

    compare.py --ours PROGRAM --before PROGRAM --candle PROGRAM --burn PROGRAM --kernels FILE --cells COLD WARM ... --output FILE

`cargo xtask bench` builds the programs and calls this, with MNIST in the folder LENET_MNIST_DIR. All train in float32
on the 60,000 images and validate on the 10,000 after each epoch. Every round runs each peer once, one after the other,
so that a slow minute of the machine hits all of them; a figure is the median over all epochs of all rounds. With other
settings than the main one, the other peers run once.

How lenet_core's time goes with the batch size, the threads and the number of images is told from many short runs, in
another order in each turn: a process may keep the speed of its first second, so that its epochs are not independent.
Beside the speed-up by threads stands what as many programs of one thread gain, side by side: more the machine does not
give.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
KIBIBYTE = 1024  # Linux's unit of ru_maxrss
MEGABYTE = 1e6
MAIN = (2, 128)  # threads, batch size
NAMES = {
    "ours": "lenet_core", "before": "lenet_core at d2b48fb", "pytorch": "PyTorch", "compiled": "PyTorch, compiled",
    "jax": "JAX", "keras": "Keras", "candle": "candle", "burn": "burn",
}
SCRIPTS = {
    "pytorch": ["peer_pytorch.py"], "compiled": ["peer_pytorch.py", "--compile"], "jax": ["peer_jax.py"],
    "keras": ["peer_keras.py"],
}
OURS = {"ours", "before"}  # have the example's options
SLOW = {"candle", "burn"}  # one epoch, one round, one setting
TRAINING_IMAGES = 60_000
# What a run was made for.
PEERS, BATCHES, IMAGES, SIDE_BY_SIDE = "peers", "batch sizes", "images", "side by side"


def command(peer, options):
    if peer in SCRIPTS:
        script, *flags = SCRIPTS[peer]
        return [sys.executable, HERE / script, *flags]
    return [getattr(options, peer)]


def run(options, purpose, peer, epochs, threads, batch_size, images=None):
    """Trains once; gives seconds of each epoch, of the whole process, its peak memory and what it reached.

    With a number of `images`, which is for ours only, it trains on so many and does not validate."""
    arguments = [*command(peer, options), "--epochs", epochs, "--threads", threads, "--batch-size", batch_size]
    if images:
        arguments += ["--images", images, "--validate", "false"]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        if peer in OURS:
            arguments += ["--quiet", "--json", report]
        printed = Path(folder) / "printed"
        began = time.perf_counter()
        with open(printed, "w") as out:
            process = subprocess.Popen([str(a) for a in arguments], stdout=out, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
        total = time.perf_counter() - began
        if status != 0:
            sys.exit(f"{NAMES[peer]} ended with {status}: {arguments}")
        if peer in OURS:
            result = json.loads(report.read_text())
            seconds = [epoch["seconds"] for epoch in result["history"]]
            accuracy, versions = result["test"]["accuracy"], {}
        else:
            lines = [json.loads(line) for line in printed.read_text().splitlines() if line.startswith("{")]
            seconds = [line["seconds"] for line in lines if "epoch" in line]
            accuracy, versions = lines[-1]["test_accuracy"], lines[-1]["versions"]
    unit = 1 if sys.platform == "darwin" else KIBIBYTE
    return {
        "purpose": purpose, "peer": peer, "threads": threads, "batch_size": batch_size, "images": images,
        "epochs": epochs, "seconds": seconds, "total": total, "memory": usage.ru_maxrss * unit,
        "accuracy": accuracy, "versions": versions,
    }


def measure(options):
    settings = [(threads, batch) for threads in options.threads for batch in options.batch_sizes]
    fast = [peer for peer in options.peers if peer not in SLOW]
    slow = [peer for peer in options.peers if peer in SLOW]
    runs = []
    for number in range(options.rounds):
        jobs = [(PEERS, peer, options.epochs, *MAIN) for peer in fast]
        if number == 0:
            jobs += [(PEERS, peer, 1, *MAIN) for peer in slow]
            jobs += [(PEERS, peer, options.epochs, *other) for other in settings if other != MAIN
                     for peer in fast if peer != "ours"]
        for turn in range(options.turns):
            jobs += short_jobs(options, random.Random(f"{number} {turn}"))
        for job in jobs:
            runs += do(options, job)
    return runs


def short_jobs(options, order):
    """One turn of ours with every batch size, number of threads and number of images."""
    batches = sorted({*options.batch_sizes, *options.sweep})
    jobs = [(BATCHES, "ours", 1, threads, batch) for threads in options.threads for batch in batches]
    # As many images in all, however many there are in an epoch.
    jobs += [(IMAGES, "ours", TRAINING_IMAGES // images, *MAIN, images) for images in options.images]
    jobs.append((SIDE_BY_SIDE, "ours", 1, 1, MAIN[1]))
    order.shuffle(jobs)
    return jobs


def do(options, job):
    """The runs of a job, each told in a line."""
    purpose, peer, _, threads, batch, *images = job
    copies = max(options.threads) if purpose == SIDE_BY_SIDE else 1
    with ThreadPoolExecutor(copies) as pool:
        runs = list(pool.map(lambda _: run(options, *job), range(copies)))
    also = "".join(f", {number} images" for number in images) + f", {copies} at once" * (copies > 1)
    print(f"{NAMES[peer]:21} threads {threads} batch {batch:4}: {epoch(runs):6.2f} s an epoch{also}",
          file=sys.stderr, flush=True)
    return runs


def chosen(runs, purpose, **wanted):
    """The runs that were made for this purpose with these settings."""
    wanted["purpose"] = purpose
    return [r for r in runs if all(r[name] == value for name, value in wanted.items())]


def setting(threads, batch):
    return {"threads": threads, "batch_size": batch}


def epoch(runs):
    """The median of all epochs."""
    return statistics.median(seconds for r in runs for seconds in r["seconds"])


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(item) for item in line)} |\n" for line in lines)


def processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        flags = next(line for line in lines if line.startswith("flags")).split()
        widest = next((name for flag, name in [("avx512vl", "AVX-512"), ("fma", "AVX2 and FMA")] if flag in flags), "")
        return f"{model}, {os.cpu_count()} cores, {widest}"
    except (OSError, StopIteration):
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def main_table(runs, peers):
    ours = chosen(runs, PEERS, peer="ours", **setting(*MAIN))
    rows = []
    for peer in peers:
        found = chosen(runs, PEERS, peer=peer, **setting(*MAIN))
        if not found:
            continue
        each = [statistics.median(r["seconds"]) for r in found]
        memory = statistics.median(r["memory"] for r in found)
        our_memory = statistics.median(r["memory"] for r in ours)
        rows.append([
            NAMES[peer], f"{epoch(found):.2f}", f"{min(each):.2f} to {max(each):.2f}", f"{epoch(found) / epoch(ours):.1f}",
            f"{statistics.median(r['total'] for r in found):.1f} ({found[0]['epochs']})",
            f"{memory / MEGABYTE:.0f}", f"{memory / our_memory:.1f}",
            f"{100 * statistics.median(r['accuracy'] for r in found):.2f} %",
        ])
    head = ["", "seconds an epoch", "from, to", "times ours", "whole program, seconds (epochs)", "peak memory, MB",
            "times ours", "test accuracy then"]
    return table(head, rows)


def settings_table(runs, peers):
    rows = []
    for threads, batch in sorted({(r["threads"], r["batch_size"]) for r in chosen(runs, PEERS) if r["peer"] in peers[1:]}):
        here = setting(threads, batch)
        ours = epoch(chosen(runs, BATCHES, **here) or chosen(runs, PEERS, peer="ours", **here))
        row = [threads, batch, f"{ours:.2f}"]
        for peer in peers[1:]:
            found = chosen(runs, PEERS, peer=peer, **here)
            row.append(f"{epoch(found):.2f} ({epoch(found) / ours:.1f} times)" if found else "")
        rows.append(row)
    return table(["threads", "batch", *(NAMES[peer] for peer in peers)], rows)


def batches_table(runs):
    found = chosen(runs, BATCHES)
    threads = sorted({r["threads"] for r in found})
    batches = sorted({r["batch_size"] for r in found})
    seconds = {(t, b): epoch(chosen(found, BATCHES, **setting(t, b))) for t in threads for b in batches}
    best = {t: min(seconds[t, b] for b in batches) for t in threads}
    rows = []
    for b in batches:
        row = [b, *(f"{seconds[t, b]:.2f} ({seconds[t, b] / best[t]:.2f} times the best)" for t in threads)]
        rows.append(row + [f"{seconds[threads[0], b] / seconds[threads[-1], b]:.2f}"] * (len(threads) > 1))
    head = ["batch", *(f"{t} thread{'s' * (t > 1)}, seconds an epoch" for t in threads)]
    return table(head + ["speed-up"] * (len(threads) > 1), rows)


def machine_speed_up(runs):
    """What the machine gives to several programs, beside what ours gets from several threads."""
    batch, most = MAIN[1], max(r["threads"] for r in chosen(runs, BATCHES))
    one, all_at_once = chosen(runs, BATCHES, **setting(1, batch)), chosen(runs, SIDE_BY_SIDE)
    if most == 1 or not (one and all_at_once):
        return ""
    return (f"{most} programs of 1 thread, side by side with batch {batch}, got {most * epoch(one) / epoch(all_at_once):.2f} "
            f"times as much done as one: a speed-up above that the machine did not give.\n")


def images_table(runs):
    found = chosen(runs, IMAGES)
    rows = []
    for images in sorted({r["images"] for r in found}):
        seconds = epoch(chosen(found, IMAGES, images=images))
        rows.append([f"{images:,}", f"{seconds:.3f}", f"{1e6 * seconds / images:.1f}"])
    return table(["images", "seconds an epoch", "microseconds an image"], rows)


def cells_table(cold, *warm):
    """Seconds of each cell in a kernel that has compiled nothing yet, and the median of later ones."""
    names = ["kernel start", *(f"`{cell['id']}`" for cell in cold["cells"]), "**all**"]
    columns = []
    for record in [cold, *warm]:
        seconds = [record["kernel_seconds"], *(cell["seconds"] for cell in record["cells"])]
        columns.append([*seconds, sum(seconds)])
    first, *later = columns
    rows = [[name, f"{first[i]:.1f}", f"{statistics.median(column[i] for column in later):.1f}"]
            for i, name in enumerate(names)]
    return table(["cell", "cold, seconds", "warm, seconds"], rows)


def report(runs, kernels, cells, options):
    peers = [peer for peer in NAMES if peer in options.peers]
    versions = {}
    for r in runs:
        versions |= r["versions"]
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.strip()
    named = ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
    threads, batch = MAIN
    parts = [
        "# Benchmarks\n",
        "Written by `cargo xtask bench`. The programs ran in turns, each in a process of its own, in float32; an epoch is "
        f"60,000 training images and a validation on 10,000. With batch {batch} and {threads} threads each ran "
        f"{options.rounds} times for {options.epochs} epochs, and the figures are medians of all epochs. "
        "With other settings the other programs ran once; candle and burn ran one epoch once. The first epoch of a compiled "
        "program has the compiler in it. lenet_core ran "
        f"{options.rounds * options.turns} times for one epoch with each batch size and number of threads, in shuffled turns.\n",
        f"Machine: {processor()}, {platform.system()}. {rustc}; {named}.\n",
        f"## Batch {batch}, {threads} threads\n",
        main_table(runs, peers),
        "## Other settings: seconds an epoch\n",
        settings_table(runs, [peer for peer in peers if peer not in SLOW]),
        "## Batch sizes and threads of lenet_core\n",
        batches_table(runs),
        machine_speed_up(runs),
        *(["## What each trick buys\n", kernels] if kernels else []),
        "## Numbers of images\n",
        f"Training alone, without a validation; each ran {options.rounds * options.turns} times, "
        f"with {TRAINING_IMAGES:,} images in all, in the same turns.\n",
        images_table(runs),
    ]
    if cells:
        parts += ["## The walkthrough, cell by cell\n",
                  "Cold: the kernel has compiled nothing yet. Warm: it ran the notebook before, "
                  f"the median of {len(cells) - 1}.\n", cells_table(*cells)]
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for peer in ["ours", "before", "candle", "burn"]:
        parser.add_argument(f"--{peer}", type=Path)
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES), help="beside lenet_core, which always runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--sweep", type=int, nargs="*", default=[16, 17, 24, 33, 64, 100, 256, 1024])
    parser.add_argument("--images", type=int, nargs="+", default=[7_500, 15_000, 30_000, 60_000])
    parser.add_argument("--turns", type=int, default=3, help="short runs of each setting in a round")
    parser.add_argument("--kernels", type=Path, help="what `cargo bench -p lenet_kernels -- tricks` printed")
    parser.add_argument("--cells", type=Path, nargs="+", help="records of run_notebook.py: cold, warm, warm, ...")
    parser.add_argument("--record", type=Path, help="all runs, as JSON; read instead of running if it is there")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.peers = [peer for peer in NAMES if peer == "ours" or peer in options.peers]
    if options.record and options.record.exists():
        runs = json.loads(options.record.read_text())
    else:
        runs = measure(options)
        if options.record:
            options.record.write_text(json.dumps(runs))
    cells = [json.loads(path.read_text()) for path in options.cells] if options.cells else None
    kernels = options.kernels.read_text() if options.kernels else None
    text = report(runs, kernels, cells, options)
    if options.output:
        options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
