//! `[[tenants]]`: whose pictures are where, and how much each may take of what all share.

use service::config::{Reader, Section};
use std::time::Duration;

/// One tenant.
#[derive(Clone, Debug)]
pub struct TenantConfig {
    pub name: String,
    pub prefix: Option<String>,
    pub window: Duration,
    pub misses: Option<u64>,
    pub bytes: Option<u64>,
    pub memory_percent: Option<u8>,
}

impl Section for TenantConfig {
    const DOC: &'static str =
        "A tenant, as signing keys name them: its paths, and its share of what all have together. See docs/access.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "shop", "The name that [[signing.keys]] has in `tenant`."),
            prefix: r.optional_string(
                "prefix",
                "/img/shop/",
                "Paths of this tenant alone: no other one's key is good for them, and its own are good for no others. Unsigned \
                 requests for them count as the tenant's.",
            ),
            window: r.duration("window", "1h", "1s"..="31d", "The time that the quotas are for; then they begin anew."),
            misses: r.optional_int(
                "misses",
                0..=1_000_000_000_000,
                100_000,
                "Renditions that may be made for it within the window, on this instance; beyond: 429 with Retry-After.",
            ),
            bytes: r.optional_bytes(
                "bytes",
                "0B"..="1024TiB",
                "10GiB",
                "Bytes of such renditions, likewise. The one that goes beyond is still answered.",
            ),
            memory_percent: r.optional_int(
                "memory_percent",
                1..=100,
                20,
                "A part of cache.memory of its own: it has no more, and nobody pushes it out of that.",
            ),
        };
        if let Some(prefix) = config.prefix.as_ref().filter(|prefix| !prefix.starts_with('/') || !prefix.ends_with('/'))
        {
            r.reject("prefix", prefix, "a path with a slash at both ends", "such as /img/shop/");
        }
        config
    }
}

/// What shows only when all tenants are seen together.
pub(crate) fn check(tenants: &[TenantConfig], r: &mut Reader<'_>) {
    let mut shares = 0;
    for (number, tenant) in tenants.iter().enumerate() {
        let before = || tenants.iter().take(number);
        if before().any(|other| other.name == tenant.name) {
            r.reject(&format!("tenants.{number}.name"), &tenant.name, "a name of its own", "another tenant has it");
        }
        if let Some(prefix) =
            tenant.prefix.as_ref().filter(|own| before().any(|other| other.prefix.as_ref() == Some(own)))
        {
            r.reject(&format!("tenants.{number}.prefix"), prefix, "a prefix of its own", "another tenant has it");
        }
        shares += u32::from(tenant.memory_percent.unwrap_or(0));
        if shares > 99 {
            let allowed = "at most 99 together: the rest is for all others";
            r.reject(&format!("tenants.{number}.memory_percent"), shares, allowed, "");
        }
    }
}
