//! `cargo xtask deny`: whether all dependencies have the licences and sources that `deny.toml` allows.

use std::collections::BTreeSet;
use std::fs;

use crate::process::{announce, capture, cargo, file_failure, output, run};
use crate::{Failure, Project, Result};

const RULES: &str = "deny.toml";
const ADVICE: &str = "replace the dependency, or change the rules in deny.toml on purpose";
/// Where `Cargo.lock` says that a crate of crates.io comes from.
const CRATES_IO: &str = "\"registry+https://github.com/rust-lang/crates.io-index\"";

/// Checks by `cargo deny` where it is installed; else licences, sources and wildcards by itself.
pub fn check(project: &Project) -> Result<()> {
    fetch(project)?;
    if output(cargo(project).args(["deny", "--version"])).is_some() {
        announce("Dependencies: cargo deny --offline check bans licenses sources");
        let arguments = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        return run(cargo(project).args(arguments), "a dependency is not allowed", ADVICE);
    }
    announce("Dependencies: checking licences and sources (cargo deny is not installed)");
    let mut problems = licences(project)?;
    problems.extend(sources(&read(project, "Cargo.lock")?));
    for manifest in [
        "lenet_core/Cargo.toml",
        "crates/lenet_figures/Cargo.toml",
        "crates/lenet_kernels/Cargo.toml",
        "crates/lenet_mnist/Cargo.toml",
        "tests/Cargo.toml",
        "xtask/Cargo.toml",
    ] {
        let text = read(project, manifest)?;
        let wild = wildcards(&text);
        problems.extend(wild.into_iter().map(|line| format!("{manifest}: any version: {line}")));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::new(problems.join("\n       "), ADVICE))
}

/// Makes sure that all crates are here, also those for other systems; asks the network only if not.
fn fetch(project: &Project) -> Result<()> {
    if output(cargo(project).args(["fetch", "--locked", "--offline"])).is_some() {
        return Ok(());
    }
    run(
        cargo(project).args(["fetch", "--locked", "--quiet"]),
        "the crates could not be fetched",
        "check the network (and HTTPS_PROXY, if you are behind a proxy) and run this command again",
    )
}

fn read(project: &Project, file: &str) -> Result<String> {
    let path = project.path(file);
    fs::read_to_string(&path).map_err(|error| file_failure("read", &path, &error))
}

/// The crates whose licence is not allowed.
fn licences(project: &Project) -> Result<Vec<String>> {
    let rules = read(project, RULES)?;
    let allowed = allowed(&rules);
    let listed = capture(
        cargo(project).args([
            "tree",
            "--locked",
            "--offline",
            "--workspace",
            "--all-features",
            "--target",
            "all",
            "--edges",
            "normal,build,dev",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}",
        ]),
        "cargo could not list the dependencies",
        "read the message above",
    )?;
    let crates: BTreeSet<&str> = listed.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let refused = crates.into_iter().filter(|line| {
        let licence = line.split_once('|').map_or("", |(_, licence)| licence);
        !line.is_empty() && !allows(&allowed, licence)
    });
    Ok(refused.map(|line| format!("licence not allowed: {}", line.replace('|', ": "))).collect())
}

/// The licences in the list `allow` of the rules.
fn allowed(rules: &str) -> Vec<&str> {
    let list = rules.split_once("\nallow = [").map_or("", |(_, rest)| rest);
    let list = list.split_once(']').map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).collect()
}

/// Whether a licence expression (SPDX, or the older form `A/B`) can be met with the allowed licences.
fn allows(allowed: &[&str], expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(allowed, &mut words);
    met && words.next().is_none()
}

type Words<'a, 'b> = &'a mut std::iter::Peekable<std::str::SplitWhitespace<'b>>;

fn either(allowed: &[&str], words: Words<'_, '_>) -> bool {
    let mut met = both(allowed, words);
    while words.next_if_eq(&"OR").is_some() {
        met |= both(allowed, words);
    }
    met
}

fn both(allowed: &[&str], words: Words<'_, '_>) -> bool {
    let mut met = one(allowed, words);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(allowed, words);
    }
    met
}

fn one(allowed: &[&str], words: Words<'_, '_>) -> bool {
    match words.next() {
        Some("(") => either(allowed, words) && words.next() == Some(")"),
        Some(licence) => {
            // An exception makes another licence of it.
            let exception = words.next_if_eq(&"WITH").and_then(|_| words.next());
            exception.is_none() && allowed.contains(&licence)
        }
        None => false,
    }
}

/// The crates in `Cargo.lock` that come from elsewhere.
fn sources(lock: &str) -> Vec<String> {
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let others = sources.filter(|source| *source != CRATES_IO);
    others.map(|source| format!("source not allowed: {source}")).collect()
}

/// The lines of a manifest that take any version.
fn wildcards(manifest: &str) -> Vec<&str> {
    let wild = |line: &&str| line.contains("= \"*\"");
    manifest.lines().filter(wild).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions_are_met_or_not() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"];
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "Unlicense/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(allows(&allowed, good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(GPL-3.0 OR MIT) AND AGPL-3.0",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT",
            "MIT MIT",
            "OR",
        ] {
            assert!(!allows(&allowed, bad), "{bad}");
        }
    }

    #[test]
    fn the_rules_allow_what_they_list() {
        let rules = "[licenses]\n# words\nallow = [\n    \"MIT\",\n    \"Zlib\",\n]\nallow-x = [\"GPL\"]";
        assert_eq!(allowed(rules), ["MIT", "Zlib"]);
    }

    #[test]
    fn other_sources_and_wildcards_are_found() {
        let lock = format!("source = {CRATES_IO}\nsource = \"git+https://example.org/x\"\n");
        assert_eq!(sources(&lock), ["source not allowed: \"git+https://example.org/x\""]);
        let manifest = "a = \"1\"\nb = \"*\"\nc = { version = \"*\" }\nd = \"1.*\"\n";
        assert_eq!(wildcards(manifest), ["b = \"*\"", "c = { version = \"*\" }"]);
    }
}
