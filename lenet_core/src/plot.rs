//! Figures, from tensors.
//!
//! Each function takes the data and returns a [`Figure`]. As the last expression of a notebook cell a figure
//! shows itself; in a program, [`Figure::save_png`] writes it to a file. [`chart`] draws anything else with plotters.
//!
//! ```
//! use lenet_core::{plot, Epoch, History};
//!
//! let epoch = |loss, val_loss| Epoch {
//!     loss,
//!     accuracy: 0.9,
//!     val_loss: Some(val_loss),
//!     val_accuracy: Some(0.95),
//!     learning_rate: 1e-3,
//!     seconds: 1.0,
//! };
//! let history = History { epochs: vec![epoch(0.36, 0.16), epoch(0.12, 0.09)] };
//! let figure = plot::model_loss(&history)?;
//! assert!(figure.text().contains("Model Loss"));
//! # Ok::<(), lenet_core::Error>(())
//! ```

use dfdx::prelude::*;
use lenet_figures as figures;
pub use lenet_figures::{chart, Area, Figure, Table};
use lenet_figures::{Axes, Line, Reading, Unit as Written};

use crate::error::{Error, Result};
use crate::history::{Epoch, History};
use crate::metrics::{largest, Confusion, Labels, Mistake};
use crate::network::Chain;
use crate::slices::values;
use crate::summary::Summary;
use crate::suspicion;

/// The type of a tensor's grey values.
pub trait Pixel: Unit {
    /// The grey value from 0 (background) to 1 (ink).
    fn ink(self) -> f32;
}

impl Pixel for u8 {
    fn ink(self) -> f32 {
        f32::from(self) / f32::from(u8::MAX)
    }
}

impl Pixel for f32 {
    fn ink(self) -> f32 {
        self
    }
}

/// A batch of grey pictures: a tensor of u8 (0 to 255) or f32 (0 to 1), of shape (rows, columns),
/// (images, rows, columns) or (images, 1, rows, columns).
pub trait Pictures {
    /// How many there are, their rows and columns.
    fn sizes(&self) -> [usize; 3];

    /// The ink of the pictures at these places, in this order, from 0 to 1.
    ///
    /// # Panics
    /// If there are fewer pictures.
    fn ink(&self, places: &[usize]) -> Vec<f32>;
}

macro_rules! pictures {
    ($([$($dim:ident)*] $shape:ty, |$sizes:ident| $three:expr;)*) => { $(
        impl<$($dim: Dim,)* P: Pixel, T> Pictures for Tensor<$shape, P, Cpu, T> {
            fn sizes(&self) -> [usize; 3] {
                let $sizes = self.shape().concrete();
                $three
            }
            fn ink(&self, places: &[usize]) -> Vec<f32> {
                let ([_, rows, columns], all) = (self.sizes(), values(self));
                let picture = |place: &usize| &all[place * rows * columns..][..rows * columns];
                places.iter().flat_map(picture).map(|pixel| pixel.ink()).collect()
            }
        }
    )* };
}

pictures! {
    [R C] (R, C), |sizes| [1, sizes[0], sizes[1]];
    [N R C] (N, R, C), |sizes| [sizes[0], sizes[1], sizes[2]];
    [N R C] (N, Const<1>, R, C), |sizes| [sizes[0], sizes[2], sizes[3]];
}

/// A batch of images as one picture each, checked.
fn images<'a>(pictures: &impl Pictures, places: &[usize], ink: &'a mut Vec<f32>) -> Result<figures::Images<'a>> {
    let [count, rows, columns] = pictures.sizes();
    if let Some(place) = places.iter().find(|place| **place >= count) {
        return Err(Error::argument("images", format!("at least {} images", place + 1), count.to_string()));
    }
    *ink = pictures.ink(places);
    Ok(figures::Images::new(ink, rows, columns)?)
}

/// How figures call the classes: by numbers, or by the names that a data set has.
///
/// ```
/// use lenet_core::prelude::*;
/// let names = plot::Named(&mnist::FASHION_CLASSES);
/// let figure = names.bars("Probabilities", &[0.1; 10])?;
/// assert!(figure.text().contains("Sneaker"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Named<'a>(pub &'a [&'a str]);

const NUMBERS: Named<'static> = Named(&[]);

