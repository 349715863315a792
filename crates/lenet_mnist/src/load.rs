//! MNIST as plain vectors. The crate `mnist` parses the files, once they are known to be sound.

use std::panic::catch_unwind;
use std::path::Path;

use mnist::MnistBuilder;

use crate::files::FILES;
use crate::find::{find, Found};
use crate::{Error, Result, TEST_COUNT, TRAIN_COUNT};

/// MNIST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mnist {
    /// 60,000 images to train on.
    pub train: Split,
    /// 10,000 images to test with.
    pub test: Split,
}

/// Images and their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// 28 x 28 pixels an image, row by row, from 0 (paper) to 255 (ink).
    pub images: Vec<u8>,
    /// The digit that each image shows.
    pub labels: Vec<u8>,
}

/// MNIST from the files in `folder`, under any name. Looks nowhere else, fetches nothing and writes nothing.
///
/// # Errors
/// When a file is missing or packed, or another data set has its name.
pub fn load(folder: impl AsRef<Path>) -> Result<Mnist> {
    let folder = folder.as_ref();
    let found = find(folder)?;
    let Some(index) = found.missing() else {
        return parse(&found);
    };
    let missing = found.packed[index].is_none();
    let problem = if missing { "is missing" } else { "is packed" };
    let command = format!("cargo run -p lenet_mnist -- \"{}\"", folder.display());
    let mut advice = format!("`{command}` puts it there");
    for line in found.strangers {
        advice += &format!("\n  {line}");
    }
    Err(Error::data(&folder.join(FILES[index].name), problem, &advice))
}

/// Lets the crate `mnist` parse the four files that were found. They have to be checked before, as it panics on
/// anything that it does not expect.
pub(crate) fn parse(found: &Found) -> Result<Mnist> {
    let [test_labels, train_labels, test_images, train_images] =
        found.ready.each_ref().map(|path| path.as_ref().and_then(|path| path.to_str()).unwrap_or_default());
    let parse = || {
        let parsed = MnistBuilder::new()
            .base_path("")
            .training_images_filename(train_images)
            .training_labels_filename(train_labels)
            .test_images_filename(test_images)
            .test_labels_filename(test_labels)
            .training_set_length(TRAIN_COUNT as u32)
            .validation_set_length(0)
            .test_set_length(TEST_COUNT as u32)
            .finalize();
        Mnist {
            train: Split { images: parsed.trn_img, labels: parsed.trn_lbl },
            test: Split { images: parsed.tst_img, labels: parsed.tst_lbl },
        }
    };
    // Files that someone changes between check and parse still make it panic.
    let problem = "a file of MNIST changed while it was read, or its path is not Unicode";
    let advice = "run this again, or set LENET_MNIST_DIR to another folder";
    catch_unwind(parse).map_err(|_| Error(format!("{problem}; {advice}")))
}
