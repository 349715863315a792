//! Weights in files: they come back as they went, and a file that does not fit is refused by name.

use std::path::PathBuf;

use lenet_core::prelude::*;
use lenet_core::weights::{self, tensors};
use safetensors::tensor::{Dtype, TensorView};

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    folder.join(format!("{}-{name}.safetensors", std::process::id()))
}

/// Writes a file like `save` does, after `change` had its way with names, types, shapes and bytes.
fn altered(name: &str, change: impl FnOnce(&mut Vec<(String, Dtype, Vec<usize>, Vec<u8>)>)) -> PathBuf {
    let network = LeNet5::glorot_uniform(3);
    let bytes = |values: Vec<f32>| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut entries: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = tensors(&network)
        .into_iter()
        .map(|tensor| (tensor.name, Dtype::F32, tensor.shape, bytes(tensor.values)))
        .collect();
    change(&mut entries);
    let views = entries
        .iter()
        .map(|(name, dtype, shape, bytes)| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    let path = scratch(name);
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    path
}

#[track_caller]
fn refused(path: PathBuf, words: &[&str]) {
    let mut network = LeNet5::glorot_uniform(4);
    let before = tensors(&network);
    let error = weights::load(&mut network, &path).unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    assert_eq!(tensors(&network), before, "a refused file changes nothing");
    std::fs::remove_file(path).ok();
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    let found: Vec<(String, Vec<usize>)> =
        tensors(&LeNet5::glorot_uniform(0)).into_iter().map(|t| (t.name, t.shape)).collect();
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
fn weights_come_back_as_they_went() {
    let path = altered("same", |_| {});
    let mut network = LeNet5::glorot_uniform(4);
    weights::load(&mut network, &path).unwrap();
    assert_eq!(tensors(&network), tensors(&LeNet5::glorot_uniform(3)));
    weights::save(&network, &path).unwrap();
    weights::load(&mut network, &path).unwrap();
    assert_eq!(tensors(&network), tensors(&LeNet5::glorot_uniform(3)));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_crate_safetensors_reads_what_is_saved() {
    let path = scratch("oracle");
    weights::save(&LeNet5::glorot_uniform(3), &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    for tensor in tensors(&LeNet5::glorot_uniform(3)) {
        let view = file.tensor(&tensor.name).unwrap();
        assert_eq!((view.dtype(), view.shape()), (Dtype::F32, &tensor.shape[..]));
        let bytes: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(view.data(), bytes);
    }
    assert_eq!(file.len(), 10);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_damaged_file_is_refused_and_never_makes_it_panic() {
    let path = altered("damaged", |_| {});
    let good = std::fs::read(&path).unwrap();
    let mut network = LeNet5::glorot_uniform(4);
    let header = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
    for at in 0..header {
        for byte in [0, b'9', b'"', 0xff] {
            let mut bad = good.clone();
            bad[at] = byte;
            std::fs::write(&path, &bad).unwrap();
            let _ = weights::load(&mut network, &path);
        }
    }
    for length in (0..good.len()).step_by(997) {
        std::fs::write(&path, &good[..length]).unwrap();
        weights::load(&mut network, &path).unwrap_err();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_name() {
    let shape = altered("shape", |entries| entries[2].2 = vec![6, 16, 5, 5]);
    refused(shape, &["`c3.weight`", "[16, 6, 5, 5]", "[6, 16, 5, 5]"]);
    refused(altered("missing", |entries| drop(entries.remove(5))), &["`c5.bias`", "no such tensor"]);
    let extra = altered("extra", |entries| {
        entries.push(("c7.bias".into(), Dtype::F32, vec![1], vec![0; 4]));
    });
    refused(extra, &["`c7.bias`"]);
    let nan = altered("nan", |entries| entries[9].3[8..12].copy_from_slice(&f32::NAN.to_le_bytes()));
    refused(nan, &["`output.bias`", "finite", "NaN at index 2"]);
    let double = altered("double", |entries| {
        entries[1] = ("c1.bias".into(), Dtype::F64, vec![6], vec![0; 48]);
    });
    refused(double, &["`c1.bias`", "f32", "f64"]);
}

#[test]
fn what_is_no_weights_file_is_refused() {
    for (name, bytes) in [("empty", vec![]), ("noise", vec![0xa5; 999]), ("huge", vec![0xff; 64])] {
        let path = scratch(name);
        std::fs::write(&path, bytes).unwrap();
        refused(path, &["no safetensors file"]);
    }
    refused(scratch("nowhere"), &["cannot read"]);
    let folder = scratch("folder");
    let error = weights::save(&LeNet5::glorot_uniform(0), folder.join("x")).unwrap_err();
    assert!(error.to_string().contains("cannot write"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_endless_file_is_refused() {
    let mut network = LeNet5::glorot_uniform(0);
    let error = weights::load(&mut network, "/dev/zero").unwrap_err();
    assert!(error.to_string().contains("too long"), "{error}");
}
