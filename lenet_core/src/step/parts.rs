//! The parts of one half of a batch, and who learns from which.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::learner::Learner;
use crate::sums::Sums;

use super::room::Room;
use super::Lesson;

/// The parts of one half of a batch, whose gradients are added in their order. The half takes them from the front, and
/// adds as it goes. Whoever has nothing else to do takes the last one that nobody has begun, and puts what it learned
/// aside until the others before it are added.
pub(super) struct Parts<'a> {
    images: Vec<&'a [usize]>,
    /// Those that nobody has begun.
    open: Mutex<Range<usize>>,
    asides: &'a Asides,
    any_aside: AtomicBool,
}

/// Something for each part of a half, used step after step.
pub(super) type Asides = Vec<Mutex<Aside>>;

/// What was learned from a part, and is yet to be added.
#[derive(Default)]
pub(super) struct Aside {
    /// For the networks of both halves.
    pub(super) rooms: [Option<Room>; 2],
    /// The half whose network has learned, and the loss and hits.
    pub(super) learned: Option<(usize, Result<Sums>)>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(images: Vec<&'a [usize]>, asides: &'a mut Asides) -> Self {
        if asides.len() < images.len() {
            asides.resize_with(images.len(), Mutex::default);
        }
        Self {
            open: Mutex::new(0..images.len()),
            images,
            asides,
            any_aside: AtomicBool::new(false),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The images of a part.
    pub(super) fn images(&self, part: usize) -> &'a [usize] {
        self.images[part]
    }

    /// The first part that nobody has begun: the caller does.
    pub(super) fn first(&self) -> Option<usize> {
        lock(&self.open).next()
    }

    /// Learns from the last parts that nobody has begun, one after the other, with the network of `half`.
    pub(super) fn help(&self, half: usize, network: &dyn Learner, lesson: &Lesson<'_>) {
        while self.help_with_last(half, network, lesson) {}
    }

    /// Learns from the last part that nobody has begun; whether there was one.
    pub(super) fn help_with_last(
        &self,
        half: usize,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
    ) -> bool {
        let mut open = lock(&self.open);
        let last = open.next_back();
        if last.is_some() {
            // Now, while nobody can find that no part is open.
            self.any_aside.store(true, Ordering::Relaxed);
        }
        drop(open);
        if let Some(part) = last {
            self.learn_aside(half, network, lesson, part);
        }
        last.is_some()
    }

    /// Learns from a part that the caller has begun.
    pub(super) fn learn_aside(
        &self,
        half: usize,
        network: &dyn Learner,
        lesson: &Lesson<'_>,
        part: usize,
    ) {
        self.any_aside.store(true, Ordering::Relaxed);
        let mut aside = lock(&self.asides[part]);
        let learn = |slot| {
            let room = Room::in_slot(slot, network)?;
            room.clear(network)?;
            room.learn(network, lesson, self.images[part])
        };
        let outcome = learn(&mut aside.rooms[half]);
        aside.learned = Some((half, outcome));
    }

    /// Whether something was put aside, or will be: to be asked when no part is open.
    pub(super) fn any_aside(&self) -> bool {
        self.any_aside.load(Ordering::Relaxed)
    }

    /// What was put aside for each part.
    pub(super) fn asides(&self) -> impl Iterator<Item = MutexGuard<'a, Aside>> {
        self.asides[..self.images.len()].iter().map(lock)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
