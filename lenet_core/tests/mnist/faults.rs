//! Mirrors and networks that misbehave: each gives a clear error, or is got over, and leaves nothing.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lenet_core::mnist::Source;

use crate::server::{asked_for, send, send_head, send_open_head, send_real, send_slowly, send_status, Answer, Server};
use crate::support::{fetcher, gz, real_gz, run, Scratch, NAMES};

/// Enough for a server that says nothing at all.
const LITTLE_PATIENCE: Duration = Duration::from_secs(1);

/// Fetches from a mirror that answers so, and returns the error, which names the mirror and the
/// file, tells how to fetch by hand, and leaves the folder empty.
fn refused(answer: impl Answer) -> String {
    refused_after(Duration::from_secs(60), answer)
}

/// The same with so much patience for a silent server.
fn refused_after(patience: Duration, answer: impl Answer) -> String {
    let scratch = Scratch::new();
    let server = Server::start(answer);
    let mut fetcher = fetcher(&scratch, &server.url());
    fetcher.patience = patience;
    let (outcome, _) = run(&fetcher);
    let text = outcome.expect_err("nothing good was sent");
    assert!(text.contains(&server.url()), "{text}");
    assert!(text.contains("t10k-labels-idx1-ubyte.gz"), "{text}");
    assert!(text.contains("curl -fL") && text.contains("npm pack"), "{text}");
    assert!(text.contains(scratch.0.to_str().unwrap()), "{text}");
    assert_eq!(scratch.entries(), [""; 0]);
    text
}

/// Sends the beginning of a file that is said to be whole.
fn send_half(target: &str, stream: &mut TcpStream) -> io::Result<()> {
    let body = real_gz(asked_for(target).unwrap());
    send_head(stream, body.len())?;
    stream.write_all(&body[..body.len() / 2])
}

/// Sends `bytes` again and again until nobody listens.
fn send_endlessly(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

/// Says nothing more until the other side hangs up.
fn fall_silent(stream: &mut TcpStream) -> io::Result<()> {
    stream.read(&mut [0]).map(drop)
}

#[test]
fn a_working_mirror_gives_the_data() {
    let scratch = Scratch::new();
    let server = Server::good();
    let (outcome, lines) = run(&fetcher(&scratch, &server.url()));
    outcome.unwrap();
    scratch.assert_complete();
    assert!(lines[0].contains("Yann LeCun and Corinna Cortes, CC BY-SA 3.0"), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(&server.url())), "{lines:?}");
}

#[test]
fn login_page_in_place_of_the_file() {
    let page = b"<!DOCTYPE html><html><title>Welcome to Hotel WiFi</title></html>";
    let text = refused(|_, stream| send(stream, page));
    assert!(text.contains("<!DOCTYPE html>") && text.contains("login page"), "{text}");
}

#[test]
fn file_that_is_not_there() {
    assert!(refused(|_, stream| send_status(stream, "404 Not Found")).contains("404"));
}

#[test]
fn server_with_an_error() {
    assert!(refused(|_, stream| send_status(stream, "503 Service Unavailable")).contains("503"));
}

#[test]
fn connection_refused() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scratch = Scratch::new();
    let (outcome, _) = run(&fetcher(&scratch, &format!("http://{address}")));
    let text = outcome.unwrap_err();
    assert!(text.contains(&address.to_string()), "{text}");
    assert_eq!(scratch.entries(), [""; 0]);
}

#[test]
fn unknown_host() {
    let scratch = Scratch::new();
    let (outcome, _) = run(&fetcher(&scratch, "http://mirror.invalid"));
    let text = outcome.unwrap_err();
    assert!(text.contains("mirror.invalid"), "{text}");
}

#[test]
fn connection_that_breaks_every_time() {
    refused(send_half);
}

#[test]
fn connection_that_breaks_once() {
    let scratch = Scratch::new();
    let count = AtomicUsize::new(0);
    let server = Server::start(move |target, stream| match count.fetch_add(1, Ordering::Relaxed) {
        0 => send_half(target, stream),
        _ => send_real(target, stream),
    });
    run(&fetcher(&scratch, &server.url())).0.unwrap();
    scratch.assert_complete();
    assert_eq!(server.requests().len(), NAMES.len() + 1);
}

