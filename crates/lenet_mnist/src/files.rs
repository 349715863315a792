//! The four files of MNIST, and how each is told from everything else.

use std::io::{self, Read as _, Write};

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

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

impl DataFile {
    /// Copies `input` to `out` piece by piece, and returns how it differs from what this file has been since 1998.
    pub fn copy(&self, input: &mut Input, out: &mut impl Write) -> io::Result<Option<String>> {
        let (mut hash, mut got, mut piece) = (Hash::new(), 0, [0; PIECE]);
        // One byte more than the file has is enough to see that there are too many.
        let mut input = input.take(self.len + 1);
        loop {
            let len = input.read(&mut piece)?;
            if len == 0 {
                break;
            }
            hash.update(&piece[..len]);
            out.write_all(&piece[..len])?;
            got += len as u64;
        }
        if got != self.len {
            let more = if got > self.len { "or more" } else { "bytes" };
            return Ok(Some(format!("expected {} bytes, got {got} {more}", self.len)));
        }
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((hash != self.sha256).then(|| format!("expected SHA-256 {}, got {hash}", self.sha256)))
    }
}
