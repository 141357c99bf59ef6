//! What a client's certificate says of who shows it, once its chain has been verified.
//!
//! Knows no TLS. Invariant: names are compared whole, label by label, without regard to case; a star stands for labels in front.

use std::fmt;

/// Whom a certificate names. Its chain has been verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 over the certificate (DER).
    pub fingerprint: [u8; 32],
    /// The subject's common name (X.520), where it has one in ASCII or UTF-8.
    pub common_name: Option<String>,
    /// DNS names of its `subjectAltName` (RFC 5280 §4.2.1.6).
    pub names: Vec<String>,
    /// URIs of its `subjectAltName`, such as SPIFFE's ids.
    pub uris: Vec<String>,
}

impl Identity {
    /// Whether one of its names is one of these: `ops.example.org`, `*.example.org`, or a whole URI (`spiffe://…`).
    pub fn is_one_of(&self, known: &[String]) -> bool {
        // A name that anybody may have chosen for themselves is no URI, whatever it looks like.
        known.iter().any(|known| {
            if known.contains("://") {
                return self.uris.contains(known);
            }
            self.names.iter().chain(&self.common_name).any(|name| covers(known, name))
        })
    }

    /// The fingerprint as OpenSSL and browsers show it, without the colons.
    pub fn sha256(&self) -> String {
        self.fingerprint.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The first of its names; names of certificates are chosen by authorities, and may hold anything.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.names.first().or(self.uris.first()).or(self.common_name.as_ref());
        match name {
            Some(name) => name.escape_default().fmt(f),
            None => f.write_str("(a certificate without a name)"),
        }
    }
}

/// Whether a pattern such as `*.example.org` covers a name; the star is one label, or more.
fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            let split = name.len().checked_sub(parent.len() + 1).and_then(|at| name.split_at_checked(at));
            split.is_some_and(|(start, end)| {
                !start.is_empty() && end.starts_with('.') && end[1..].eq_ignore_ascii_case(parent)
            })
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        let known = ["ops.example.org", "*.fleet.example.org", "spiffe://example.org/deploy"].map(str::to_owned);
        let called = |names: &[&str], common: Option<&str>, uris: &[&str]| {
            let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            Identity {
                names: all(names),
                uris: all(uris),
                common_name: common.map(str::to_owned),
                ..Identity::default()
            }
        };
        assert!(called(&["OPS.example.org"], None, &[]).is_one_of(&known));
        assert!(called(&[], Some("ops.example.org"), &[]).is_one_of(&known));
        assert!(called(&["x", "a.b.fleet.example.org"], None, &[]).is_one_of(&known));
        assert!(called(&[], None, &["spiffe://example.org/deploy"]).is_one_of(&known));
        for other in ["fleet.example.org", ".fleet.example.org", "aops.example.org", "ops.example.org.evil", ""] {
            assert!(!called(&[other], Some(other), &[other]).is_one_of(&known), "{other}");
        }
        assert!(!called(&[], None, &["spiffe://example.org/deploy/more", "ops.example.org"]).is_one_of(&known));
        let uri = "spiffe://example.org/deploy";
        assert!(!called(&[uri], Some(uri), &[]).is_one_of(&known), "a URI stands among URIs");
        assert_eq!(called(&["a\n\u{1b}"], None, &[]).to_string(), "a\\n\\u{1b}");
    }
}
