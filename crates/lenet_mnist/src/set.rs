//! Images of other data sets, and their classes' names.

/// The most bytes that are read from a file, unpacked: 2^20 images of 28 x 28 pixels and a header.
/// No file can fill the memory.
pub const MAX_LEN: u64 = (1 << 20) * 28 * 28 + 16;

/// The names of Fashion-MNIST's classes (H. Xiao, K. Rasul and R. Vollgraf, 2017, table 2).
pub const FASHION_CLASSES: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

/// The names of the classes of EMNIST's letters. Its labels go from 1 to 26, so that the first name
/// belongs to none.
pub const LETTER_CLASSES: [&str; 27] = [
    "none", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U",
    "V", "W", "X", "Y", "Z",
];

/// Images of any size, and their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageSet {
    /// Images.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// `count * height * width` pixels, image by image, row by row.
    pub pixels: Vec<u8>,
    /// `count` labels; none where the file has none, as Kaggle's `test.csv`.
    pub labels: Vec<u8>,
}

impl ImageSet {
    /// The same images with rows and columns exchanged: EMNIST's are stored so.
    ///
    /// # Example
    /// ```
    /// let set = lenet_mnist::ImageSet {
    ///     count: 1,
    ///     height: 2,
    ///     width: 3,
    ///     pixels: vec![1, 2, 3, 4, 5, 6],
    ///     labels: vec![0],
    /// };
    /// let turned = set.transposed();
    /// assert_eq!((turned.height, turned.width), (3, 2));
    /// assert_eq!(turned.pixels, [1, 4, 2, 5, 3, 6]);
    /// ```
    #[must_use]
    pub fn transposed(mut self) -> Self {
        let (height, width) = (self.height, self.width);
        (self.height, self.width) = (width, height);
        if height * width > 0 {
            let mut original = vec![0; height * width];
            for image in self.pixels.chunks_exact_mut(height * width) {
                original.copy_from_slice(image);
                for (i, pixel) in image.iter_mut().enumerate() {
                    *pixel = original[i % height * width + i / height];
                }
            }
        }
        self
    }
}
