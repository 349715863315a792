//! Puts MNIST into the data folder, or into the folder that is given:
//! `cargo run -p lenet_mnist [-- FOLDER]`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use lenet_mnist::{data_folder, Fetcher};

fn main() -> ExitCode {
    match fetch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn fetch() -> lenet_mnist::Result<()> {
    let folder = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => data_folder()?,
    };
    Fetcher::new(&folder).run(&mut |line| println!("{line}"))?;
    println!("MNIST is in {}", folder.display());
    Ok(())
}
