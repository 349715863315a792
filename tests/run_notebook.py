"""Runs a notebook with its kernel, as "Run All" does, and says how long each cell took.

    run_notebook.py NOTEBOOK                 runs it and prints a line for each cell
    run_notebook.py NOTEBOOK --in-place      ... and writes the outputs into it, cleaned so that diffs stay small
    run_notebook.py NOTEBOOK --output FILE   ... and writes the notebook with its outputs to FILE
    run_notebook.py NOTEBOOK --record FILE   ... and writes each cell's seconds and messages to FILE, as JSON
    run_notebook.py NOTEBOOK --picture CELL FILE  ... and writes the picture that the cell shows to FILE, as PNG
    run_notebook.py NOTEBOOK --rounds N      runs all cells N times in one kernel
    run_notebook.py NOTEBOOK --restarts N    ... restarts the kernel N times, and runs all cells after each, too
    run_notebook.py NOTEBOOK --then CELL ... ... and at the end these cells, in this order; here a cell may fail
    run_notebook.py NOTEBOOK --replace OLD NEW    ... with NEW in place of OLD in the cells; may be given again
    run_notebook.py NOTEBOOK --interrupt CELL TEXT  first runs up to this cell and interrupts it when it prints TEXT

It ends with 1 at the first cell that fails. The Rust kernel reports neither a failed `?` nor a panic as an error, but
prints them to stderr; so anything on stderr counts as a failure, except in a cell with the tag raises-exception. On a
busy machine it comes late, so at the end the runner writes a line there itself and reads until it comes.
"""

import argparse
import asyncio
import base64
import json
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbclient.util import run_sync

MAY_FAIL = "raises-exception"
LAST_WORDS = "the runner has read all that was written"
LAST_WORDS_LIMIT = 300
KERNEL_START_LIMIT = 300


