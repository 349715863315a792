"""The folders in which kernels build their cells.

evcxr builds cells in a new temporary folder and so compiles lenet_core anew for every kernel. Here each kernel takes
the first folder of its notebook's place that no other kernel holds, `PLACE-1`, `PLACE-2` and so on, and keeps what
earlier kernels built in it; cargo sees by itself what has changed since. Notebooks in different folders never share
one: they may mean different crates by the same name. `PLACE-0` is the template, in which set-up compiles what the first
cell needs; no kernel builds there, and a new folder begins as its copy. A new template begins with the crates from
crates.io that the last one compiled, in whatever clone: a copy of them is kept in the user's cache folder.
"""

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# lenet_core and the crates below it do the work: they are built as for a release, whether or not the first cell asks
# for it. The cells themselves (evcxr names each `ctx`) only call them, and compile in half the time unoptimised.
SETTINGS = """\
[profile.dev]
opt-level = 3
debug-assertions = false
overflow-checks = false

[profile.dev.package.ctx]
opt-level = 0
"""

# The package that evcxr 0.22 makes of a cell.
CELL = """
[package]
name = "ctx"
version = "1.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "src/lib.rs"

[profile.dev]
opt-level = 2
debug = false
strip = "debuginfo"
rpath = true
lto = false
debug-assertions = true
codegen-units = 16
panic = 'unwind'
incremental = true
overflow-checks = true

[dependencies]
lenet_core = {{ path = {crate} }}
"""

# What a clone compiles of its own.
OWN_CRATES = shutil.ignore_patterns("*lenet_*", "*ctx*", "incremental")

# In a template: when its crates were last compiled. In its copies: the same, by which they know a newer template.
FINISHED = "finished"
# Where the notebooks are that build in a folder.
PLACE = "place"
LOCK_LIMIT = 10


def place():
    """A short name for the folder of the notebook."""
    return hashlib.sha256(os.getcwd().encode()).hexdigest()[:8]


def without_blanks(builds):
    """The folder for all builds, or one with a short name in the user's cache folder in its stead.

    evcxr tells its process where a cell's library lies in a line that it parts at blanks; Windows allows 260 characters.
    """
    if suits(builds):
        return builds
    name = hashlib.sha256(str(builds).encode()).hexdigest()[:8]
    for folder in (cache_folder() / "lenet_core" / "kernels", Path(tempfile.gettempdir()) / "lenet_core_kernels"):
        if suits(folder / name):
            remove_stale(folder, "clone")
            write(folder / name / "clone", str(builds.parent.parent))
            return folder / name
    sys.exit(f"the kernel needs a folder without blanks in its path: name one in LENET_KERNEL_BUILDS, not {builds}")


def suits(folder):
    return " " not in str(folder) and (os.name != "nt" or len(str(folder)) < 100)


def cache_folder():
    """The user's cache folder, where the data is as well."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def remove_stale(folder, name):
    """Removes what was made for a folder that is gone: the file `name` in it says for which."""
    for found in folder.glob(f"*/{name}"):
        with contextlib.suppress(OSError):
            if not Path(found.read_text()).is_dir():
                shutil.rmtree(found.parent)


def lock(file):
    """Locks a file until every process that has it open is gone; False if another one holds it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def held(folder):
    """Holds a template; gives whether nobody else does, after waiting a little for it."""
    limit = time.monotonic() + LOCK_LIMIT
    with open(f"{folder}.lock", "w") as file:
        while not (free := lock(file)) and time.monotonic() < limit:
            time.sleep(0.1)
        yield free


def write(file, text):
    """Writes a file at once or not at all, unless it is there."""
    if file.is_file() and file.read_text() == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write(text)
    os.replace(new.name, file)


def read(file):
    return file.read_text() if file.is_file() else None


def prepare(builds):
    """Writes what cargo finds from each build folder: the settings, and which toolchain to take."""
    write(builds / ".cargo" / "config.toml", SETTINGS)
    write(builds / "rust-toolchain.toml", (PROJECT / "rust-toolchain.toml").read_text())


def take(builds):
    """The first free folder for notebooks in this place, made if it is missing, and its lock."""
    for number in itertools.count(1):
        folder = builds / f"{place()}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        file = open(f"{folder}.lock", "w")
        if lock(file):
            renew(folder, builds)
            write(folder / PLACE, os.getcwd())
            return folder, file
        file.close()


