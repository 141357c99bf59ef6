//! URLs that are signed: of renditions at the edge, and of CloudFront in front of it.
//!
//! Knows no callers: whether they may is asked before. Invariants: what is signed is the canonical form, so that one picture has
//! one URL for one end; nothing is signed for longer than the key's configuration says, or for another tenant.

pub mod cloudfront;

use crate::config::{Auth, UrlKey};
use cache_key::{Presets, SourcePath, canonical_url};
use cloudfront::CloudFront;
use companion::Problem;
use signature::{Key, Request, sign};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// The keys that sign URLs.
#[derive(Debug)]
pub struct Signing {
    urls: HashMap<String, UrlSigner>,
    cloudfront: Option<CloudFront>,
}

/// A tenant's key.
struct UrlSigner {
    key: Key,
    /// Scheme and host, where URLs are to have them.
    site: String,
    /// The path before a picture's name.
    path: String,
    /// Whether the tenant's name follows.
    any: bool,
    longest: Duration,
}

impl fmt::Debug for UrlSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlSigner").field("key", &self.key).field("site", &self.site).finish_non_exhaustive()
    }
}

/// A rendition's URL before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    path: String,
    query: String,
}

impl Rendition {
    /// The canonical form of a picture's name and a query such as `w=800&f=auto`.
    ///
    /// # Errors
    /// 400, with the part that is wrong.
    pub fn new(name: &str, query: &str) -> Result<Self, Problem> {
        let encoded = encode_path(name);
        SourcePath::parse(&encoded).map_err(|error| Problem::field("path", name, error.to_string()))?;
        let parsed = cache_key::parse(Some(query), &Presets::none());
        let parsed = parsed.map_err(|error| Problem::field("query", query, error.to_string()))?;
        parsed.refuse_unknown().map_err(|error| Problem::field("query", query, error.to_string()))?;
        let whole = canonical_url(&format!("/{encoded}?{query}"), &Presets::none());
        let whole = whole.map_err(|error| Problem::field("query", query, error.to_string()))?;
        let (path, query) = whole.split_once('?').unwrap_or((whole.as_str(), ""));
        Ok(Self { path: path.trim_start_matches('/').to_owned(), query: query.to_owned() })
    }

    /// Path and query, as they stand in URLs.
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// Names and values of what it asks for, for policies.
    pub fn parameters(&self) -> Vec<(&str, &str)> {
        self.query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect()
    }
}

/// The name as it stands in URLs, whatever its characters.
fn encode_path(name: &str) -> String {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    percent_encoding::utf8_percent_encode(name, &KEPT).to_string()
}

impl Signing {
    /// Reads the keys.
    ///
    /// # Errors
    /// A file that cannot be read, a secret that is too short, two keys of one tenant.
    pub fn open(config: &Auth) -> Result<Self, String> {
        let mut urls = HashMap::new();
        for key in &config.urls {
            let signer = UrlSigner::open(key).map_err(|error| format!("[[auth.urls]] {}: {error}", key.kid))?;
            if urls.insert(key.tenant.clone(), signer).is_some() {
                return Err(format!("[[auth.urls]]: {} has two keys; the one that signs is enough", key.tenant));
            }
        }
        let cloudfront = config.cloudfront.as_ref().map(CloudFront::open).transpose()?;
        Ok(Self { urls, cloudfront })
    }

    /// Signs a rendition's URL until a time, in Unix seconds.
    ///
    /// # Errors
    /// There is no key for the tenant, the time is beyond what its key may, or the edge would refuse the URL.
    pub fn url(&self, tenant: &str, rendition: &Rendition, now: i64, seconds: u64) -> Result<(String, u64), Problem> {
        let signer = self.urls.get(tenant).or_else(|| self.urls.get(ANY)).ok_or_else(|| {
            Problem::new(
                NOT_CONFIGURED,
                format!("No key signs URLs of {tenant}: [[auth.urls]] of the configuration has none."),
            )
        })?;
        let longest = signer.longest.as_secs();
        if seconds == 0 || seconds > longest {
            return Err(Problem::field("expiresIn", seconds, format!("1 to {longest} seconds")));
        }
        // Ends are rounded up to a minute, so that many who ask for one picture get one URL, which caches know.
        let end = u64::try_from(now).unwrap_or(0).saturating_add(seconds).div_ceil(60) * 60;
        let path = match signer.any {
            true => format!("{}/{tenant}/{}", signer.path, rendition.path),
            false => format!("{}/{}", signer.path, rendition.path),
        };
        let query = (!rendition.query.is_empty()).then_some(rendition.query.as_str());
        let request = Request { method: "GET", host: None, path: &path, query };
        let signed = sign(&signer.key, &request, Some(end));
        let signed = signed.map_err(|error| Problem::field("path", &path, error.to_string()))?;
        Ok((format!("{}{signed}", signer.site), end))
    }

