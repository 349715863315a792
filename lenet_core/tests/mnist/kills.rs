//! A fetch that is killed at any moment does no harm.

use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::child::{child, output, DONE};
use crate::server::{send_slowly, Server};
use crate::support::{fetcher, run, Scratch};

const KILLS: usize = 100;
const THREADS: usize = 2;

/// One in so many fetches is of all four files; the others spare the big one, to save time.
const WHOLE_EVERY: usize = 4;

/// A folder to fetch into, with or without the big file.
fn folder(whole: bool) -> Scratch {
    let scratch = Scratch::new();
    if !whole {
        scratch.link("train-images-idx3-ubyte");
    }
    scratch
}

/// How long a fetch takes that nobody disturbs.
fn duration(whole: bool, url: &str) -> Duration {
    let scratch = folder(whole);
    let start = Instant::now();
    let (success, text) = output(&mut child(&scratch.0, url));
    assert!(success && text.contains(DONE), "{text}");
    start.elapsed()
}

#[test]
fn killed_at_a_hundred_moments() {
    let server = Server::start(send_slowly(20, Duration::from_millis(2)));
    let url = server.url();
    let durations = [false, true].map(|whole| duration(whole, &url));

    let kill_some = &|seed| {
        let mut random = StdRng::seed_from_u64(seed);
        for round in 0..KILLS / THREADS {
            let whole = round % WHOLE_EVERY == 0;
            let scratch = folder(whole);
            let mut child = child(&scratch.0, &url).spawn().unwrap();
            let share = random.gen_range(0.0..1.0);
            thread::sleep(durations[usize::from(whole)].mul_f64(share));
            child.kill().unwrap();
            child.wait().unwrap();
            scratch.assert_sound();
            run(&fetcher(&scratch, &url)).0.unwrap();
            scratch.assert_complete();
        }
    };
    thread::scope(|scope| {
        (0..THREADS as u64).for_each(|seed| drop(scope.spawn(move || kill_some(seed))));
    });
}
