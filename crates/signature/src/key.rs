//! A signing key and what it is good for. Its secret goes in and never comes out: only the state of HMAC is kept, which
//! is wiped when the key is dropped.

use crate::allowed::Allowed;
use crate::message::{Parts, Request, bound_host, is_key_id};
use crate::refused::Refused;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Shortest secret, in bytes. 32 random ones are a good choice.
pub const MIN_SECRET_BYTES: usize = 16;
/// Shortest signature that a key may be set to, in bytes.
pub const MIN_SIGNATURE_BYTES: usize = 16;
/// A whole signature, in bytes.
pub const MAX_SIGNATURE_BYTES: usize = 32;

/// One key: an id, a tenant, a secret, and what it may sign.
pub struct Key {
    id: Arc<str>,
    tenant: Arc<str>,
    mac: Hmac<Sha256>,
    /// Of secrets that signed before, or will sign next: they verify.
    others: Vec<Hmac<Sha256>>,
    host: bool,
    prefix: Option<Box<str>>,
    parameters: Option<Box<[Allowed]>>,
    not_before: Option<u64>,
    not_after: Option<u64>,
    signature_bytes: usize,
}

impl Key {
    /// A key that may sign everything of its tenant. The secret's bytes are used as they are.
    ///
    /// # Errors
    /// An id that is not 1–64 of `A–Z a–z 0–9 . _ -`, a secret under [`MIN_SECRET_BYTES`].
    pub fn new(id: &str, tenant: &str, secret: &[u8]) -> Result<Self, KeyError> {
        if !is_key_id(id) {
            return Err(KeyError::Id);
        }
        Ok(Self {
            id: id.into(),
            tenant: tenant.into(),
            mac: mac(secret)?,
            others: Vec::new(),
            host: false,
            prefix: None,
            parameters: None,
            not_before: None,
            not_after: None,
            signature_bytes: MAX_SIGNATURE_BYTES,
        })
    }

    /// Takes signatures of another secret too: while a secret is exchanged under one id, the old one is still in use.
    ///
    /// # Errors
    /// A secret under [`MIN_SECRET_BYTES`].
    pub fn also_with(mut self, secret: &[u8]) -> Result<Self, KeyError> {
        self.others.push(mac(secret)?);
        Ok(self)
    }

    /// Good from `not_before` on and until `not_after`, both in Unix seconds; the latter is the first second in which it
    /// is void.
    ///
    /// # Errors
    /// A window that ends before it begins.
    pub fn valid_between(mut self, not_before: Option<u64>, not_after: Option<u64>) -> Result<Self, KeyError> {
        if let (Some(from), Some(until)) = (not_before, not_after)
            && from >= until
        {
            return Err(KeyError::Window);
        }
        (self.not_before, self.not_after) = (not_before, not_after);
        Ok(self)
    }

    /// Makes the host part of what is signed.
    #[must_use]
    pub fn bind_host(mut self, bind: bool) -> Self {
        self.host = bind;
        self
    }

    /// Good below this raw path only. `/a` and `/a/` both allow `/a/b`; neither allows `/ab`.
    ///
    /// # Errors
    /// A prefix that does not start with `/`.
    pub fn only_below(mut self, prefix: &str) -> Result<Self, KeyError> {
        if !prefix.starts_with('/') {
            return Err(KeyError::Prefix);
        }
        self.prefix = Some(prefix.into());
        Ok(self)
    }

    /// Good for these parameters only. They go by the names that stand in the URL; `exp` and `kid` are always allowed.
    #[must_use]
    pub fn only_with(mut self, parameters: impl IntoIterator<Item = Allowed>) -> Self {
        self.parameters = Some(parameters.into_iter().collect());
        self
    }

    /// Signatures of this many bytes, and no others: shorter URLs for less strength.
    ///
    /// # Errors
    /// Under [`MIN_SIGNATURE_BYTES`] or over [`MAX_SIGNATURE_BYTES`].
    pub fn truncated_to(mut self, bytes: usize) -> Result<Self, KeyError> {
        if !(MIN_SIGNATURE_BYTES..=MAX_SIGNATURE_BYTES).contains(&bytes) {
            return Err(KeyError::SignatureLength);
        }
        self.signature_bytes = bytes;
        Ok(self)
    }