    /// What signs for CloudFront.
    ///
    /// # Errors
    /// It is not configured.
    pub fn cloudfront(&self) -> Result<&CloudFront, Problem> {
        let missing = || Problem::new(NOT_CONFIGURED, "The configuration has no [auth.cloudfront].");
        self.cloudfront.as_ref().ok_or_else(missing)
    }
}

/// The tenant of a key that is good for all of them.
pub const ANY: &str = "*";

/// The configuration lacks what this needs.
const NOT_CONFIGURED: companion::Code =
    companion::Code::new("not-configured", http::StatusCode::CONFLICT, "The configuration lacks what this needs");

impl UrlSigner {
    fn open(config: &UrlKey) -> Result<Self, String> {
        let secret = match (&config.secret, &config.secret_file) {
            (Some(secret), _) => secret.expose().as_bytes().to_vec(),
            (None, Some(path)) => {
                let mut bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                // As the edge reads it: without the end of the last line.
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                    if bytes.last() == Some(&b'\r') {
                        bytes.pop();
                    }
                }
                bytes
            }
            (None, None) => return Err("it has no secret".to_owned()),
        };
        let key = Key::new(&config.kid, &config.tenant, &secret).map_err(|error| error.to_string())?;
        let base = config.base.trim_end_matches('/');
        let (site, path) = match base.find("://").and_then(|at| base[at + 3..].find('/').map(|slash| at + 3 + slash)) {
            Some(at) => base.split_at(at),
            None if base.contains("://") => (base, ""),
            None => ("", base),
        };
        if !path.is_empty() && !path.starts_with('/') {
            return Err(format!("base {base:?}: a path begins with /"));
        }
        let (site, path, any) = (site.to_owned(), path.to_owned(), config.tenant == ANY);
        Ok(Self { key, site, path, any, longest: config.longest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::Secret;
    use signature::Verifier;

    const SECRET: &str = "an example of a secret, not to be used";

    fn signing(base: &str) -> Signing {
        signing_of("main", base)
    }

    fn signing_of(tenant: &str, base: &str) -> Signing {
        let key = UrlKey {
            tenant: tenant.into(),
            kid: "k1".into(),
            secret: Some(Secret::new(SECRET)),
            secret_file: None,
            base: base.into(),
            longest: Duration::from_secs(3600),
        };
        Signing { urls: [(tenant.to_owned(), UrlSigner::open(&key).expect("a sound key"))].into(), cloudfront: None }
    }

    #[test]
    fn what_is_signed_is_canonical_and_the_edge_takes_it() {
        let rendition = Rendition::new("cats/tom cat.jpg", "h=50&width=100.0&blur=0").unwrap();
        assert_eq!(rendition.parameters(), [("h", "50"), ("w", "100")]);
        let (url, end) = signing("https://img.example/a/main/").url("main", &rendition, 1_000_000_001, 100).unwrap();
        assert_eq!(end, 1_000_000_140, "a whole minute, and not before");
        let target = url.strip_prefix("https://img.example").unwrap();
        let (path, query) = target.split_once('?').unwrap();
        assert_eq!(path, "/a/main/cats/tom%20cat.jpg");
        let verifier = Verifier::new(vec![Key::new("k1", "main", SECRET.as_bytes()).unwrap()]).unwrap();
        let request = Request { method: "GET", host: None, path, query: Some(query) };
        assert_eq!(verifier.verify(&request, 1_000_000_139).unwrap().expires(), Some(end));
        assert!(verifier.verify(&request, end).is_err());
        let (plain, _) = signing("/a/main").url("main", &Rendition::new("a.jpg", "").unwrap(), 0, 60).unwrap();
        assert!(plain.starts_with("/a/main/a.jpg?kid=k1&exp=60&s="), "{plain}");
    }

    #[test]
    fn a_key_of_all_tenants_signs_below_each_one_s_name() {
        let rendition = Rendition::new("a.jpg", "w=8").unwrap();
        for tenant in ["main", "other"] {
            let (url, _) = signing_of(ANY, "/a").url(tenant, &rendition, 0, 60).unwrap();
            assert!(url.starts_with(&format!("/a/{tenant}/a.jpg?w=8&kid=k1&exp=60&s=")), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_signed_is_told() {
        for (name, query, field) in
            [("../a.jpg", "", "path"), ("a.jpg", "w=big", "query"), ("a.jpg", "wide=8", "query")]
        {
            assert_eq!(Rendition::new(name, query).unwrap_err().errors()[0].field, field, "{name}?{query}");
        }
        let rendition = Rendition::new("a.jpg", "w=8").unwrap();
        let signing = signing("/a/main");
        assert_eq!(signing.url("main", &rendition, 0, 3601).unwrap_err().errors()[0].field, "expiresIn");
        assert_eq!(signing.url("other", &rendition, 0, 60).unwrap_err().code().name(), "not-configured");
    }
}
