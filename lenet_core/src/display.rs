//! How values show themselves as the last line of a cell: at once, and in two thousand bytes of text at most.
//!
//! The kernel calls `evcxr_display` for a cell's last expression; where a type has no such method, it prints `Debug`, all of
//! it, and has to compile the cell a second time.

use std::fmt::{Debug, Display, Write};

use dfdx::prelude::{Cpu, Shape, Tensor};

use crate::inspect::Inspect;
use crate::layers::*;
use crate::metrics::largest;
use crate::network::{kinds, LayerKind, Network};
use crate::plot::{Figure, Pixel};
use crate::slices::values;
use crate::{Data, Epoch, Fit, History, Model, Optimizer, Score, Summary};

/// The most bytes of a text.
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
        let text = self.text();
        if !text.is_empty() {
            evcxr_runtime::mime_type("text/plain").text(text);
        }
    }
}

/// What `Debug` writes, up to a limit: writing ends there, so that it takes no time either.
fn bounded(value: &(impl Debug + ?Sized)) -> String {
    struct Bounded(String);
    impl Write for Bounded {
        fn write_str(&mut self, more: &str) -> std::fmt::Result {
            let room = LIMIT - self.0.len();
            let cut = more.floor_char_boundary(room.min(more.len()));
            self.0.push_str(&more[..cut]);
            if cut < more.len() {
                Err(std::fmt::Error)
            } else {
                Ok(())
            }
        }
    }
    let mut text = Bounded(String::new());
    if write!(text, "{value:?}").is_err() {
        text.0.push_str(" …");
    }
    text.0
}

macro_rules! show_debug {
    ($([$($generics:tt)*] $type:ty),* $(,)?) => { $(
        impl<$($generics)*> Show for $type {
            fn text(&self) -> String {
                bounded(self)
            }
        }
    )* };
}

show_debug! {
    [] bool, [] char, [] str, [] String, [] u8, [] u16, [] u32, [] u64, [] usize, [] i8, [] i16, [] i32, [] i64, [] isize,
    [] f32, [] f64, [T: Debug] Vec<T>, [T: Debug] [T], [T: Debug, const N: usize] [T; N], [] std::time::Duration,
    [] Optimizer, [] crate::inspect::Dims, [] crate::metrics::Mistake, [N: Network] Model<N>,
}

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

impl<S: Shape, E: Display + Into<f64> + Pixel, T> Show for Tensor<S, E, Cpu, T> {
    fn text(&self) -> String {
        describe(&self.type_name(), &values(self), &self.dims())
    }

    fn html(&self) -> Option<String> {
        let (sizes, all) = (self.dims(), values(self));
        let [images, .., side, other] = sizes[..] else { return None };
        // Square pictures of one channel, whether the axis for the channel is there or not.
        if side != other || !(8..=64).contains(&side) || all.len() != images * side * side {
            return None;
        }
        let shown = images.min(PICTURES);
        let ink = Vec::from_iter(all[..shown * side * side].iter().map(|pixel| pixel.ink()));
        let pictures = lenet_figures::Images::new(&ink, side, side).ok()?;
        let strip = lenet_figures::digits(&pictures, &Vec::from_iter(0..shown), &[], PICTURES).ok()?;
        let words = lenet_figures::escape(&self.text());
        Some(format!("{}<pre>{words}</pre>", strip.html()))
    }
}

/// The name of a type, some values, and what they have in common.
fn describe<E: Display + Into<f64> + Copy>(name: &str, all: &[E], sizes: &[usize]) -> String {
    let (mut least, mut most, mut sum) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
    for value in all {
        let value: f64 = (*value).into();
        (least, most, sum) = (least.min(value), most.max(value), sum + value);
    }
    let mean = sum / all.len() as f64;
    let mut text = format!("{name}\n{}", row(all));
    if let [_, classes @ 2..=100] = *sizes {
        for (index, row) in all.chunks_exact(classes).take(ENDS).enumerate() {
            let row = Vec::from_iter(row.iter().map(|value| (*value).into() as f32));
            let (class, sum) = (largest(&row), row.iter().sum::<f32>());
            let shares = row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3;
            if shares {
                text += &format!("\nrow {index}: class {class} with {:.1} %", 100.0 * row[class]);
            }
        }
    }
    text + &format!("\nsmallest {least:.4}, largest {most:.4}, mean {mean:.4}")
}

/// The values at both ends.
fn row<E: Display>(all: &[E]) -> String {
    let short = |value: &E| match format!("{value:.4}") {
        whole if !whole.contains('.') => whole,
        text => text.trim_end_matches('0').trim_end_matches('.').to_string(),
    };
    let words = |values: &[E]| Vec::from_iter(values.iter().map(short)).join(", ");
    match all.len() {
        0..=24 => format!("[{}]", words(all)),
        len => format!("[{}, … {}]", words(&all[..ENDS]), words(&all[len - ENDS..])),
    }
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
