//! A key that signs tokens: Ed25519, or ECDSA on P-256 for verifiers that know no Ed25519.
//!
//! Invariant: the private key is printed nowhere; it leaves only as PKCS#8, by a name that is seen in a review.

use super::keys::{Jwk, Jwks, KeySet};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use std::fmt;

/// What signs.
pub enum Pair {
    /// Ed25519.
    EdDsa(Ed25519KeyPair),
    /// ECDSA with P-256 and SHA-256.
    Es256(EcdsaKeyPair),
}

/// A key that signs, with its public side.
pub struct Signer {
    pair: Pair,
    jwk: Jwk,
    kid: String,
}

/// A key that cannot be made, read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerError {
    /// Not the PKCS#8 of an Ed25519 or P-256 key.
    Form,
    /// The system gives no random bytes, or the library refuses.
    Failed,
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "it is no PKCS#8 of an Ed25519 or P-256 key",
            Self::Failed => "the key could not be made or used",
        })
    }
}

impl std::error::Error for SignerError {}

impl Signer {
    /// A new Ed25519 key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate_eddsa() -> Result<Self, SignerError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SignerError::Failed)?;
        Ok(Self::of(Pair::EdDsa(pair)))
    }

    /// A new P-256 key.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn generate_es256() -> Result<Self, SignerError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| SignerError::Failed)?;
        Ok(Self::of(Pair::Es256(pair)))
    }

    /// Reads one of either kind.
    ///
    /// # Errors
    /// It is another kind of key, or none.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SignerError> {
        let eddsa = Ed25519KeyPair::from_pkcs8(der).or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der));
        if let Ok(pair) = eddsa {
            return Ok(Self::of(Pair::EdDsa(pair)));
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| SignerError::Form)?;
        Ok(Self::of(Pair::Es256(pair)))
    }

    /// The private key as PKCS#8, to be kept where nobody reads it.
    ///
    /// # Errors
    /// The library refuses.
    pub fn expose_pkcs8(&self) -> Result<Vec<u8>, SignerError> {
        let document = match &self.pair {
            Pair::EdDsa(pair) => pair.to_pkcs8v1(),
            Pair::Es256(pair) => pair.to_pkcs8v1(),
        };
        document.map(|der| der.as_ref().to_vec()).map_err(|_| SignerError::Failed)
    }

    fn of(pair: Pair) -> Self {
        let encode = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let mut jwk = match &pair {
            Pair::EdDsa(pair) => Jwk {
                kty: "OKP".into(),
                crv: Some("Ed25519".into()),
                alg: Some("EdDSA".into()),
                x: encode(pair.public_key().as_ref()),
                ..Jwk::default()
            },
            Pair::Es256(pair) => {
                // 0x04, then both coordinates of 32 bytes.
                let point = pair.public_key().as_ref();
                Jwk {
                    kty: "EC".into(),
                    crv: Some("P-256".into()),
                    alg: Some("ES256".into()),
                    x: encode(point.get(1..33).unwrap_or_default()),
                    y: encode(point.get(33..65).unwrap_or_default()),
                    ..Jwk::default()
                }
            }
        };
        jwk.usage = Some("sig".into());
        let kid = jwk.thumbprint().unwrap_or_default();
        jwk.kid = Some(kid.clone());
        Self { pair, jwk, kid }
    }

    /// The thumbprint of its public side (RFC 7638): `kid` in tokens.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Its public side, to be published.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// A set of its public side alone.
    ///
    /// # Errors
    /// None but for a fault of this crate.
    pub fn key_set(&self) -> Result<KeySet, super::KeySetError> {
        KeySet::of(&Jwks { keys: vec![self.jwk.clone()] })
    }

    /// Signs claims as a token of a type (`at+jwt` for access tokens).
    ///
    /// # Errors
    /// The library refuses, or the claims cannot be written.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignerError> {
        let algorithm = self.jwk.alg.as_deref().unwrap_or_default();
        let header = serde_json::json!({ "alg": algorithm, "kid": self.kid, "typ": typ });
        let claims = serde_json::to_vec(claims).map_err(|_| SignerError::Failed)?;
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = match &self.pair {
            Pair::EdDsa(pair) => pair.try_sign(token.as_bytes()).map_err(|_| SignerError::Failed)?,
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), token.as_bytes()).map_err(|_| SignerError::Failed)?,
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// Without the private key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid).field("alg", &self.jwk.alg).finish_non_exhaustive()
    }
}
