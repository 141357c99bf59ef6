//! BMP files of a stranger, through probe and decoder.
#![no_main]

use imaging::SourceFormat;
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    if tintype_fuzz::decode(SourceFormat::Bmp, data) { Corpus::Keep } else { Corpus::Reject }
});