    /// What URLs call it: `kid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose pictures it signs for.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    pub(crate) fn names(&self) -> (Arc<str>, Arc<str>) {
        (Arc::clone(&self.tenant), Arc::clone(&self.id))
    }

    /// First second in which it is void.
    pub(crate) fn not_after(&self) -> Option<u64> {
        self.not_after
    }

    /// The signature, cut to this key's length.
    pub(crate) fn sign(&self, request: &Request<'_>, parts: &Parts<'_>) -> Result<Vec<u8>, Refused> {
        let host = self.signed_host(request)?;
        let mut whole = signature(&self.mac, &host, parts).to_vec();
        whole.truncate(self.signature_bytes);
        Ok(whole)
    }

    /// Compares in constant time; only the length, which is no secret, is looked at before.
    pub(crate) fn check(&self, request: &Request<'_>, parts: &Parts<'_>, found: &[u8]) -> Result<(), Refused> {
        let host = self.signed_host(request)?;
        let is_of = |mac: &Hmac<Sha256>| {
            let whole = signature(mac, &host, parts);
            let expected = whole.get(..self.signature_bytes).unwrap_or(&whole);
            bool::from(expected.ct_eq(found))
        };
        // Which of the secrets it was may show: none of them can be guessed by it.
        if is_of(&self.mac) || self.others.iter().any(is_of) { Ok(()) } else { Err(Refused::Mismatch) }
    }

    fn signed_host(&self, request: &Request<'_>) -> Result<String, Refused> {
        if self.host { bound_host(request) } else { Ok(String::new()) }
    }

    /// Whether it is good at this time.
    pub(crate) fn is_good_at(&self, now: u64) -> Result<(), Refused> {
        let begun = self.not_before.is_none_or(|from| now >= from);
        let over = self.not_after.is_some_and(|until| now >= until);
        if begun && !over { Ok(()) } else { Err(Refused::KeyTime) }
    }

    /// Whether this key may sign such a request.
    pub(crate) fn permits(&self, parts: &Parts<'_>) -> Result<(), Refused> {
        if let Some(prefix) = &self.prefix {
            let below = parts.path().strip_prefix(&**prefix);
            let whole_segments = |rest: &str| prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/');
            if !below.is_some_and(whole_segments) {
                return Err(Refused::Prefix);
            }
        }
        if let Some(allowed) = &self.parameters {
            let known = |(name, value): (&str, &str)| {
                matches!(name, "exp" | "kid") || allowed.iter().any(|rule| rule.allows(name, value))
            };
            if !parts.parameters().all(known) {
                return Err(Refused::Parameter);
            }
        }
        Ok(())
    }
}

fn mac(secret: &[u8]) -> Result<Hmac<Sha256>, KeyError> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(KeyError::ShortSecret);
    }
    Hmac::new_from_slice(secret).map_err(|_| KeyError::ShortSecret)
}

fn signature(mac: &Hmac<Sha256>, host: &str, parts: &Parts<'_>) -> [u8; 32] {
    let mut mac = mac.clone();
    parts.write(host, |piece| mac.update(piece));
    mac.finalize().into_bytes().into()
}

/// Everything but the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("secret", &"…")
            .field("host", &self.host)
            .field("prefix", &self.prefix)
            .field("parameters", &self.parameters)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .field("signature_bytes", &self.signature_bytes)
            .finish()
    }
}

/// Why a key, or a set of keys, cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not 1–64 of `A–Z a–z 0–9 . _ -`.
    Id,
    /// Two keys have one id.
    DuplicateId,
    /// Under [`MIN_SECRET_BYTES`].
    ShortSecret,
    /// A prefix without its `/`.
    Prefix,
    /// A window of validity that ends before it begins.
    Window,
    /// A rule for a parameter that cannot be read.
    Parameter,
    /// Not [`MIN_SIGNATURE_BYTES`] to [`MAX_SIGNATURE_BYTES`].
    SignatureLength,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("a key's id is 1–64 of A–Z a–z 0–9 . _ -"),
            Self::DuplicateId => f.write_str("two keys have one id"),
            Self::ShortSecret => write!(f, "a secret has at least {MIN_SECRET_BYTES} bytes"),
            Self::Prefix => f.write_str("a key's prefix starts with /"),
            Self::Window => f.write_str("a key's not_after comes after its not_before"),
            Self::Parameter => f.write_str("a key's parameter is written as w, w=320|640 or w<=800"),
            Self::SignatureLength => {
                write!(f, "a signature has {MIN_SIGNATURE_BYTES} to {MAX_SIGNATURE_BYTES} bytes")
            }
        }
    }
}

impl std::error::Error for KeyError {}
