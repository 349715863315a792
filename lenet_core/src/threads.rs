//! The threads that training runs on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::Yield;

use crate::error::{Error, Result};

/// Looks for work, before an idle thread lets other programs have its core: longer than the gaps within a training step,
/// some tenths of a millisecond.
const PATIENCE: u32 = 10_000;

/// Runs `work` on `threads` threads, or on all that the machine has.
///
/// # Errors
/// [`Error::Argument`] if the system cannot start as many.
pub(crate) fn in_pool<R: Send>(threads: Option<usize>, work: impl FnOnce() -> R + Send) -> Result<R> {
    let Some(threads) = threads else {
        return Ok(rayon::scope(|_| awake(work)));
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|problem| {
        let got = format!("{threads} ({problem})");
        Error::argument("threads", "a number that the system can start", got)
    })?;
    Ok(pool.install(|| awake(work)))
}

/// Runs `work` while the pool's other threads stay awake and look for parts of it.
///
/// A training step forks and joins twice, some microseconds apart. Left alone, rayon's threads
/// fall asleep in between, and waking them takes longer than the gap.
fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    let worker = rayon::current_thread_index();
    rayon::in_place_scope(|scope| {
        scope.spawn_broadcast(|_, context| {
            let mut idle = 0;
            while Some(context.index()) != worker && !done.load(Ordering::Relaxed) {
                idle += 1;
                if rayon::yield_now() == Some(Yield::Executed) {
                    idle = 0;
                } else if idle < PATIENCE {
                    std::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            }
        });
        // Set when `work` is over, by a panic too.
        let _done = SetOnDrop(&done);
        work()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Calls `work` with each item, on all threads of the current pool.
///
/// Each time a thread begins with the same part of the items, so that where this is called step after
/// step it finds in its core's caches what it left there; rayon's own iterators would hand the items from
/// core to core. A thread that is done early takes what the others have not begun.
pub(crate) fn for_each<T: Send>(items: impl IntoIterator<Item = T>, work: impl Fn(T) + Sync) {
    let items: Vec<_> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let threads = rayon::current_num_threads();
    let begin = || {
        let first = rayon::current_thread_index().unwrap_or(0) % threads * items.len() / threads;
        for item in items[first..].iter().chain(&items[..first]) {
            let taken = item.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(item) = taken {
                work(item);
            }
        }
    };
    on_each(threads.min(items.len()), &begin);
}

/// Lets `threads` threads do `work`, or fewer of them as often where not all are free.
fn on_each(threads: usize, work: &(impl Fn() + Sync)) {
    match threads {
        0 => {}
        1 => work(),
        _ => {
            let half = threads / 2;
            rayon::join(|| on_each(threads - half, work), || on_each(half, work));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        for threads in 1..5 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads can be started");
            for count in [0, 1, 2, 3, 16, 100] {
                let done: Vec<_> = (0..count).map(|_| AtomicUsize::new(0)).collect();
                pool.install(|| {
                    for_each(&done, |done| {
                        done.fetch_add(1, Ordering::Relaxed);
                    });
                });
                assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1));
            }
        }
    }
}
