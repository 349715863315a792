//! Folders that misbehave, and what is kept in them.

use std::fs;
use std::path::Path;

use lenet_core::mnist::{load_data_from, Source};

use crate::child::{child_by_default, output, DONE};
use crate::server::{send_status, Server};
use crate::support::{clear, fetcher, real_gz, run, Scratch, NAMES};

#[test]
fn good_data_is_only_read() {
    let scratch = Scratch::with_data();
    let server = Server::good();
    let (outcome, lines) = run(&fetcher(&scratch, &server.url()));
    outcome.unwrap();
    assert!(lines.is_empty() && server.requests().is_empty());
    assert!(!scratch.0.join(".lock").exists());
    load_data_from(&scratch.0).unwrap();
}

#[test]
fn environment_names_the_folder() {
    let scratch = Scratch::with_data();
    let (success, text) = output(child_by_default().env("LENET_MNIST_DIR", &scratch.0));
    assert!(success, "{text}");
    assert!(text.contains(&format!("folder: {}\n{DONE}\n", scratch.0.display())), "{text}");
    scratch.assert_complete();
}

#[cfg(target_os = "linux")]
#[test]
fn cache_folder_is_used_otherwise() {
    let scratch = Scratch::new();
    let folder = scratch.0.join("lenet_core").join("mnist");
    let data = Scratch::with_data();
    fs::create_dir(scratch.0.join("lenet_core")).unwrap();
    std::os::unix::fs::symlink(&data.0, &folder).unwrap();
    for unset in [None, Some("")] {
        let mut command = child_by_default();
        command.env("XDG_CACHE_HOME", &scratch.0);
        match unset {
            None => command.env_remove("LENET_MNIST_DIR"),
            Some(empty) => command.env("LENET_MNIST_DIR", empty),
        };
        let (success, text) = output(&mut command);
        assert!(success, "{text}");
        assert!(text.contains(&format!("folder: {}\n{DONE}\n", folder.display())), "{text}");
    }
}

#[test]
fn damaged_file_is_fetched_again_and_kept_aside() {
    let scratch = Scratch::with_data();
    scratch.replace("train-labels-idx1-ubyte", b"something that was dear to somebody");
    let server = Server::good();
    let (outcome, lines) = run(&fetcher(&scratch, &server.url()));
    outcome.unwrap();
    assert_eq!(server.requests(), ["/train-labels-idx1-ubyte.gz"]);
    assert!(lines.iter().any(|line| line.contains("expected 60008 bytes, got 35")), "{lines:?}");
    let aside = scratch.0.join("train-labels-idx1-ubyte.damaged");
    assert_eq!(fs::read(&aside).unwrap(), b"something that was dear to somebody");
    fs::remove_file(aside).unwrap();
    scratch.assert_complete();
}

#[test]
fn damaged_file_without_a_source_is_named_and_stays() {
    let scratch = Scratch::with_data();
    scratch.replace("train-labels-idx1-ubyte", b"damaged");
    let server = Server::start(|_, stream| send_status(stream, "404 Not Found"));
    let text = run(&fetcher(&scratch, &server.url())).0.unwrap_err();
    assert!(text.contains("train-labels-idx1-ubyte: not MNIST's"), "{text}");
    assert!(text.contains("expected 60008 bytes, got 7"), "{text}");
    assert_eq!(fs::read(scratch.0.join("train-labels-idx1-ubyte")).unwrap(), b"damaged");
    assert_eq!(scratch.entries().len(), NAMES.len());
}

#[test]
fn packed_files_that_lie_there_are_unpacked() {
    let scratch = Scratch::new();
    for name in NAMES {
        scratch.replace(&format!("{name}.gz"), real_gz(name));
    }
    let mut fetcher = fetcher(&scratch, "");
    fetcher.sources = vec![Source::Folder(scratch.0.clone())];
    run(&fetcher).0.unwrap();
    scratch.assert_sound();
    load_data_from(&scratch.0).unwrap();
}

#[test]
fn leftovers_of_a_killed_process_go() {
    let scratch = Scratch::new();
    let leftover = scratch.0.join(".unfinished-1");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join("train-images-idx3-ubyte"), "half a file").unwrap();
    let server = Server::good();
    run(&fetcher(&scratch, &server.url())).0.unwrap();
    scratch.assert_complete();
}

