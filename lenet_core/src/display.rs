//! How values show themselves as the last line of a cell: at once, and in two thousand bytes of text at most.
//!
//! The kernel calls `evcxr_display` for a cell's last expression; where a type has no such method, it prints `Debug`, all of
//! it, and has to compile the cell a second time.

use std::fmt::{self, Debug, Display, Write};

use dfdx::prelude::{Cpu, Shape, Tensor};

use crate::inspect::{describe, Element, Inspect, ENDS};
use crate::layers::*;
use crate::metrics::Confusion;
use crate::network::{kinds, LayerKind, Network};
use crate::plot::{Figure, Table};
use crate::slices::values;
use crate::{Data, Epoch, Fit, History, Model, Score, Summary};

/// The most bytes of a text, but for a mark that some is left out.
const LIMIT: usize = 1_900;
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
            let count = lenet_figures::thousands(len);
            bounded(format_args!("{:?} … {:?}, {count} values", &all[..ENDS], &all[len - ENDS..]))
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

macro_rules! show_html {
    ($([$($generics:tt)*] $type:ty: |$value:ident| $text:expr, $html:expr;)*) => { $(
        impl<$($generics)*> Show for $type {
            fn text(&self) -> String {
                let $value = self;
                $text
            }
            fn html(&self) -> Option<String> {
                let $value = self;
                Some($html)
            }
        }
    )* };
}

show_html! {
    [] Figure: |figure| figure.text().into(), figure.html();
    [const N: usize] Table<N>: |table| table.to_string(), table.html();
    [] Summary: |summary| summary.to_string(), summary.html();
    [] History: |history| history.table().to_string(), history.table().html();
    [] Epoch: |epoch| History { epochs: vec![*epoch] }.text(), History { epochs: vec![*epoch] }.table().html();
    [N: Network] Model<N>: |model| format!("{}\n\n{model:?}", model.summary()),
        format!("{}<pre>{model:?}</pre>", model.summary().html());
}

impl Show for Score {
    fn text(&self) -> String {
        format!("loss {:.4}, accuracy {:.4}", self.loss, self.accuracy)
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

impl Show for Confusion {
    fn text(&self) -> String {
        let right: usize = (0..self.classes()).map(|class| self[class][class]).sum();
        let all: usize = self.counts().iter().sum();
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

impl<S: Shape, E: Element, T> Show for Tensor<S, E, Cpu, T> {
    fn text(&self) -> String {
        format!("{}\n{}", self.type_name(), describe(&values(self), &self.dims()))
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

/// A tuple of layers is a network; another one shows its parts. One of all these types, then one without the first, and so on.
macro_rules! show_tuples {
    () => {};
    ($first:ident $($part:ident)*) => {
        impl<$first: Show, $($part: Show),*> Show for ($first, $($part,)*) {
            fn text(&self) -> String {
                let parts = || {
                    #[allow(non_snake_case)]
                    let ($first, $($part,)*) = self;
                    vec![$first.text(), $($part.text()),*].join(", ")
                };
                self.layers().map_or_else(|| format!("({})", parts()), |layers| table(&layers).to_string())
            }
            fn html(&self) -> Option<String> {
                Some(table(&self.layers()?).html())
            }
            #[allow(non_snake_case)]
            fn layers(&self) -> Option<Vec<LayerKind>> {
                let ($first, $($part,)*) = self;
                Some([$first.layers()?, $($part.layers()?),*].concat())
            }
        }
        show_tuples!($($part)*);
    };
}

show_tuples!(A B C D E F G H I J K L M N O P);
