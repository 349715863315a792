//! One's own digits, from PNG and JPEG files: read, and prepared as MNIST's were.
//!
//! The crate `lenet_mnist` reads and prepares ([`lenet_mnist::picture`] tells how); this is its face in tensors.

use std::path::Path;

use dfdx::prelude::*;
use lenet_figures::{Figure, Sight};
use lenet_mnist::picture::{self, Grey, Picture};

use crate::display::Show;
use crate::error::Result;
use crate::slices::values;

/// Rows of a figure, and pixels of an original in it.
const ROWS: usize = 12;
const PIXELS: usize = 168;

/// Images as a network takes them, from 0 to 1.
pub type Images<N> = Tensor<(N, Const<1>, Const<28>, Const<28>), f32, Cpu>;

/// Pictures of digits: as they were, and as the network sees them. As a cell's last line they show both.
#[derive(Debug, Clone)]
pub struct Pictures<N: Dim> {
    /// What the network sees: white ink on black, from 0 to 1.
    pub images: Images<N>,
    /// The files' names.
    pub names: Vec<String>,
    /// The digit that each picture shows, where its name tells: `7.png`, `7-anna.jpg`, or a folder `7`.
    pub labels: Vec<Option<u8>>,
    /// What was done to each picture, in a line.
    pub words: Vec<String>,
    /// What was not read, and why.
    pub refused: Vec<String>,
    originals: Vec<Grey>,
}

impl<N: Dim> Pictures<N> {
    /// The same pictures, squashed into 28 x 28 pixels and not prepared at all: to see what preparation is worth.
    ///
    /// # Errors
    /// If dfdx cannot make a tensor.
    pub fn unprepared(&self) -> Result<Images<N>> {
        let pixels = self.originals.iter().flat_map(Grey::squashed).collect();
        Ok(Cpu::default().try_tensor_from_vec(pixels, *self.images.shape())?)
    }
}

/// Reads the picture of a digit from a PNG or JPEG file of any size, and prepares it as MNIST's were.
///
/// # Errors
/// When the file cannot be read, is no sound PNG or JPEG, or shows no digit, or several.
///
/// # Example
/// ```
/// use lenet_core::{plotters::prelude::*, prelude::*};
///
/// // A picture of a 1, as a drawing program might save it.
/// let path = std::env::temp_dir().join(format!("1-drawn-{}.png", std::process::id()));
/// let drawn = plot::chart((200, 160), |area| {
///     Ok(area.draw(&PathElement::new([(90, 30), (70, 130)], BLACK.stroke_width(9)))?)
/// })?;
/// drawn.save_png(&path)?;
///
/// let one = picture::load(&path)?;
/// assert_eq!((one.labels[0], format!("{:?}", one.images.dims())), (Some(1), "(1, 1, 28, 28)".into()));
/// let model = Model::compile(LeNet5::glorot_uniform(0), Adam::default())?;
/// let figure = picture::figure(&one, &model.predict(&one.images)?)?;
/// assert!(figure.text().contains("1-drawn"));
/// # std::fs::remove_file(path).unwrap();
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Pictures<Const<1>>> {
    let path = path.as_ref();
    pictures(Const, vec![(path.into(), picture::read_picture(path)?)], Vec::new(), path.parent())
}

/// Reads all pictures in a folder and in the folders right below it.
///
/// # Errors
/// When the folder cannot be read, or no picture in it can. A picture that is not read stands in [`Pictures::refused`].
///
/// # Example
/// ```
/// use lenet_core::{plotters::prelude::*, prelude::*};
///
/// let folder = std::env::temp_dir().join(format!("digits-{}", std::process::id()));
/// std::fs::create_dir_all(&folder).unwrap();
/// for (name, right) in [("1-upright.png", 0), ("1-slanted.png", 40)] {
///     let stroke = [(80 + right, 30), (80, 130)];
///     let drawn = plot::chart((200, 160), |area| Ok(area.draw(&PathElement::new(stroke, BLACK.stroke_width(9)))?))?;
///     drawn.save_png(folder.join(name))?;
/// }
/// std::fs::write(folder.join("2.png"), "no picture").unwrap();
///
/// let digits = picture::load_folder(&folder)?;
/// assert_eq!(digits.names, ["1-slanted.png", "1-upright.png"]);
/// assert_eq!(digits.labels, [Some(1); 2]);
/// assert!(digits.refused[0].contains("2.png"));
/// assert!(digits.unprepared()?.dims() == [2, 1, 28, 28]);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), lenet_core::Error>(())
/// ```
pub fn load_folder(folder: impl AsRef<Path>) -> Result<Pictures<usize>> {
    let folder = folder.as_ref();
    let (mut read, mut refused, mut first) = (Vec::new(), Vec::new(), None);
    for (path, picture) in picture::read_pictures(folder)? {
        match picture {
            Ok(picture) => read.push((path, picture)),
            Err(error) => {
                refused.push(error.to_string());
                first = first.or(Some(error));
            }
        }
    }
    match first {
        Some(error) if read.is_empty() => Err(error.into()),
        _ => pictures(read.len(), read, refused, Some(folder)),
    }
}

fn pictures<N: Dim>(
    count: N,
    read: Vec<(std::path::PathBuf, Picture)>,
    refused: Vec<String>,
    folder: Option<&Path>,
) -> Result<Pictures<N>> {
    let pixels = read.iter().flat_map(|(_, picture)| picture.prepared.pixels).collect();
    let images = Cpu::default().try_tensor_from_vec(pixels, (count, Const, Const, Const))?;
    let (mut names, mut labels, mut words, mut originals) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (path, picture) in read {
        let name = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(&path);
        names.push(name.display().to_string());
        labels.push(picture::label(&path));
        words.push(picture.prepared.words);
        originals.push(picture.original);
    }
    Ok(Pictures { images, names, labels, words, refused, originals })
}

/// The first twelve pictures, each beside what the network sees of it and the probabilities that
/// [`Model::predict`](crate::Model::predict) gives.
///
/// # Errors
/// If the figure cannot be drawn.
pub fn figure<N: Dim, C: Dim>(pictures: &Pictures<N>, probabilities: &Tensor<(N, C), f32, Cpu>) -> Result<Figure> {
    drawn(pictures, &values(probabilities))
}

fn drawn<N: Dim>(pictures: &Pictures<N>, probabilities: &[f32]) -> Result<Figure> {
    let Pictures { images, names, labels, originals, .. } = pictures;
    let (classes, seen) = (probabilities.len() / names.len().max(1), values(images));
    let originals = Vec::from_iter(originals.iter().take(ROWS).map(|original| original.reduced(PIXELS)));
    let sights = originals.iter().enumerate().map(|(at, (original, columns))| Sight {
        name: &names[at],
        original,
        columns: *columns,
        seen: &seen[at * 784..][..784],
        probabilities: &probabilities[at * classes..][..classes],
        label: labels[at].map(usize::from),
    });
    Ok(lenet_figures::pictures(&Vec::from_iter(sights), &[])?)
}

impl<N: Dim> Show for Pictures<N> {
    fn text(&self) -> String {
        let read = self.names.iter().zip(&self.words).take(ROWS).map(|(name, words)| format!("{name}: {words}"));
        let refused = self.refused.iter().take(ROWS).map(|problem| format!("not read: {problem}"));
        Vec::from_iter(read.chain(refused)).join("\n")
    }

    fn html(&self) -> Option<String> {
        let words = lenet_figures::escape(&self.text());
        Some(format!("{}<pre>{words}</pre>", drawn(self, &[]).ok()?.html()))
    }
}
