//! Many processes that start at once on an empty folder.

use std::time::Duration;

use crate::child::{child, DONE};
use crate::server::{send_slowly, Server};
use crate::support::{Scratch, NAMES};

const PROCESSES: usize = 20;

#[test]
fn twenty_processes_fetch_once() {
    let scratch = Scratch::new();
    let server = Server::start(send_slowly(10, Duration::from_millis(20)));
    let children: Vec<_> = (0..PROCESSES).map(|_| child(&scratch.0, &server.url()).spawn().unwrap()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() && text.contains(DONE), "{text}");
    }
    assert_eq!(server.requests().len(), NAMES.len());
    scratch.assert_complete();
}
