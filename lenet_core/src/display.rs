//! How values show themselves as the last line of a cell: at once, and in two thousand bytes of text at most.
//!
//! The kernel calls `evcxr_display` for a cell's last expression; where a type has no such method, it prints `Debug`, all of
//! it, and has to compile the cell a second time.

use std::fmt::{self, Debug, Display, Write};

use dfdx::prelude::{Cpu, Shape, Tensor, Unit};

use crate::inspect::Inspect;
use crate::layers::*;
use crate::metrics::{largest, Confusion};
use crate::network::{kinds, LayerKind, Network};
use crate::plot::Figure;
use crate::slices::values;
use crate::{Data, Epoch, Fit, History, Model, Score, Summary};

/// The most bytes of a text, but for a mark that some is left out.
const LIMIT: usize = 1_900;
/// Values at each end of a long row.
const ENDS: usize = 8;
/// Pictures that a batch of images shows.
const PICTURES: usize = 12;

/// A value that shows itself as the result of a notebook cell.
///
/// ```
/// use lenet_core::prelude::*;
/// let x: Tensor<Rank3<1000, 28, 28>, f32, Cpu> = Cpu::default().zeros();
/// assert!(x.text().starts_with("Tensor<(Const<1000>, Const<28>, Const<28>), f32, Cpu>"));
/// assert!(x.text().len() < 2_000);
/// assert_eq!((60_000, 28, 28).text(), "(60000, 28, 28)");
/// assert!(LeNet5::glorot_uniform(0).text().contains("Total params: 44,426"));
/// ```
#[diagnostic::on_unimplemented(message = "`{Self}` does not show itself: print it with println!(\"{{:?}}\", …)")]
pub trait Show {
    /// The value in a few words and numbers.
    fn text(&self) -> String;

    /// The same as HTML, if that says more.
    fn html(&self) -> Option<String> {
        None
    }

    /// What a network is made of, where this is one.
    fn layers(&self) -> Option<Vec<LayerKind>> {
        None
    }

    /// Shows the value. The kernel calls it for a cell's last expression.
    fn evcxr_display(&self) {
        if let Some(html) = self.html() {
            evcxr_runtime::mime_type("text/html").text(html);
        }
        let text = bounded(format_args!("{}", self.text()));
        if !text.is_empty() {
            evcxr_runtime::mime_type("text/plain").text(text);
        }
    }
}

/// What is to be written, up to a limit: writing ends there, so that it takes no time either.
fn bounded(what: fmt::Arguments<'_>) -> String {
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, more: &str) -> fmt::Result {
            let room = LIMIT - self.0.len();
            let cut = more.floor_char_boundary(room.min(more.len()));
            self.0.push_str(&more[..cut]);
            if cut < more.len() {
                Err(fmt::Error)
            } else {
                Ok(())
            }
        }
    }
    let mut text = Bounded(String::new());
    if text.write_fmt(what).is_err() {
        text.0.push_str(" …");
    }
    text.0
}

/// The values at both ends of a list, by `Debug`.
fn ends<T: Debug>(all: &[T]) -> String {
    match all.len() {
        0..=24 => bounded(format_args!("{all:?}")),
        len => {
            let part = |values: &[T]| {
                let words = bounded(format_args!("{values:?}"));
                words.trim_start_matches('[').trim_end_matches(']').to_string()
            };
            let (first, last) = (part(&all[..ENDS]), part(&all[len - ENDS..]));
            format!("[{first}, … {last}], {} values", lenet_figures::thousands(len))
        }
    }
}

macro_rules! show_debug {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => { $(
        impl<$($generics)*> Show for $type {
            fn text(&self) -> String {
                bounded(format_args!("{self:?}"))
            }
        }
    )* };
}

show_debug! {
    [] bool, [] char, [] str, [] String, [] u8, [] u16, [] u32, [] u64, [] usize, [] i8, [] i16, [] i32, [] i64, [] isize,
    [] f32, [] f64, [] std::time::Duration, [] std::path::PathBuf, [K: Debug, V: Debug, S] std::collections::HashMap<K, V, S>,
    [K: Debug, V: Debug] std::collections::BTreeMap<K, V>, [] crate::Optimizer, [] crate::Adam, [] crate::Sgd,
    [] crate::RmsProp, [] crate::Schedule, [] crate::Augment, [] crate::Stepper, [] crate::inspect::Dims,
    [] crate::metrics::Mistake, [] crate::weights::NamedTensor, [] crate::Error,
}

macro_rules! show_list {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => { $(
        impl<T: Debug, $($generics)*> Show for $type {
            fn text(&self) -> String {
                ends(&self[..])
            }
        }
    )* };
}

show_list! { [] Vec<T>, [] [T], [const N: usize] [T; N] }

impl Show for () {
    fn text(&self) -> String {
        String::new()
    }
}

impl<T: Show> Show for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map_or("None".into(), |value| format!("Some({})", value.text()))
    }
}

