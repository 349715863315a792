//! The four files of MNIST, and how each is told from everything else.

use std::io::{self, Read};

use hmac_sha256::Hash;

use crate::input::Input;

/// One of the four files of MNIST.
#[derive(Debug)]
pub(crate) struct DataFile {
    /// The name it has had since 1998.
    pub name: &'static str,
    /// Length in bytes, unpacked.
    pub len: u64,
    /// SHA-256 of the unpacked file, in lower-case hexadecimal.
    sha256: &'static str,
}

/// All four, the smallest first, so that a flaw in a small file is found before a big one is read.
pub(crate) const FILES: [DataFile; 4] = [
    DataFile {
        name: "t10k-labels-idx1-ubyte",
        len: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    DataFile {
        name: "train-labels-idx1-ubyte",
        len: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    DataFile {
        name: "t10k-images-idx3-ubyte",
        len: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    DataFile {
        name: "train-images-idx3-ubyte",
        len: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
];

impl DataFile {
    /// The bytes of `input`, or how they differ from what this file has been since 1998.
    pub fn read(&self, input: &mut Input) -> io::Result<Result<Vec<u8>, String>> {
        let mut bytes = Vec::new();
        // One byte more than the file has is enough to see that there are too many.
        let got = input.take(self.len + 1).read_to_end(&mut bytes)? as u64;
        if got != self.len {
            let more = if got > self.len { "or more" } else { "bytes" };
            return Ok(Err(format!("expected {} bytes, got {got} {more}", self.len)));
        }
        let hash: String = Hash::hash(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let same = hash == self.sha256;
        Ok(same.then_some(bytes).ok_or_else(|| format!("expected SHA-256 {}, got {hash}", self.sha256)))
    }
}
