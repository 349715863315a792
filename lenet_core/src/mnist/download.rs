//! A web address read through a program that this machine has: `curl`, else Python.
//!
//! A TLS stack of our own would cost every notebook seconds in its first cell, and would not know
//! the proxies and certificates that these programs are set up with.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use super::files::BUFFER_LEN;
use super::source::Work;
use super::unpack::Setback;

/// How often a long transfer tells how far it is.
pub(super) const SAY_EVERY: Duration = Duration::from_millis(1500);

/// The file in the staging folder that programs write to when something goes wrong.
pub(super) const COMPLAINTS_NAME: &str = "complaints.txt";

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

/// A running transfer: reads as the bytes that arrive, and reports while it waits for them.
pub(super) struct Download<'a> {
    child: Child,
    /// Where the program writes what went wrong.
    complaints: PathBuf,
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
    received: u64,
    limit: u64,
    /// The first bytes, to recognise a web page by.
    beginning: Vec<u8>,
    said: Instant,
    progress: &'a mut dyn FnMut(&str),
}

/// How much of the beginning is kept.
const BEGINNING_LEN: usize = 40;

/// What every gzip file begins with.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

impl<'a> Download<'a> {
    /// Starts to fetch `url`; more than `limit` bytes are refused.
    pub fn start<'w: 'a>(url: &str, limit: u64, work: &'a mut Work<'w>) -> io::Result<Self> {
        let complaints = work.folders.staging.join(COMPLAINTS_NAME);
        let patience = work.patience;
        let mut child = spawn_first_present(
            [curl(url, patience, limit), python(url, patience)],
            &complaints,
        )?;
        let chunks = pump(child.stdout.take().expect("stdout was asked for"));
        Ok(Self {
            child,
            complaints,
            chunks,
            chunk: Cursor::default(),
            received: 0,
            limit,
            beginning: Vec::new(),
            said: Instant::now(),
            progress: &mut *work.progress,
        })
    }

    /// Ends the transfer after its reader met `problem`, and tells the cause: what the program
    /// complained of, or a web page that came in place of the file, or else `problem` itself.
    pub fn explain(mut self, problem: String) -> Setback {
        // A program that still sends is not waited for, nor is one that was stopped at the limit.
        let ended = matches!(self.chunks.try_recv(), Err(TryRecvError::Disconnected));
        let complaint = if ended { self.complaint() } else { None };
        let gzip = self.beginning.starts_with(&GZIP_MAGIC);
        match complaint {
            Some(complaint) if gzip => Setback::BrokenOff(complaint),
            Some(complaint) => Setback::Source(complaint),
            None if gzip && ended => Setback::BrokenOff(problem),
            None if gzip || self.beginning.is_empty() => Setback::Source(problem),
            None => Setback::Source(format!(
                "sent something else than the file, beginning with {:?}: if this network has a \
                 login page, open any page in a browser, log in, and run this again",
                String::from_utf8_lossy(&self.beginning)
            )),
        }
    }

    /// What the program said, if it failed.
    fn complaint(&mut self) -> Option<String> {
        let status = self.child.wait().ok()?;
        if status.success() {
            return None;
        }
        Some(complaint_in(&self.complaints).unwrap_or_else(|| format!("failed with {status}")))
    }

    /// Prints a line if the last one is long ago.
    fn report(&mut self) {
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            (self.progress)(&format!("    {} received", megabytes(self.received)));
        }
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.report();
            match self.chunk.read(buffer)? {
                0 if buffer.is_empty() => return Ok(0),
                0 => {}
                n => return Ok(n),
            }
            match self.chunks.recv_timeout(SAY_EVERY / 4) {
                Ok(chunk) => {
                    let chunk = chunk?;
                    self.received += chunk.len() as u64;
                    if self.received > self.limit {
                        return Err(io::Error::other(format!(
                            "sends more than the {} bytes that the file can have",
                            self.limit
                        )));
                    }
                    let wanted = BEGINNING_LEN.saturating_sub(self.beginning.len());
                    self.beginning.extend(chunk.iter().take(wanted));
                    self.chunk = Cursor::new(chunk);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}

impl Drop for Download<'_> {
    fn drop(&mut self) {
        // Both fail only if the program has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on what a program prints, so that its reader can do something else while it waits.
fn pump(mut output: impl Read + Send + 'static) -> Receiver<io::Result<Vec<u8>>> {
    /// Chunks that may wait for the reader.
    const WAITING: usize = 8;
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    thread::spawn(move || loop {
        let mut chunk = vec![0; BUFFER_LEN];
        let message = match output.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => {
                chunk.truncate(n);
                Ok(chunk)
            }
            Err(error) => Err(error),
        };
        let failed = message.is_err();
        if sender.send(message).is_err() || failed {
            break;
        }
    });
    receiver
}

/// Starts the first of `commands` whose program this machine has.
fn spawn_first_present(
    commands: impl IntoIterator<Item = Command>,
    complaints: &Path,
) -> io::Result<Child> {
    let mut missing = Vec::new();
    for mut command in commands {
        let spawned = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(complaints)?)
            .spawn();
        match spawned {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                missing.push(command.get_program().to_string_lossy().into_owned());
            }
            other => return other,
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!(
            "this machine has none of the programs that could fetch it: {}",
            missing.join(", ")
        ),
    ))
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

/// The first lines of what a program wrote to `path`, as one line.
pub(super) fn complaint_in(path: &Path) -> Option<String> {
    /// More than this helps nobody.
    const LINES: usize = 2;
    const BYTES: u64 = 2000;
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .take(LINES)
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// `1648877` as `1.6 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    const BYTES_PER_MEGABYTE: f64 = 1e6;
    format!("{:.1} MB", bytes as f64 / BYTES_PER_MEGABYTE)
}
