//! Weights and models in files: they come back as they went, and a file that does not fit is refused by name and changes
//! nothing.

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{flat, fresh, how, images, optimizers, Scratch};
use lenet_core::prelude::*;
use lenet_core::weights::{self, tensors};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::SafeTensors;

type Entries = Vec<(String, Dtype, Vec<usize>, Vec<u8>)>;

/// Writes the file at `path` anew, after `change` had its way with its tensors and texts.
fn altered(path: &Path, change: impl FnOnce(&mut Entries, &mut HashMap<String, String>)) {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut texts = header.metadata().clone().unwrap_or_default();
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter();
    let mut entries: Entries =
        tensors.map(|(name, view)| (name, view.dtype(), view.shape().to_vec(), view.data().to_vec())).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    change(&mut entries, &mut texts);
    let view = |dtype: &Dtype, shape: &[usize], bytes| TensorView::new(*dtype, shape.to_vec(), bytes).unwrap();
    let views = entries.iter().map(|(name, dtype, shape, bytes)| (name, view(dtype, shape, bytes)));
    std::fs::write(path, safetensors::serialize(views, Some(texts)).unwrap()).unwrap();
}

/// A model that has learned something, in a file.
fn saved(scratch: &Scratch, name: &str, optimizer: impl Into<Optimizer>) -> (Model<LeNet5>, std::path::PathBuf) {
    let (mut model, path) = (fresh::<LeNet5>(optimizer), scratch.path(name));
    model.fit(images(50), &how(1)).unwrap();
    model.save(&path).unwrap();
    (model, path)
}

