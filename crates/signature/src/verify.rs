//! The check that comes before all parsing.
//!
//! Invariant: a [`Verified`] exists only for a request whose signature was compared, in constant time and over the raw
//! bytes, and whose key is good for it now.

use crate::key::{Key, KeyError};
use crate::message::{Parts, Request};
use crate::refused::Refused;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// The keys of a server.
#[derive(Debug, Default)]
pub struct Verifier {
    keys: Vec<Key>,
}

impl Verifier {
    /// Keys by id. The first one also serves URLs that name none.
    ///
    /// # Errors
    /// [`KeyError::DuplicateId`].
    pub fn new(keys: Vec<Key>) -> Result<Self, KeyError> {
        let repeated = |(at, key): (usize, &Key)| keys.iter().take(at).any(|other| other.id() == key.id());
        if keys.iter().enumerate().any(repeated) {
            return Err(KeyError::DuplicateId);
        }
        Ok(Self { keys })
    }

    /// The key of an id, or the first.
    pub fn key(&self, id: Option<&str>) -> Option<&Key> {
        match id {
            Some(id) => self.keys.iter().find(|key| key.id() == id),
            None => self.keys.first(),
        }
    }

    /// Checks a request at `now`, in Unix seconds: good while `now < exp`. Whether it has expired or exceeds its key is
    /// looked at only once the signature is right.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn verify(&self, request: &Request<'_>, now: u64) -> Result<Verified, Refused> {
        let parts = Parts::of(request)?;
        let signature = parts.signature.ok_or(Refused::Missing)?;
        let mut found = [0; 48];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut found).map_err(|_| Refused::Malformed)?;
        let key = self.key(parts.key_id).ok_or(Refused::UnknownKey)?;
        key.check(request, &parts, found.get(..length).unwrap_or_default())?;
        if parts.expires.is_some_and(|expires| now >= expires) {
            return Err(Refused::Expired);
        }
        key.is_good_at(now)?;
        key.permits(&parts)?;
        let (tenant, key_id) = key.names();
        // What outlives its key would be served by caches when it is refused here.
        let expires = [parts.expires, key.not_after()].into_iter().flatten().min();
        Ok(Verified { tenant, key_id, expires })
    }
}

/// Proof that a request was verified. Nothing else can make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    tenant: Arc<str>,
    key_id: Arc<str>,
    expires: Option<u64>,
}

impl Verified {
    /// Whose picture it is.
    pub fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Which key signed.
    pub fn key_id(&self) -> &Arc<str> {
        &self.key_id
    }

    /// Unix seconds from which on the URL is void, by its own `exp` or its key's end; an answer must not be fresh beyond.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }
}
