//! The web pages that `cargo xtask pages` writes, in a real browser.

use std::env;
use std::fs;

use notebook_tests::{output_folder, python};
use serde_json::Value;
use xtask::{chromium, pages, Project};

#[test]
fn pages_ask_nobody_and_fit_every_screen() {
    let folder = output_folder("pages");
    // It fails where a page would load something or a link leads nowhere.
    pages::write_to(&Project::find(), &folder).expect("the pages");
    let Some(chromium) = chromium::find() else {
        assert!(env::var_os("CI").is_none(), "no browser was found: {}", chromium::ADVICE);
        return;
    };
    let status = python("pages.py").arg(chromium).arg(&folder).status().expect("Python");
    assert!(status.success(), "see the messages above");
    let report = fs::read_to_string(folder.join("report.json")).expect("the report");
    let seen: Value = serde_json::from_str(&report).expect("JSON");
    let seen = seen.as_array().expect("a list");
    assert_eq!(seen.len(), 3 * 5, "three screens of five pages");
    for page in seen {
        assert_eq!(page["requests"], Value::Array(Vec::new()), "{page}");
        assert!(page["width"].as_f64() <= page["screen"].as_f64(), "{page}");
        assert!(page["links"].as_u64() >= Some(5), "{page}");
        let has_panel = ["index.html", "lenet5.html", "explore.html"].contains(&page["page"].as_str().expect("a name"));
        assert_eq!(page["answer"].as_str(), has_panel.then_some("7"), "{page}");
    }
}
