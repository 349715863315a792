"""Starts the Rust kernel with a build folder of its own. kernel.json calls this as

    launch_kernel.py EVCXR_JUPYTER BUILDS CONNECTION_FILE

evcxr builds cells in a new temporary folder and so compiles lenet_core anew for every kernel. Here each kernel
takes the first folder below BUILDS that no other kernel holds and keeps what earlier kernels built in it; cargo
sees by itself what has changed since. Notebooks in different folders never share one: they may mean different
crates by the same name. The variable LENET_KERNEL_BUILDS names other BUILDS, to measure a kernel that has built
nothing.
"""

import hashlib
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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

# evcxr runs this before the first cell, after it has built a crate without dependencies and so emptied its lock file.
# The cells then get the very versions that the project is tested with, and cargo need not ask its index for others:
# a second less, no network, and nothing to compile anew when a crate has a new release.
# At the first variable evcxr analyses the standard library, which takes seconds: here they pass while the notebook
# is being read. A kernel whose analysis fails goes on only where the type is named.
BEFORE_THE_FIRST_CELL = """\
let _ready: () = {
    if let [Some(versions), Some(cells)] = ["LENET_LOCK_FILE", "EVCXR_TMPDIR"].map(std::env::var_os) {
        if let Ok(versions) = std::fs::read(versions) {
            let _ = std::fs::write(std::path::Path::new(&cells).join("Cargo.lock"), versions);
        }
    }
};
"""
LOCK_FILE = Path(__file__).resolve().parent.parent / "Cargo.lock"

# These would reach the compiler of the cells: another toolchain than rust-toolchain.toml names (dfdx needs
# stable), and a setting with which evcxr's :cache mistakes changed sources for unchanged ones.
UNWANTED = ["RUSTUP_TOOLCHAIN", "CARGO_INCREMENTAL"]

# Cargo puts its folders into these for what it runs.
LIBRARY_PATHS = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"]


def lock(file):
    """Locks a file until every process that has it open is gone; False if another kernel holds it."""
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


def take_build_folder(builds):
    """The first free folder for notebooks in this place, made if it is missing, and its lock."""
    place = hashlib.sha256(os.getcwd().encode()).hexdigest()[:8]
    for number in itertools.count(1):
        folder = builds / f"{place}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        file = open(builds / f"{place}-{number}.lock", "w")
        if lock(file):
            return folder, file
        file.close()


def write(file, text):
    """Writes a file at once or not at all, unless it is there."""
    if file.is_file() and file.read_text() == text:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        new.write(text)
    os.replace(new.name, file)


def has_settings_of_evcxr(environment):
    """Whether the user has told evcxr what to do when it starts."""
    folders = [
        environment.get("XDG_CONFIG_HOME") or Path.home() / ".config",
        environment.get("APPDATA") or Path.home(),
        Path.home() / "Library" / "Application Support",
    ]
    return "EVCXR_CONFIG_DIR" in environment or any((Path(folder) / "evcxr").is_dir() for folder in folders)


def without_lenet_core(search_path):
    """Drops the folders whose lenet_core library the cells would load in place of their own."""
    folders = [folder for folder in search_path.split(os.pathsep) if folder]
    return os.pathsep.join(folder for folder in folders if not any(Path(folder).glob("liblenet_core.*")))


def main():
    program, builds, connection_file = sys.argv[1:]
    builds = os.environ.get("LENET_KERNEL_BUILDS", builds)
    folder, held = take_build_folder(Path(builds))
    # Cargo finds this from each build folder.
    write(Path(builds) / ".cargo" / "config.toml", SETTINGS)
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    for name in LIBRARY_PATHS:
        if name in environment:
            environment[name] = without_lenet_core(environment[name])
    environment["EVCXR_TMPDIR"] = str(folder)
    if not has_settings_of_evcxr(environment):
        write(Path(builds) / "evcxr" / "prelude.rs", BEFORE_THE_FIRST_CELL)
        environment["EVCXR_CONFIG_DIR"] = str(Path(builds) / "evcxr")
        environment["LENET_LOCK_FILE"] = str(LOCK_FILE)
    command = [program, "--control_file", connection_file]
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environment))
    os.set_inheritable(held.fileno(), True)
    os.execve(program, command, environment)


if __name__ == "__main__":
    main()
