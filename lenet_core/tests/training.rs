//! Training on the real data: it learns, gives the same bits, stops when it should, and refuses what makes no sense.

mod common;

use common::{bits, data, flat, fresh, how, images, optimizers, Scratch};
use lenet_core::prelude::*;

/// Trains LeNet-5 by this recipe on the first images.
fn train(model: &mut Model<LeNet5>, count: usize, how: &Fit) -> Vec<Epoch> {
    model.fit(images(count), how).unwrap().epochs
}

fn lenet5() -> Model<LeNet5> {
    fresh(Adam::default())
}

#[test]
fn a_short_training_learns() {
    let mut model = lenet5();
    let epochs = train(&mut model, 3_000, &how(6));
    let (start, end) = (epochs[0], epochs[5]);
    assert!(start.loss > 1.0 && end.loss < 0.4, "{epochs:?}");
    assert!(end.val_accuracy.unwrap() > 0.85, "{epochs:?}");
    let score = model.score(data().1.clone()).unwrap();
    assert_eq!(Some(score.loss), end.val_loss, "validation and evaluation say the same");
    assert_eq!(Some(score.accuracy), end.val_accuracy);
}

#[test]
fn stopping_and_going_on_changes_no_bit() {
    let scratch = Scratch::new("going-on");
    let distorted =
        |epochs| Fit { schedule: Fit::distorted(5).schedule, augment: Some(Augment::default()), ..how(epochs) };
    for recipe in [&how as &dyn Fn(usize) -> Fit, &distorted] {
        for optimizer in optimizers() {
            let mut whole = fresh(optimizer);
            let expected = train(&mut whole, 1_000, &recipe(5));
            let (mut parts, mut epochs) = (fresh(optimizer), Vec::new());
            for count in [1, 3, 1] {
                epochs.extend(train(&mut parts, 1_000, &recipe(count)));
                // What goes on is another model, out of the file.
                parts.save(scratch.path("model")).unwrap();
                assert_eq!(parts.epochs(), epochs.len());
                parts = Model::load(scratch.path("model")).unwrap();
            }
            assert!(bits(&parts, &epochs) == bits(&whole, &expected), "{optimizer:?}");
            assert_eq!(format!("{parts:?}"), format!("{whole:?}"));
        }
    }
}

#[test]
fn the_last_epochs_may_show_the_images_as_they_are() {
    let (mut whole, mut parts) = (lenet5(), lenet5());
    let distorted = |limits, epochs| Fit { augment: Some(limits), ..how(epochs) };
    let expected = train(&mut whole, 300, &distorted(Augment { epochs: 2, ..Augment::default() }, 3));
    let mut epochs = train(&mut parts, 300, &distorted(Augment::default(), 2));
    epochs.extend(train(&mut parts, 300, &how(1)));
    assert!(bits(&parts, &epochs) == bits(&whole, &expected));
}

#[test]
fn another_seed_gives_another_order_and_another_network() {
    let (mut a, mut b) = (lenet5(), lenet5());
    let (history_a, history_b) = (train(&mut a, 500, &how(1)), train(&mut b, 500, &Fit { seed: 6, ..how(1) }));
    assert!(bits(&a, &history_a) != bits(&b, &history_b));
    assert_ne!(weights::tensors(&LeNet5::glorot_uniform(0)), weights::tensors(&LeNet5::glorot_uniform(1)));
}

#[test]
fn a_last_and_smaller_mini_batch_is_trained_on_too() {
    let steps = Fit { batch_size: 64, shuffle: false, ..how(1) };
    let (mut whole, mut parts) = (lenet5(), lenet5());
    train(&mut whole, 104, &steps);
    let (first, last) = images(104).split(40.0 / 104.0).unwrap();
    for part in [first, last] {
        parts.fit(part, &steps).unwrap();
    }
    assert_eq!(flat(&parts), flat(&whole));
}

#[test]
fn a_mini_batch_larger_than_the_data_is_one_step() {
    let (mut all, mut larger) = (lenet5(), lenet5());
    train(&mut all, 300, &Fit { batch_size: 300, ..how(1) });
    train(&mut larger, 300, &Fit { batch_size: 1_000_000, ..how(1) });
    assert_eq!(flat(&all), flat(&larger));
}

