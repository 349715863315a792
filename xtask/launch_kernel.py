"""Starts the Rust kernel. kernel.json and `cargo xtask setup` call this as

    launch_kernel.py EVCXR_JUPYTER BUILDS CONNECTION_FILE            runs a kernel
    launch_kernel.py --compile BUILDS                                compiles what a notebook's first cell needs
    launch_kernel.py --where BUILDS                                  prints the folder that it takes for BUILDS
    launch_kernel.py --register BUILDS FOLDER EVCXR_JUPYTER LIBRARY  writes kernel.json into FOLDER

The kernel gets a build folder of its own (`kernel_folders`), and a relay that says what is being compiled and what to
do about an error (`kernel_relay`). The variable LENET_KERNEL_BUILDS names other BUILDS, to measure a kernel that has
built nothing.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import kernel_folders as folders

# evcxr runs this before the first cell, after it has built a crate without dependencies and so emptied its lock file.
# The cells then get the very versions that the project is tested with, and cargo need not ask its index for others:
# a second less, no network, and nothing to compile anew when a crate has a new release.
# At the first variable evcxr analyses the standard library, which takes seconds: here they pass while the notebook
# is being read. A kernel whose analysis fails goes on only where the type is named.
# At the first `?`, too, it tries anew how to compile a cell, and would show that cell's value by `Debug`.
BEFORE_THE_FIRST_CELL = """\
Ok::<(), std::fmt::Error>(())?;
let _ready: () = {
    if let [Some(versions), Some(cells)] = ["LENET_LOCK_FILE", "EVCXR_TMPDIR"].map(std::env::var_os) {
        if let Ok(versions) = std::fs::read(versions) {
            let _ = std::fs::write(std::path::Path::new(&cells).join("Cargo.lock"), versions);
        }
    }
};
"""

# These would reach the compiler of the cells: another toolchain than rust-toolchain.toml names (dfdx needs
# stable), and a setting with which evcxr's :cache mistakes changed sources for unchanged ones.
UNWANTED = ["RUSTUP_TOOLCHAIN", "CARGO_INCREMENTAL"]

# Cargo puts its folders into these for what it runs. The kernel's process searches them for the library of the
# compiled cells' standard library: evcxr moves a cell's library one folder up, away from where its own path leads, so
# without this no kernel starts where the project and the toolchain lie below one folder, such as the user's home.
LIBRARY_PATHS = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"]


def without_lenet_core(search_path):
    """Drops the folders whose lenet_core library the cells would load in place of their own."""
    paths = [path for path in search_path.split(os.pathsep) if path]
    return os.pathsep.join(path for path in paths if not any(Path(path).glob("*lenet_core.*")))


def rust_libraries(environment):
    """The folder of the toolchain's libraries, or None where there is no rustc to be asked."""
    cargo_home = Path(environment.get("CARGO_HOME") or Path.home() / ".cargo")
    rustc = shutil.which("rustc") or shutil.which("rustc", path=str(cargo_home / "bin"))
    command = [rustc or "rustc", "--print", "target-libdir"]
    try:
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def cleaned_environment():
    """The variables of this process, but for those that would change how cells are compiled and loaded."""
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    for name in LIBRARY_PATHS:
        if name in environment:
            environment[name] = without_lenet_core(environment[name])
    name = LIBRARY_PATHS[-1 if sys.platform == "darwin" else 0]
    default = "/usr/local/lib:/usr/lib" if sys.platform == "darwin" else ""
    paths = [rust_libraries(environment), environment.get(name) or default]
    environment[name] = os.pathsep.join(path for path in paths if path)
    return environment


def has_settings_of_evcxr(environment):
    """Whether the user has told evcxr what to do when it starts."""
    places = [
        environment.get("XDG_CONFIG_HOME") or Path.home() / ".config",
        environment.get("APPDATA") or Path.home(),
        Path.home() / "Library" / "Application Support",
    ]
    return "EVCXR_CONFIG_DIR" in environment or any((Path(place) / "evcxr").is_dir() for place in places)


def start(program, builds, connection_file, environment):
    """Runs the kernel to its end and gives its exit code."""
    import kernel_relay  # needs what only the project's Python environment has

    folder, lock = folders.take(builds)
    environment["EVCXR_TMPDIR"] = str(folder)
    if not has_settings_of_evcxr(environment):
        folders.write(builds / "evcxr" / "prelude.rs", BEFORE_THE_FIRST_CELL)
        environment["EVCXR_CONFIG_DIR"] = str(builds / "evcxr")
        environment["LENET_LOCK_FILE"] = str(folders.PROJECT / "Cargo.lock")
    command = [program, "--control_file"]
    return kernel_relay.run(command, Path(connection_file), environment, folder, folders.PROJECT, lock)


def register(builds, folder, program, library):
    """Writes the file by which Jupyter finds the kernel; LIBRARY has the standard library's sources for it."""
    spec = {
        "argv": [sys.executable, __file__, program, builds, "{connection_file}"],
        "env": {"RUST_SRC_PATH": library},
        "display_name": "Rust",
        "language": "rust",
        "interrupt_mode": "message",
    }
    folders.write(Path(folder) / "kernel.json", json.dumps(spec, indent=1, ensure_ascii=False) + "\n")


def main():
    what, builds, *others = sys.argv[1:]
    if what == "--register":
        return register(builds, *others)
    builds = folders.without_blanks(Path(os.environ.get("LENET_KERNEL_BUILDS") or builds).absolute())
    if what == "--where":
        return print(builds)
    folders.prepare(builds)
    if what == "--compile":
        return folders.compile_template(builds, cleaned_environment())
    return start(what, builds, *others, cleaned_environment())


if __name__ == "__main__":
    sys.exit(main())