#[test]
fn missing_folder_is_made() {
    let scratch = Scratch::new();
    let server = Server::good();
    let mut fetcher = fetcher(&scratch, &server.url());
    fetcher.folder = scratch.0.join("one").join("two");
    run(&fetcher).0.unwrap();
    load_data_from(&fetcher.folder).unwrap();
}

#[test]
fn loading_from_a_folder_never_writes() {
    let scratch = Scratch::new();
    let missing = scratch.0.join("missing");
    let text = clear(&load_data_from(&missing).unwrap_err());
    assert!(text.contains(missing.to_str().unwrap()), "{text}");
    assert!(text.contains("fetch_mnist"), "{text}");
    assert_eq!(scratch.entries(), [""; 0]);
}

#[test]
fn file_in_the_place_of_the_folder() {
    let scratch = Scratch::new();
    scratch.replace("mnist", b"a file");
    let server = Server::good();
    let mut fetcher = fetcher(&scratch, &server.url());
    for folder in [Path::new("mnist"), Path::new("mnist/below")] {
        fetcher.folder = scratch.0.join(folder);
        let text = run(&fetcher).0.unwrap_err();
        assert!(text.contains(fetcher.folder.to_str().unwrap()), "{text}");
        assert!(text.contains("a file is in the place of a folder"), "{text}");
        assert!(text.contains("LENET_MNIST_DIR"), "{text}");
    }
    assert_eq!(fs::read(scratch.0.join("mnist")).unwrap(), b"a file");
}