impl<T: Show, E: Display> Show for Result<T, E> {
    fn text(&self) -> String {
        match self {
            Ok(value) => format!("{}\n(in an `Ok(…)`: a `?` behind the call takes it out)", value.text()),
            Err(error) => format!("{error}\n(a `?` behind the call ends the cell with this error)"),
        }
    }
    fn html(&self) -> Option<String> {
        let html = self.as_ref().ok()?.html()?;
        Some(html + "<p>(in an <code>Ok(…)</code>: a <code>?</code> behind the call takes it out)</p>")
    }
}

impl Show for Figure {
    fn text(&self) -> String {
        Figure::text(self).into()
    }
    fn html(&self) -> Option<String> {
        Some(Figure::html(self))
    }
}

impl Show for Summary {
    fn text(&self) -> String {
        self.to_string()
    }
    fn html(&self) -> Option<String> {
        Some(Summary::html(self))
    }
}

impl Show for Score {
    fn text(&self) -> String {
        format!("loss {:.4}, accuracy {:.4}", self.loss, self.accuracy)
    }
}

impl Show for Epoch {
    fn text(&self) -> String {
        History { epochs: vec![*self] }.text()
    }
}

impl Show for History {
    fn text(&self) -> String {
        self.table().to_string()
    }
    fn html(&self) -> Option<String> {
        Some(self.table().html())
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn text(&self) -> String {
        (**self).text()
    }
    fn html(&self) -> Option<String> {
        (**self).html()
    }
}

impl Show for Data {
    fn text(&self) -> String {
        let [channels, height, width] = self.image_sizes();
        format!("{} images of {channels}x{height}x{width} with {} classes", self.len(), self.classes())
    }
}

impl Show for Fit {
    fn text(&self) -> String {
        let Self { epochs, batch_size, seed, schedule, augment, .. } = self;
        let augment = if augment.is_some() { ", distorted images" } else { "" };
        format!("{epochs} epochs in mini-batches of {batch_size}, seed {seed}, {schedule:?} learning rate{augment}")
    }
}

impl<N: Network> Show for Model<N> {
    fn text(&self) -> String {
        format!("{}\n\n{self:?}", self.summary())
    }
    fn html(&self) -> Option<String> {
        Some(format!("{}<pre>{self:?}</pre>", self.summary().html()))
    }
}

impl<N: Network> Model<N> {
    /// The layer table of its network.
    pub fn summary(&self) -> Summary {
        Summary::of::<N>()
    }
}

impl Show for Confusion {
    fn text(&self) -> String {
        let (all, right): (usize, usize) =
            (self.counts().iter().sum(), (0..self.classes()).map(|class| self[class][class]).sum());
        let mut text = format!("{right} of {all} read right; rows are labels, columns are what is read\n    ");
        let classes = 0..self.classes();
        classes.clone().for_each(|class| text += &format!("{class:>6}"));
        for label in classes {
            text += &format!("\n{label:>4}");
            self[label].iter().for_each(|count| text += &format!("{count:>6}"));
        }
        text
    }
}

/// A type of a tensor's elements that shows itself.
pub trait Element: Unit + Display {
    /// The element, and as ink from 0 to 1 if it is that of a pixel.
    fn number(self) -> f64;
    /// The largest value of a pixel.
    const WHITE: f64;
    /// The smallest, the largest and the mean of some elements. It is compiled with this crate, not in an unoptimised cell.
    fn range(all: &[Self]) -> [f64; 3];
}

macro_rules! elements {
    ($($type:ty, $white:literal, |$value:ident| $number:expr;)*) => { $(
        impl Element for $type {
            const WHITE: f64 = $white;
            fn number(self) -> f64 {
                let $value = self;
                $number
            }
            fn range(all: &[Self]) -> [f64; 3] {
                let start = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
                let (least, most, sum) = all.iter().fold(start, |(least, most, sum), value| {
                    let value = value.number();
                    (value.min(least), value.max(most), sum + value)
                });
                [least, most, sum / all.len() as f64]
            }
        }
    )* };
}

elements! {
    u8, 255.0, |value| f64::from(value);
    f32, 1.0, |value| f64::from(value);
    f64, 1.0, |value| value;
    i32, 1.0, |value| f64::from(value);
    i64, 1.0, |value| value as f64;
    usize, 1.0, |value| value as f64;
    bool, 1.0, |value| f64::from(u8::from(value));
}

impl<S: Shape, E: Element, T> Show for Tensor<S, E, Cpu, T> {
    fn text(&self) -> String {
        let (all, sizes) = (values(self), self.dims());
        let [least, most, mean] = E::range(&all).map(short);
        let classes = rows(&all, &sizes);
        let row = match all.len() {
            0..=24 => words(&all),
            len => format!("{}, … {}", words(&all[..ENDS]), words(&all[len - ENDS..])),
        };
        format!("{}\n[{row}]{classes}\nsmallest {least}, largest {most}, mean {mean}", self.type_name())
    }

