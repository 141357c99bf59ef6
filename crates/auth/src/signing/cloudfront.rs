//! CloudFront's signed URLs and cookies: a policy as JSON without blanks, signed, and written in an alphabet of its own.
//!
//! Invariants: RSA and P-256 keys sign with SHA-256, which CloudFront is told by `Hash-Algorithm`; a policy with a wildcard, an
//! address or a beginning is a custom one and travels along, any other is rebuilt by CloudFront from URL and end.
//! (AWS, "Use signed URLs": canned and custom policies.)

use crate::config;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A key in a trusted key group.
pub struct CloudFront {
    key_pair_id: String,
    base: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The URL, with `*` and `?` as wildcards in a custom policy.
    pub resource: String,
    /// Until when, Unix seconds.
    pub before: i64,
    /// Since when.
    pub after: Option<i64>,
    /// For which network.
    pub network: Option<String>,
}

impl Policy {
    /// As it is signed.
    pub fn json(&self) -> String {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let mut conditions = format!(r#""DateLessThan":{{"AWS:EpochTime":{}}}"#, self.before);
        if let Some(network) = &self.network {
            conditions.push_str(&format!(r#","IpAddress":{{"AWS:SourceIp":{}}}"#, text(network)));
        }
        if let Some(after) = self.after {
            conditions.push_str(&format!(r#","DateGreaterThan":{{"AWS:EpochTime":{after}}}"#));
        }
        format!(r#"{{"Statement":[{{"Resource":{},"Condition":{{{conditions}}}}}]}}"#, text(&self.resource))
    }

    fn is_custom(&self) -> bool {
        self.network.is_some() || self.after.is_some() || self.resource.contains('*')
    }
}

/// Base64 as CloudFront writes it.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

impl CloudFront {
    /// Reads the private key.
    ///
    /// # Errors
    /// It cannot be read, or is no RSA or P-256 key.
    pub fn open(config: &config::CloudFront) -> Result<Self, String> {
        let path = &config.private_key_file;
        let wrong = |why: &dyn fmt::Display| format!("[auth.cloudfront] {}: {why}", path.display());
        let pem = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        Self::new(&config.key_pair_id, &config.base, &pem).map_err(|error| wrong(&error))
    }

    /// As [`CloudFront::open`], with the key's text.
    ///
    /// # Errors
    /// It is no RSA or P-256 key.
    pub fn new(key_pair_id: &str, base: &str, pem: &str) -> Result<Self, String> {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(body).map_err(|_| "it is no PEM".to_owned())?;
        let rsa = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
        let pair = match rsa {
            Ok(pair) => Pair::Rsa(Box::new(pair)),
            Err(_) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der);
                Pair::P256(Box::new(pair.map_err(|_| "it is neither an RSA nor a P-256 key (PKCS#8 PEM)".to_owned())?))
            }
        };
        Ok(Self { key_pair_id: key_pair_id.to_owned(), base: base.trim_end_matches('/').to_owned(), pair })
    }

    /// The URL of something of a tenant.
    pub fn url_of(&self, tenant: &str, path_and_query: &str) -> String {
        format!("{}/{tenant}/{path_and_query}", self.base)
    }

    fn sign(&self, message: &str) -> Result<String, String> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let done = pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature);
                done.map(|()| signature)
            }
            Pair::P256(pair) => pair.sign(&random, message.as_bytes()).map(|signature| signature.as_ref().to_vec()),
        };
        signature.map(|bytes| encode(&bytes)).map_err(|_| "the key does not sign".to_owned())
    }

    /// A signed URL. `url` is the one that will be asked for; the policy's resource is it, or a pattern that fits it.
    ///
    /// # Errors
    /// The library refuses to sign.
    pub fn signed_url(&self, url: &str, policy: &Policy) -> Result<String, String> {
        let json = policy.json();
        let signature = self.sign(&json)?;
        let first = match policy.is_custom() {
            true => format!("Policy={}", encode(json.as_bytes())),
            false => format!("Expires={}", policy.before),
        };
        let joint = if url.contains('?') { '&' } else { '?' };
        let id = &self.key_pair_id;
        Ok(format!("{url}{joint}{first}&Signature={signature}&Key-Pair-Id={id}&Hash-Algorithm=SHA256"))
    }

    /// Names and values of cookies that let their bearer see everything that the policy's resource fits.
    ///
    /// # Errors
    /// The library refuses to sign.
    pub fn cookies(&self, policy: &Policy) -> Result<Vec<(&'static str, String)>, String> {
        let json = policy.json();
        let first = match policy.is_custom() {
            true => ("CloudFront-Policy", encode(json.as_bytes())),
            false => ("CloudFront-Expires", policy.before.to_string()),
        };
        Ok(vec![
            first,
            ("CloudFront-Signature", self.sign(&json)?),
            ("CloudFront-Key-Pair-Id", self.key_pair_id.clone()),
            ("CloudFront-Hash-Algorithm", "SHA256".to_owned()),
        ])
    }
}

/// Without the private key.
impl fmt::Debug for CloudFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudFront").field("key_pair_id", &self.key_pair_id).finish_non_exhaustive()
    }
}
