//! MNIST's test images, turned into pictures as people have them.

use std::sync::OnceLock;

use image::codecs::jpeg::JpegEncoder;
use image::ExtendedColorType;
use lenet_mnist::{Fetcher, Split};
use png::{BitDepth, ColorType};
use rand::rngs::StdRng;
use rand::Rng;

pub const WAYS: [&str; 14] = [
    "as it is",
    "enlarged",
    "inverted",
    "off centre",
    "transparent",
    "JPEG",
    "thin",
    "bold",
    "shaded paper",
    "line at the edge",
    "palette",
    "small",
    "noise and specks",
    "16 bits",
];

/// MNIST's test images.
pub fn mnist() -> &'static Split {
    static SPLIT: OnceLock<Split> = OnceLock::new();
    SPLIT.get_or_init(|| {
        let folder = lenet_mnist::data_folder().unwrap();
        let fetched = Fetcher::new(folder).load(&mut |_| ());
        fetched.expect("these tests need MNIST once").test
    })
}

/// The test image at `index`, from 0 to 255.
pub fn image(index: usize) -> &'static [u8] {
    &mnist().images[784 * index..][..784]
}

/// Ink from 0 to 1 on a page.
#[derive(Clone)]
pub struct Page {
    pub width: usize,
    pub ink: Vec<f64>,
}

impl Page {
    /// The image, each pixel `scale` wide, its corner at `left` and `top`, smooth in between.
    pub fn new(image: &[u8], (width, height): (usize, usize), scale: f64, (left, top): (f64, f64)) -> Self {
        let level = |x: f64, y: f64| match (0.0..28.0).contains(&x) && (0.0..28.0).contains(&y) {
            true => f64::from(image[y as usize * 28 + x as usize]) / 255.0,
            false => 0.0,
        };
        let ink = |at: usize| {
            let along = |at: usize, start: f64| (at as f64 + 0.5 - start) / scale - 0.5;
            let (x, y) = (along(at % width, left), along(at / width, top));
            let (column, row) = (x.floor(), y.floor());
            let (right, down) = (x - column, y - row);
            let line = |row| level(column, row) * (1.0 - right) + level(column + 1.0, row) * right;
            line(row) * (1.0 - down) + line(row + 1.0) * down
        };
        Self { width, ink: (0..width * height).map(ink).collect() }
    }

    /// The image on a page of its own size, times `scale`.
    pub fn enlarged(image: &[u8], scale: f64) -> Self {
        let side = (28.0 * scale) as usize;
        Self::new(image, (side, side), scale, (0.0, 0.0))
    }

    /// With sharp edges, as a pen has them.
    pub fn sharp(mut self) -> Self {
        self.ink.iter_mut().for_each(|ink| *ink = (4.0 * (*ink - 0.5) + 0.5).clamp(0.0, 1.0));
        self
    }

    /// With strokes bolder by so many pixels on each side, or thinner where that is below 0.
    pub fn bolder(&self, radius: f64) -> Self {
        let (reach, width, height) = (radius.abs().ceil() as usize, self.width, self.ink.len() / self.width);
        let around = |at: usize| {
            let (x, y) = (at % width, at / width);
            let rows = y.saturating_sub(reach)..(y + reach + 1).min(height);
            let places = rows.flat_map(|row| {
                let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
                columns.map(move |column| (column, row))
            });
            let near = places.filter(|(column, row)| {
                let (across, down) = (column.abs_diff(x), row.abs_diff(y));
                ((across * across + down * down) as f64) <= radius * radius
            });
            let inks = near.map(|(column, row)| self.ink[row * width + column]);
            if radius > 0.0 {
                inks.fold(0.0, f64::max)
            } else {
                inks.fold(1.0, f64::min)
            }
        };
        Self { width, ink: (0..self.ink.len()).map(around).collect() }
    }

