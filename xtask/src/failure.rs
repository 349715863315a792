//! The error of every command: what went wrong, and what to do next.

use std::fmt;

/// `Result` with a [`Failure`].
pub type Result<T> = std::result::Result<T, Failure>;

/// What went wrong, and what to do next.
#[derive(Debug, Clone)]
pub struct Failure {
    problem: String,
    advice: String,
}

impl Failure {
    /// Both parts are sentences without a capital letter and a full stop.
    pub fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\n next: {}", self.problem, self.advice)
    }
}

impl std::error::Error for Failure {}
