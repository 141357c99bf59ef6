//! Tenants: whose a path is, how much each may take in a window, and which part of memory is its own.
//!
//! Knows paths and names, neither signatures nor pictures. Invariant: what one tenant takes is counted against nobody else.

pub(crate) mod config;
mod quota;

use crate::cache::Share;
use crate::limit::{Limited, Scope};
use config::TenantConfig;
use percent_encoding::percent_decode_str;
use quota::Quota;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

/// All tenants of the config.
#[derive(Debug)]
pub(crate) struct Tenants {
    all: Box<[Tenant]>,
    start: Instant,
    tick: fn() -> Instant,
}

#[derive(Debug)]
struct Tenant {
    name: Arc<str>,
    prefix: Option<Box<str>>,
    quota: Quota,
    share: Share,
}

/// A path is another tenant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTheirs;

impl Tenants {
    /// `tick` tells the time. Gives the parts of memory that are somebody's own too, in percent.
    pub(crate) fn new(config: &[TenantConfig], tick: fn() -> Instant) -> (Self, Vec<u8>) {
        let mut percents = Vec::new();
        let all = config.iter().map(|tenant| {
            percents.extend(tenant.memory_percent);
            Tenant {
                name: tenant.name.as_str().into(),
                prefix: tenant.prefix.as_deref().map(Into::into),
                quota: Quota::new(tenant.window, tenant.misses, tenant.bytes),
                share: tenant.memory_percent.map_or(Share::COMMON, |_| Share::own(percents.len())),
            }
        });
        (Self { all: all.collect(), start: tick(), tick }, percents)
    }

    /// Whose a request for the path is, if `signed` says so or nobody does; `nobody` where it is no tenant's.
    ///
    /// # Errors
    /// It is signed by one tenant, and the path is another's or none of its own.
    pub(crate) fn owner<'a>(
        &'a self,
        path: &str,
        signed: Option<&'a Arc<str>>,
        nobody: &'a Arc<str>,
    ) -> Result<&'a Arc<str>, NotTheirs> {
        if self.all.is_empty() {
            return Ok(signed.unwrap_or(nobody));
        }
        // As the origin will read it: an escape leads nobody into another's paths.
        let path: Cow<'_, [u8]> = percent_decode_str(path).into();
        let below = |tenant: &&Tenant| tenant.prefix.as_ref().is_some_and(|prefix| path.starts_with(prefix.as_bytes()));
        let here = self.all.iter().filter(below).max_by_key(|tenant| tenant.prefix.as_ref().map_or(0, |p| p.len()));
        match (signed, here) {
            (None, None) => Ok(nobody),
            (None, Some(owner)) => Ok(&owner.name),
            (Some(name), Some(owner)) if *name == owner.name => Ok(name),
            (Some(name), None) if self.find(name).is_none_or(|tenant| tenant.prefix.is_none()) => Ok(name),
            (Some(_), _) => Err(NotTheirs),
        }
    }

    fn find(&self, name: &str) -> Option<&Tenant> {
        self.all.iter().find(|tenant| *tenant.name == *name)
    }

    /// Its part of memory.
    pub(crate) fn share(&self, name: &str) -> Share {
        self.find(name).map_or(Share::COMMON, |tenant| tenant.share)
    }

    /// Counts a miss.
    ///
    /// # Errors
    /// Its quota is used up.
    pub(crate) fn charge(&self, name: &str) -> Result<(), Limited> {
        let Some(tenant) = self.find(name) else { return Ok(()) };
        tenant.quota.take((self.tick)() - self.start).map_err(|retry| Limited { scope: Scope::Tenant, retry })
    }

    /// Counts the bytes that were made for it.
    pub(crate) fn spend(&self, name: &str, bytes: u64) {
        if let Some(tenant) = self.find(name) {
            tenant.quota.spend(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn tenant(name: &str, prefix: Option<&str>, misses: Option<u64>, memory_percent: Option<u8>) -> TenantConfig {
        let prefix = prefix.map(str::to_owned);
        let window = Duration::from_secs(3600);
        TenantConfig { name: name.to_owned(), prefix, window, misses, bytes: None, memory_percent }
    }

    #[test]
    fn paths_have_owners() {
        let tenants = [
            tenant("shop", Some("/img/shop/"), None, None),
            tenant("inner", Some("/img/shop/inner/"), None, None),
            tenant("free", None, None, None),
        ];
        let tenants = Tenants::new(&tenants, Instant::now).0;
        let nobody: Arc<str> = "default".into();
        for (path, signed, owner) in [
            ("/img/shop/a", None, Some("shop")),
            ("/img/shop/inner/a", None, Some("inner")),
            ("/img/%73hop/a", None, Some("shop")),
            ("/img/shopping/a", None, Some("default")),
            ("/img/a", None, Some("default")),
            ("/img/shop/a", Some("shop"), Some("shop")),
            ("/img/a", Some("shop"), None),
            ("/img/shop/inner/a", Some("shop"), None),
            ("/img/shop/a", Some("inner"), None),
            ("/img/shop/a", Some("free"), None),
            ("/img/sh%6fp/a", Some("free"), None),
            ("/img/a", Some("free"), Some("free")),
            ("/img/a", Some("another"), Some("another")),
            ("/img/shop/a", Some("another"), None),
        ] {
            let signed: Option<Arc<str>> = signed.map(Into::into);
            let found = tenants.owner(path, signed.as_ref(), &nobody).ok().map(|owner| &**owner);
            assert_eq!(found, owner, "{path} {signed:?}");
        }
    }

    #[test]
    fn quotas_and_shares_are_each_ones_own() {
        let config =
            [tenant("a", None, Some(1), Some(20)), tenant("b", None, Some(1), None), tenant("c", None, None, Some(30))];
        let (tenants, percents) = Tenants::new(&config, Instant::now);
        assert_eq!(percents, [20, 30]);
        let shares = ["a", "b", "c", "d"].map(|name| tenants.share(name));
        assert_eq!(shares, [Share::own(1), Share::COMMON, Share::own(2), Share::COMMON]);
        assert!(tenants.charge("a").is_ok());
        assert_eq!(tenants.charge("a").map_err(|limited| limited.scope), Err(Scope::Tenant));
        assert!(tenants.charge("b").is_ok());
        for _ in 0..3 {
            assert!(tenants.charge("c").is_ok() && tenants.charge("d").is_ok());
        }
    }
}
