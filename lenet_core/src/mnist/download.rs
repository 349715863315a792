//! A transfer that is read while it runs, within bounds.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;

use super::files::GZIP_MAGIC;
use super::programs::{complaint, start_fetching};
use super::progress::{Ticker, LOOK_EVERY};
use super::source::Work;
use super::unpack::Setback;

/// A running transfer: reads as the bytes that arrive, and reports while it waits for them.
pub(super) struct Download<'a> {
    child: Child,
    /// Where the program's complaints are.
    staging: &'a Path,
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
    received: u64,
    limit: u64,
    /// The first bytes, to recognise a web page by.
    beginning: Vec<u8>,
    ticker: Ticker,
    progress: &'a mut dyn FnMut(&str),
}

/// How much of the beginning is kept.
const BEGINNING_LEN: usize = 40;

impl<'a> Download<'a> {
    /// Starts to fetch `url`; more than `limit` bytes are refused.
    pub fn start<'w: 'a>(url: &str, limit: u64, work: &'a mut Work<'w>) -> Result<Self, Setback> {
        let staging = work.folders.staging;
        let mut child = start_fetching(url, work.patience, limit, staging)?;
        let chunks = pump(child.stdout.take().expect("stdout was asked for"));
        Ok(Self {
            child,
            staging,
            chunks,
            chunk: Cursor::default(),
            received: 0,
            limit,
            beginning: Vec::new(),
            ticker: Ticker::start(),
            progress: &mut *work.progress,
        })
    }

    /// Ends the transfer after its reader met `problem`, and tells the cause: what the program
    /// complained of, or a web page that came in place of the file, or else `problem` itself.
    pub fn explain(mut self, problem: String) -> Setback {
        // A program that still sends is not waited for.
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
        Some(complaint(self.staging).unwrap_or_else(|| format!("failed with {status}")))
    }

    /// Tells how far it is, if that is due.
    fn report(&mut self) {
        if let Some(seconds) = self.ticker.due() {
            (self.progress)(&format!(
                "    {} received ({seconds} s)",
                size(self.received)
            ));
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
            match self.chunks.recv_timeout(LOOK_EVERY) {
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
    /// Bytes that a pipe holds on most systems, and chunks that may wait for the reader.
    const CHUNK_LEN: usize = 64 * 1024;
    const WAITING: usize = 8;
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    thread::spawn(move || loop {
        let mut chunk = vec![0; CHUNK_LEN];
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

/// `1648877` as `1.6 MB`, `4542` as `4.5 kB`.
pub(super) fn size(bytes: u64) -> String {
    const KILO: f64 = 1e3;
    const MEGA: f64 = 1e6;
    let bytes = bytes as f64;
    if bytes < MEGA {
        format!("{:.1} kB", bytes / KILO)
    } else {
        format!("{:.1} MB", bytes / MEGA)
    }
}
