//! Tables as Kaggle has them: images in, answers out.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::input::{read_error, Input};
use crate::set::{ImageSet, MAX_LEN};
use crate::{Error, Result};

/// How a file of answers begins.
const SUBMISSION_HEADER: &str = "ImageId,Label\n";

/// Square images from a table with an image in each line: its label, if there is one, then its
/// pixels, as in Kaggle's `train.csv` and `test.csv`. A first line with names of columns is left
/// out. The file may be packed with gzip.
///
/// # Errors
/// When the file cannot be read, is no such table, or holds more than [`MAX_LEN`].
///
/// # Example
/// ```
/// let path = std::env::temp_dir().join(format!("two-{}.csv", std::process::id()));
/// std::fs::write(&path, "label,p0,p1,p2,p3\n7,0,0,255,255\n1,9,0,9,0\n").unwrap();
///
/// let set = lenet_mnist::read_csv(&path)?;
/// assert_eq!((set.count, set.height, set.width), (2, 2, 2));
/// assert_eq!(set.labels, [7, 1]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), lenet_mnist::Error>(())
/// ```
pub fn read_csv(path: impl AsRef<Path>) -> Result<ImageSet> {
    const LINE_MAX: u64 = 1 << 20;
    let path = path.as_ref();
    let wrong = |problem: String| {
        let advice = "give a line for each image: its label, if there is one, then its pixels";
        Error::data(path, &problem, advice)
    };
    let mut reader = BufReader::new(Input::open(path)?);
    let (mut values, mut columns, mut line) = (Vec::new(), None, Vec::new());
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
        if read.map_err(|error| read_error(path, &error))? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_start_matches('\u{feff}').trim();
        let names = number == 1 && text.starts_with(|c: char| c.is_alphabetic() || c == '"');
        if text.is_empty() || names {
            continue;
        }
        let before = values.len();
        for field in text.split(',') {
            let value = field.trim().parse::<u8>();
            let field = || field.chars().take(20).collect::<String>();
            let problem = |_| wrong(format!("has {:?} in line {number}, no pixel", field()));
            values.push(value.map_err(problem)?);
        }
        let (got, expected) = (values.len() - before, *columns.get_or_insert(values.len()));
        if got != expected || values.len() as u64 > MAX_LEN {
            let problem = format!("has {got} columns in line {number}: expected {expected}");
            return Err(wrong(problem + ", and at most 822 MB in all"));
        }
    }
    let columns = columns.ok_or_else(|| wrong("holds no images".into()))?;
    let is_square = |pixels: usize| pixels > 1 && pixels.isqrt().pow(2) == pixels;
    let labels = usize::from(is_square(columns - 1));
    if !is_square(columns - labels) {
        return Err(wrong(format!("has {columns} columns: no square image")));
    }
    let side = columns.isqrt();
    let mut set = ImageSet { height: side, width: side, ..ImageSet::default() };
    for row in values.chunks_exact(columns) {
        set.count += 1;
        set.labels.extend(&row[..labels]);
        set.pixels.extend(&row[labels..]);
    }
    Ok(set)
}

/// Writes the answers to Kaggle's test images: `ImageId,Label`, with images counted from 1. An
/// earlier file of answers at `path` is replaced; any other file stays.
///
/// # Errors
/// When the file cannot be written, or `path` is a file of another kind.
///
/// # Example
/// ```
/// let path = std::env::temp_dir().join(format!("answers-{}.csv", std::process::id()));
/// lenet_mnist::write_submission(&path, &[2, 0])?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "ImageId,Label\n1,2\n2,0\n");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), lenet_mnist::Error>(())
/// ```
pub fn write_submission(path: impl AsRef<Path>, digits: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let answers = |input: Input| input.beginning.starts_with(SUBMISSION_HEADER.as_bytes());
    if path.exists() && !answers(Input::open(path)?) {
        let problem = "is a file of another kind, and stays as it is";
        return Err(Error::data(path, problem, "give the answers another name"));
    }
    let mut text = String::from(SUBMISSION_HEADER);
    for (number, digit) in (1..).zip(digits) {
        // To write to a string never fails.
        let _ = writeln!(text, "{number},{digit}");
    }
    fs::write(path, text).map_err(|error| Error::io("write", path, &error))
}
