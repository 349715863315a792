//! Numbers that explode are found in the batch in which they do.

use lenet_core::dfdx::prelude::OnesTensor;
use lenet_core::prelude::*;

use crate::support::{data, fresh, plain, train, weight_bits};

#[test]
fn a_weight_that_explodes_in_the_last_step_is_found_there() {
    // F6 says zero, so the loss is that of a guess. What flows back to F6 is the sum of ten numbers
    // of up to 0.9 * 3e38, more than an f32 holds.
    const HUGE: f32 = 3e38;
    const CLASS: usize = 3;
    let mut network = LeNet5::glorot_uniform(5);
    let (f6, output) = (&mut network.4 .0, &mut *network.5);
    f6.weight = f6.weight.clone() * 0.0;
    let row = |class| if class == CLASS { -HUGE } else { HUGE };
    let rows = (0..10).flat_map(|class| [row(class); 84]).collect();
    let dev = Cpu::default();
    output.weight = dev.tensor_from_vec(rows, (Const::<10>, Const::<84>));

    let images = dev.ones::<Rank4<1, 1, 28, 28>>();
    let mut targets = dev.zeros::<Rank2<1, 10>>();
    targets[[0, CLASS]] = 1.0;
    let mut model = Model::compile(network, Adam::default()).unwrap();
    let before = weight_bits(&model);
    let error = model.fit((&images, &targets), &plain(1)).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("a weight is not finite in epoch 1, batch 1"), "{text}");
    assert_eq!(weight_bits(&model), before);
}

#[test]
fn a_weight_that_is_nan_is_found_in_the_first_batch() {
    let mut network = LeNet5::glorot_uniform(5);
    let c1 = &mut network.0 .0;
    c1.bias = c1.bias.clone() * f32::NAN;
    let mut model = Model::compile(network, Adam::default()).unwrap();
    let text = train(&mut model, &plain(1)).unwrap_err().to_string();
    assert!(text.contains("is not finite in epoch 1, batch 1"), "{text}");
}

#[test]
fn epochs_before_the_one_that_fails_are_kept() {
    let mut model = fresh();
    train(&mut model, &plain(2)).unwrap();
    let before = weight_bits(&model);
    // The rate rises from harmless to 1e38 within the third epoch.
    let how = Fit { schedule: Schedule::OneCycle { peak: 1e38, warm_up: 0.9, epochs: 3 }, ..plain(1) };
    let error = train(&mut model, &how).unwrap_err();
    assert!(matches!(error, Error::NotFinite { epoch: 1, .. }), "{error}");
    assert_eq!(weight_bits(&model), before);
    // The model is good for more.
    train(&mut model, &plain(1)).unwrap();
}

#[test]
fn nan_in_the_data_is_named_before_anything_is_trained() {
    let dev = Cpu::default();
    for (value, words) in [(f32::NAN, "image 2"), (f32::INFINITY, "image 2")] {
        let mut images = dev.zeros::<Rank4<4, 1, 28, 28>>();
        images[[2, 0, 27, 27]] = value;
        let targets = dev.zeros::<Rank2<4, 10>>();
        let text = fresh().fit((&images, &targets), &plain(1)).unwrap_err().to_string();
        assert!(text.contains("finite") && text.contains(words), "{text}");

        let (images, mut targets) = (dev.zeros::<Rank4<4, 1, 28, 28>>(), targets);
        targets[[2, 9]] = value;
        let text = fresh().fit((&images, &targets), &plain(1)).unwrap_err().to_string();
        assert!(text.contains("finite") && text.contains(words), "{text}");
    }
    let mut broken = plain(1);
    let mut images = dev.zeros::<Rank4<1, 1, 28, 28>>();
    images[[0, 0, 0, 0]] = f32::NAN;
    broken.validation = Some((&images, &dev.zeros::<Rank2<1, 10>>()).into());
    let text = fresh().fit(data().0.clone(), &broken).unwrap_err().to_string();
    assert!(text.contains("image 0"), "{text}");
}