#[test]
fn body_that_ends_early_and_looks_whole() {
    let text = refused(|target, stream| {
        let body = real_gz(asked_for(target).unwrap());
        send(stream, &body[..body.len() / 2])
    });
    assert!(text.contains("ended early"), "{text}");
}

#[test]
fn empty_body() {
    assert!(refused(|_, stream| send(stream, &[])).contains("ended early"));
}

#[test]
fn endless_page() {
    let text = refused(|_, stream| {
        send_open_head(stream)?;
        send_endlessly(stream, b"<p>still loading</p>")
    });
    assert!(text.contains("still loading"), "{text}");
}

#[test]
fn endless_packed_zeros() {
    let zeros = gz(&vec![0; 100_000_000]);
    let text = refused(move |_, stream| {
        send_open_head(stream)?;
        send_endlessly(stream, &zeros)
    });
    assert!(text.contains("more than 10008 bytes"), "{text}");
}

#[test]
fn endless_name_in_the_gzip_header() {
    // Flag 8 says that a name follows, which ends with the first zero byte.
    let text = refused(|_, stream| {
        send_open_head(stream)?;
        stream.write_all(&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255])?;
        send_endlessly(stream, &[b'n'; 1000])
    });
    assert!(text.contains("gzip") || text.contains("more than"), "{text}");
}

#[test]
fn endless_bytes_behind_the_file() {
    let scratch = Scratch::new();
    let server = Server::start(|target, stream| {
        send_open_head(stream)?;
        stream.write_all(real_gz(asked_for(target).unwrap()))?;
        send_endlessly(stream, &[7; 1000])
    });
    run(&fetcher(&scratch, &server.url())).0.unwrap();
    scratch.assert_complete();
}

#[test]
fn body_that_claims_to_be_huge() {
    refused(|_, stream| {
        send_head(stream, usize::MAX / 2)?;
        send_endlessly(stream, &[0; 1000])
    });
}

#[test]
fn wrong_bytes_of_the_right_length() {
    let zeros = gz(&[0; 10_008]);
    let text = refused(move |_, stream| send(stream, &zeros));
    assert!(text.contains("SHA-256"), "{text}");
}

#[test]
fn server_that_never_answers() {
    refused_after(LITTLE_PATIENCE, |_, stream| fall_silent(stream));
}

#[test]
fn server_that_falls_silent() {
    refused_after(LITTLE_PATIENCE, |target, stream| {
        let body = real_gz(asked_for(target).unwrap());
        send_head(stream, body.len())?;
        stream.write_all(&body[..100])?;
        fall_silent(stream)
    });
}

#[test]
fn redirection() {
    let scratch = Scratch::new();
    let server = Server::start(|target, stream| match target.strip_prefix("/old") {
        Some(rest) => {
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: {rest}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        None => send_real(target, stream),
    });
    run(&fetcher(&scratch, &format!("{}/old/", server.url()))).0.unwrap();
    scratch.assert_complete();
}

#[test]
fn second_mirror_brings_what_the_first_has_not() {
    let scratch = Scratch::new();
    let first = Server::start(|target, stream| match asked_for(target) {
        Some("t10k-images-idx3-ubyte") => send_status(stream, "404 Not Found"),
        _ => send_real(target, stream),
    });
    let second = Server::good();
    let mut fetcher = fetcher(&scratch, &first.url());
    fetcher.sources.push(Source::Mirror(second.url()));
    run(&fetcher).0.unwrap();
    scratch.assert_complete();
    let images = ["/t10k-images-idx3-ubyte.gz", "/train-images-idx3-ubyte.gz"];
    assert_eq!(second.requests(), images);
}

#[test]
fn slow_mirror_is_reported_on() {
    /// The transfer takes at least ten times this.
    const PAUSE: Duration = Duration::from_millis(500);
    let scratch = Scratch::with_data();
    std::fs::remove_file(scratch.0.join("t10k-images-idx3-ubyte")).unwrap();
    let server = Server::start(send_slowly(10, PAUSE));
    let (outcome, lines) = run(&fetcher(&scratch, &server.url()));
    outcome.unwrap();
    scratch.assert_complete();
    let reports = lines.iter().filter(|line| line.contains("received")).count();
    assert!(reports >= 2, "{lines:?}");
}
