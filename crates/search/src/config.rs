//! `[search]`: limits of queries, kept answers, and where the edge is.

use access::config::AccessConfig;
use finder::FinderConfig;
use service::config::{Choice, Reader, Secret, Section};
use std::time::Duration;

/// The sections of `tintype-search`.
#[derive(Debug)]
pub struct Config {
    /// `[search]`.
    pub search: SearchConfig,
    /// `[finder]`.
    pub finder: FinderConfig,
    /// `[access]`.
    pub access: AccessConfig,
}

impl Section for Config {
    const DOC: &'static str = "Every key of tintype-search with its default.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self { search: r.section("search"), finder: r.section("finder"), access: r.section("access") }
    }
}

/// Who may search by place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// Nobody.
    Nobody,
    /// Members of a picture's tenant.
    Members,
}

impl Choice for Places {
    const NAMES: &'static [(&'static str, Self)] = &[("nobody", Self::Nobody), ("members", Self::Members)];
}

/// `[search]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct SearchConfig {
    pub edge: String,
    pub widths: Vec<u32>,
    pub thumbnail: u32,
    pub key_id: Option<String>,
    pub key_secret: Option<Secret>,
    pub signed_for: Duration,
    pub text: usize,
    pub limit: usize,
    pub deadline: Duration,
    pub places: Places,
    pub keep: Duration,
    pub keep_bytes: u64,
}

impl Section for SearchConfig {
    const DOC: &'static str = "Queries and their answers.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            edge: r.string(
                "edge",
                "http://127.0.0.1:8080/a/",
                "Where the edge serves assets: /<tenant>/<path> follows. A path alone, such as /a/, is relative.",
            ),
            widths: r.ints("widths", &[320, 640, 960, 1280, 1920], 1..=8192, "Widths of the srcset in answers."),
            thumbnail: r.int("thumbnail", 320, 1..=8192, "Width of the rendition that `url` names."),
            key_id: r.optional_string("key_id", "search", "Signs URLs with this key of the edge; see docs/signing.md."),
            key_secret: r.secret("key_secret", "The key's secret."),
            signed_for: r.duration(
                "signed_for",
                "1h",
                "1m"..="30d",
                "How long signed URLs hold, at least; the end is a multiple of it, so that URLs stay the same for a while.",
            ),
            text: r.int("text", 200, 1..=500, "Longest text of a query, in characters."),
            limit: r.int("limit", 200, 1..=200, "Largest page."),
            deadline: r.duration("deadline", "3s", "50ms"..="1m", "Longest search."),
            places: r.choice("places", Places::Members, "Who may search by place, and is told places."),
            keep: r.duration(
                "keep",
                "30s",
                "0s"..="10m",
                "How long answers are kept at most, here and in Redis ([finder] redis); 0s keeps none. A change drops them.",
            ),
            keep_bytes: r.bytes("keep_bytes", "32MiB", "0"..="4GiB", "Memory for kept answers."),
        };
        if config.key_id.is_some() != config.key_secret.is_some() {
            r.reject("key_id", "one of two", "both key_id and key_secret, or none", "");
        }
        if config.key_id.is_some() && config.keep > config.signed_for / 2 {
            r.reject(
                "keep",
                format!("{:?}", config.keep),
                "half of signed_for at most: kept answers have signed URLs",
                "",
            );
        }
        let fine =
            config.edge.starts_with('/') || config.edge.starts_with("http://") || config.edge.starts_with("https://");
        if !fine || !config.edge.ends_with('/') || config.edge.contains(['?', '#']) {
            r.reject("edge", &config.edge, "an http:// or https:// URL, or a path, that ends with /", "");
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_config_is_current() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
        companion::testing::config_is_current::<companion::binary::Whole<crate::Place, Config>>(&file);
    }

    #[test]
    fn half_a_key_is_none() {
        for set in ["key_id=a", "key_secret=\"0123456789abcdef\"", "edge=cdn.example", "edge=https://cdn.example/a"] {
            assert!(service::config::load::<SearchConfig>(None, [], &[set.to_owned()]).is_err(), "{set}");
        }
    }
}
