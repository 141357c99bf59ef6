//! Pure: two binaries need it (auth signs, the edge verifies). Signs and verifies the raw request target.
//!
//! Knows no parameter but its own three (`exp`, `kid`, `s`), decodes nothing and reads no clock: `now` is an argument.
//! Only [`Verifier::verify`] makes a [`Verified`]. What is signed, byte for byte, is in `docs/signing.md` and in
//! [`message`].
//!
//! ```
//! use signature::{Key, Request, Verifier, sign};
//!
//! let key = || Key::new("2026-11", "default", b"an example of a secret, not to be used");
//! let request = Request { method: "GET", host: None, path: "/img/a.jpg", query: Some("w=800") };
//! let url = sign(&key()?, &request, Some(1_800_000_000))?;
//!
//! let (path, query) = url.split_once('?').unwrap();
//! let verifier = Verifier::new(vec![key()?])?;
//! let verified = verifier.verify(&Request { path, query: Some(query), ..request }, 1_700_000_000)?;
//! assert_eq!((&**verified.tenant(), verified.expires()), ("default", Some(1_800_000_000)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allowed;
mod key;
pub mod message;
mod refused;
mod sign;
mod verify;

pub use allowed::Allowed;
pub use key::{Key, KeyError, MAX_SIGNATURE_BYTES, MIN_SECRET_BYTES, MIN_SIGNATURE_BYTES};
pub use message::Request;
pub use refused::Refused;
pub use sign::{SignError, sign};
pub use verify::{Verified, Verifier};

#[cfg(test)]
mod tests;
