"""Stands between the kernel and its listeners, on the channel on which a kernel publishes what its cells show (iopub).

The kernel is silent while it compiles, and some of its words do not tell what to do. Here a cell says what is being
compiled when that takes longer than two seconds (the lines go once it runs), and texts pass through `kernel_words`.
Everything else is passed on as it comes; so is a message that cannot be read.
"""

import hashlib
import hmac
import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from datetime import datetime, timezone

import zmq

import kernel_folders as folders
import kernel_words as words

SILENCE = 2.0  # seconds before a cell says that it is being compiled
TICK = 100  # milliseconds
SETTLING = 50  # milliseconds without a message before a cell counts as done: its last words may be on their way
LIBRARIES = ["target/*/debug/*code_*", "target/*/debug/deps/*code_*"]  # where evcxr has cells that are compiled
DELIMITER = b"<IDS|MSG>"


class Cell:
    """The cell that is being run."""

    def __init__(self, parent):
        self.parent = parent
        self.began = time.monotonic()
        self.has_output = False
        self.crates = queue.SimpleQueue()  # what the kernel compiles for it
        self.told = 0  # lines


class Relay:
    def __init__(self, connection, folder, project):
        self.folder, self.project = folder, project
        self.key = connection["key"].encode()
        self.address = "{transport}://{ip}".format(**connection)
        zeromq = zmq.Context.instance()
        self.front, self.back = zeromq.socket(zmq.PUB), zeromq.socket(zmq.SUB)
        for end in (self.front, self.back):
            end.set_hwm(0)  # a slow listener loses nothing
        self.front.linger = 1000
        self.front.bind(f"{self.address}:{connection['iopub_port']}")
        self.back.subscribe(b"")
        self.cell, self.done = None, None  # the cell that is being run, and the message that it has been
        self.session = uuid.uuid4().hex
        self.panics = words.Panics()
        self.made, self.lost = set(), set()  # names of variables
        self.printed = {}  # by the cell, by the stream's name

    def run(self, kernel, port):
        """Passes on what the kernel publishes on this port, until it ends."""
        self.back.connect(f"{self.address}:{port}")
        threading.Thread(target=self.read_terminal, args=[kernel.stderr], daemon=True).start()
        while kernel.poll() is None or self.back.poll(TICK):
            if self.back.poll(SETTLING if self.done else TICK):
                self.pass_on(self.back.recv_multipart())
            elif self.done:
                self.end_cell()
            else:
                self.tell_compiling()
        self.front.close()

    def pass_on(self, frames):
        try:
            frames = self.changed(frames)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            print(f"a message is passed on as it is: {error!r}", file=sys.stderr)
        if frames:
            self.front.send_multipart(frames)

    def end_cell(self):
        self.front.send_multipart(self.done)
        self.cell = self.done = None

    def read_terminal(self, stderr):
        """Passes on what the kernel writes to the terminal, and keeps the names of the crates that it compiles."""
        for line in stderr:
            print(line, end="", file=sys.stderr, flush=True)
            cell = self.cell
            if cell and (found := re.match(r"\s*Compiling (\S+) v(\S+)", line)):
                cell.crates.put(f"  {found[1]} {found[2]}\n")

    def changed(self, frames):
        """A message as it is to be passed on, or None."""
        start = frames.index(DELIMITER) + 2
        header, parent, _, content = map(json.loads, frames[start : start + 4])
        kind = header["msg_type"]
        if parent.get("msg_type") != "execute_request":
            return frames
        if kind == "status":
            if self.done:
                self.end_cell()
            if content["execution_state"] == "busy":
                self.cell, self.printed = Cell(parent), {}
                return frames
            self.end_telling()
            self.done = frames
            return None
        if kind == "execute_input":
            if words.reads_stdin(content["code"]):
                self.say(words.READS_STDIN + "\n")
            if re.search(r"^\s*:dep\b", content["code"], re.MULTILINE):
                threading.Thread(target=self.keep_versions, args=[self.cell], daemon=True).start()
            self.made |= words.names_made(content["code"])
            return frames
        self.end_telling()
        if kind == "error":
            self.explain(content)
        elif kind == "stream":
            text, name = content["text"], content["name"]
            text = self.panics.shorten(text) if name == "stderr" else text
            content["text"] = text and self.printed.setdefault(name, words.Printed()).shorten(text)
            if content["text"] is None:
                return None
        elif "text/plain" in content.get("data", {}):
            content["data"]["text/plain"] = words.bounded(content["data"]["text/plain"])
        else:
            return frames
        frames[start + 3] = json.dumps(content).encode()
        return self.signed(frames[: start - 2], frames[start:])

    def explain(self, content):
        """Makes an error tell what to do."""
        text = content["evalue"]
        if ended := words.lost_process(text):
            content["evalue"], content["traceback"] = ended, [ended]
            self.lost, self.made = self.lost | self.made, set()
            return
        advice = words.missing_variable(text, self.made, self.lost) or words.missing_crate(text, self.project)
        content["traceback"] = words.traceback(content["traceback"] + ([advice] if advice else []))
        content["evalue"] = f"{text}\n{advice}" if advice else text

    def tell_compiling(self):
        """Lets the cell say what is compiled, if it has been silent for long."""
        cell = self.cell
        if not cell or cell.has_output or time.monotonic() - cell.began < SILENCE or not self.is_compiling():
            return
        if not cell.told:
            first = "Compiling this cell ...\n" if cell.crates.empty() else "Compiling the crates that this cell needs:\n"
            self.say(first)
        while not cell.crates.empty():
            self.say(cell.crates.get())
            cell.told += 1
        cell.told += 1

    def is_compiling(self):
        """Whether the cell's source is newer than the newest library of a cell that is finished."""

        def changed(file):
            return file.stat().st_mtime

        source = self.folder / "src" / "lib.rs"
        libraries = [changed(file) for place in LIBRARIES for file in self.folder.glob(place)]
        # On macOS, evcxr sets the source's time ten seconds ahead.
        ahead = 10 if sys.platform == "darwin" else 0
        return source.is_file() and changed(source) - ahead > max(libraries, default=0)

    def keep_versions(self, cell):
        """Keeps the versions of lenet_core's crates while a cell adds crates of its own.

        evcxr tries each `:dep` line in a package of its own, by which cargo drops all other versions from the lock file;
        with the newest ones that it then looks for, lenet_core would be compiled anew under the running process.
        """
        lock_file = self.folder / "Cargo.lock"
        good = (self.project / "Cargo.lock").read_text()
        while self.cell is cell:
            found = lock_file.read_text() if lock_file.is_file() else ""
            if 'name = "lenet_core"' in found:
                good = found
            elif found.endswith("\n"):
                folders.write(lock_file, good)
            time.sleep(0.002)

    def end_telling(self):
        """The cell has been compiled: what was told goes."""
        cell = self.cell
        if not cell:
            return
        cell.has_output = True
        if cell.told:
            cell.told = 0
            self.publish("clear_output", {"wait": False})

    def say(self, text):
        self.publish("stream", {"name": "stdout", "text": text})

    def publish(self, kind, content):
        """A message of our own, as if the running cell's."""
        header = {
            "msg_id": uuid.uuid4().hex,
            "session": self.session,
            "username": "kernel",
            "date": datetime.now(timezone.utc).isoformat(),
            "msg_type": kind,
            "version": "5.3",
        }
        parts = [json.dumps(part).encode() for part in (header, self.cell.parent, {}, content)]
        self.front.send_multipart(self.signed([kind.encode()], parts))

    def signed(self, identities, parts):
        signature = hmac.new(self.key, b"".join(parts[:4]), hashlib.sha256).hexdigest().encode() if self.key else b""
        return [*identities, DELIMITER, signature, *parts]


def free_port(ip):
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return probe.getsockname()[1]


def run(command, connection_file, environment, folder, project, keep):
    """Runs the kernel behind a relay to its end and gives its exit code; it inherits the open file `keep`."""
    connection = json.loads(connection_file.read_text())
    relay = Relay(connection, folder, project)
    port = free_port(connection["ip"])
    inner = connection_file.with_name(f"{connection_file.stem}-inner.json")
    inner.touch(mode=0o600)
    inner.write_text(json.dumps({**connection, "iopub_port": port}))
    inherited = {} if sys.platform == "win32" else {"pass_fds": [keep.fileno()]}
    kernel = subprocess.Popen(
        [*command, str(inner)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        **inherited,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        relay.run(kernel, port)
    finally:
        kernel.kill()
        inner.unlink(missing_ok=True)
    return kernel.wait()