#[test]
fn probabilities_sum_to_one_and_are_those_of_the_network() {
    let mut model = lenet5();
    train(&mut model, 1_000, &how(1));
    let (_, (images, labels)) = mnist::load_data().unwrap();
    let images = normalize(&images.reshape::<Rank4<10000, 1, 28, 28>>());
    let (probabilities, classes) = (model.predict(&images).unwrap(), model.predict_classes(&images).unwrap());
    let rows = probabilities.as_vec();
    let right = classes.iter().zip(labels.as_vec()).filter(|(class, label)| **class == *label).count();
    for (row, class) in rows.chunks(10).zip(&classes) {
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(row.iter().all(|p| *p <= row[usize::from(*class)]));
    }
    let score = model.score((&images, &to_categorical::<10, _>(&labels).unwrap())).unwrap();
    assert_eq!(score.accuracy, right as f32 / 1e4);
}

#[test]
fn a_closure_sees_each_epoch_and_may_end_training() {
    let (mut ended, mut seen) = (lenet5(), Vec::new());
    let history = ended.fit_with(images(500), &how(5), |epoch, model| {
        assert_eq!(Some(model.score(data().1.clone()).unwrap().loss), epoch.val_loss, "the model as the epoch left it");
        seen.push(*epoch);
        if seen.len() == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let history = history.unwrap().epochs;
    assert_eq!((&history, ended.epochs()), (&seen, 2));
    let mut two = lenet5();
    let expected = train(&mut two, 500, &how(2));
    assert!(bits(&ended, &history) == bits(&two, &expected));
}

#[test]
fn patience_ends_training_and_keeps_the_best_epoch() {
    // A learning rate that rises until training runs wild: the best epoch is neither the first nor the last.
    let schedule = Schedule::OneCycle { peak: 0.3, warm_up: 0.9, epochs: 20 };
    let recipe = |epochs| Fit { schedule, ..how(epochs) };
    let scratch = Scratch::new("patience");
    let patient = Fit { patience: Some(2), checkpoint: Some(scratch.path("model")), ..recipe(20) };
    let mut model = lenet5();
    let epochs = train(&mut model, 500, &patient);
    let loss = |epoch: &Epoch| epoch.val_loss.unwrap();
    let best = (0..epochs.len()).min_by(|a, b| loss(&epochs[*a]).total_cmp(&loss(&epochs[*b]))).unwrap();
    assert!(best > 0 && epochs.len() < 20 && epochs.len() == best + 3, "{epochs:?}");
    let mut expected = lenet5();
    train(&mut expected, 500, &recipe(best + 1));
    assert_eq!((flat(&model), model.epochs()), (flat(&expected), best + 1));
    // So it is in the file; and all that it remembers is the best epoch's, too: it goes on like that.
    let mut kept = Model::<LeNet5>::load(scratch.path("model")).unwrap();
    let next = train(&mut expected, 500, &how(1))[0].loss;
    for model in [&mut model, &mut kept] {
        assert_eq!(train(model, 500, &how(1))[0].loss, next);
    }
    // Where patience never ends, the epochs do, or the closure.
    let mut model = lenet5();
    let epochs = train(&mut model, 500, &Fit { patience: Some(9), ..recipe(best + 2) });
    assert_eq!((model.epochs(), epochs.len()), (best + 1, best + 2));
    let (mut model, mut seen) = (lenet5(), 0);
    let end = |_: &Epoch, _: &Model<LeNet5>| {
        seen += 1;
        if seen == best + 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    model.fit_with(images(500), &Fit { patience: Some(9), ..recipe(20) }, end).unwrap();
    assert_eq!(model.epochs(), best + 1);
}

#[test]
fn the_learning_rate_can_be_changed_between_two_fits() {
    for optimizer in optimizers() {
        let mut model = fresh(optimizer);
        train(&mut model, 300, &how(1));
        let before = flat(&model);
        model.set_learning_rate(0.0).unwrap();
        let epochs = train(&mut model, 300, &how(1));
        assert_eq!(epochs[0].learning_rate, 0.0);
        if !format!("{optimizer:?}").contains("momentum: 0.9") {
            assert_eq!(flat(&model), before, "a rate of zero moves nothing but momentum");
        }
        model.set_learning_rate(1e-3).unwrap();
        train(&mut model, 300, &how(1));
        assert_ne!(flat(&model), before);
        for wrong in [f32::NAN, f32::INFINITY, -1.0] {
            let error = model.set_learning_rate(wrong).unwrap_err().to_string();
            assert!(error.starts_with("learning_rate must be a finite number of at least 0, got"), "{error}");
        }
        assert!(format!("{model:?}").contains("learning_rate 0.001"));
    }
}

#[track_caller]
fn refused(how: &Fit, data: impl Into<Data>, words: &str) {
    let mut model = lenet5();
    let before = flat(&model);
    let data: Data = data.into();
    let error = model.fit(data, how).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(flat(&model), before);
}

#[test]
fn what_cannot_be_trained_with_is_refused_in_plain_words() {
    let dev = Cpu::default();
    refused(&Fit { batch_size: 0, ..how(1) }, images(10), "batch_size must be at least 1, got 0");
    refused(&Fit { patience: Some(0), ..how(1) }, images(10), "patience must be at least 1, got 0");
    for (schedule, words) in [
        (Schedule::Step { every: 0, factor: 0.5 }, "every must be at least 1, got 0"),
        (Schedule::Step { every: 1, factor: 0.0 }, "factor must be a finite number above 0, got 0"),
        (Schedule::Cosine { epochs: 0 }, "epochs must be at least 1, got 0"),
        (
            Schedule::OneCycle { peak: f32::NAN, warm_up: 0.1, epochs: 1 },
            "peak must be a finite number above 0, got NaN",
        ),
        (Schedule::OneCycle { peak: 0.1, warm_up: 1.0, epochs: 1 }, "warm_up must be at least 0 and below 1, got 1"),
        (Schedule::OneCycle { peak: 0.1, warm_up: 0.1, epochs: 0 }, "epochs must be at least 1, got 0"),
    ] {
        refused(&Fit { schedule, ..how(1) }, images(10), words);
    }
    let none = (&dev.zeros_like(&(0, Const::<1>, Const::<28>, Const::<28>)), &dev.zeros_like(&(0, Const::<10>)));
    refused(&how(1), none, "at least one image");
    let uneven = (&dev.zeros_like(&(3, Const::<1>, Const::<28>, Const::<28>)), &dev.zeros_like(&(2, Const::<10>)));
    refused(&how(1), uneven, "3 images and 2 targets");
    let (small, colour) = (dev.zeros::<Rank4<2, 1, 27, 28>>(), dev.zeros::<Rank4<2, 3, 28, 28>>());
    refused(&how(1), (&small, &dev.zeros::<Rank2<2, 10>>()), "images of 1x27x28 with 10 classes");
    refused(&how(1), (&colour, &dev.zeros::<Rank2<2, 10>>()), "images of 3x28x28 with 10 classes");
    let letters = (&dev.zeros::<Rank4<2, 1, 28, 28>>(), &dev.zeros::<Rank2<2, 26>>());
    refused(&how(1), letters, "images of 1x28x28 with 26 classes");
    for (optimizer, words) in [
        (Adam { beta_2: 1.0, ..Adam::default() }.into(), "beta_2 must be at least 0 and below 1, got 1"),
        (Adam { epsilon: 0.0, ..Adam::default() }.into(), "epsilon must be a finite number above 0, got 0"),
        (Sgd { momentum: -0.5, ..Sgd::default() }.into(), "momentum must be at least 0 and below 1, got -0.5"),
        (
            Optimizer::from(RmsProp { rho: f32::NAN, ..RmsProp::default() }),
            "rho must be at least 0 and below 1, got NaN",
        ),
    ] {
        assert_eq!(Model::compile(LeNet5::glorot_uniform(0), optimizer).unwrap_err().to_string(), words);
        assert_eq!(Stepper::new(optimizer).unwrap_err().to_string(), words);
    }
    let labels = dev.tensor([3u8, 10]);
    let error = to_categorical::<10, _>(&labels).unwrap_err().to_string();
    assert_eq!(error, "labels must be below 10, the number of classes, got 10 at index 1");
}

#[test]
fn a_split_keeps_every_image_once() {
    let (train, validation) = data().0.split(0.1).unwrap();
    assert_eq!((train.len(), validation.len()), (2_700, 300));
    assert!(data().0.split(0.0).is_err() && data().0.split(1.0).is_err());
    for wrong in [0, 3_001] {
        let error = data().0.first(wrong).err().unwrap().to_string();
        assert_eq!(error, format!("images must be 1 to 3000, the images that there are, got {wrong}"));
    }
}
