//! The whole render: 32 bytes choose class and parameters, the rest is the original. Under limits, and twice, over
//! buffers with different old content: the bytes must be the same.
#![no_main]

use arbitrary::Unstructured;
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Error, Rendition, Setup, Watch};
use libfuzzer_sys::{Corpus, fuzz_target};
use tintype_fuzz::{join, limits, query, used_scratch};

fn render(original: &[u8], variant: &Variant, rest: u8) -> Result<Rendition, Error> {
    imaging::render(original, variant, &Setup::from(limits()), &Watch::new(), &mut used_scratch(rest))
}

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((head, original)) = data.split_at_checked(32) else { return Corpus::Reject };
    let mut u = Unstructured::new(head);
    let class = match u.int_in_range(0..=7) {
        Ok(0) => FormatClass::Avif,
        Ok(1 | 2) => FormatClass::Webp,
        _ => FormatClass::Baseline,
    };
    let Ok(pairs) = query(&mut u) else { return Corpus::Reject };
    let query = join(&pairs);
    let Ok(parsed) = parse(Some(&query), &Presets::none()) else { return Corpus::Reject };
    let variant = Variant { transform: parsed.transform, class };
    match (render(original, &variant, 0x00), render(original, &variant, 0xA5)) {
        (Ok(a), Ok(b)) => {
            let limits = limits();
            assert!(a.width.max(a.height) <= limits.output_side, "{query}: {}×{}", a.width, a.height);
            assert!(u64::from(a.width) * u64::from(a.height) <= limits.output_pixels, "{query}");
            assert_eq!((a.width, a.height, a.product), (b.width, b.height, b.product), "{query}");
            assert!(a.bytes == b.bytes, "{query}: the picture holds bytes that were not written for it");
        }
        (Err(Error::Internal(what)), _) => panic!("{query}: internal error: {what}"),
        (Err(a), Err(b)) => assert_eq!(a, b, "{query}"),
        (a, b) => panic!("{query}: the buffers decide: {:?} {:?}", a.map(|r| r.product), b.map(|r| r.product)),
    }
    Corpus::Keep
});