class Recorder(NotebookClient):
    """Keeps the messages of each cell with the seconds since the cell was sent."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.record = None  # of the cell that is being run
        self.records = {}  # by the request's id
        self.began = time.monotonic()
        self.interrupt_at = None  # a cell's id and a text

    def process_message(self, msg, cell, cell_index):
        kind, content = msg["msg_type"], msg["content"]
        self.records[msg["parent_header"]["msg_id"]] = self.record
        if self.interrupt_at and self.interrupt_at[0] == cell.id and self.interrupt_at[1] in content.get("text", ""):
            self.interrupt_at = None
            asyncio.ensure_future(self.km.interrupt_kernel())
        if kind in ("stream", "execute_result", "display_data", "error"):
            self.record["messages"].append({"seconds": time.monotonic() - self.began, "type": kind, **content})
        elif kind == "clear_output":
            self.record["cleared"] += self.record["messages"]
            self.record["messages"] = []
        return super().process_message(msg, cell, cell_index)

    def watch(self):
        """Looks at every message that comes: nbclient drops what comes after its cell is done."""
        channel = self.kc.iopub_channel
        get_msg = channel.get_msg

        async def watched(*args, **kwargs):
            msg = await get_msg(*args, **kwargs)
            self.note_late(msg)
            return msg

        channel.get_msg = watched

    def note_late(self, msg):
        record = self.records.get(msg["parent_header"].get("msg_id"))
        if not record or record is self.record or msg["content"].get("name") != "stderr":
            return
        record["messages"].append({"seconds": None, "type": "stream", **msg["content"]})
        if not record["may_fail"]:
            record["failure"] = (record["failure"] or "") + msg["content"]["text"]

    def read_last_words(self):
        """Reads on until all that the cells wrote to stderr has come, in the order in which it was written."""
        self.record = None
        self.kc.execute(f'eprintln!("{LAST_WORDS}")', store_history=False)
        limit = time.monotonic() + LAST_WORDS_LIMIT
        while time.monotonic() < limit:
            msg = run_sync(self.kc.get_iopub_msg)(timeout=LAST_WORDS_LIMIT)
            if LAST_WORDS in msg["content"].get("text", ""):
                return
        sys.exit("the kernel's last words did not come")

    def run(self, cell, index):
        """Runs one cell; gives its record. An error of the cell is in the record, too."""
        may_fail = MAY_FAIL in cell.metadata.get("tags", [])
        self.record = {"id": cell.id, "may_fail": may_fail, "failure": None, "messages": [], "cleared": []}
        self.began = time.monotonic()
        try:
            self.execute_cell(cell, index)
        except CellExecutionError:
            pass  # the message "error" tells it
        self.record["seconds"] = time.monotonic() - self.began
        if not may_fail:
            self.record["failure"] = failure(cell)
        return self.record


def failure(cell):
    """What went wrong in a cell, or None."""
    for output in cell.outputs:
        if output.output_type == "error":
            return output.evalue
        if output.output_type == "stream" and output.name == "stderr":
            return output.text
    return None


def run_all(notebook, folder, options):
    """Runs the code cells as the options say, up to the first failure; gives what was recorded."""
    client = Recorder(
        notebook,
        timeout=None,
        startup_timeout=KERNEL_START_LIMIT,
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    code = {cell.id: index for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    cells = []
    began = time.monotonic()

    def run_cells(names, then=False):
        for name in names:
            cell = notebook.cells[code[name]]
            cells.append(client.run(cell, code[name]))
            cells[-1]["then"] = then
            print(f"{cells[-1]['seconds']:7.2f} s  [{name}] {cell.source.splitlines()[0][:80]}", flush=True)
            if not then and any(cell["failure"] and not cell["then"] for cell in cells):
                return False
        return True

    with client.setup_kernel():
        client.watch()
        kernel_seconds = time.monotonic() - began
        print(f"{kernel_seconds:7.2f} s  kernel start", flush=True)
        good = True
        if options.interrupt:
            client.interrupt_at = options.interrupt
            run_cells(list(code)[: list(code).index(options.interrupt[0])])
            run_cells([options.interrupt[0]], then=True)
        for kernel in range(1 + options.restarts):
            if kernel and good:
                client.read_last_words()
                restart(client)
                print(f"{time.monotonic() - began:7.2f} s  restart {kernel}", flush=True)
            for _ in range(options.rounds):
                good = good and run_cells(code)
        if good:
            run_cells(options.then, then=True)
        client.read_last_words()
    print(f"{time.monotonic() - began:7.2f} s  in all", flush=True)
    return {"kernel_seconds": kernel_seconds, "cells": cells}


def restart(client):
    """Restarts the kernel, as the button does, and waits until it answers."""
    run_sync(client.km.restart_kernel)()
    run_sync(client.kc.wait_for_ready)(timeout=KERNEL_START_LIMIT)


def replace(notebook, old, new):
    """Changes the source of the cells."""
    found = [cell for cell in notebook.cells if cell.cell_type == "code" and old in cell.source]
    if not found:
        sys.exit(f"no cell has {old!r}")
    for cell in found:
        cell.source = cell.source.replace(old, new)


def clean(notebook):
    """Takes out what differs from run to run and from machine to machine."""
    number = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        number += 1
        cell.metadata.pop("execution", None)
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def machine_paths(notebook, folder):
    """The folders of this machine that are named in the outputs."""
    outputs = json.dumps([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    candidates = {str(folder), str(folder.parent), str(Path.home())}
    return sorted(path for path in candidates if json.dumps(path)[1:-1] in outputs)


def picture(notebook, name):
    """The PNG that the cell of this name shows."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []) if cell.id == name else []:
            if image := output.get("data", {}).get("image/png"):
                return base64.b64decode(image)
    sys.exit(f"the cell [{name}] shows no picture")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--in-place", action="store_true")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--picture", nargs=2, metavar=("CELL", "FILE"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--restarts", type=int, default=0)
    parser.add_argument("--then", nargs="+", metavar="CELL", default=[])
    parser.add_argument("--replace", nargs=2, metavar=("OLD", "NEW"), action="append", default=[])
    parser.add_argument("--interrupt", nargs=2, metavar=("CELL", "TEXT"))
    options = parser.parse_args()

    folder = options.notebook.resolve().parent
    notebook = nbformat.read(options.notebook, as_version=4)
    for old, new in options.replace:
        replace(notebook, old, new)
    record = run_all(notebook, folder, options)
    if options.record:
        options.record.write_text(json.dumps(record))
    if options.output:
        nbformat.write(notebook, options.output)

    for cell in record["cells"]:
        if cell["failure"] and not cell["then"]:
            sys.exit(f"{options.notebook}: cell [{cell['id']}] failed: {cell['failure']}")
    if options.in_place:
        clean(notebook)
        if paths := machine_paths(notebook, folder):
            sys.exit(f"{options.notebook}: its outputs name folders of this machine: {', '.join(paths)}")
        nbformat.validate(notebook)
        nbformat.write(notebook, options.notebook)
    if options.picture:
        cell, file = options.picture
        Path(file).write_bytes(picture(notebook, cell))


if __name__ == "__main__":
    main()
