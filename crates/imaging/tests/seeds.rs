//! Every seed of the fuzz targets is decoded or refused; none panics. What fuzzing found lies among them.

use imaging::{Error, Limits, Scratch, Want, Watch, decode, probe};
use std::path::Path;

#[test]
fn every_seed_is_decoded_or_refused() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let (limits, mut scratch) = (Limits::default(), Scratch::new(1 << 20));
    for format in ["jpeg", "png", "webp", "gif", "avif"] {
        let mut decoded = 0;
        for entry in std::fs::read_dir(seeds.join(format)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let result = probe(&bytes, &limits)
                .and_then(|probe| decode(&bytes, &probe, &Want::default(), &limits, &Watch::new(), &mut scratch));
            assert!(!matches!(result, Err(Error::Internal(_))), "{}: {result:?}", path.display());
            decoded += usize::from(result.is_ok());
        }
        assert!(decoded > 2, "{format}: most seeds are whole files");
    }
}