impl Named<'_> {
    /// The first images, in `rows` of `columns`, each with its label.
    ///
    /// # Errors
    /// [`Error::Argument`] if there are fewer labels than images are shown.
    pub fn digits(
        self,
        images: &impl Pictures,
        labels: &(impl Labels + ?Sized),
        rows: usize,
        columns: usize,
    ) -> Result<Figure> {
        let places = Vec::from_iter(0..(rows * columns).min(images.sizes()[0]));
        let labels = labels.labels();
        if labels.len() < places.len() {
            let got = labels.len().to_string();
            return Err(Error::argument("labels", format!("at least {} labels", places.len()), got));
        }
        let mut ink = Vec::new();
        let pictures = self::images(images, &places, &mut ink)?;
        Ok(figures::digits(&pictures, &labels[..places.len()], self.0, columns)?)
    }

    /// The images at `places`, each with what it is read as and how sure; a wrong one is marked. `probabilities` are all that
    /// [`Model::predict`](crate::Model::predict) gave, `labels` all labels.
    ///
    /// # Errors
    /// [`Error::Argument`] for a place without image, label or probabilities.
    pub fn predictions<N: Dim, C: Dim>(
        self,
        images: &impl Pictures,
        probabilities: &Tensor<(N, C), f32, Cpu>,
        labels: &(impl Labels + ?Sized),
        places: &[usize],
    ) -> Result<Figure> {
        let (rows, classes) = (values(probabilities), probabilities.shape().1.size());
        suspicion::say(suspicion::of_probabilities(&rows, classes));
        let mut ink = Vec::new();
        let pictures = self::images(images, places, &mut ink)?;
        let labels = labels.labels();
        if let Some(place) = places.iter().find(|place| **place >= labels.len().min(rows.len() / classes)) {
            let got = format!("{} labels and {} rows of probabilities", labels.len(), rows.len() / classes);
            return Err(Error::argument("places", format!("labels and probabilities for image {place}"), got));
        }
        let readings = Vec::from_iter(places.iter().map(|place| {
            let row = &rows[place * classes..][..classes];
            let class = largest(row);
            Reading { class, probability: row[class], label: Some(labels[*place]) }
        }));
        Ok(figures::predictions(&pictures, &readings, self.0, COLUMNS)?)
    }

    /// The first mistakes, in `rows` of `columns`: the image, what it is and what it is read as, and how sure.
    ///
    /// # Errors
    /// [`Error::Argument`] for a mistake without its image.
    pub fn mistakes(self, images: &impl Pictures, mistakes: &[Mistake], rows: usize, columns: usize) -> Result<Figure> {
        let shown = &mistakes[..mistakes.len().min(rows * columns)];
        let places = Vec::from_iter(shown.iter().map(|mistake| mistake.index));
        let readings = Vec::from_iter(shown.iter().map(|mistake| Reading {
            class: mistake.predicted,
            probability: mistake.probability,
            label: Some(mistake.label),
        }));
        let mut ink = Vec::new();
        let pictures = self::images(images, &places, &mut ink)?;
        Ok(figures::mistakes(&pictures, &readings, mistakes.len(), self.0, columns)?)
    }

    /// How many images there are of each class.
    ///
    /// # Errors
    /// [`Error::Argument`] without labels.
    pub fn histogram(self, labels: &(impl Labels + ?Sized)) -> Result<Figure> {
        let labels = labels.labels();
        let classes = labels.iter().max().map_or(0, |most| most + 1).max(self.0.len());
        Ok(figures::histogram("Images of each class", self.0, &labels, classes)?)
    }

    /// A bar for each class: shares in 0..=1, such as probabilities.
    ///
    /// # Errors
    /// [`Error::Argument`] for a share out of its range.
    pub fn bars(self, title: &str, shares: &[f32]) -> Result<Figure> {
        Ok(figures::bars(title, self.0, shares, Written::Percent)?)
    }

    /// The share of each class's images that is read right.
    ///
    /// # Errors
    /// If the figure cannot be drawn.
    pub fn accuracy_by_class(self, counts: &Confusion) -> Result<Figure> {
        Ok(figures::accuracy_by_class(self.0, &counts.recall())?)
    }

    /// How many images of each class (rows) are read as which (columns).
    ///
    /// # Errors
    /// If the figure cannot be drawn.
    pub fn confusion(self, counts: &Confusion) -> Result<Figure> {
        Ok(figures::confusion(self.0, counts.counts(), Written::Number)?)
    }

    /// The same in per cent of each row.
    ///
    /// # Errors
    /// If the figure cannot be drawn.
    pub fn confusion_percent(self, counts: &Confusion) -> Result<Figure> {
        Ok(figures::confusion(self.0, counts.counts(), Written::Percent)?)
    }

    /// A table of the classes: their images, and precision, recall and F1 in per cent.
    ///
    /// # Errors
    /// If there is not one name for each class.
    pub fn classes(self, counts: &Confusion) -> Result<Table<5>> {
        let images = Vec::from_iter((0..counts.classes()).map(|class| counts[class].iter().sum()));
        Ok(figures::class_table(self.0, &images, [counts.precision(), counts.recall(), counts.f1()])?)
    }
}

