//! API keys: their form, and how they are looked up.
//!
//! A key is `tt_<id>_<secret>`: 10 and 43 characters. The secret has 256 bits from the system's source, so that a plain keyed
//! hash keeps it (an expensive one would only help against guessing, and 256 bits are not guessed).
//! Invariant: the secret is shown once, by who made it; nothing here prints it.

use crate::Caller;
use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

const PREFIX: &str = "tt_";
const ID_LENGTH: usize = 10;
const SECRET_BYTES: usize = 32;
/// Without letters that are taken for digits.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// What a key's `find` gives.
pub type KeysFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Caller>, Unavailable>> + Send + 'a>>;

/// The keys cannot be looked up at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// Whoever knows API keys.
pub trait Keys: Send + Sync + fmt::Debug {
    /// Whose key it is; `None` where it is unknown, wrong, revoked or over.
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a>;
}

/// An API key as it was presented, or as it has just been made.
#[derive(Clone)]
pub struct ApiKey {
    id: String,
    secret: String,
}

impl ApiKey {
    /// A new one.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn generate() -> Result<Self, Unavailable> {
        let mut bytes = [0_u8; ID_LENGTH + SECRET_BYTES];
        rand::fill(&mut bytes).map_err(|_| Unavailable)?;
        let (id, secret) = bytes.split_at(ID_LENGTH);
        let id = id.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
        Ok(Self { id, secret: URL_SAFE_NO_PAD.encode(secret) })
    }

    /// Whether a text claims to be a key rather than a token.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let fine_id = id.len() == ID_LENGTH && id.bytes().all(|byte| ALPHABET.contains(&byte));
        let fine_secret = URL_SAFE_NO_PAD.decode(secret).is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
        (fine_id && fine_secret).then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// What it is called: no secret.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole key, to be shown once. The name is long so that it is seen in a review.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }

    /// What is kept of it: HMAC-SHA256 with a secret of the installation, over id and secret.
    pub fn hash(&self, pepper: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, pepper);
        let tag = hmac::sign(&key, self.expose().as_bytes());
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        hash
    }

    /// Whether it is the one of which this was kept; in constant time.
    pub fn is_of(&self, hash: &[u8], pepper: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.hash(pepper), hash).is_ok()
    }

    /// A name for caches in memory that does not hold the secret.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, self.expose().as_bytes()).as_ref());
        out
    }
}

/// Without the secret.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({PREFIX}{}_…)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_read_and_nothing_else() {
        let key = ApiKey::generate().unwrap();
        let text = key.expose();
        let read = ApiKey::parse(&text).unwrap();
        assert_eq!((read.id(), text.len()), (key.id(), 3 + 10 + 1 + 43));
        assert!(read.is_of(&key.hash(b"pepper"), b"pepper"));
        assert!(!read.is_of(&key.hash(b"pepper"), b"salt"));
        assert!(!ApiKey::generate().unwrap().is_of(&key.hash(b"pepper"), b"pepper"));
        for wrong in ["", "tt_", "tt_abc_def", &text[..text.len() - 1], &format!("{text}A"), &text.to_uppercase()] {
            assert!(ApiKey::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let key = ApiKey::generate().unwrap();
        assert!(!format!("{key:?}").contains(&key.expose()[14..]));
    }
}