    /// As thin as it can be without falling into more parts.
    pub fn thinnest(&self) -> Self {
        let parts = self.parts();
        let thinner = [3.7, 3.2, 2.9, 2.3, 2.0, 1.5, 1.0].map(|radius| move || self.bolder(-radius));
        let found = thinner.iter().map(|thinner| thinner()).find(|page| page.parts() == parts);
        found.unwrap_or_else(|| self.clone())
    }

    fn parts(&self) -> usize {
        let mut free: Vec<bool> = self.ink.iter().map(|ink| *ink > 0.5).collect();
        let mut parts = 0;
        for start in 0..free.len() {
            let mut rest = if std::mem::take(&mut free[start]) { vec![start] } else { continue };
            parts += 1;
            while let Some(at) = rest.pop() {
                let rows = [at.wrapping_sub(self.width), at, at + self.width];
                for at in rows.into_iter().flat_map(|at| [at.wrapping_sub(1), at, at.wrapping_add(1)]) {
                    if free.get_mut(at).is_some_and(std::mem::take) {
                        rest.push(at);
                    }
                }
            }
        }
        parts
    }

    /// Red, green, blue and alpha of each pixel, of its column, row and ink.
    pub fn painted(&self, color: impl Fn(usize, usize, f64) -> [f64; 4]) -> Vec<[u8; 4]> {
        let all = self.ink.iter().enumerate();
        let colors = all.map(|(at, ink)| color(at % self.width, at / self.width, *ink));
        colors.map(|color| color.map(|part| part.round().clamp(0.0, 255.0) as u8)).collect()
    }
}

/// Black ink on white paper.
pub fn black(ink: f64) -> [f64; 4] {
    let grey = 255.0 * (1.0 - ink);
    [grey, grey, grey, 255.0]
}

fn white(ink: f64) -> [f64; 4] {
    black(1.0 - ink)
}

/// A PNG file of pixels of this kind: red, green and blue with alpha, grey of 8 or 16 bits, or a palette of 16 greys.
pub fn png(width: usize, pixels: &[[u8; 4]], color: ColorType, depth: BitDepth) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, (pixels.len() / width) as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let samples: Vec<u8> = match (color, depth) {
        (ColorType::Indexed, _) => {
            encoder.set_palette((0..16).flat_map(|grey| [17 * grey; 3]).collect::<Vec<u8>>());
            let two = |two: &[[u8; 4]]| (two[0][0] / 17) << 4 | two.get(1).map_or(0, |pixel| pixel[0] / 17);
            pixels.chunks(width).flat_map(|row| row.chunks(2).map(two).collect::<Vec<u8>>()).collect()
        }
        (ColorType::Grayscale, BitDepth::Sixteen) => pixels.iter().flat_map(|pixel| [pixel[0]; 2]).collect(),
        (ColorType::Grayscale, _) => pixels.iter().map(|pixel| pixel[0]).collect(),
        (ColorType::GrayscaleAlpha, _) => pixels.iter().flat_map(|pixel| [pixel[0], pixel[3]]).collect(),
        (ColorType::Rgb, _) => pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
        (ColorType::Rgba, _) => pixels.as_flattened().to_vec(),
    };
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    file
}

/// A JPEG file, with colours.
pub fn jpeg(width: usize, pixels: &[[u8; 4]], quality: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let samples: Vec<u8> = pixels.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let (width, height) = (width as u32, (pixels.len() / width) as u32);
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder.encode(&samples, width, height, ExtendedColorType::Rgb8).unwrap();
    file
}

