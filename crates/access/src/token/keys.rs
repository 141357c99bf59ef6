//! Keys that verify, as a set (RFC 7517): what an issuer publishes, read with distrust.
//!
//! Invariants: each key has one algorithm, given by its kind and not to be changed by a token; a set with private or
//! symmetric keys, or with one name twice, is refused whole; keys for other uses are left out.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most keys in a set: issuers have two or three.
const MOST_KEYS: usize = 64;

/// One key of a set, as it is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwk {
    /// Kind: `RSA`, `EC`, `OKP`.
    pub kty: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What it signs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// What may be done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ops: Option<Vec<String>>,
    /// Curve of `EC` and `OKP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Never published by who knows what they do.
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub(super) d: Option<serde_json::Value>,
    #[serde(skip_serializing, default)]
    #[schema(ignore)]
    pub(super) k: Option<serde_json::Value>,
}

/// A set as it is published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Jwks {
    /// Its keys.
    pub keys: Vec<Jwk>,
}

/// Why a set of keys is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetError {
    /// No JSON of this form.
    Form,
    /// More keys than anybody needs.
    TooMany,
    /// A private or symmetric key among them.
    Private,
    /// One name twice.
    Duplicate,
    /// No key that could be used.
    Empty,
}

impl KeySetError {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Form => "it is not a JSON Web Key Set",
            Self::TooMany => "it has more than 64 keys",
            Self::Private => "it has a private or symmetric key",
            Self::Duplicate => "it has two keys of one name",
            Self::Empty => "it has no key for RS256, ES256 or EdDSA",
        }
    }
}

impl fmt::Display for KeySetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for KeySetError {}

/// A key that verifies in one way.
#[derive(Debug)]
pub struct VerifyingKey {
    kid: String,
    key: Kind,
}

#[derive(Debug)]
enum Kind {
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
    Parsed(&'static str, ParsedPublicKey),
}

impl VerifyingKey {
    /// What it is called.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm that it verifies (RFC 7518, RFC 8037).
    pub fn algorithm(&self) -> &'static str {
        match &self.key {
            Kind::Rs256(_) => "RS256",
            Kind::Parsed(name, _) => name,
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Kind::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
            Kind::Parsed(_, key) => key.verify_sig(message, signature).is_ok(),
        }
    }

    /// `None` where it is for something else, or is not understood, or is malformed.
    fn read(jwk: &Jwk) -> Option<Self> {
        let is_for = |wanted: &str, found: &Option<String>| found.as_deref().is_none_or(|found| found == wanted);
        let may_verify = jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !is_for("sig", &jwk.usage) || !may_verify {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let (algorithm, key) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => ("RS256", rsa(bytes(&jwk.n)?, bytes(&jwk.e)?)?),
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(&jwk.x)?, bytes(&jwk.y)?);
                if x.len() != 32 || y.len() != 32 {
                    return None;
                }
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
                ("ES256", Kind::Parsed("ES256", key))
            }
            ("OKP", Some("Ed25519")) => {
                let key = ParsedPublicKey::new(&ED25519, bytes(&jwk.x)?).ok()?;
                ("EdDSA", Kind::Parsed("EdDSA", key))
            }
            _ => return None,
        };
        let kid = jwk.kid.clone().or_else(|| jwk.thumbprint())?;
        (kid.len() <= 256 && is_for(algorithm, &jwk.alg)).then_some(Self { kid, key })
    }
}

/// 2048 to 8192 bits, an odd exponent from 3, and not of the family that can be factored (ROCA, CVE-2017-15361).
fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<Kind> {
    let exponent = e.iter().try_fold(0_u64, |all, byte| (all < 1 << 40).then_some(all << 8 | u64::from(*byte)))?;
    let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
    let fine = (256..=1024).contains(&n.len()) && exponent >= 3 && exponent % 2 == 1 && n.last()? % 2 == 1;
    (fine && !is_roca(&n)).then_some(Kind::Rs256(RsaPublicKeyComponents { n, e }))
}

/// Whether a modulus is, for each small prime, a power of 65537: nearly certain for keys of the faulty generator, and of a
/// chance of 2⁻²⁷ for others.
fn is_roca(modulus: &[u8]) -> bool {
    const PRIMES: [u64; 38] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
        109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ];
    PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0_u64, |rest, byte| (rest * 256 + u64::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * 65_537 % prime;
            power == rest
        })
    })
}

impl Jwk {
    /// What it is by itself (RFC 7638): SHA-256 over the members that are the key, in base64url.
    pub fn thumbprint(&self) -> Option<String> {
        let text =
            |part: &Option<String>| part.as_deref().filter(|text| !text.contains(['"', '\\'])).map(str::to_owned);
        let canonical = match self.kty.as_str() {
            "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(&self.e)?, text(&self.n)?),
            "EC" => {
                let (crv, x, y) = (text(&self.crv)?, text(&self.x)?, text(&self.y)?);
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            "OKP" => format!(r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#, text(&self.crv)?, text(&self.x)?),
            _ => return None,
        };
        Some(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes())))
    }
}

/// The keys of one issuer.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

impl KeySet {
    /// Reads what an issuer publishes.
    ///
    /// # Errors
    /// See [`KeySetError`]. Keys of other kinds and uses are no error: they are left out.
    pub fn read(json: &[u8]) -> Result<Self, KeySetError> {
        let set: Jwks = serde_json::from_slice(json).map_err(|_| KeySetError::Form)?;
        Self::of(&set)
    }

    /// As [`KeySet::read`], of what has been read already.
    ///
    /// # Errors
    /// See [`KeySetError`].
    pub fn of(set: &Jwks) -> Result<Self, KeySetError> {
        if set.keys.len() > MOST_KEYS {
            return Err(KeySetError::TooMany);
        }
        if set.keys.iter().any(|key| key.d.is_some() || key.k.is_some() || key.kty == "oct") {
            return Err(KeySetError::Private);
        }
        let keys: Vec<VerifyingKey> = set.keys.iter().filter_map(VerifyingKey::read).collect();
        let mut names: Vec<&str> = keys.iter().map(VerifyingKey::kid).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(KeySetError::Duplicate);
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    /// By its name.
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// The only one, where there is only one.
    pub fn lone(&self) -> Option<&VerifyingKey> {
        if let [one] = self.keys.as_slice() { Some(one) } else { None }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
