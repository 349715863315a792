//! Training on the real data: it learns, it gives the same bits, and it refuses what makes no sense.

use std::sync::OnceLock;

use lenet_core::dfdx::prelude::{Rank0, SumTo as _};
use lenet_core::network::TensorsMut;
use lenet_core::optim::AdamState;
use lenet_core::prelude::*;
use lenet_core::progress::{Progress, Silent};

const IMAGES: usize = 3_000;
const TEST_IMAGES: usize = 1_000;

/// The first images of MNIST, normalised, with one-hot targets.
fn data() -> &'static (Data, Data) {
    static DATA: OnceLock<(Data, Data)> = OnceLock::new();
    DATA.get_or_init(|| {
        let (train, test) = mnist::load_data().unwrap();
        (first(&train.0, &train.1, IMAGES), first(&test.0, &test.1, TEST_IMAGES))
    })
}

fn first<const N: usize>(
    images: &Tensor<Rank3<N, 28, 28>, u8, Cpu>,
    labels: &Tensor<Rank1<N>, u8, Cpu>,
    count: usize,
) -> Data {
    let dev = Cpu::default();
    let bytes = images.as_vec()[..count * 784].to_vec();
    let images = dev.tensor_from_vec(bytes, (count, Const::<1>, Const::<28>, Const::<28>));
    let labels = dev.tensor_from_vec(labels.as_vec()[..count].to_vec(), (count,));
    (&normalize(&images), &to_categorical::<10, _>(&labels).unwrap()).into()
}

fn how(epochs: usize) -> Fit {
    Fit { epochs, seed: 5, validation: Some(data().1.clone()), ..Fit::default() }
}

fn fresh() -> Model<LeNet5> {
    Model::compile(LeNet5::glorot_uniform(5), Adam::default()).unwrap()
}

/// All that training decides: the history without times, and the weights.
fn outcome(model: &Model<LeNet5>, history: &History) -> (Vec<[u32; 4]>, Vec<Vec<u32>>) {
    let numbers = |epoch: &Epoch| {
        [Some(epoch.loss), Some(epoch.accuracy), epoch.val_loss, epoch.val_accuracy]
            .map(|number| number.unwrap().to_bits())
    };
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect();
    (
        history.epochs.iter().map(numbers).collect(),
        weights::tensors(model.network()).into_iter().map(|tensor| bits(tensor.values)).collect(),
    )
}

#[test]
fn a_short_training_learns() {
    let mut model = fresh();
    let history = model.fit_with(data().0.clone(), &how(6), &mut Silent).unwrap();
    let (start, end) = (history.epochs[0], history.epochs[5]);
    assert!(start.loss > 1.0 && end.loss < 0.4, "{history:?}");
    assert!(end.val_accuracy.unwrap() > 0.85, "{history:?}");
    let score = model.score(data().1.clone()).unwrap();
    assert_eq!(Some(score.loss), end.val_loss, "validation and evaluation say the same");
    assert_eq!(Some(score.accuracy), end.val_accuracy);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Batches of one part, of two small ones, of uneven ones, of the usual ones, and of many.
    for batch_size in [7, 16, 50, 128, 700] {
        let run = |threads| {
            let mut model = fresh();
            let how = Fit { threads, batch_size, ..how(2) };
            let history = model.fit_with(data().0.clone(), &how, &mut Silent).unwrap();
            outcome(&model, &history)
        };
        let one = run(Some(1));
        for threads in [Some(2), Some(3), Some(7), None] {
            assert!(run(threads) == one, "batch {batch_size}, {threads:?} threads");
        }
    }
}

#[test]
fn a_step_moves_the_weights_as_the_gradients_of_the_whole_batch_do() {
    // So large an epsilon makes a step proportional to the gradients, nearly: their rounding stays rounding.
    let adam = Adam { learning_rate: 10.0, epsilon: 1.0, ..Adam::default() };
    // One half; small halves, whole and with images in pieces; those around a whole part, a half of several parts beside
    // one of one; several parts.
    let (train, _) = mnist::load_data().unwrap();
    let dev = Cpu::default();
    for size in [5, 9, 16, 17, 24, 33, 63, 64, 65, 66, 72, 94, 95, 96, 97, 130, 300] {
        let bytes = train.0.as_vec()[..size * 784].to_vec();
        let images = dev.tensor_from_vec(bytes, (size, Const::<1>, Const::<28>, Const::<28>));
        let images = normalize(&images);
        let labels = dev.tensor_from_vec(train.1.as_vec()[..size].to_vec(), (size,));
        let targets = to_categorical::<10, _>(&labels).unwrap();

        let mut expected = LeNet5::glorot_uniform(5);
        let logits = expected.forward(images.leaky_trace());
        let mut gradients = cross_entropy(logits, &targets).unwrap().backward();
        let mut state = AdamState::default();
        let all = TensorsMut::of(&mut expected);
        state.step(&adam, all, &mut gradients).unwrap();
        let expected = weights::tensors(&expected);
        for threads in [1, 2] {
            let mut model = Model::compile(LeNet5::glorot_uniform(5), adam).unwrap();
            let how = Fit { epochs: 1, batch_size: size, shuffle: false, threads: Some(threads), ..Fit::default() };
            model.fit_with((&images, &targets), &how, &mut Silent).unwrap();
            for (got, expected) in weights::tensors(model.network()).iter().zip(&expected) {
                for (got, expected) in got.values.iter().zip(&expected.values) {
                    let off = (got - expected).abs();
                    assert!(off < 1e-5, "{size} images, {threads} threads: off by {off:e}");
                }
            }
        }
    }
}

