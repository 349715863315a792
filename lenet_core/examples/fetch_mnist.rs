//! Puts MNIST into the data folder, or into the folder that is given:
//! `cargo run --release --example fetch_mnist [FOLDER]`.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use lenet_core::mnist::{self, Fetcher};

fn main() -> ExitCode {
    match fetch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn fetch() -> lenet_core::Result<()> {
    let folder = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => mnist::data_folder()?,
    };
    Fetcher::new(&folder).run(&mut |line| println!("{line}"))?;
    println!("MNIST is in {}", folder.display());
    Ok(())
}