/// Neither the weights nor, unless it is about those, the model are taken from the file.
#[track_caller]
fn refused(path: &Path, of_model_only: bool, words: &[&str]) {
    let mut network = LeNet5::glorot_uniform(4);
    let before = tensors(&network);
    let of_weights = weights::load(&mut network, path);
    let errors = if of_model_only {
        of_weights.unwrap();
        None
    } else {
        Some(of_weights.unwrap_err())
    };
    if !of_model_only {
        assert_eq!(tensors(&network), before, "a refused file changes nothing");
    }
    for error in errors.into_iter().chain([Model::<LeNet5>::load(path).unwrap_err()]) {
        let error = error.to_string();
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    let found: Vec<_> = tensors(&LeNet5::glorot_uniform(0)).into_iter().map(|t| (t.name, t.shape)).collect();
    let expected = [
        ("c1.weight", vec![6, 1, 5, 5]),
        ("c1.bias", vec![6]),
        ("c3.weight", vec![16, 6, 5, 5]),
        ("c3.bias", vec![16]),
        ("c5.weight", vec![120, 256]),
        ("c5.bias", vec![120]),
        ("f6.weight", vec![84, 120]),
        ("f6.bias", vec![84]),
        ("output.weight", vec![10, 84]),
        ("output.bias", vec![10]),
    ];
    assert_eq!(found, expected.map(|(name, shape)| (name.to_owned(), shape)));
}

#[test]
fn what_is_saved_comes_back_for_us_and_for_the_crate_safetensors() {
    let scratch = Scratch::new("same");
    for optimizer in optimizers() {
        let (model, path) = saved(&scratch, "model", optimizer);
        let mut network = LeNet5::glorot_uniform(4);
        // Weights out of a model's file; and either file through the hands of another.
        weights::load(&mut network, &path).unwrap();
        assert_eq!(tensors(&network), tensors(model.network()));
        altered(&path, |_, _| {});
        assert_eq!(flat(&Model::<LeNet5>::load(&path).unwrap()), flat(&model));

        weights::save(&network, &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        for tensor in tensors(&network) {
            let view = file.tensor(&tensor.name).unwrap();
            assert_eq!((view.dtype(), view.shape()), (Dtype::F32, &tensor.shape[..]));
            assert_eq!(view.data(), tensor.values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>());
        }
        assert_eq!(file.len(), 10);
        assert_eq!(scratch.entries(), ["model"], "nothing else is left");
    }
}

#[test]
fn a_damaged_file_is_refused_and_never_makes_it_panic() {
    type Small = (Input<1, 4>, Conv2D<1, 2, 3>, Flatten, Linear<8, 3>);
    let (scratch, dev) = (Scratch::new("damaged"), Cpu::default());
    let (mut small, path) = (fresh::<Small>(Adam::default()), scratch.path("small"));
    let still = Fit { epochs: 1, verbose: false, ..Fit::default() };
    small.fit((&dev.zeros::<Rank4<2, 1, 4, 4>>(), &dev.zeros::<Rank2<2, 3>>()), &still).unwrap();
    small.save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for at in 0..header {
        for byte in [0, b'9', b'"', 0xff] {
            let mut bad = good.clone();
            bad[at] = byte;
            std::fs::write(&path, &bad).unwrap();
            let _ = Model::<Small>::load(&path); // reads as `weights::load` does, and more
        }
    }
    let (_, path) = saved(&scratch, "model", Adam::default());
    let good = std::fs::read(&path).unwrap();
    for length in (0..good.len()).step_by(997) {
        std::fs::write(&path, &good[..length]).unwrap();
        refused(&path, false, &[]);
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_name() {
    let scratch = Scratch::new("fit");
    let check = |words: &[&str], of_model_only, change: &dyn Fn(&mut Entries)| {
        let (_, path) = saved(&scratch, "model", Adam::default());
        altered(&path, |entries, _| change(entries));
        refused(&path, of_model_only, words);
    };
    fn find<'a>(entries: &'a mut Entries, name: &str) -> &'a mut (String, Dtype, Vec<usize>, Vec<u8>) {
        entries.iter_mut().find(|entry| entry.0 == name).unwrap()
    }
    check(&["`c3.weight`", "[16, 6, 5, 5]", "[6, 16, 5, 5]"], false, &|e| find(e, "c3.weight").2 = vec![6, 16, 5, 5]);
    check(&["`c5.bias`", "no such tensor"], false, &|e| e.retain(|entry| entry.0 != "c5.bias"));
    check(&["`c7.bias`"], false, &|e| e.push(("c7.bias".into(), Dtype::F32, vec![1], vec![0; 4])));
    check(&["`output.bias`", "finite", "NaN at index 2"], false, &|e| {
        find(e, "output.bias").3[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    check(&["`c1.bias`", "f32", "f64"], false, &|e| {
        *find(e, "c1.bias") = ("c1.bias".into(), Dtype::F64, vec![6], vec![0; 48]);
    });
    // What the optimiser remembers is checked as well as the weights.
    let mean = "optimizer.mean.f6.bias";
    check(&[mean, "no such tensor"], true, &|e| e.retain(|entry| entry.0 != mean));
    check(&[mean, "inf at index 0"], true, &|e| find(e, mean).3[..4].copy_from_slice(&f32::INFINITY.to_le_bytes()));
    check(&["optimizer.velocity.f6.bias"], true, &|e| find(e, mean).0 = "optimizer.velocity.f6.bias".into());

    let (_, path) = saved(&scratch, "model", Adam::default());
    let other = Model::<(Flatten, Linear<784, 10>)>::load(&path).unwrap_err().to_string();
    assert!(other.contains("tensor `"), "{other}");
}

#[test]
fn a_model_whose_texts_make_no_sense_is_refused() {
    let scratch = Scratch::new("texts");
    for (name, value, words) in [
        ("optimizer", None, "does not tell the `optimizer`"),
        ("optimizer", Some("Lion"), "no optimiser"),
        ("optimizer", Some("Sgd"), "no optimiser"),
        ("settings", Some("0.001 0.9"), "settings"),
        ("settings", Some("0.001 0.9 0.999 words 1e-7"), "settings"),
        ("settings", Some("NaN 0.9 0.999 0.0000001"), "settings"),
        ("settings", Some("0.001 1 0.999 0.0000001"), "settings"),
        ("settings", Some("0.001 0.9 0.999 0.0000001 -1"), "settings"),
        ("steps", Some("-1"), "`steps`"),
        ("steps", Some("18446744073709551615"), "`steps`"),
        ("epochs", None, "does not tell the `epochs`"),
        ("epochs", Some("1.5"), "`epochs`"),
        ("epochs", Some("18446744073709551615"), "`epochs`"),
    ] {
        let (_, path) = saved(&scratch, "model", Adam::default());
        altered(&path, |_, texts| {
            texts.remove(name);
            texts.extend(value.map(|value| (name.into(), value.into())));
        });
        refused(&path, true, &[words]);
    }
    // Weights alone are no model.
    weights::save(&LeNet5::glorot_uniform(0), scratch.path("weights")).unwrap();
    refused(&scratch.path("weights"), true, &["no whole model", "weights::load"]);
}

#[test]
fn weight_decay_is_saved_and_files_without_it_are_read() {
    let scratch = Scratch::new("decay");
    let (_, path) = saved(&scratch, "model", Adam { weight_decay: 0.25, ..Adam::default() });
    let optimizer = || format!("{:?}", Model::<LeNet5>::load(&path).unwrap());
    assert!(optimizer().contains("epsilon 0.0000001, weight_decay 0.25\n"), "{}", optimizer());
    altered(&path, |_, texts| {
        texts.insert("settings".into(), "0.001 0.9 0.999 0.0000001".into());
    });
    assert!(optimizer().contains("epsilon 0.0000001\n"), "{}", optimizer());
}

#[test]
fn what_is_no_weights_file_is_refused() {
    let scratch = Scratch::new("none");
    for (name, bytes) in [("empty", vec![]), ("noise", vec![0xa5; 999]), ("huge", vec![0xff; 64])] {
        std::fs::write(scratch.path(name), bytes).unwrap();
        refused(&scratch.path(name), false, &["no safetensors file"]);
    }
    refused(&scratch.path("nowhere"), false, &["cannot read"]);
    let error = weights::save(&LeNet5::glorot_uniform(0), scratch.path("nowhere").join("x")).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
    if cfg!(target_os = "linux") {
        refused(Path::new("/dev/zero"), false, &["too long"]);
    }
}
