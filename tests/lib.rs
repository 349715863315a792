//! Helpers for tests that run the notebooks.
