//! What is signed: five lines made of the request as it stands on the wire, nothing decoded.
//!
//! ```text
//! tintype-v1
//! GET                   the method; HEAD counts as GET
//! img.example.com       the host in lower case, or an empty line where the key does not bind it
//! /img/a%20b.jpg        the path
//! kid=k1&w=800          the pairs of the query but `s`, sorted bytewise, `&` between them
//! ```
//! No line ends the last one. Invariant: no field can hold a line break (requests with one are refused), so different
//! requests are different messages, but for the order of their pairs and empty pairs.

use crate::refused::Refused;

/// First line of the message: another layout would have another.
pub const VERSION: &str = "tintype-v1";
/// Longest path and query together, in bytes.
pub const MAX_TARGET_BYTES: usize = 16_384;
/// Most pairs in a query.
pub const MAX_PAIRS: usize = 128;

/// A request as it came: nothing decoded, nothing normalised.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, as `GET`.
    pub method: &'a str,
    /// The host that the client named, with its port if it named one.
    pub host: Option<&'a str>,
    /// The raw path, starting with `/`.
    pub path: &'a str,
    /// The raw query without its `?`.
    pub query: Option<&'a str>,
}

/// A request taken apart as far as a signature needs it.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    method: &'a str,
    path: &'a str,
    /// All pairs but `s`, sorted.
    pairs: Vec<&'a str>,
    pub(crate) signature: Option<&'a str>,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) expires: Option<u64>,
}

impl<'a> Parts<'a> {
    /// Takes a request apart.
    ///
    /// # Errors
    /// [`Refused::Malformed`]: too long, a byte that no request target may hold, an escape in a parameter's name (so
    /// that nobody can read another `exp` than is checked here), or `s`, `kid`, `exp` twice or with an impossible value.
    pub(crate) fn of(request: &Request<'a>) -> Result<Self, Refused> {
        let Request { method, path, query, .. } = *request;
        let query = query.unwrap_or_default();
        let long = path.len().saturating_add(query.len()) > MAX_TARGET_BYTES;
        let fine = is_token(method) && path.starts_with('/') && is_visible(path) && is_visible(query);
        if long || !fine || path.contains(['?', '#']) || query.contains('#') {
            return Err(Refused::Malformed);
        }
        let mut parts =
            Self { method, path, pairs: Vec::with_capacity(16), signature: None, key_id: None, expires: None };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            parts.take(pair)?;
        }
        parts.pairs.sort_unstable();
        Ok(parts)
    }

    fn take(&mut self, pair: &'a str) -> Result<(), Refused> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name.contains('%') || self.pairs.len() >= MAX_PAIRS {
            return Err(Refused::Malformed);
        }
        match name {
            "s" => return once(&mut self.signature, Some(value).filter(|v| !v.is_empty())),
            "kid" => once(&mut self.key_id, Some(value).filter(|v| is_key_id(v)))?,
            "exp" => once(&mut self.expires, expiry(value))?,
            _ => {}
        }
        self.pairs.push(pair);
        Ok(())
    }

    /// Names and raw values of the parameters, without `s`.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    /// Hands the message over, piece by piece.
    pub(crate) fn write(&self, host: &str, mut sink: impl FnMut(&[u8])) {
        let method = if self.method == "HEAD" { "GET" } else { self.method };
        for line in [VERSION, method, host, self.path] {
            sink(line.as_bytes());
            sink(b"\n");
        }
        for (at, pair) in self.pairs.iter().enumerate() {
            if at > 0 {
                sink(b"&");
            }
            sink(pair.as_bytes());
        }
    }
}

/// The message of a request, as it would be signed with `host` bound or not: for showing, and for other signers' tests.
///
/// # Errors
/// [`Refused::Malformed`], as [`crate::Verifier::verify`].
pub fn message(request: &Request<'_>, bind_host: bool) -> Result<Vec<u8>, Refused> {
    let host = if bind_host { bound_host(request)? } else { String::new() };
    let mut out = Vec::new();
    Parts::of(request)?.write(&host, |piece| out.extend_from_slice(piece));
    Ok(out)
}

/// The host as it is signed.
///
/// # Errors
/// [`Refused::Malformed`] where there is none, or one that cannot be a host.
pub(crate) fn bound_host(request: &Request<'_>) -> Result<String, Refused> {
    let host = request.host.filter(|host| !host.is_empty() && is_visible(host));
    host.map(str::to_ascii_lowercase).ok_or(Refused::Malformed)
}

fn once<T>(slot: &mut Option<T>, value: Option<T>) -> Result<(), Refused> {
    if slot.is_some() || value.is_none() {
        return Err(Refused::Malformed);
    }
    *slot = value;
    Ok(())
}

fn expiry(text: &str) -> Option<u64> {
    let digits = (1..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|seconds| digits && *seconds > 0)
}

/// Whether a text can be a key's id: 1–64 of `A–Z a–z 0–9 . _ -`.
pub(crate) fn is_key_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|b| b > b' ' && b != 0x7f)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
