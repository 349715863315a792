//! Rich output in a notebook, without a surprise in plain text.

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
    let mut text = String::with_capacity(bytes.len().div_ceil(GROUP) * 4);
    for group in bytes.chunks(GROUP) {
        let mut three = [0; GROUP];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for place in 0..=GROUP {
            let sextet = (bits >> (18 - 6 * place)) & 0x3f;
            text.push(if place <= group.len() {
                char::from(ALPHABET[sextet as usize])
            } else {
                '='
            });
        }
    }
    text
}
