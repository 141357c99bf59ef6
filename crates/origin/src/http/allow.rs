//! Which URLs may be fetched: the origin's own base, and patterns of the config for where it may redirect to.
//!
//! Owns the comparison of parsed URLs, part by part; no text is ever compared with the beginning of a URL. Does not know
//! addresses. Invariant: a URL with user information, or of another scheme than http and https, is never parsed.

use http::Uri;
use http::uri::Scheme;
use std::fmt;
use std::str::FromStr;

/// Where a request goes: scheme, host in lower case, port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Site {
    pub(super) tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
}

impl Site {
    /// The site of an absolute URL.
    ///
    /// # Errors
    /// Which part of it is missing or not allowed.
    pub(super) fn of(uri: &Uri) -> Result<Self, &'static str> {
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err("the scheme is http or https"),
        };
        let authority = uri.authority().ok_or("a host is missing")?;
        if authority.as_str().contains('@') {
            return Err("user names and passwords do not belong into a URL");
        }
        let host = authority.host();
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        match inside {
            Some(inside) if inside.parse::<std::net::Ipv6Addr>().is_ok() => {}
            None if !host.is_empty() && is_name(host) => {}
            _ => return Err("the host is a name or an IP address"),
        }
        let port = match authority.as_str().get(host.len()..) {
            Some("") | None => None,
            Some(_) => Some(authority.port_u16().ok_or("the port is a number below 65536")?),
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        Ok(Self { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }) })
    }

    /// For a breaker's map and the log.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A pattern of URLs: `[http://|https://]HOST[:PORT][/PATH/]`, where `HOST` may be `*.example.org`: any name below it,
/// not itself. Without a scheme it is https; without a port the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    site: Site,
    below: bool,
    path: String,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let (rest, below) = rest.strip_prefix("*.").map_or((rest, false), |rest| (rest, true));
        let uri: Uri = format!("{scheme}://{rest}").parse().map_err(|_| PatternError("it is no URL"))?;
        let site = Site::of(&uri).map_err(PatternError)?;
        if below && site.host.parse::<std::net::IpAddr>().is_ok() {
            return Err(PatternError("`*.` stands before a name"));
        }
        if uri.query().is_some() {
            return Err(PatternError("a pattern has no query"));
        }
        let path = uri.path().to_owned();
        if !path.ends_with('/') {
            return Err(PatternError("a path ends with a slash"));
        }
        Ok(Self { site, below, path })
    }
}

impl Pattern {
    pub(super) fn is_tls(&self) -> bool {
        self.site.tls
    }

    pub(super) fn matches(&self, site: &Site, path: &str) -> bool {
        let host = match self.below {
            false => site.host == self.site.host,
            true => {
                site.host.strip_suffix(&self.site.host).is_some_and(|label| label.len() > 1 && label.ends_with('.'))
            }
        };
        // Dots of a path are resolved before it comes here; an escaped one could be resolved by the origin.
        let lower = path.to_ascii_lowercase();
        let climbs = self.path != "/" && (lower.contains("%2e") || lower.contains("%2f") || lower.contains("%5c"));
        host && site.tls == self.site.tls && site.port == self.site.port && path.starts_with(&self.path) && !climbs
    }
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternError(&'static str);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; such as cdn.example.org, *.example.org, http://img.example.org:8080/photos/", self.0)
    }
}

impl std::error::Error for PatternError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        let uri: Uri = url.parse().unwrap();
        let pattern: Pattern = pattern.parse().unwrap();
        Site::of(&uri).is_ok_and(|site| pattern.matches(&site, uri.path()))
    }

    #[test]
    fn hosts_are_compared_whole() {
        for url in ["https://a.example/x", "https://A.EXAMPLE/x", "https://a.example:443/", "https://a.example./x"] {
            assert!(allows("a.example", url), "{url}");
        }
        for url in [
            "https://a.example.evil/x",
            "https://evila.example/x",
            "https://b.a.example/x",
            "http://a.example/x",
            "https://a.example:8443/x",
            "https://a.example@evil/x",
            "https://evil/a.example",
        ] {
            assert!(!allows("a.example", url), "{url}");
        }
    }

    #[test]
    fn suffixes_end_at_a_dot() {
        assert!(allows("*.a.example", "https://b.a.example/") && allows("*.a.example", "https://c.b.a.example/"));
        for url in ["https://a.example/", "https://ba.example/", "https://.a.example/", "https://a.example.b/"] {
            assert!(!allows("*.a.example", url), "{url}");
        }
    }

    #[test]
    fn scheme_port_and_path() {
        assert!(allows("http://a.example:8080/p/", "http://a.example:8080/p/x"));
        for url in [
            "http://a.example:8080/q/x",
            "http://a.example:8080/p",
            "http://a.example/p/x",
            "https://a.example:8080/p/x",
            "http://a.example:8080/p/%2e%2e/q",
            "http://a.example:8080/p/..%2Fq",
        ] {
            assert!(!allows("http://a.example:8080/p/", url), "{url}");
        }
        assert!(allows("http://[::1]:81", "http://[::1]:81/x"));
    }

    #[test]
    fn what_is_no_pattern() {
        for text in
            ["", "ftp://a", "https://u:p@a", "a/b", "a/?q", "https://", "*.1.2.3.4", "a b", "*", "a:99999", "a:"]
        {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
