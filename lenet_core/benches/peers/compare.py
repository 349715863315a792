"""Runs LeNet-5 of this project and of its peers in turns on this machine, and writes the comparison as Markdown.

    compare.py --ours PROGRAM --candle PROGRAM --burn PROGRAM --cells COLD WARM ... --output FILE

`cargo xtask bench` builds the programs and calls this, with MNIST in the folder LENET_MNIST_DIR. All train in float32
on the 60,000 images and validate on the 10,000 after each epoch. Every round runs each peer once, one after the other,
so that a slow minute of the machine hits all of them; a figure is the median over all epochs of all rounds. With other
settings than the main one, the peers run once. The batch sizes come in another order in each round. Beside the
speed-up by threads stands what as many programs of one thread gain, side by side: more the machine does not give.
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
NAMES = {"ours": "lenet_core", "pytorch": "PyTorch", "keras": "Keras", "candle": "candle", "burn": "burn"}
SLOW = {"candle", "burn"}  # one epoch, one round, one setting
SIDE_BY_SIDE = "ours side by side"  # marks runs of several programs at once, each with one thread


def command(peer, options):
    if peer == "pytorch":
        return [sys.executable, HERE / "peer_pytorch.py"]
    if peer == "keras":
        return [sys.executable, HERE / "peer_keras.py"]
    return [getattr(options, peer)]


def run(peer, epochs, threads, batch_size, options):
    """Trains once; gives seconds of each epoch, of the whole process, its peak memory and what it reached."""
    arguments = [*command(peer, options), "--epochs", epochs, "--threads", threads, "--batch-size", batch_size]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        if peer == "ours":
            arguments += ["--quiet", "--json", report]
        printed = Path(folder) / "printed"
        began = time.perf_counter()
        with open(printed, "w") as out:
            process = subprocess.Popen([str(a) for a in arguments], stdout=out, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
        total = time.perf_counter() - began
        if status != 0:
            sys.exit(f"{NAMES[peer]} ended with {status}: {arguments}")
        if peer == "ours":
            result = json.loads(report.read_text())
            seconds = [epoch["seconds"] for epoch in result["history"]]
            accuracy, versions = result["test"]["accuracy"], {}
        else:
            lines = [json.loads(line) for line in printed.read_text().splitlines() if line.startswith("{")]
            seconds = [line["seconds"] for line in lines if "epoch" in line]
            accuracy, versions = lines[-1]["test_accuracy"], lines[-1]["versions"]
    unit = 1 if sys.platform == "darwin" else KIBIBYTE
    return {
        "peer": peer, "threads": threads, "batch_size": batch_size, "epochs": epochs, "seconds": seconds,
        "total": total, "memory": usage.ru_maxrss * unit, "accuracy": accuracy, "versions": versions,
    }


def measure(options):
    settings = [(threads, batch) for threads in options.threads for batch in options.batch_sizes]
    fast = [peer for peer in options.peers if peer not in SLOW]
    slow = [peer for peer in options.peers if peer in SLOW]
    runs = []

    def add(*setting):
        runs.append(run(*setting, options))
        peer, epochs, threads, batch = setting
        print(f"{NAMES[peer]:10} threads {threads} batch {batch:4}: "
              f"{statistics.median(runs[-1]['seconds']):6.2f} s an epoch", file=sys.stderr, flush=True)

    for number in range(options.rounds):
        for peer in fast:
            add(peer, options.epochs, *MAIN)
        for peer in slow if number == 0 else []:
            add(peer, 1, *MAIN)
        for threads, batch in settings:
            for peer in fast if (threads, batch) != MAIN else []:
                if peer == "ours" or number == 0:
                    add(peer, options.epochs, threads, batch)
        sweep = [(threads, batch) for threads in options.threads for batch in options.sweep]
        random.Random(number).shuffle(sweep)
        for threads, batch in sweep:
            add("ours", options.epochs, threads, batch)
        runs += side_by_side(options)
    return runs


def side_by_side(options):
    """As many of our programs at once as threads are tried at most, each with one thread."""
    copies = max(options.threads)
    with ThreadPoolExecutor(copies) as pool:
        found = list(pool.map(lambda _: run("ours", options.epochs, 1, MAIN[1], options), range(copies)))
    return [r | {"peer": SIDE_BY_SIDE} for r in found]


def chosen(runs, peer, threads, batch):
    return [r for r in runs if (r["peer"], r["threads"], r["batch_size"]) == (peer, threads, batch)]


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
    ours = chosen(runs, "ours", *MAIN)
    rows = []
    for peer in peers:
        found = chosen(runs, peer, *MAIN)
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
    for threads, batch in sorted({(r["threads"], r["batch_size"]) for r in runs if r["peer"] in peers[1:]}):
        ours = epoch(chosen(runs, "ours", threads, batch))
        row = [threads, batch, f"{ours:.2f}"]
        for peer in peers[1:]:
            found = chosen(runs, peer, threads, batch)
            row.append(f"{epoch(found):.2f} ({epoch(found) / ours:.1f} times)" if found else "")
        rows.append(row)
    return table(["threads", "batch", *(NAMES[peer] for peer in peers)], rows)


def sweep_table(runs):
    threads = sorted({r["threads"] for r in runs if r["peer"] == "ours"})
    batches = sorted({r["batch_size"] for r in runs if r["peer"] == "ours"})
    best = {t: min(epoch(chosen(runs, "ours", t, b)) for b in batches) for t in threads}
    rows = []
    for batch in batches:
        row = [batch]
        for t in threads:
            seconds = epoch(chosen(runs, "ours", t, batch))
            row.append(f"{seconds:.2f} ({seconds / best[t]:.2f} times the best)")
        if len(threads) > 1:
            one, most = (epoch(chosen(runs, "ours", t, batch)) for t in (threads[0], threads[-1]))
            row.append(f"{one / most:.2f}")
        rows.append(row)
    head = ["batch", *(f"{t} thread{'s' * (t > 1)}, seconds an epoch" for t in threads)]
    return table(head + (["speed-up"] if len(threads) > 1 else []), rows)


def machine_speed_up(runs):
    """What the machine gives to several programs, beside what ours gets from several threads."""
    batch, most = MAIN[1], max(r["threads"] for r in runs if r["peer"] == "ours")
    one, all_at_once = chosen(runs, "ours", 1, batch), chosen(runs, SIDE_BY_SIDE, 1, batch)
    if most == 1 or not (one and all_at_once):
        return ""
    return (f"{most} programs of 1 thread, side by side with batch {batch}, got {most * epoch(one) / epoch(all_at_once):.2f} "
            f"times as much done as one: a speed-up above that the machine did not give.\n")


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


def report(runs, cells, options):
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
        f"{options.rounds} times for {options.epochs} epochs, lenet_core with the other settings, too, and the figures are medians of all epochs. "
        "With other settings the peers ran once; candle and burn ran one epoch once.\n",
        f"Machine: {processor()}, {platform.system()}. {rustc}; {named}.\n",
        f"## Batch {batch}, {threads} threads\n",
        main_table(runs, peers),
        "## Other settings: seconds an epoch\n",
        settings_table(runs, [peer for peer in peers if peer not in SLOW]),
        "## Batch sizes and threads of lenet_core\n",
        sweep_table(runs),
        machine_speed_up(runs),
    ]
    if cells:
        parts += ["## The walkthrough, cell by cell\n",
                  "Cold: the kernel has compiled nothing yet. Warm: it ran the notebook before, "
                  f"the median of {len(cells) - 1}.\n", cells_table(*cells)]
    parts.append("Each kernel's operations a second beside the machine's multiply-add peak: `cargo bench -p lenet_core`.\n")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for peer in ["ours", "candle", "burn"]:
        parser.add_argument(f"--{peer}", type=Path)
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES), help="beside lenet_core, which always runs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128, 512])
    parser.add_argument("--sweep", type=int, nargs="*", default=[16, 17, 24, 33, 64, 100, 256, 1024])
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
    text = report(runs, cells, options)
    if options.output:
        options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
