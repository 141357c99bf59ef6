//! How any AWS service is reached: where it is, and as whom it is asked.
//!
//! Keys that several sections have are declared here once. Knows no service. Invariant: a secret is never printed, and half
//! of a key pair is refused.

use http::Uri;
use service::config::{Reader, Secret};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Where a service is and as whom it is asked.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The server, where it is not Amazon's own for the region.
    pub endpoint: Option<Endpoint>,
    /// The region; `None`: as the environment, the profile or the machine say.
    pub region: Option<RegionName>,
    /// As whom.
    pub identity: Identity,
}

impl Access {
    /// The keys of a section that has all of them beside its own.
    pub fn read(r: &mut Reader<'_>) -> Self {
        Self {
            endpoint: r.optional_parsed(
                "endpoint",
                "http://127.0.0.1:9000",
                "The server, where it is not Amazon's own; AWS_ENDPOINT_URL where it is left out.",
            ),
            region: r.optional_parsed(
                "region",
                "eu-central-1",
                "The region. Left out: AWS_REGION, the profile's, the machine's; with an endpoint at last us-east-1.",
            ),
            identity: Identity::read(r),
        }
    }
}

/// As whom a service is asked. With nothing of it: the standard chain of environment, profile, web identity, container and
/// instance metadata.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// A profile of `~/.aws/config` and `~/.aws/credentials`.
    pub profile: Option<String>,
    /// A key pair of its own: the name …
    pub access_key_id: Option<String>,
    /// … and the secret.
    pub secret_access_key: Option<Secret>,
    /// Not signed at all: for what is public.
    pub anonymous: bool,
    /// Certificate authorities (PEM) beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Identity {
    /// The keys of a section.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let identity = Self {
            profile: r.optional_string(
                "profile",
                "images",
                "A profile of ~/.aws/config. Without it and without keys: the standard chain (environment, default profile, \
                 web identity, container, instance metadata).",
            ),
            access_key_id: r.optional_string("access_key_id", "tintype", "A key pair of its own instead of that."),
            secret_access_key: r.secret(
                "secret_access_key",
                "Its secret. Better in the environment: TINTYPE__… with the names of the tables, __SECRET_ACCESS_KEY.",
            ),
            anonymous: r.bool("anonymous", false, "Requests are not signed: for public buckets."),
            ca_file: r.optional_parsed(
                "ca_file",
                "/etc/tintype/ca.pem",
                "Certificate authorities (PEM) beside those of the system.",
            ),
        };
        let pair = (identity.access_key_id.as_deref(), identity.secret_access_key.is_some());
        match pair {
            (Some(id), false) => r.reject("access_key_id", id, "a secret_access_key beside it", ""),
            (None, true) => r.reject("secret_access_key", "[redacted]", "an access_key_id beside it", ""),
            _ => {}
        }
        let ways = [identity.profile.is_some(), pair.1, identity.anonymous];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            let hint = "each says as whom the service is asked";
            r.reject(
                "profile",
                identity.profile.as_deref().unwrap_or(""),
                "one of profile, a key pair, anonymous",
                hint,
            );
        }
        identity
    }
}

/// How long is waited, and how often it is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, TLS and all.
    pub connect: Duration,
    /// From a request to the head of its response.
    pub response: Duration,
    /// For all tries together, up to the head of the last response.
    pub whole: Duration,
    /// Further tries after the first: of what may pass (throttling, 5xx, a broken connection), within a budget over all
    /// requests that the SDK keeps, from 50 ms apart.
    pub retries: u32,
}

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// As a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "is a URL such as http://127.0.0.1:9000 or https://s3.example.org, without user, query and fragment";
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let sound = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && !text.contains(['@', '?', '#']);
        if sound { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(FORM) }
    }
}

/// The name of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionName(String);

impl RegionName {
    /// Such as `eu-central-1`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegionName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // It becomes part of a host name.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sound = (1..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        if sound { Ok(Self(text.to_owned())) } else { Err("is a name such as eu-central-1") }
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::Section;

    struct Part(Access);

    impl Section for Part {
        const DOC: &'static str = "Of a test.";
        fn read(r: &mut Reader<'_>) -> Self {
            Self(Access::read(r))
        }
    }

    fn load(sets: &[&str]) -> Result<Access, String> {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        service::config::load::<Part>(None, [], &sets)
            .map(|loaded| loaded.config.0)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn endpoints_and_regions() {
        for text in ["http://127.0.0.1:9000", "https://s3.example.org/", "http://[::1]:1", "https://h/path"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().as_str(), text.trim_end_matches('/'));
        }
        for text in ["", "127.0.0.1:9000", "s3://bucket", "http://u:p@h/", "http://h/?q", "http://h/#f", "/a"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
        assert!("eu-central-1".parse::<RegionName>().is_ok() && "auto".parse::<RegionName>().is_ok());
        for text in ["", "-a", "a.b", "EU", "a/b", "a b"] {
            assert!(text.parse::<RegionName>().is_err(), "{text}");
        }
    }

    #[test]
    fn one_way_to_say_who() {
        assert!(load(&[]).unwrap().identity.profile.is_none());
        let pair = ["access_key_id=a", "secret_access_key=hidden"];
        assert_eq!(load(&pair).unwrap().identity.access_key_id.as_deref(), Some("a"));
        assert!(load(&pair[..1]).unwrap_err().contains("secret_access_key"));
        assert!(load(&pair[1..]).unwrap_err().contains("access_key_id"));
        for more in ["profile=x", "anonymous=true"] {
            let text = load(&[pair[0], pair[1], more]).unwrap_err();
            assert!(text.contains("one of profile") && !text.contains("hidden"), "{text}");
        }
        assert!(load(&["endpoint=ftp://h"]).unwrap_err().contains("is a URL such as"));
    }
}