    fn html(&self) -> Option<String> {
        let (sizes, all) = (self.dims(), values(self));
        let [images, .., side, other] = sizes[..] else { return None };
        // Square pictures of one channel, whether the axis for the channel is there or not.
        if side != other || !(8..=64).contains(&side) || all.len() != images * side * side {
            return None;
        }
        let shown = images.min(PICTURES);
        let ink = Vec::from_iter(all[..shown * side * side].iter().map(|pixel| (pixel.number() / E::WHITE) as f32));
        let pictures = lenet_figures::Images::new(&ink, side, side).ok()?;
        let strip = lenet_figures::digits(&pictures, &vec![0; shown], &[" "], PICTURES).ok()?;
        let strip = strip.with_text(format!("The first {shown} images."));
        Some(format!("{}<pre>{}</pre>", strip.html(), lenet_figures::escape(&self.text())))
    }
}

/// The classes of the first rows, where rows are one-hot or probabilities.
fn rows<E: Element>(all: &[E], sizes: &[usize]) -> String {
    let mut text = String::new();
    let [_, classes @ 2..=100] = *sizes else { return text };
    for (index, row) in all.chunks_exact(classes).take(ENDS).enumerate() {
        let row = Vec::from_iter(row.iter().map(|value| value.number() as f32));
        let (class, sum) = (largest(&row), row.iter().sum::<f32>());
        if row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3 {
            text += &format!("\nrow {index}: class {class}");
            if row[class] < 1.0 {
                text += &format!(" with {:.1} %", 100.0 * row[class]);
            }
        }
    }
    text
}

/// A number with four digits behind the point, or four in all where it is small.
fn short(value: f64) -> String {
    match format!("{value:.4}") {
        _ if value != 0.0 && value.abs() < 1e-3 => format!("{value:.1e}"),
        text if text.contains('.') => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        text => text,
    }
}

fn words<E: Element>(values: &[E]) -> String {
    Vec::from_iter(values.iter().map(|value| short(value.number()))).join(", ")
}

/// The table of layers, with the input that the first of them takes.
fn table(layers: &[LayerKind]) -> Summary {
    let input = match layers.first() {
        Some(LayerKind::Input { channels, side }) => vec![*channels, *side, *side],
        Some(LayerKind::Conv2D { inputs, .. }) => vec![*inputs, 28, 28],
        Some(LayerKind::Linear { inputs, .. }) => vec![*inputs],
        _ => vec![1, 28, 28],
    };
    Summary::new(layers, &input)
}

macro_rules! show_layer {
    ($([$($generics:tt)*] $layer:ty),* $(,)?) => { $(
        impl<$($generics)*> Show for $layer {
            fn text(&self) -> String {
                table(&kinds::<Self>()).to_string()
            }
            fn html(&self) -> Option<String> {
                Some(table(&kinds::<Self>()).html())
            }
            fn layers(&self) -> Option<Vec<LayerKind>> {
                Some(kinds::<Self>())
            }
        }
    )* };
}

show_layer! {
    [] Tanh, [] ReLU, [] Sigmoid, [] Flatten, [const K: usize] AvgPool2D<K>, [const K: usize] MaxPool2D<K>,
    [const P: usize] ZeroPad2D<P>, [const P: usize] Dropout<P>, [const C: usize, const S: usize] Input<C, S>,
    [const I: usize, const O: usize] Linear<I, O>, [const I: usize, const O: usize, const K: usize] Conv2D<I, O, K>,
}

/// A tuple of layers is a network; another one shows its parts.
macro_rules! show_tuple {
    ($($part:ident)*) => {
        impl<$($part: Show),*> Show for ($($part,)*) {
            fn text(&self) -> String {
                let parts = || {
                    #[allow(non_snake_case)]
                    let ($($part,)*) = self;
                    vec![$($part.text()),*].join(", ")
                };
                self.layers().map_or_else(|| format!("({})", parts()), |layers| table(&layers).to_string())
            }
            fn html(&self) -> Option<String> {
                Some(table(&self.layers()?).html())
            }
            #[allow(non_snake_case)]
            fn layers(&self) -> Option<Vec<LayerKind>> {
                let ($($part,)*) = self;
                Some([$($part.layers()?),*].concat())
            }
        }
    };
}

show_tuple!(A);
show_tuple!(A B);
show_tuple!(A B C);
show_tuple!(A B C D);
show_tuple!(A B C D E);
show_tuple!(A B C D E F);
show_tuple!(A B C D E F G);
show_tuple!(A B C D E F G H);
show_tuple!(A B C D E F G H I);
show_tuple!(A B C D E F G H I J);
show_tuple!(A B C D E F G H I J K);
show_tuple!(A B C D E F G H I J K L);
show_tuple!(A B C D E F G H I J K L M);
show_tuple!(A B C D E F G H I J K L M N);
show_tuple!(A B C D E F G H I J K L M N O);
show_tuple!(A B C D E F G H I J K L M N O P);
