//! Training survives: its process is killed, its disk is full, its numbers explode, its time is up.
//! Every fault is caused for real.

mod child;
mod kills;
mod not_finite;
mod resume;
mod stops;
mod support;
