//! When a line about something long is due.

use std::time::{Duration, Instant};

/// Nobody waits longer for a line than this, and the time until it is next asked for.
const SAY_EVERY: Duration = Duration::from_millis(1500);

/// How often those who wait look whether there is something to do or to say.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Knows how long something takes already, and when that was said last.
pub(super) struct Ticker {
    began: Instant,
    said: Instant,
}

impl Ticker {
    pub fn start() -> Self {
        let now = Instant::now();
        Self {
            began: now,
            said: now,
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The seconds since the start, if it is time to say something.
    pub fn due(&mut self) -> Option<u64> {
        if self.said.elapsed() < SAY_EVERY {
            return None;
        }
        self.said = Instant::now();
        Some(self.elapsed().as_secs())
    }
}
