//! The programs that fetch for us: `curl`, else Python.
//!
//! A TLS stack of our own would cost every notebook seconds in its first cell, and would not know
//! the proxies and certificates that these programs are set up with.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::folder::folder_error;
use super::unpack::Setback;

/// The file in the staging folder that programs write to when something goes wrong.
const COMPLAINTS_NAME: &str = "complaints.txt";

/// Bytes a second below which a transfer counts as stalled.
const STALLED_BELOW: u64 = 1024;

/// Python's name, on Windows and elsewhere.
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Copies a web address to standard output; the arguments are the address and the patience in seconds.
const PYTHON_SCRIPT: &str = "\
import shutil, sys, urllib.request
try:
    with urllib.request.urlopen(sys.argv[1], timeout=float(sys.argv[2])) as body:
        shutil.copyfileobj(body, sys.stdout.buffer)
except Exception as error:
    sys.exit(f'python: {error}')
";

/// Starts a program that copies `url` to its standard output, and complaints to the file of that
/// name in `staging`. It gives up on a server that is silent for as long as `patience`, and may
/// give up after `limit` bytes.
pub(super) fn start_fetching(
    url: &str,
    patience: Duration,
    limit: u64,
    staging: &Path,
) -> Result<Child, Setback> {
    let mut missing = Vec::new();
    for mut command in [curl(url, patience, limit), python(url, patience)] {
        command.stdout(Stdio::piped());
        match start(&mut command, staging)? {
            Some(child) => return Ok(child),
            None => missing.push(command.get_program().to_string_lossy().into_owned()),
        }
    }
    let missing = missing.join(" nor ");
    Err(Setback::Source(format!(
        "neither {missing} is installed here"
    )))
}

/// Starts a program, if it is installed, with its complaints going to a file in `staging`.
pub(super) fn start(command: &mut Command, staging: &Path) -> Result<Option<Child>, Setback> {
    let path = staging.join(COMPLAINTS_NAME);
    let complaints = File::create(&path)
        .map_err(|error| Setback::Folder(folder_error("write", &path, error)))?;
    match command.stdin(Stdio::null()).stderr(complaints).spawn() {
        Ok(child) => Ok(Some(child)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let program = command.get_program().to_string_lossy();
            Err(Setback::Source(format!(
                "{program} does not start: {error}"
            )))
        }
    }
}

/// The first lines of what the program that ran last complained of, as one line.
pub(super) fn complaint(staging: &Path) -> Option<String> {
    /// More than this helps nobody.
    const LINES: usize = 2;
    const BYTES: u64 = 2000;
    let mut bytes = Vec::new();
    let file = File::open(staging.join(COMPLAINTS_NAME)).ok()?;
    file.take(BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first: Vec<_> = lines.take(LINES).collect();
    (!first.is_empty()).then(|| first.join(", "))
}

fn curl(url: &str, patience: Duration, limit: u64) -> Command {
    let seconds = patience.as_secs_f64().ceil().to_string();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--fail", "--location"])
        .args(["--connect-timeout", &seconds])
        .args([
            "--speed-time",
            &seconds,
            "--speed-limit",
            &STALLED_BELOW.to_string(),
        ])
        .args(["--max-filesize", &limit.to_string()])
        .args(["--", url]);
    command
}

fn python(url: &str, patience: Duration) -> Command {
    let mut command = Command::new(PYTHON);
    command
        .args(["-c", PYTHON_SCRIPT, url])
        .arg(patience.as_secs_f64().to_string());
    command
}