def renew(folder, builds):
    """Copies the template, if it is newer than the folder's contents, or another place's if there is nothing at all:
    its crates from crates.io are the same."""
    own = builds / f"{place()}-0"
    if finished := read(own / FINISHED):
        wanted = read(folder / FINISHED) != finished
    else:
        others = sorted(builds.glob(f"*-0/{FINISHED}"), key=lambda file: file.stat().st_mtime)
        own = others[-1].parent if others else own
        wanted = others and not (folder / "target").exists()
    if not wanted:
        return
    with held(own) as free:
        if free and (own / FINISHED).is_file():
            copy(own, folder)


def copy(original, folder, ignore=None):
    """Makes the folder a copy, whole or not at all, with the times of all files, by which cargo tells what has changed."""
    new = Path(f"{folder}.new")
    for old in (new, folder):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(original, new, ignore=ignore)
    new.rename(folder)


def kept_crates(compiler):
    """Where the user's cache folder keeps the crates from crates.io, compiled as this file says, for all clones with
    these versions and this compiler."""
    texts = (PROJECT / "Cargo.lock", Path(__file__))
    versions = "".join([compiler, *(file.read_text(encoding="utf-8") for file in texts)])
    return cache_folder() / "lenet_core" / "crates" / hashlib.sha256(versions.encode()).hexdigest()[:8]


def keep(target, kept):
    """Keeps a copy of compiled crates in place of any older one. Where that can't be, the next clone compiles them."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with held(kept) as free:
            if free and not kept.exists():
                for old in filter(Path.is_dir, kept.parent.iterdir()):
                    shutil.rmtree(old, ignore_errors=True)
                copy(target, kept, OWN_CRATES)


def compile_template(builds, environment):
    """Compiles what the first cell needs, as evcxr does; cargo's messages go to stderr. Gives cargo's exit code.

    At a mistake in a cell evcxr runs `cargo check`, too, so that is done as well.
    """
    remove_stale(builds, PLACE)
    folder = builds / f"{place()}-0"
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder) as free:
        if not free:
            return 0
        write(folder / PLACE, os.getcwd())
        write(folder / "Cargo.toml", CELL.format(crate=quoted(Path.cwd().parent / "lenet_core")))
        write(folder / "Cargo.lock", (PROJECT / "Cargo.lock").read_text())
        write(folder / "src" / "lib.rs", "")
        flags = ["-Cprefer-dynamic"]
        cargo = ["cargo"]
        if sys.platform != "darwin" and shutil.which("mold"):
            cargo = ["mold", "-run", "cargo"]
        elif sys.platform != "darwin" and shutil.which("lld"):
            flags.append("-Clink-arg=-fuse-ld=lld")
        settings = {"CARGO_TARGET_DIR": "target", "CARGO_BUILD_BUILD_DIR": "target", "RUSTFLAGS": " ".join(flags)}
        compiled = not (folder / FINISHED).is_file()
        compiler, target = compiler_version(), folder / "target"
        kept = kept_crates(compiler)
        if kept.is_dir() and not target.exists():
            with contextlib.suppress(OSError):
                copy(kept, target)
        for what in ("build", "check"):
            command = [*cargo, what, "--target", host(compiler)]
            run = subprocess.Popen(command, cwd=folder, env={**environment, **settings}, stderr=subprocess.PIPE, text=True)
            for line in run.stderr:
                compiled |= line.lstrip().startswith(("Compiling", "Checking"))
                print(line, end="", file=sys.stderr, flush=True)
            if run.wait() != 0:
                return run.returncode
        if compiled:
            write(folder / FINISHED, str(time.time_ns()))
        keep(target, kept)
        return 0


def quoted(path):
    """A path as TOML writes it."""
    return json.dumps(str(path.resolve()), ensure_ascii=False)


def compiler_version():
    """What the compiler of the cells says of itself."""
    return subprocess.run(["rustc", "-Vv"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout


def host(compiler):
    """The target triple that cells are compiled for."""
    return next(line.split()[1] for line in compiler.splitlines() if line.startswith("host:"))
