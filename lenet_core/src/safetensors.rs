//! The format [safetensors](https://github.com/huggingface/safetensors): the header's length, a header
//! in JSON with names, shapes and short texts, then the numbers. Nothing in a file is ever run.

use std::collections::{BTreeMap, HashMap};

use tinyjson::JsonValue;

/// A named tensor of a network: its name, shape and values in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The name, as in `c1.weight`.
    pub name: String,
    /// The shape, as in `[6, 1, 5, 5]`.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Vec<f32>,
}

/// The type of all numbers, as the header names it, and its size in bytes.
pub(crate) const DTYPE: &str = "F32";
pub(crate) const BYTES: usize = size_of::<f32>();
/// The header's length stands before it, in this many bytes.
const PREFIX: usize = size_of::<u64>();
/// The name under which the header keeps texts.
const METADATA: &str = "__metadata__";
/// The longest header that is read. One for a network of a dozen layers has 2,000 bytes.
const HEADER_LIMIT: usize = 1 << 20;
/// The longest file that is read beside the numbers that are expected, so that a file for another
/// network can be told from one that never ends.
const ROOM: usize = 16 << 20;
/// How often the numbers may be there: once as weights, twice more as what Adam remembers.
const COPIES: usize = 3;
/// How deep brackets are nested in a header: the file, a tensor, its shape.
const DEPTH: usize = 3;

/// The longest file that is read where `tensors` are expected.
pub(crate) fn limit(tensors: &[NamedTensor]) -> usize {
    let numbers: usize = tensors.iter().map(|tensor| tensor.values.len()).sum();
    ROOM + COPIES * numbers * BYTES
}

/// The bytes of a file with these tensors and texts.
pub(crate) fn encode(tensors: &[NamedTensor], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let mut entries = Vec::with_capacity(1 + tensors.len());
    if !metadata.is_empty() {
        let texts = metadata.iter().map(|(name, text)| format!("{}:{}", quote(name), quote(text)));
        let texts: Vec<String> = texts.collect();
        entries.push(format!("\"{METADATA}\":{{{}}}", texts.join(",")));
    }
    let mut end = 0;
    for NamedTensor { name, shape, values } in tensors {
        let start = end;
        end += values.len() * BYTES;
        entries.push(format!(
            "{}:{{\"dtype\":\"{DTYPE}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}",
            quote(name)
        ));
    }
    let mut header = format!("{{{}}}", entries.join(","));
    // Spaces, so that the numbers begin at a multiple of eight bytes.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(PREFIX) - header.len()));
    let numbers = tensors.iter().flat_map(|tensor| &tensor.values);
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(numbers.flat_map(|number| number.to_le_bytes()));
    bytes
}

/// `text` as a JSON string.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

/// What a file holds.
pub(crate) struct Contents<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A tensor as a file's header describes it, with its bytes.
pub(crate) struct Entry<'a> {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: &'a [u8],
}

/// Takes a file apart.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub(crate) fn parse(file: &[u8]) -> Result<Contents<'_>, String> {
    let (prefix, rest) = file.split_first_chunk::<PREFIX>().ok_or("it is too short")?;
    let length = usize::try_from(u64::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
    let (header, data) = rest.split_at_checked(length).ok_or("its header is longer than the file")?;
    if length > HEADER_LIMIT {
        return Err(format!("its header is longer than {HEADER_LIMIT} bytes"));
    }
    let header = std::str::from_utf8(header).map_err(|_| "its header is no text")?;
    if depth(header) > DEPTH {
        return Err("the brackets of its header are nested too deep".into());
    }
    let header: JsonValue = header.parse().map_err(|_| "its header is no JSON")?;
    let header = header.get::<HashMap<String, JsonValue>>();
    let (mut entries, mut metadata) = (Vec::new(), BTreeMap::new());
    for (name, value) in header.ok_or("its header is no JSON object")? {
        let senseless = || format!("the entry `{name}` of its header makes no sense");
        if name == METADATA {
            metadata = texts(value).ok_or_else(senseless)?;
        } else {
            entries.push(entry(name, value, data).ok_or_else(senseless)?);
        }
    }
    Ok(Contents { entries, metadata })
}

/// How deep brackets are nested outside of strings. The parser calls itself for each level, so a header
/// of brackets alone would overflow the stack.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn texts(value: &JsonValue) -> Option<BTreeMap<String, String>> {
    let fields = value.get::<HashMap<String, JsonValue>>()?.iter();
    fields.map(|(name, value)| Some((name.clone(), value.get::<String>()?.clone()))).collect()
}

fn entry<'a>(name: &str, value: &JsonValue, data: &'a [u8]) -> Option<Entry<'a>> {
    let fields = value.get::<HashMap<String, JsonValue>>()?;
    let dtype = fields.get("dtype")?.get::<String>()?.clone();
    let shape = sizes(fields.get("shape")?)?;
    let offsets = sizes(fields.get("data_offsets")?)?;
    let [start, end] = offsets[..] else {
        return None;
    };
    let bytes = data.get(start..end)?;
    Some(Entry { name: name.into(), dtype, shape, bytes })
}

/// An array of whole numbers.
fn sizes(value: &JsonValue) -> Option<Vec<usize>> {
    let number = |value: &JsonValue| {
        let number = *value.get::<f64>()?;
        let whole = number >= 0.0 && number.fract() == 0.0 && number <= f64::from(u32::MAX);
        whole.then_some(number as usize)
    };
    value.get::<Vec<JsonValue>>()?.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        let tensor = NamedTensor { name: "a \"quoted\" {[ name".into(), shape: vec![2], values: vec![1.5, -0.0] };
        let metadata = BTreeMap::from([("key \\".into(), "text\n\"é\" [{".into())]);
        let bytes = encode(std::slice::from_ref(&tensor), &metadata);
        let contents = parse(&bytes).unwrap();
        assert_eq!(contents.metadata, metadata);
        assert_eq!(contents.entries[0].name, tensor.name);
        assert_eq!(contents.entries[0].bytes, [0, 0, 0xc0, 0x3f, 0, 0, 0, 0x80]);
    }

    #[test]
    fn hostile_headers_are_refused() {
        let file = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let refused = |header: &str| parse(&file(header)).err().unwrap();
        assert!(refused(&"[".repeat(HEADER_LIMIT)).contains("nested too deep"));
        assert!(refused(&" ".repeat(HEADER_LIMIT + 1)).contains("longer than"));
        for entry in [
            r#"{"x":{"dtype":"F32","shape":[4294967295,4294967295],"data_offsets":[0,4294967295]}}"#,
            r#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}"#,
            r#"{"__metadata__":{"x":[]}}"#,
        ] {
            assert!(refused(entry).contains("makes no sense"), "{entry}");
        }
    }
}
