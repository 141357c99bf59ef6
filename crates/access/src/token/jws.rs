//! Takes a token apart and checks its signature. Knows no claims.

use super::MAX_TOKEN_BYTES;
use super::keys::{KeySet, VerifyingKey};
use crate::Denied;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// A token taken apart; nothing of it is believed yet.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
    header: Header,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

/// Just enough to know which issuer's keys are meant; believed only as far as that.
#[derive(Debug, Deserialize)]
struct Claimed {
    iss: String,
}

impl<'a> Compact<'a> {
    /// # Errors
    /// Its form.
    pub(super) fn parse(token: &'a str) -> Result<Self, Denied> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Denied::Token("it is too long"));
        }
        let form = Denied::Token("it does not have the form of a signed token");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(|| form.clone())?;
        let (header, payload) = signed.split_once('.').ok_or_else(|| form.clone())?;
        if payload.contains('.') || header.is_empty() || signature.is_empty() {
            return Err(form);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| form.clone())?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| form.clone())?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| form)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(Denied::Token("it asks for an extension that is not known here"));
        }
        Ok(Self { signed, payload, signature, header })
    }

    /// Which issuer it says that it is of.
    pub(super) fn issuer(&self) -> Result<String, Denied> {
        let payload = self.payload().map_err(|()| Denied::Token("its payload is no base64url"))?;
        let claimed: Claimed = serde_json::from_slice(&payload).map_err(|_| Denied::Token("it names no issuer"))?;
        Ok(claimed.iss)
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// `typ` in lower case, without `application/`.
    pub(super) fn sort(&self) -> Option<String> {
        let sort = self.header.typ.as_deref()?.to_ascii_lowercase();
        Some(sort.strip_prefix("application/").map(str::to_owned).unwrap_or(sort))
    }

    /// The key that the token names. Without a name: the only key there is, where there is only one and `lone` allows it.
    pub(super) fn key<'k>(&self, keys: &'k KeySet, lone: bool) -> Option<&'k VerifyingKey> {
        match self.kid() {
            Some(kid) => keys.get(kid),
            None => keys.lone().filter(|_| lone),
        }
    }

    /// The payload, when the signature is that of the key.
    pub(super) fn verified<T: for<'de> Deserialize<'de>>(&self, key: &VerifyingKey) -> Result<T, Denied> {
        serde_json::from_slice(&self.bytes(key)?).map_err(|_| Denied::Token("its claims cannot be read"))
    }

    /// As [`Compact::verified`], whatever it is.
    pub(super) fn bytes(&self, key: &VerifyingKey) -> Result<Vec<u8>, Denied> {
        if key.algorithm() != self.header.alg {
            return Err(Denied::Token("it is signed in another way than its key is for"));
        }
        if !key.verify(self.signed.as_bytes(), &self.signature) {
            return Err(Denied::Token("its signature does not hold"));
        }
        self.payload().map_err(|()| Denied::Token("its payload is no base64url"))
    }

    fn payload(&self) -> Result<Vec<u8>, ()> {
        URL_SAFE_NO_PAD.decode(self.payload).map_err(|_| ())
    }
}
