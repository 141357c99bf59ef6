//! What a picture looks like after encoding, and which dial makes it look as wished.

pub mod score;
