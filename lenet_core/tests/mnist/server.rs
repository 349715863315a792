//! A web server on loopback that does what a test tells it, good or bad.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::Duration;

use crate::support::{real_gz, NAMES};

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

/// How a request line's target, as in `/t10k-labels-idx1-ubyte.gz`, is answered.
pub trait Answer: Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static {}

impl<F: Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static> Answer for F {}

impl Server {
    pub fn start(answer: impl Answer) -> Self {
        // A proxy that this machine may use must not be asked for loopback.
        static DIRECT: Once = Once::new();
        DIRECT.call_once(|| std::env::set_var("NO_PROXY", "127.0.0.1"));

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let (seen, stopped) = (Arc::clone(&requests), Arc::clone(&stop));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                thread::spawn(move || {
                    let mut stream = stream?;
                    let target = read_request(&stream)?;
                    seen.lock().unwrap().push(target.clone());
                    answer(&target, &mut stream)
                });
            }
        });
        Self { address, requests, stop }
    }

    /// A mirror that works.
    pub fn good() -> Self {
        Self::start(send_real)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The targets that were asked for.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads a request to its end, and returns its target.
fn read_request(stream: &TcpStream) -> io::Result<String> {
    let mut target = None;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        target = target.or_else(|| line.split(' ').nth(1).map(String::from));
    }
    target.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// The file whose `.gz` a target asks for.
pub fn asked_for(target: &str) -> Option<&'static str> {
    let name = target.rsplit('/').next()?.strip_suffix(".gz")?;
    NAMES.into_iter().find(|other| *other == name)
}

/// Sends the real file.
pub fn send_real(target: &str, stream: &mut TcpStream) -> io::Result<()> {
    match asked_for(target) {
        Some(name) => send(stream, real_gz(name)),
        None => send_status(stream, "404 Not Found"),
    }
}

/// Sends the real file with pauses between its pieces.
pub fn send_slowly(pieces: usize, pause: Duration) -> impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync {
    move |target, stream| {
        let body = real_gz(asked_for(target).unwrap());
        send_head(stream, body.len())?;
        for piece in body.chunks(body.len().div_ceil(pieces)) {
            stream.write_all(piece)?;
            thread::sleep(pause);
        }
        Ok(())
    }
}

pub fn send(stream: &mut TcpStream, body: &[u8]) -> io::Result<()> {
    send_head(stream, body.len())?;
    stream.write_all(body)
}

pub fn send_head(stream: &mut TcpStream, len: usize) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n")
}

/// A head that does not tell how long the body is.
pub fn send_open_head(stream: &mut TcpStream) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
}

pub fn send_status(stream: &mut TcpStream, status: &str) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}
