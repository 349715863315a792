//! How text and bytes are written inside HTML.

/// `text` with the five characters that HTML and SVG would take for markup replaced, so that it is shown as it is.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Base64 with padding (RFC 4648, section 4), the form in which Jupyter carries images.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const GROUP: usize = 3;
    let mut text = String::with_capacity(bytes.len().div_ceil(GROUP) * (GROUP + 1));
    for group in bytes.chunks(GROUP) {
        let mut padded = [0; GROUP + 1];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for place in 0..=GROUP {
            let sextet = (bits >> (6 * (GROUP - place))) & 0x3f;
            text.push(if place <= group.len() {
                char::from(ALPHABET[sextet as usize])
            } else {
                '='
            });
        }
    }
    text
}

/// A number with commas between groups of three digits.
pub(crate) fn thousands(number: usize) -> String {
    const GROUP: usize = 3;
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(GROUP) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let numbers = [0, 999, 1000, 44_426, 1_234_567];
        assert_eq!(
            numbers.map(thousands),
            ["0", "999", "1,000", "44,426", "1,234,567"]
        );
    }

    /// The test vectors of RFC 4648, section 10, and bytes that use the last two letters of the alphabet.
    #[test]
    fn base64_agrees_with_the_standard() {
        let vectors = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (length, expected) in vectors.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&amp;"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;"
        );
        assert_eq!(escape("5 × 5 → é"), "5 × 5 → é");
    }
}
