use lenet_core::prelude::*;

fn main() -> Result<()> {
    let seed: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let threads: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let epochs: usize = std::env::args().nth(3).unwrap().parse().unwrap();
    let t = std::time::Instant::now();
    let ((x_train, y_train), (x_test, y_test)) = mnist::load_data()?;
    println!("load {:?}", t.elapsed());
    let x_train = normalize(&x_train.reshape::<Rank4<60000, 1, 28, 28>>());
    let x_test = normalize(&x_test.reshape::<Rank4<10000, 1, 28, 28>>());
    let y_train = to_categorical::<10, _>(&y_train)?;
    let y_test = to_categorical::<10, _>(&y_test)?;
    println!("prep {:?}", t.elapsed());
    let mut model = Model::compile(LeNet5::glorot_uniform(seed), Adam::default())?;
    let h = model.fit(
        (&x_train, &y_train),
        &Fit {
            epochs,
            seed,
            threads: Some(threads),
            validation: Some((&x_test, &y_test).into()),
            ..Fit::default()
        },
    )?;
    let s = model.evaluate((&x_test, &y_test))?;
    println!("{s:?} {}", h.epochs.len());
    Ok(())
}
