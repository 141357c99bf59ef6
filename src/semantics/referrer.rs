//! On whose pages pictures may be shown: hosts of the `Referer` field (RFC 9110 §10.1.3).
//!
//! Owns how the field is read. A courtesy rather than a lock: whoever is no browser sends what he likes. Invariant: what
//! cannot be read as a URL of HTTP is nobody's page.

use http::HeaderMap;
use http::header::REFERER;
use std::fmt;
use std::str::FromStr;

/// A host, or all below one: `example.org`, `*.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    host: Box<str>,
    below: bool,
}

impl HostPattern {
    /// Whether it covers the host, given without its port. A star covers one label or more, not none.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        if !self.below {
            return self.host.eq_ignore_ascii_case(host);
        }
        let split = host.len().checked_sub(self.host.len() + 1).and_then(|at| host.split_at_checked(at));
        split.is_some_and(|(start, end)| {
            let parent = end.strip_prefix('.').unwrap_or_default();
            !start.is_empty() && parent.eq_ignore_ascii_case(&self.host)
        })
    }
}

/// What is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHost;

impl fmt::Display for NoHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is a host as example.org or *.example.org, without scheme, port and path")
    }
}

impl FromStr for HostPattern {
    type Err = NoHost;

    fn from_str(text: &str) -> Result<Self, NoHost> {
        let (host, below) = text.strip_prefix("*.").map_or((text, false), |host| (host, true));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let literal = host.starts_with('[') && host.ends_with(']') && !below;
        let name = !host.is_empty() && host.bytes().all(plain) && !host.starts_with('.') && !host.ends_with('.');
        if name || literal { Ok(Self { host: host.into(), below }) } else { Err(NoHost) }
    }
}

/// The rule of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrers {
    /// Whose pages may show its pictures, beside those of the host that is asked.
    pub hosts: Vec<HostPattern>,
    /// Whether requests that name no page are answered: bookmarks, apps, and pages that keep it to themselves.
    pub empty: bool,
}

impl Referrers {
    /// Whether a request with these fields, for the host `own`, may be answered.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap, own: Option<&str>) -> bool {
        let mut fields = headers.get_all(REFERER).into_iter();
        let field = match (fields.next(), fields.next()) {
            (None, _) => return self.empty,
            (Some(field), None) => field,
            (Some(_), Some(_)) => return false,
        };
        match field.to_str() {
            Ok("") => self.empty,
            Ok(url) => host(url).is_some_and(|host| {
                own.map(without_port).is_some_and(|own| own.eq_ignore_ascii_case(host))
                    || self.hosts.iter().any(|known| known.covers(host))
            }),
            Err(_) => false,
        }
    }
}

/// A host as requests name it, without its port.
#[must_use]
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The colons of a bare IPv6 address stand inside of brackets.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The host of a URL, without its port.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    // A backslash is a slash to browsers, and nothing to us: such a URL is nobody's.
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.contains('\\'))?;
    // No page's address has a user in it: browsers leave that out.
    if authority.contains('@') {
        return None;
    }
    let host = without_port(authority);
    Some(host.strip_suffix('.').unwrap_or(host)).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn admits(rule: &Referrers, fields: &[&str]) -> bool {
        let fields = fields.iter().map(|field| (REFERER, HeaderValue::from_str(field).unwrap()));
        rule.admit(&fields.collect(), Some("img.example.net"))
    }

    #[test]
    fn pages_of_listed_hosts() {
        let hosts = ["example.org", "*.example.com"].map(|text| text.parse().unwrap()).to_vec();
        let rule = Referrers { hosts, empty: true };
        for fine in [
            "https://example.org/page?x#y",
            "http://EXAMPLE.org:8080",
            "https://example.org./",
            "https://a.example.com/",
            "https://a.b.example.com",
            "https://img.example.net/other",
        ] {
            assert!(admits(&rule, &[fine]), "{fine}");
        }
        for other in [
            "https://example.org.evil/",
            "https://evil-example.org/",
            "https://example.com/",
            "https://.example.com/",
            "https://aexample.com/",
            "https://example.org@evil/",
            "https://evil/https://example.org/",
            "https://evil?https://example.org/",
            "https://evil#@example.org/",
            "https://evil\\@example.org/",
            "ftp://example.org/",
            "example.org",
            "about:blank",
            "https://",
            "null",
        ] {
            assert!(!admits(&rule, &[other]), "{other}");
        }
        assert!(!admits(&rule, &["https://example.org/", "https://example.org/"]), "two fields are none");
        assert!(admits(&rule, &[]) && admits(&rule, &[""]));
        let strict = Referrers { empty: false, ..rule };
        assert!(!admits(&strict, &[]) && !admits(&strict, &[""]) && admits(&strict, &["https://example.org/"]));
    }

    #[test]
    fn patterns() {
        for bad in ["", "*", "*.", "https://a", "a/b", "a:80", ".a", "a.", "a b", "*.*.a", "**.a"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
        assert!("[::1]".parse::<HostPattern>().unwrap().covers("[::1]"));
    }
}
