//! What several targets share: the limits that fuzzing runs under, one decode with its promises checked, and a way from
//! raw bytes to a query that mostly means something.
//!
//! Every promise is an assertion: a target fails by panic, by the sanitizer, by time or by memory.

use arbitrary::{Result, Unstructured};
use cache_key::dialect::native::parameters;
use imaging::{Decoded, Error, Limits, Scratch, SourceFormat, Watch};

/// Small enough for many runs a second, large enough for every code path.
pub fn limits() -> Limits {
    Limits {
        source_pixels: 1 << 17,
        source_side: 8_192,
        output_side: 512,
        output_pixels: 1 << 16,
        memory: 64 << 20,
        frames: 20,
        frame_pixels: 1 << 19,
    }
}

/// Buffers as another picture left them: full of `rest`, so that a byte that nobody wrote shows as a difference.
pub fn used_scratch(rest: u8) -> Scratch {
    let mut scratch = Scratch::new(16 << 20);
    for size in [4 << 10, 32 << 10, 256 << 10] {
        let mut buffer = scratch.take(size);
        buffer.fill(rest);
        scratch.give(buffer);
    }
    scratch
}

/// Probes and decodes; files of another format than `wanted` are not worth keeping (`false`).
pub fn decode(wanted: SourceFormat, bytes: &[u8]) -> bool {
    if SourceFormat::sniff(bytes) != Some(wanted) {
        return false;
    }
    let first = decode_once(bytes, 0x00);
    if let Err(Error::Internal(what)) = &first {
        panic!("a stranger's file caused an internal error: {what}");
    }
    assert_eq!(first, decode_once(bytes, 0xA5), "the picture holds bytes that were not written for it");
    true
}

fn decode_once(bytes: &[u8], rest: u8) -> Result<Decoded, Error> {
    let limits = limits();
    let probe = imaging::probe(bytes, &limits)?;
    assert!(probe.width > 0 && probe.height > 0 && probe.pixels() <= limits.source_pixels, "{probe:?}");
    let mut scratch = used_scratch(rest);
    let decoded = imaging::decode(bytes, &probe, &imaging::Want::EVERYTHING, &limits, &Watch::new(), &mut scratch)?;
    let (width, height) = (decoded.bitmap.width(), decoded.bitmap.height());
    assert!(width > 0 && height > 0 && width <= probe.width && height <= probe.height, "{width}×{height} of {probe:?}");
    Ok(decoded)
}

/// Values that mean something to one parameter or another.
const VALUES: &[&str] = &[
    "0",
    "1",
    "2",
    "10",
    "64",
    "100",
    "333.5",
    "-1",
    "0.5",
    "8192",
    "1e3",
    "auto",
    "none",
    "cover",
    "contain",
    "crop",
    "pad",
    "fill",
    "scale-down",
    "aspect-crop",
    "outside",
    "n",
    "se",
    "c",
    "fp:0.3:0.7",
    "ne:10:10",
    "10,10,40,40",
    "0,0,1,1",
    "0.1,0.1,0.5,0.5",
    "90",
    "180",
    "270",
    "45",
    "12.5",
    "h",
    "v",
    "hv",
    "fff",
    "ff000080",
    "rebeccapurple",
    "transparent",
    "5,10",
    "1,2,3,4",
    "avif",
    "webp",
    "jpeg",
    "png",
    "gif",
    "jxl",
    "auto:high",
    "16:9",
    "1:1",
    "srgb",
    "keep",
    "p3",
    "444",
    "420",
    "circle",
    "20%",
    "",
    "w=32;h=32",
    "blur=2;w=16;then=w=8",
];

/// Up to ten parameters of the grammar, each once, with values that often fit.
pub fn query(u: &mut Unstructured<'_>) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for _ in 0..u.int_in_range(0..=9)? {
        let parameter = u.choose(parameters())?;
        if pairs.iter().any(|(name, _)| name == parameter.name) {
            continue;
        }
        let value = match u.int_in_range(0..=3)? {
            0 => u.int_in_range(0..=600u16)?.to_string(),
            1 => format!("{}.{}", u.int_in_range(0..=9u8)?, u.arbitrary::<u8>()?),
            _ => (*u.choose(VALUES)?).to_owned(),
        };
        pairs.push((parameter.name.to_owned(), value));
    }
    Ok(pairs)
}

/// The pairs as they stand in a URL.
pub fn join(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}