/// Pictures in a row of [`predictions`].
const COLUMNS: usize = 6;

/// The image at `index`, large.
///
/// # Errors
/// [`Error::Argument`] if there are fewer images.
pub fn digit(images: &impl Pictures, index: usize) -> Result<Figure> {
    let mut ink = Vec::new();
    Ok(figures::digit(&self::images(images, &[index], &mut ink)?, index)?)
}

/// [`Named::digits`] with numbers for names.
pub fn digits(images: &impl Pictures, labels: &(impl Labels + ?Sized), rows: usize, columns: usize) -> Result<Figure> {
    NUMBERS.digits(images, labels, rows, columns)
}

/// [`Named::predictions`] with numbers for names.
pub fn predictions<N: Dim, C: Dim>(
    images: &impl Pictures,
    probabilities: &Tensor<(N, C), f32, Cpu>,
    labels: &(impl Labels + ?Sized),
    places: &[usize],
) -> Result<Figure> {
    NUMBERS.predictions(images, probabilities, labels, places)
}

/// [`Named::mistakes`] with numbers for names.
pub fn mistakes(images: &impl Pictures, mistakes: &[Mistake], rows: usize, columns: usize) -> Result<Figure> {
    NUMBERS.mistakes(images, mistakes, rows, columns)
}

/// [`Named::histogram`] with numbers for names.
pub fn histogram(labels: &(impl Labels + ?Sized)) -> Result<Figure> {
    NUMBERS.histogram(labels)
}

/// [`Named::bars`] with numbers for names.
pub fn bars(title: &str, shares: &[f32]) -> Result<Figure> {
    NUMBERS.bars(title, shares)
}

/// [`Named::accuracy_by_class`] with numbers for names.
pub fn accuracy_by_class(counts: &Confusion) -> Result<Figure> {
    NUMBERS.accuracy_by_class(counts)
}

/// [`Named::confusion`] with numbers for names.
pub fn confusion(counts: &Confusion) -> Result<Figure> {
    NUMBERS.confusion(counts)
}

/// [`Named::confusion_percent`] with numbers for names.
pub fn confusion_percent(counts: &Confusion) -> Result<Figure> {
    NUMBERS.confusion_percent(counts)
}

/// [`Named::classes`] with numbers for names.
pub fn classes(counts: &Confusion) -> Result<Table<5>> {
    NUMBERS.classes(counts)
}

/// Loss over the epochs: training and validation.
///
/// # Errors
/// [`Error::Argument`] without an epoch.
pub fn model_loss(history: &History) -> Result<Figure> {
    let axes = Axes { title: "Model Loss", y: "Loss", ..Axes::default() };
    both(&axes, history, |epoch| epoch.loss, |epoch| epoch.val_loss)
}

/// Accuracy over the epochs: training and validation.
///
/// # Errors
/// [`Error::Argument`] without an epoch.
pub fn model_accuracy(history: &History) -> Result<Figure> {
    let axes = Axes { title: "Model accuracy", y: "Accuracy", most: 1.0, ..Axes::default() };
    both(&axes, history, |epoch| epoch.accuracy, |epoch| epoch.val_accuracy)
}

fn both(
    axes: &Axes<'_>,
    history: &History,
    train: impl Fn(&Epoch) -> f32,
    validation: impl Fn(&Epoch) -> Option<f32>,
) -> Result<Figure> {
    at_least_one_epoch(history)?;
    let mut lines = vec![Line::new("Train", history.epochs.iter().map(|epoch| Some(train(epoch))))];
    if history.epochs.iter().any(|epoch| validation(epoch).is_some()) {
        lines.push(Line::new("Validation", history.epochs.iter().map(validation)));
    }
    Ok(figures::curves(axes, &lines)?)
}

fn at_least_one_epoch(history: &History) -> Result<()> {
    match history.epochs.is_empty() {
        true => Err(Error::argument("the number of epochs in a history", "at least 1", "0: has `fit` run?")),
        false => Ok(()),
    }
}