#[test]
fn after_a_fit_the_network_gives_all_gradients_as_before() {
    let pixels = (0..9 * 784).map(|i| (i % 13) as f32 / 13.0).collect();
    let shape = (9, Const::<1>, Const::<28>, Const::<28>);
    let x = Cpu::default().tensor_from_vec(pixels, shape);
    let gradients = |network: &LeNet5| {
        let gradients = network.forward(x.leaky_trace()).square().sum::<Rank0, _>().backward();
        [
            gradients.get(&x).as_vec(),
            gradients.get(&network.0 .0.weight).as_vec(),
            gradients.get(&network.3 .0.weight).as_vec(),
        ]
    };
    for threads in [1, 2] {
        let mut model = fresh();
        let how = Fit {
            threads: Some(threads),
            // The images are so many whole batches: the last step leaves factors, too.
            batch_size: 30,
            ..how(1)
        };
        model.fit_with(data().0.clone(), &how, &mut Silent).unwrap();
        // The same weights in layers that have never been trained.
        let (c1, c3, _, c5, f6, output) = model.network();
        let other = (
            Fused::new((**c1).clone()),
            Fused::new((**c3).clone()),
            Flatten,
            Fused::new((**c5).clone()),
            Fused::new((**f6).clone()),
            Fused::new((**output).clone()),
        );
        assert_eq!(gradients(model.network()), gradients(&other));
    }
}

#[test]
fn stopping_and_going_on_changes_no_bit() {
    let mut whole = fresh();
    let history = whole.fit_with(data().0.clone(), &how(5), &mut Silent).unwrap();
    let mut parts = fresh();
    let mut epochs = Vec::new();
    for count in [1, 3, 1] {
        epochs.extend(parts.fit_with(data().0.clone(), &how(count), &mut Silent).unwrap().epochs);
    }
    let in_parts = History { epochs, ..History::default() };
    assert!(outcome(&parts, &in_parts) == outcome(&whole, &history));
}

#[test]
fn another_seed_gives_another_order_and_another_network() {
    let (mut a, mut b) = (fresh(), fresh());
    let history_a = a.fit_with(data().0.clone(), &how(1), &mut Silent).unwrap();
    let other = Fit { seed: 6, ..how(1) };
    let history_b = b.fit_with(data().0.clone(), &other, &mut Silent).unwrap();
    assert!(outcome(&a, &history_a) != outcome(&b, &history_b));
    assert_ne!(weights::tensors(&LeNet5::glorot_uniform(0)), weights::tensors(&LeNet5::glorot_uniform(1)));
}

#[test]
fn the_fused_network_learns_what_the_plain_one_learns() {
    type Plain = (
        (Conv2D<1, 6, 5>, Tanh, AvgPool2D<2>),
        (Conv2D<6, 16, 5>, Tanh, AvgPool2D<2>),
        Flatten,
        (Linear<256, 120>, Tanh),
        (Linear<120, 84>, Tanh),
        Linear<84, 10>,
    );
    let mut plain = Model::compile(Plain::glorot_uniform(5), Adam::default()).unwrap();
    let mut fused = fresh();
    assert_eq!(weights::tensors(plain.network()), weights::tensors(fused.network()));
    let (plain, fused) = (
        plain.fit_with(data().0.clone(), &how(1), &mut Silent).unwrap(),
        fused.fit_with(data().0.clone(), &how(1), &mut Silent).unwrap(),
    );
    // Sums are taken in another order, and 24 steps of Adam spread the rounding.
    assert!((plain.epochs[0].loss - fused.epochs[0].loss).abs() < 1e-4, "{plain:?} {fused:?}");
}

#[test]
fn every_batch_is_trained_on_the_last_and_smaller_one_too() {
    struct Steps(Vec<usize>);
    impl Progress for Steps {
        fn step_ends(&mut self, step: usize, _: f32, _: f32) {
            self.0.push(step);
        }
    }
    let mut steps = Steps(Vec::new());
    fresh().fit_with(data().0.clone(), &how(1), &mut steps).unwrap();
    assert_eq!(steps.0, (1..=24).collect::<Vec<_>>()); // 23 of 128 and one of 56
}

