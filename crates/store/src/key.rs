//! Where things lie in a store: `content/<tenant>/<hh>/<hash>`, `names/<tenant>/<path>`, `staging/<id>/…`.
//!
//! Pure. Invariant: a place that is made here has no segment that is empty, `.` or `..`, whatever it was made of.

use catalog::{AssetPath, ContentHash, TenantId};
use std::fmt;
use std::str::FromStr;

/// The content of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Of its bytes.
    pub hash: ContentHash,
}

impl ContentKey {
    /// Of a tenant.
    #[must_use]
    pub const fn new(tenant: TenantId, hash: ContentHash) -> Self {
        Self { tenant, hash }
    }

    /// Below the store's root.
    pub(crate) fn place(&self) -> String {
        let hash = self.hash.to_string();
        format!("content/{}/{}/{hash}", self.tenant, hash.get(..2).unwrap_or_default())
    }

    /// The content at a place.
    pub(crate) fn at(place: &str) -> Option<Self> {
        let (tenant, rest) = place.strip_prefix("content/")?.split_once('/')?;
        let hash = rest.split_once('/')?.1;
        let key = Self { tenant: tenant.parse().ok()?, hash: hash.parse().ok()? };
        (key.place() == place).then_some(key)
    }
}

/// A published name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Whose it is.
    pub tenant: TenantId,
    /// As in URLs.
    pub path: AssetPath,
}

impl Name {
    /// Of a tenant.
    #[must_use]
    pub const fn new(tenant: TenantId, path: AssetPath) -> Self {
        Self { tenant, path }
    }

    /// Below the store's root. The edge serves `names/`.
    pub(crate) fn place(&self) -> String {
        format!("names/{}/{}", self.tenant, self.path)
    }

    /// The name at a place.
    pub(crate) fn at(place: &str) -> Option<Self> {
        let (tenant, path) = place.strip_prefix("names/")?.split_once('/')?;
        Some(Self { tenant: tenant.parse().ok()?, path: path.parse().ok()? })
    }
}

/// The name of something that is being uploaded: 1 to 64 of `[a-z0-9-]`, such as a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StageId(String);

impl StageId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Below the store's root, with a slash at its end.
    pub(crate) fn place(&self) -> String {
        format!("staging/{}/", self.0)
    }
}

impl FromStr for StageId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is 1 to 64 of a-z, 0-9 and -")
        }
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back() {
        let hash: ContentHash = "ab".repeat(32).parse().unwrap();
        let key = ContentKey::new("main".parse().unwrap(), hash);
        assert_eq!(key.place(), format!("content/main/ab/{}", "ab".repeat(32)));
        assert_eq!(ContentKey::at(&key.place()), Some(key));
        let name = Name::new("main".parse().unwrap(), "cats/tom é.jpg".parse().unwrap());
        assert_eq!(Name::at(&name.place()), Some(name));
        for place in ["content/main/ac/abab", "content/main", "names/main", "names/", "x", "content/../ab/ab"] {
            assert!(ContentKey::at(place).is_none() && Name::at(place).is_none(), "{place}");
        }
    }

    #[test]
    fn stages_are_one_plain_segment() {
        for text in ["", "..", "a/b", "A", "é", &"a".repeat(65)] {
            assert!(text.parse::<StageId>().is_err(), "{text}");
        }
        assert!("0196d5a0-1111-7000-8000-000000000000".parse::<StageId>().is_ok());
    }
}