#[test]
fn folder_in_the_place_of_a_file() {
    let scratch = Scratch::with_data();
    let path = scratch.0.join("t10k-labels-idx1-ubyte");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let text = clear(&load_data_from(&scratch.0).unwrap_err());
    assert!(text.contains(path.to_str().unwrap()) && text.contains("not a file"), "{text}");
    let server = Server::good();
    run(&fetcher(&scratch, &server.url())).0.unwrap();
    scratch.assert_sound();
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::ffi::OsStr;
    use std::fs::{self, Permissions};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{symlink, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use lenet_core::mnist::load_data_from;

    use crate::child::{child, child_of, output, DONE};
    use crate::server::Server;
    use crate::support::{clear, Scratch, NAMES};

    /// The user without rights on most systems.
    const NOBODY: u32 = 65_534;

    /// Whether this user may do everything.
    fn is_root() -> bool {
        let id = Command::new("id").arg("-u").output().unwrap();
        id.stdout == b"0\n"
    }

    #[test]
    fn read_only_folder() {
        // Not below the project, which other users may not be allowed to see.
        let scratch = Scratch::below(&env::temp_dir());
        let program = scratch.0.join("program");
        fs::copy(env::current_exe().unwrap(), &program).unwrap();
        let folder = scratch.0.join("data");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();

        let server = Server::good();
        let mut command = child_of(&program, &folder, &server.url());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let (success, text) = output(&mut command);
        assert!(!success, "{text}");
        assert!(text.contains("Permission denied"), "{text}");
        assert!(text.contains("allow this user") && text.contains("LENET_MNIST_DIR"), "{text}");
        assert!(text.contains("t10k-labels-idx1-ubyte is wanted there: missing"), "{text}");
        assert!(server.requests().is_empty());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn file_size_limit() {
        let scratch = Scratch::new();
        let server = Server::good();
        let program = child(&scratch.0, &server.url());
        let mut limited = Command::new("sh");
        limited.args(["-c", r#"trap "" XFSZ; ulimit -f 20000; exec "$0" "$@""#]);
        limited.arg(program.get_program()).args(program.get_args());
        program.get_envs().for_each(|(key, value)| {
            limited.env(key, value.unwrap());
        });
        let (success, text) = output(&mut limited);
        assert!(!success, "{text}");
        assert!(text.contains("make room there"), "{text}");
        scratch.assert_sound();
        assert!(!scratch.entries().iter().any(|name| name.starts_with(".unfinished")));
        // With the limit gone, the rest is fetched.
        let (success, text) = output(&mut child(&scratch.0, &server.url()));
        assert!(success, "{text}");
        scratch.assert_complete();
    }

    #[test]
    fn full_disk() {
        let scratch = Scratch::new();
        let disk = scratch.0.join("disk");
        fs::create_dir(&disk).unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=20m", "none"];
        let mounted = Command::new("mount").args(mount).arg(&disk).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            println!("only root can mount a small disk; see file_size_limit");
            return;
        }
        let server = Server::good();
        let (success, text) = output(&mut child(&disk, &server.url()));
        let there = Command::new("ls").arg("-A").arg(&disk).output();
        let unmounted = Command::new("umount").arg(&disk).status();
        assert!(unmounted.unwrap().success());
        assert!(!success, "{text}");
        assert!(text.contains("No space left on device"), "{text}");
        assert!(text.contains("make room there"), "{text}");
        let there = String::from_utf8(there.unwrap().stdout).unwrap();
        assert!(!there.contains(".unfinished"), "{there}");
    }

    #[test]
    fn folder_whose_name_is_not_unicode() {
        let scratch = Scratch::new();
        let odd = scratch.0.join(OsStr::from_bytes(b"caf\xe9"));
        let data = Scratch::with_data();
        symlink(&data.0, &odd).unwrap();
        let text = clear(&load_data_from(&odd).unwrap_err());
        assert!(text.contains("not Unicode") && text.contains("LENET_MNIST_DIR"), "{text}");
    }

    #[test]
    fn only_python() {
        let mut asked = Command::new("python3");
        asked.args(["-c", "import sys; print(sys.executable)"]);
        let Ok(asked) = asked.output() else {
            println!("this machine has no Python");
            return;
        };
        let programs = Scratch::new();
        let python = String::from_utf8(asked.stdout).unwrap();
        symlink(python.trim(), programs.0.join("python3")).unwrap();
        let scratch = Scratch::new();
        let server = Server::good();
        let mut command = child(&scratch.0, &server.url());
        let (success, text) = output(command.env("PATH", &programs.0));
        assert!(success && text.contains(DONE), "{text}");
        scratch.assert_complete();
        assert_eq!(server.requests().len(), NAMES.len());

        let scratch = Scratch::new();
        let mut command = child(&scratch.0, "http://127.0.0.1:1");
        let (success, text) = output(command.env("PATH", &programs.0));
        assert!(!success && text.contains("python: "), "{text}");
    }

    #[test]
    fn no_program_that_fetches() {
        let scratch = Scratch::new();
        let none = Scratch::new();
        let mut command = child(&scratch.0, "http://127.0.0.1:1");
        let (success, text) = output(command.env("PATH", &none.0));
        assert!(!success && text.contains("neither curl nor python3 is installed"), "{text}");
    }

    #[test]
    fn no_network_at_all() {
        let alone = Command::new("unshare").args(["--net", "true"]).output();
        if !alone.is_ok_and(|output| output.status.success()) {
            println!("only root can take the network away; see unknown_host and connection_refused");
            return;
        }
        let scratch = Scratch::new();
        for source in ["http://mirror.example/mnist", "http://192.0.2.1/mnist"] {
            let program = child(&scratch.0, source);
            let mut cut_off = Command::new("unshare");
            cut_off.arg("--net").arg(program.get_program());
            cut_off.args(program.get_args());
            for (key, value) in program.get_envs() {
                cut_off.env(key, value.unwrap());
            }
            // A proxy could not be reached either, but the message would name it.
            cut_off.env("NO_PROXY", "*").env("no_proxy", "*");
            let (success, text) = output(&mut cut_off);
            assert!(!success && text.contains(source), "{text}");
            assert!(text.contains("npm pack"), "no advice: {text}");
            assert_eq!(scratch.entries(), [""; 0]);
        }
    }

    #[test]
    fn proxy_is_respected() {
        let scratch = Scratch::new();
        let proxy = Server::good();
        let mut command = child(&scratch.0, "http://mirror.invalid/mnist");
        let (success, text) = output(command.env("http_proxy", proxy.url()));
        assert!(success, "{text}");
        let first = "http://mirror.invalid/mnist/t10k-labels-idx1-ubyte.gz";
        assert_eq!(proxy.requests()[0], first);
    }
}
