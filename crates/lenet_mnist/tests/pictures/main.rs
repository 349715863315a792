//! One's own digits: files as people have them are read, damaged ones are refused, and the panel's page prepares as the crate
//! does.

mod files;
mod page;
mod ways;
