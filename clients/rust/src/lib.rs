//! Stands on its own for others to take: a signer in one file. Signs URLs for Tintype.
//!
//! Knows nothing of the server's crates (whose verifier the tests hold it against by `clients/vectors.json`). Invariant:
//! what is signed is what was given, byte for byte; what the server would find malformed is not signed.
//!
//! ```
//! use tintype_sign::{Key, sign};
//!
//! let key = Key { kid: "k1", secret: b"an example of a secret, not to be used", host: false };
//! let url = sign("/img/cats/tom%20cat.jpg?w=800&f=auto", &key, Some(1_800_000_000))?;
//! assert!(url.ends_with("&kid=k1&exp=1800000000&s=Xc4Hs6mTAxcw2O3YtLDKr4v0-7w7UEjBOqC34crHkEw"));
//! # Ok::<(), tintype_sign::Malformed>(())
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// A key of the server's configuration.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// Its id: 1–64 of `A–Z a–z 0–9 . _ -`.
    pub kid: &'a str,
    /// Its secret, at least 16 bytes.
    pub secret: &'a [u8],
    /// Whether the host is signed too (`signing.host`); URLs are whole ones then.
    pub host: bool,
}

/// Everything but the secret.
impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("host", &self.host).finish_non_exhaustive()
    }
}

/// The URL cannot be signed: what is wrong with it or the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

/// The path and query (or whole URL) with `kid`, `exp` in Unix seconds and `s` added at the end of its query. `url` is
/// percent-escaped as it will be sent.
///
/// # Errors
/// [`Malformed`]: what the server would not read, and what is signed already.
pub fn sign(url: &str, key: &Key<'_>, expires: Option<u64>) -> Result<String, Malformed> {
    let (origin, host, target) = split(url);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let kid = key.kid;
    if !(1..=64).contains(&kid.len()) || !kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    {
        return Err(Malformed("a key id is 1 to 64 of A-Z a-z 0-9 . _ -"));
    }
    if key.secret.len() < 16 {
        return Err(Malformed("a secret has at least 16 bytes"));
    }
    let between = if query.is_empty() || query.ends_with('&') { "" } else { "&" };
    let expiry = match expires {
        Some(expires @ 1..=99_999_999_999) => format!("&exp={expires}"),
        Some(_) => return Err(Malformed("`exp` is no time in Unix seconds")),
        None => String::new(),
    };
    let sealed = format!("{query}{between}kid={kid}{expiry}");
    let mut pairs: Vec<&str> = sealed.split('&').filter(|pair| !pair.is_empty()).collect();
    check(path, &sealed, query, &pairs)?;
    pairs.sort_unstable();
    let bound = match (key.host, host) {
        (false, _) => String::new(),
        (true, Some(host)) if host.bytes().all(|byte| byte.is_ascii_graphic()) => host.to_ascii_lowercase(),
        (true, _) => return Err(Malformed("the host is signed, so the URL has to name it")),
    };
    let message = ["tintype-v1", "GET", &bound, path, &pairs.join("&")].join("\n");
    let mac = Hmac::<Sha256>::new_from_slice(key.secret).map_err(|_| Malformed("the secret is no key"))?;
    let signature = URL_SAFE_NO_PAD.encode(mac.chain_update(message).finalize().into_bytes());
    Ok(format!("{origin}{path}?{sealed}&s={signature}"))
}

/// `https://host`, `host`, and the target that begins with `/`.
fn split(url: &str) -> (&str, Option<&str>, &str) {
    let whole = ["http://", "https://"].into_iter().find_map(|scheme| {
        let rest = url.strip_prefix(scheme)?;
        let end = rest.find(['/', '?', '#']).filter(|end| *end > 0 && rest[*end..].starts_with('/'))?;
        Some((&url[..scheme.len() + end], Some(&rest[..end]), &rest[end..]))
    });
    whole.unwrap_or(("", None, url))
}

fn check(path: &str, sealed: &str, query: &str, pairs: &[&str]) -> Result<(), Malformed> {
    if path.len() + sealed.len() > 16_384 || pairs.len() > 128 {
        return Err(Malformed("the URL is too long, or has too many parameters"));
    }
    let escaped = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !path.starts_with('/') || !escaped(path) || !escaped(sealed) {
        return Err(Malformed("a URL is percent-escaped ASCII, and its path begins with /"));
    }
    for name in query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)) {
        if matches!(name, "s" | "kid" | "exp") {
            return Err(Malformed("the URL has an `s`, `kid` or `exp` already"));
        }
        if name.contains('%') {
            return Err(Malformed("names of parameters have no escapes"));
        }
    }
    Ok(())
}
