//! Any bytes, through the JPEG decoder alone: every scale and a region, twice, over buffers of different content.
#![no_main]

use jpeg::{Decoder, Error, Limits, Region, Scale, Workspace};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|data: &[u8]| -> Corpus {
    let limits = Limits { max_pixels: 1 << 19, max_memory: 64 << 20 };
    let Ok(mut decoder) = Decoder::new(data, &limits) else { return Corpus::Reject };
    let (mut workspace, mut grown) = (Workspace::default(), 0);
    for scale in Scale::ALL {
        decoder.scale(scale);
        let (width, height) = decoder.output_size();
        let (x, y) = (width / 3, height / 3);
        for region in [None, Some(Region { x, y, width: (width - x).div_ceil(2), height: (height - y).div_ceil(2) })] {
            if let Some(region) = region {
                decoder.region(region).expect("it lies inside");
            }
            let (mut ones, mut zeros) = (vec![0xFF; decoder.output_len()], vec![0; decoder.output_len()]);
            let first = decoder.decode_into(&mut workspace, &|| false, &mut ones);
            assert!(workspace.len() as u64 <= decoder.memory() + grown, "more memory than was told");
            grown = grown.max(workspace.len() as u64);
            assert_eq!(first, decoder.decode_into(&mut workspace, &|| false, &mut zeros));
            match first {
                Ok(_) => assert!(ones == zeros, "the picture holds bytes that were not written for it"),
                Err(Error::Usage(what)) => panic!("{what}"),
                Err(_) => {}
            }
        }
    }
    Corpus::Keep
});