#[test]
fn probabilities_sum_to_one_and_agree_with_the_score() {
    let (mut model, dev) = (fresh(), Cpu::default());
    model.fit_with(data().0.clone(), &how(1), &mut Silent).unwrap();
    let images = dev.zeros::<Rank4<3, 1, 28, 28>>();
    let probabilities = model.predict(&images).unwrap();
    for index in 0..3 {
        let row = probabilities.row(index);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(row, probabilities.row(0), "equal images, equal answers");
    }
}

#[track_caller]
fn refused(how: Fit, data: impl Into<Data>, words: &str) {
    let mut model = fresh();
    let before = weights::tensors(model.network());
    let error = model.fit_with(data, &how, &mut Silent).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(weights::tensors(model.network()), before);
}

#[test]
fn what_cannot_be_trained_with_is_refused_in_plain_words() {
    let dev = Cpu::default();
    refused(Fit { batch_size: 0, ..how(1) }, data().0.clone(), "batch_size must be at least 1, got 0");
    let none = (&dev.zeros_like(&(0, Const, Const, Const)), &dev.zeros_like(&(0, Const)));
    refused(how(1), none, "at least one image");
    let uneven = (&dev.zeros_like(&(3, Const, Const, Const)), &dev.zeros_like(&(2, Const)));
    refused(how(1), uneven, "3 images and 2 targets");
    let mut images = dev.zeros::<Rank4<4, 1, 28, 28>>();
    images[[2, 0, 5, 5]] = f32::NAN;
    refused(how(1), (&images, &dev.zeros::<Rank2<4, 10>>()), "not finite in image 2");
    let unit = Adam { beta_2: 1.0, ..Adam::default() };
    let error = Model::compile(LeNet5::glorot_uniform(0), unit).unwrap_err().to_string();
    assert_eq!(error, "beta_2 must be at least 0 and below 1, got 1");
}

#[test]
fn a_loss_that_explodes_leaves_the_model_as_it_was_before_the_epoch() {
    let wild = Adam { learning_rate: 1e38, ..Adam::default() };
    let mut model = Model::compile(LeNet5::glorot_uniform(5), wild).unwrap();
    let before = weights::tensors(model.network());
    let error = model.fit_with(data().0.clone(), &how(2), &mut Silent).unwrap_err();
    assert!(matches!(error, Error::NotFinite { epoch: 1, .. }), "{error}");
    assert!(error.to_string().contains("epoch 1, batch"), "{error}");
    assert_eq!(weights::tensors(model.network()), before);
    assert!(has_image_gradient(&model));
}

#[test]
fn after_training_the_gradient_of_images_can_be_had() {
    let mut model = fresh();
    assert!(has_image_gradient(&model));
    model.fit_with(data().0.clone(), &how(1), &mut Silent).unwrap();
    assert!(has_image_gradient(&model));
}

/// Training leaves the gradient of its images out.
fn has_image_gradient(model: &Model<LeNet5>) -> bool {
    let images = Cpu::default().zeros::<Rank4<2, 1, 28, 28>>();
    let logits = model.network().forward(images.leaky_trace());
    let gradients = cross_entropy(logits, &Cpu::default().zeros()).unwrap().backward();
    gradients.get(&images).as_vec().iter().any(|&g| g != 0.0)
}

#[test]
fn a_batch_larger_than_the_data_is_one_step() {
    let how = Fit { batch_size: 1_000_000, ..how(1) };
    assert_eq!(fresh().fit_with(data().0.clone(), &how, &mut Silent).unwrap().epochs.len(), 1);
}

#[test]
fn labels_out_of_range_are_refused() {
    let labels = Cpu::default().tensor_from_vec(vec![3u8, 10], (Const::<2>,));
    let error = to_categorical::<10, _>(&labels).unwrap_err().to_string();
    assert_eq!(error, "labels must be below 10, the number of classes, got 10 at index 1");
}

#[test]
fn a_split_keeps_every_image_once() {
    let (train, validation) = data().0.split(0.1).unwrap();
    assert_eq!((train.len(), validation.len()), (2_700, 300));
    assert!(data().0.split(0.0).is_err() && data().0.split(1.0).is_err());
}

#[test]
fn the_first_images_train_like_a_set_that_has_no_others() {
    let train = mnist::load_data().unwrap().0;
    let alone = first(&train.0, &train.1, 300);
    let outcomes = [data().0.first(300).unwrap(), alone].map(|data| {
        let mut model = fresh();
        let history = model.fit(data, &how(1)).unwrap();
        outcome(&model, &history)
    });
    assert!(outcomes[0] == outcomes[1]);
    for wrong in [0, IMAGES + 1] {
        let error = data().0.first(wrong).unwrap_err().to_string();
        assert_eq!(error, format!("images must be 1 to 3000, the images that there are, got {wrong}"));
    }
}
