//! Base64 with everything that data URLs and tus clients write.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes; white space does not count.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        return ENGINE.decode(text).ok();
    }
    ENGINE.decode(text).ok()
}
