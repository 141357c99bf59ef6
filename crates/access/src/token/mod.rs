//! Tokens: JSON Web Signatures in the compact form (RFC 7515), as access tokens (RFC 9068).
//!
//! Knows no policies. Invariants: the key decides the algorithm, never the token; what a token's header says of keys (`jwk`,
//! `jku`, `x5c`) is not looked at; a critical extension is refused; nothing of the payload is read before the signature holds.

pub mod claims;
pub mod issuer;
mod jws;
pub mod keys;
mod remote;
pub mod signer;

pub use claims::Claims;
pub use issuer::{Issuer, Sort};
pub use keys::{KeySet, KeySetError, VerifyingKey};
pub use remote::{Fetched, Remote};
pub use signer::{Signer, SignerError};

/// Longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 << 10;

/// The payload of a token, when its signature is that of the key which it names; its claims are not looked at.
///
/// # Errors
/// Its form, its key, its signature.
pub fn payload(token: &str, keys: &KeySet) -> Result<Vec<u8>, crate::Denied> {
    let token = jws::Compact::parse(token)?;
    let key = token.key(keys, true).ok_or(issuer::UNKNOWN_KEY)?;
    token.bytes(key)
}
