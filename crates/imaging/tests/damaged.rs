//! Files that once broke a decoder, found by fuzzing: each is the file's fault, in words, and never a panic.

use cache_key::Variant;
use imaging::{Error, Scratch, Setup, Watch, render};

#[test]
fn an_animation_with_a_frame_of_another_size_is_malformed() {
    let file = include_bytes!("damaged/frame-of-another-size.webp");
    let result = render(file, &Variant::default(), &Setup::default(), &Watch::new(), &mut Scratch::new(1 << 20));
    assert!(matches!(result, Err(Error::Malformed(_))), "{result:?}");
}