/// One quantity of several histories, each under its name, over the epochs.
///
/// ```
/// # use lenet_core::{plot, Epoch, History};
/// # let epoch = Epoch { loss: 0.3, accuracy: 0.9, val_loss: None, val_accuracy: None, learning_rate: 1e-3, seconds: 1.0 };
/// # let (tanh, relu) = (History { epochs: vec![epoch; 3] }, History { epochs: vec![epoch; 3] });
/// let figure = plot::compare("Loss", &[("tanh", &tanh), ("ReLU", &relu)], |epoch| Some(epoch.loss))?;
/// assert!(figure.text().contains("ReLU"));
/// # Ok::<(), lenet_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Argument`] without an epoch.
pub fn compare(
    title: &str,
    histories: &[(&str, &History)],
    quantity: impl Fn(&Epoch) -> Option<f32>,
) -> Result<Figure> {
    each_history(&Axes { title, y: title, ..Axes::default() }, histories, quantity)
}

/// [`compare`] on a logarithmic axis, for a quantity that falls by powers of ten, such as a loss or a learning rate.
///
/// # Errors
/// [`Error::Argument`] without an epoch, [`Error::Figure`] for a value that is not above 0.
pub fn compare_logarithmic(
    title: &str,
    histories: &[(&str, &History)],
    quantity: impl Fn(&Epoch) -> Option<f32>,
) -> Result<Figure> {
    each_history(&Axes { title, y: title, logarithmic: true, ..Axes::default() }, histories, quantity)
}

fn each_history(
    axes: &Axes<'_>,
    histories: &[(&str, &History)],
    quantity: impl Fn(&Epoch) -> Option<f32>,
) -> Result<Figure> {
    let line = |(name, history): &(&str, &History)| Line::new(*name, history.epochs.iter().map(&quantity));
    histories.iter().try_for_each(|(_, history)| at_least_one_epoch(history))?;
    Ok(figures::curves(axes, &Vec::from_iter(histories.iter().map(line)))?)
}

/// A network from left to right, drawn from its type.
///
/// # Errors
/// If the figure cannot be drawn.
pub fn architecture<N: Chain>() -> Result<Figure> {
    Ok(figures::architecture(&Summary::of::<N>().drawn())?)
}

/// A convolution's filters, `(O, I, K, K)`: a column for each output map, a row for each input map. `strongest` is the
/// weight with the strongest colour, to give two figures the same scale; without it, the largest is.
///
/// # Errors
/// If the figure cannot be drawn.
pub fn filters<O: Dim, I: Dim, R: Dim, C: Dim>(
    title: &str,
    weight: &Tensor<(O, I, R, C), f32, Cpu>,
    strongest: Option<f32>,
) -> Result<Figure> {
    Ok(figures::filters(title, weight.shape().concrete(), &values(weight), strongest)?)
}

/// What a layer makes of one image: a tensor of shape `(1, maps, rows, columns)` or `(1, values)`.
pub trait Maps {
    /// Maps, rows and columns.
    fn sizes(&self) -> [usize; 3];
    /// Their values.
    fn values(&self) -> Vec<f32>;
}

impl<C: Dim, H: Dim, W: Dim> Maps for Tensor<(Const<1>, C, H, W), f32, Cpu> {
    fn sizes(&self) -> [usize; 3] {
        let (_, maps, rows, columns) = *self.shape();
        [maps.size(), rows.size(), columns.size()]
    }
    fn values(&self) -> Vec<f32> {
        values(self).into_owned()
    }
}

impl<N: Dim> Maps for Tensor<(Const<1>, N), f32, Cpu> {
    fn sizes(&self) -> [usize; 3] {
        [1, 1, self.shape().1.size()]
    }
    fn values(&self) -> Vec<f32> {
        values(self).into_owned()
    }
}

/// What each layer makes of one image, under the layers' names.
///
/// # Errors
/// [`Error::Argument`] without a layer.
pub fn feature_maps(title: &str, layers: &[(&str, &dyn Maps)]) -> Result<Figure> {
    let all = Vec::from_iter(layers.iter().map(|(name, maps)| (*name, maps.sizes(), maps.values())));
    let layers = all.iter().map(|(name, shape, values)| figures::Maps { name, shape: *shape, values });
    Ok(figures::feature_maps(title, &Vec::from_iter(layers), &[])?)
}
