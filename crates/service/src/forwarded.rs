//! Who the client is when proxies stand in between: `Forwarded` (RFC 7239), `X-Forwarded-*`, CloudFront's own fields.
//!
//! Owns the reading of these fields and the list of peers that are believed. Does not know sockets.
//! Invariant: without a believed peer at the other end of the connection nothing in a request changes the outcome.
//!
//! One dialect is believed, not whichever is there: a proxy writes its own fields and passes on the others as the client
//! sent them.

use crate::network::Network;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Proxies that are walked through; a longer chain ends there.
const MAX_HOPS: usize = 32;
/// Characters of a host name (RFC 1035 §2.3.4) with its port.
const MAX_HOST: usize = 261;

/// Which fields the trusted proxies write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `X-Forwarded-For`, `-Proto`, `-Host`.
    #[default]
    XForwarded,
    /// `Forwarded`.
    Forwarded,
    /// `CloudFront-Viewer-Address` and `CloudFront-Forwarded-Proto`; the host is that of the request.
    CloudFront,
}

/// Whom to believe.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Peers, and proxies in a chain, that are believed. Empty: nobody.
    pub networks: Vec<Network>,
    /// What they write.
    pub dialect: Dialect,
}

/// How the client reached the outermost believed proxy, or us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Cleartext.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The client as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'a> {
    /// The address nearest to the client that a believed peer vouches for.
    pub address: IpAddr,
    /// As the client sees the URL.
    pub scheme: Scheme,
    /// The host that the client asked for, where a believed peer says so; else the request's own (`Host`,
    /// `:authority`) counts.
    pub host: Option<&'a str>,
}

impl Trust {
    /// Whether fields from this address are believed.
    #[must_use]
    pub fn believes(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The client of a request that came from `peer` over a connection of `scheme`.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, scheme: Scheme, headers: &'a HeaderMap) -> Client<'a> {
        let direct = Client { address: peer.to_canonical(), scheme, host: None };
        if !self.believes(peer) {
            return direct;
        }
        match self.dialect {
            Dialect::XForwarded => self.x_forwarded(direct, headers),
            Dialect::Forwarded => self.forwarded(direct, headers),
            Dialect::CloudFront => cloudfront(direct, headers),
        }
    }

    fn x_forwarded<'a>(&self, direct: Client<'a>, headers: &'a HeaderMap) -> Client<'a> {
        let mut client = direct;
        for hop in members_from_right(headers, "x-forwarded-for").take(MAX_HOPS) {
            let Some(address) = address(hop) else { break };
            client.address = address;
            if !self.believes(address) {
                break;
            }
        }
        // The rightmost member is what our peer says; what is left of it may be the client's.
        let last = |name| members_from_right(headers, name).next();
        client.scheme = last("x-forwarded-proto").and_then(scheme_of).unwrap_or(client.scheme);
        client.host = last("x-forwarded-host").and_then(host_of);
        client
    }

    fn forwarded<'a>(&self, direct: Client<'a>, headers: &'a HeaderMap) -> Client<'a> {
        let mut client = direct;
        for (hop, element) in members_from_right(headers, "forwarded").take(MAX_HOPS).enumerate() {
            let mut node = None;
            for pair in split(element, b';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                let value = unquote(value.trim());
                match name.trim() {
                    name if name.eq_ignore_ascii_case("for") => node = address(value),
                    name if hop == 0 && name.eq_ignore_ascii_case("proto") => {
                        client.scheme = scheme_of(value).unwrap_or(client.scheme);
                    }
                    name if hop == 0 && name.eq_ignore_ascii_case("host") => client.host = host_of(value),
                    _ => {}
                }
            }
            // `unknown` and obfuscated names (RFC 7239 §6.2, 6.3) end the chain.
            let Some(address) = node else { break };
            client.address = address;
            if !self.believes(address) {
                break;
            }
        }
        client
    }
}

fn cloudfront<'a>(direct: Client<'a>, headers: &'a HeaderMap) -> Client<'a> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    Client {
        address: text("cloudfront-viewer-address").and_then(viewer_address).unwrap_or(direct.address),
        scheme: text("cloudfront-forwarded-proto").and_then(scheme_of).unwrap_or(direct.scheme),
        host: None,
    }
}

/// `198.51.100.10:46532`; IPv6 comes without brackets, so the port is what follows the last colon.
fn viewer_address(text: &str) -> Option<IpAddr> {
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// An address with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    plain.or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

fn scheme_of(text: &str) -> Option<Scheme> {
    if text.eq_ignore_ascii_case("https") {
        Some(Scheme::Https)
    } else {
        text.eq_ignore_ascii_case("http").then_some(Scheme::Http)
    }
}

/// A host with or without a port, in the characters that a host may have; anything else is not passed on.
fn host_of(text: &str) -> Option<&str> {
    let fits = (1..=MAX_HOST).contains(&text.len());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']');
    (fits && text.bytes().all(plain)).then_some(text)
}

/// A quoted string's content; ours need no escapes, and what has them is left as it is and read by nobody.
fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// The members of a list field, the last line's last one first. Lines that are not ASCII are as good as empty.
fn members_from_right<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines = HeaderName::from_str(name).ok().map(|name| headers.get_all(name));
    let lines = lines.into_iter().flatten().map(HeaderValue::to_str).rev();
    lines.flat_map(|line| split(line.unwrap_or(""), b',').rev())
}