/// The bytes of a file that shows the image in this way.
pub fn file(way: &str, image: &[u8], random: &mut StdRng) -> Vec<u8> {
    let rgba = |page: &Page, pixels: &[[u8; 4]]| png(page.width, pixels, ColorType::Rgba, BitDepth::Eight);
    let plain = |page: &Page| rgba(page, &page.painted(|_, _, ink| black(ink)));
    match way {
        "as it is" => {
            let page = Page::enlarged(image, 1.0);
            png(28, &page.painted(|_, _, ink| white(ink)), ColorType::Grayscale, BitDepth::Eight)
        }
        "enlarged" => {
            let page = Page::enlarged(image, 15.0);
            rgba(&page, &page.painted(|_, _, ink| white(ink)))
        }
        "inverted" => plain(&Page::enlarged(image, 1.0)),
        "off centre" => {
            let scale = random.gen_range(4.0..8.0);
            let mut start = |side: f64| random.gen_range(-3.0 * scale..side - 25.0 * scale);
            plain(&Page::new(image, (640, 400), scale, (start(640.0), start(400.0))))
        }
        "transparent" => {
            let page = Page::enlarged(image, 8.0);
            let grey = if random.gen() { 20.0 } else { 240.0 };
            rgba(&page, &page.painted(|_, _, ink| [grey, grey, grey, 255.0 * ink]))
        }
        "JPEG" => {
            let page = Page::enlarged(image, 9.0).sharp();
            let blue = |ink| [250.0 - 210.0 * ink, 250.0 - 200.0 * ink, 248.0 - 130.0 * ink, 255.0];
            jpeg(page.width, &page.painted(|_, _, ink| blue(ink)), 50)
        }
        "thin" => plain(&Page::enlarged(image, 5.0).sharp().thinnest()),
        "bold" => plain(&Page::enlarged(image, 5.0).sharp().bolder(3.8)),
        "shaded paper" => {
            let page = Page::enlarged(image, 10.0);
            let (right, down) = (random.gen_range(-70.0..70.0), random.gen_range(-50.0..50.0));
            let shade = |x: usize, y: usize, ink: f64| {
                let (x, y) = (x as f64 / 280.0 - 0.5, y as f64 / 280.0 - 0.5);
                let paper = 180.0 + right * x + down * y - 60.0 * (x * x + y * y);
                let grey = paper * (1.0 - 0.75 * ink);
                [grey, grey, grey, 255.0]
            };
            rgba(&page, &page.painted(shade))
        }
        "line at the edge" => {
            let page = Page::enlarged(image, 10.0);
            let (edge, breadth) = (random.gen_range(0..4), random.gen_range(2..8));
            let lined = |x: usize, y: usize, ink: f64| {
                let from_edge = [x, y, 279 - x, 279 - y][edge];
                black(if from_edge < breadth { 0.8 } else { ink })
            };
            rgba(&page, &page.painted(lined))
        }
        "palette" => {
            let page = Page::enlarged(image, 5.0);
            png(page.width, &page.painted(|_, _, ink| black(ink)), ColorType::Indexed, BitDepth::Four)
        }
        "small" => {
            let corner = (random.gen_range(5.0..70.0), random.gen_range(5.0..55.0));
            plain(&Page::new(image, (100, 80), 0.6, corner))
        }
        "noise and specks" => {
            let page = Page::enlarged(image, 9.0);
            let side = page.width;
            let mut even = |range: f64| (0..4).map(|_| random.gen_range(-range..range)).sum::<f64>();
            let noise: Vec<f64> = page.ink.iter().map(|_| even(9.0)).collect();
            let specks: [(usize, usize); 6] =
                std::array::from_fn(|_| (random.gen_range(0..side), random.gen_range(0..side)));
            let noisy = |x: usize, y: usize, ink: f64| {
                let speck = specks.iter().any(|speck| x.abs_diff(speck.0).pow(2) + y.abs_diff(speck.1).pow(2) < 4);
                let grey = 215.0 - 150.0 * if speck { ink.max(0.9) } else { ink } + noise[y * side + x];
                [grey, grey, grey, 255.0]
            };
            jpeg(side, &page.painted(noisy), 70)
        }
        "16 bits" => {
            let page = Page::enlarged(image, 4.0);
            png(page.width, &page.painted(|_, _, ink| black(ink)), ColorType::Grayscale, BitDepth::Sixteen)
        }
        _ => unreachable!("{way}"),
    }
}
