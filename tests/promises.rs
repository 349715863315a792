//! What requirements.txt promises about hashes and Cargo.toml about the cells' crates, holds.

use std::fs;
use std::process::Command;

use xtask::Project;

#[test]
fn every_requirement_is_pinned_and_has_a_hash() {
    for file in ["requirements.txt", "tests/requirements.txt"] {
        let text = fs::read_to_string(Project::find().path(file)).expect(file).replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        let wanted: Vec<&str> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(!wanted.is_empty(), "{file} lists nothing");
        for line in wanted {
            assert!(line.contains("=="), "{file}: not pinned: {line:.80}");
            assert!(line.contains("--hash=sha256:"), "{file}: no hash: {line:.80}");
        }
    }
}

#[test]
fn cells_compile_without_syn() {
    let project = Project::find();
    let mut tree = Command::new("cargo");
    tree.args(["tree", "--locked", "--package", "lenet_core"]).args(["--edges", "normal", "--prefix", "none"]);
    let listed = tree.current_dir(project.root()).output().expect("cargo");
    assert!(listed.status.success(), "{listed:?}");
    let listed = String::from_utf8(listed.stdout).expect("names");
    assert!(listed.contains("\ndfdx v"), "{listed}");
    let syn = listed.lines().find(|line| line.starts_with("syn "));
    assert_eq!(syn, None, "lenet_core/Cargo.toml says which crates are held back in Cargo.lock");
}