/// The parts of `text` between separators outside of quotes, trimmed. An empty text has one empty part.
fn split(text: &str, separator: u8) -> std::vec::IntoIter<&str> {
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'"' {
            quoted = !quoted;
        } else if byte == separator && !quoted {
            parts.push(text.get(start..at).unwrap_or_default().trim());
            start = at + 1;
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn trust(dialect: Dialect) -> Trust {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|text| text.parse().unwrap()).to_vec();
        Trust { networks, dialect }
    }

    fn seen(dialect: Dialect, peer: &str, fields: &[(&'static str, &str)]) -> (String, Scheme, Option<String>) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let client = trust(dialect).client(ip(peer), Scheme::Http, &headers);
        (client.address.to_string(), client.scheme, client.host.map(str::to_owned))
    }

    fn address_by(dialect: Dialect, fields: &[(&'static str, &str)]) -> String {
        seen(dialect, "10.0.0.1", fields).0
    }

    #[test]
    fn strangers_are_not_believed() {
        let fields = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "for=1.2.3.4;proto=https;host=evil.example"),
            ("cloudfront-viewer-address", "1.2.3.4:5"),
        ];
        for dialect in [Dialect::XForwarded, Dialect::Forwarded, Dialect::CloudFront] {
            assert_eq!(seen(dialect, "192.0.2.1", &fields), ("192.0.2.1".to_owned(), Scheme::Http, None));
        }
        let nobody = Trust::default();
        assert!(!nobody.believes(ip("127.0.0.1")));
    }

    #[test]
    fn x_forwarded_is_walked_from_the_right() {
        let by = |value| address_by(Dialect::XForwarded, &[("x-forwarded-for", value)]);
        assert_eq!(by("203.0.113.9"), "203.0.113.9");
        assert_eq!(by("6.6.6.6, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(by("6.6.6.6,203.0.113.9:4711 , 10.0.0.2"), "203.0.113.9");
        assert_eq!(by("2001:db8::7, 2001:db8:1::2"), "2001:db8::7");
        assert_eq!(by("[2001:db8::7]:99"), "2001:db8::7");
        assert_eq!(by("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(by("10.0.0.3, 10.0.0.2"), "10.0.0.3");
        assert_eq!(by("203.0.113.9, unknown, 10.0.0.2"), "10.0.0.2", "what nobody vouches for is not skipped");
        assert_eq!(by(""), "10.0.0.1");
        let lines =
            [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "10.9.9.9")];
        assert_eq!(address_by(Dialect::XForwarded, &lines), "203.0.113.9");
        let endless = vec!["10.0.0.2"; 100].join(",");
        assert_eq!(by(&format!("6.6.6.6,{endless}")), "10.0.0.2");
    }

    #[test]
    fn scheme_and_host() {
        let fields = [("x-forwarded-proto", "http, HTTPS"), ("x-forwarded-host", "evil.example, img.example:8443")];
        let (_, scheme, host) = seen(Dialect::XForwarded, "10.0.0.1", &fields);
        assert_eq!((scheme, host.as_deref()), (Scheme::Https, Some("img.example:8443")));
        let odd = [("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a/b?c")];
        assert_eq!(seen(Dialect::XForwarded, "10.0.0.1", &odd), ("10.0.0.1".to_owned(), Scheme::Http, None));
    }

    /// RFC 7239 §4, §6.
    #[test]
    fn forwarded() {
        let by = |value| seen(Dialect::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(by("for=192.0.2.60;proto=https;by=203.0.113.43").0, "192.0.2.60");
        assert_eq!(by("For=\"[2001:db8:cafe::17]:4711\"").0, "2001:db8:cafe::17");
        assert_eq!(by("for=6.6.6.6, for=192.0.2.43, for=10.0.0.2").0, "192.0.2.43");
        assert_eq!(by("for=\"a,b;c\", for=10.0.0.2").0, "10.0.0.2");
        assert_eq!(by("for=192.0.2.1, for=unknown").0, "10.0.0.1");
        assert_eq!(by("for=192.0.2.1, for=_hidden").0, "10.0.0.1");
        let whole = by("for=6.6.6.6;host=evil.example, for=192.0.2.1;proto=https;host=\"img.example:81\"");
        assert_eq!(whole, ("192.0.2.1".to_owned(), Scheme::Https, Some("img.example:81".to_owned())));
        assert_eq!(address_by(Dialect::Forwarded, &[("x-forwarded-for", "1.2.3.4")]), "10.0.0.1");
    }

    #[test]
    fn cloudfronts_own() {
        let by = |value| address_by(Dialect::CloudFront, &[("cloudfront-viewer-address", value)]);
        assert_eq!(by("198.51.100.10:46532"), "198.51.100.10");
        assert_eq!(by("2001:db8::7:46532"), "2001:db8::7");
        assert_eq!(by("nonsense"), "10.0.0.1");
        let fields = [("cloudfront-forwarded-proto", "https"), ("x-forwarded-host", "evil.example")];
        assert_eq!(seen(Dialect::CloudFront, "10.0.0.1", &fields), ("10.0.0.1".to_owned(), Scheme::Https, None));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_strangers_never_matter(value in prop::collection::vec(any::<u8>(), 0..120)) {
            let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded",
                "cloudfront-viewer-address", "cloudfront-forwarded-proto"] {
                headers.append(name, value.clone());
            }
            for dialect in [Dialect::XForwarded, Dialect::Forwarded, Dialect::CloudFront] {
                let trust = trust(dialect);
                let _ = trust.client(ip("10.0.0.1"), Scheme::Http, &headers);
                let stranger = trust.client(ip("192.0.2.1"), Scheme::Https, &headers);
                let direct = Client { address: ip("192.0.2.1"), scheme: Scheme::Https, host: None };
                prop_assert_eq!(stranger, direct);
            }
        }
    }
}
