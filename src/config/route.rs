//! `[[routes]]` and `[[presets]]`: which URLs there are, and what they may do.

use super::fetch::FetchConfig;
use super::shown::{ReferrerConfig, SizesConfig};
use super::signing::SigningMode;
use crate::semantics::Hints;
use crate::semantics::cache_control::Policy;
use crate::semantics::negotiation::Classes;
use service::config::{Reader, Section};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Named parameters.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct PresetConfig {
    pub name: String,
    pub parameters: String,
}

impl Section for PresetConfig {
    const DOC: &'static str = "Parameters under a name, for p=NAME. The one called `default` applies to every request.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.required("name", "card", "The name."),
            parameters: r.required("parameters", "w=400&h=300&fit=cover&f=auto", "As in a URL's query."),
        }
    }
}

/// One route.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct RouteConfig {
    pub prefix: String,
    pub host: Option<String>,
    pub origin: String,
    pub signing: Option<SigningMode>,
    pub fallback_origins: Vec<String>,
    pub fallback_image: Option<PathBuf>,
    pub originals: bool,
    pub presets_only: bool,
    pub classes: Classes,
    pub deferred_avif: bool,
    pub deferred_max_age: Duration,
    pub hints: Hints,
    pub policy: Policy,
    pub error_max_age: Duration,
    pub allow_origin: Option<String>,
    pub tag_header: Option<String>,
    pub server_timing: bool,
    pub fetch: FetchConfig,
    pub referrer: ReferrerConfig,
    pub sizes: SizesConfig,
}

impl RouteConfig {
    /// The origins in the order in which they are asked.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.origin).chain(&self.fallback_origins).map(String::as_str)
    }

    /// What they are called together: part of every cache key.
    pub fn origin_name(&self) -> String {
        self.origins().collect::<Vec<_>>().join("|")
    }
}

impl Section for RouteConfig {
    const DOC: &'static str =
        "Which URLs there are. The longest matching prefix wins; one with a host beats one without.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            prefix: r.required(
                "prefix",
                "/img/",
                "Path prefix, with a slash at both ends. The rest of the path names the original.",
            ),
            host: r.optional_string("host", "img.example.org", "Only for this host."),
            origin: r.required("origin", "samples", "The origin's name."),
            signing: r.optional_choice(
                "signing",
                SigningMode::Required,
                "Whether its URLs must be signed, where that is not as signing.mode says.",
            ),
            fallback_origins: r.list(
                "fallback_origins",
                &[],
                "Origins that are asked in this order where the ones before have no such original, or fail.",
            ),
            fallback_image: r.optional_parsed(
                "fallback_image",
                "/srv/missing.png",
                "A picture that is shown, as the URL asks for it and under the error's status, when the original cannot be had.",
            ),
            originals: r.bool(
                "originals",
                false,
                "Serve the originals' own bytes, untouched, metadata and all; parameters are refused.",
            ),
            presets_only: r.bool("presets_only", false, "Refuse all parameters but p."),
            classes: Classes {
                avif: r.bool("avif", true, "Whether f=auto may answer AVIF."),
                webp: r.bool("webp", true, "Whether f=auto may answer WebP."),
                jxl: false,
            },
            deferred_avif: r.bool(
                "deferred_avif",
                false,
                "f=auto: where AVIF would take long, answer WebP first, and AVIF once render.lane has made it. See docs/deferred.md.",
            ),
            deferred_max_age: r.duration(
                "deferred_max_age",
                "10s",
                "1s"..="1h",
                "Cache-Control: max-age of the answer that stands in for such AVIF; no stale use beyond it.",
            ),
            hints: hints(r),
            policy: Policy {
                max_age: r.duration("max_age", "1d", "0s"..="365d", "Cache-Control: max-age."),
                stale_while_revalidate: r.duration(
                    "stale_while_revalidate",
                    "1h",
                    "0s"..="365d",
                    "Cache-Control: stale-while-revalidate; 0s leaves it out.",
                ),
                stale_if_error: r.duration(
                    "stale_if_error",
                    "1d",
                    "0s"..="365d",
                    "Cache-Control: stale-if-error; 0s leaves it out.",
                ),
                immutable: r.bool("immutable", false, "Cache-Control: immutable, for URLs that carry a version."),
                cdn: None,
            },
            error_max_age: r.duration(
                "error_max_age",
                "10s",
                "0s"..="1d",
                "Cache-Control: max-age of errors that the original or the URL causes.",
            ),
            allow_origin: Some(r.string(
                "allow_origin",
                "*",
                "Access-Control-Allow-Origin and Timing-Allow-Origin: *, or origins with commas between them, such as \
                 https://shop.example.org, https://*.example.com; empty leaves them out.",
            ))
            .filter(|v| !v.is_empty()),
            tag_header: Some(r.string("tag_header", "Cache-Tag", "Header for purge tags; empty leaves it out."))
                .filter(|v| !v.is_empty()),
            server_timing: r.bool("server_timing", false, "Server-Timing: tells anybody how long each step took."),
            fetch: r.section("fetch"),
            referrer: r.section("referrer"),
            sizes: r.section("sizes"),
        };
        if !config.prefix.starts_with('/') || !config.prefix.ends_with('/') {
            r.reject("prefix", &config.prefix, "a path with a slash at both ends", "such as /img/");
        }
        config
    }
}

/// Most breakpoints of a route: each is a rendition more of every picture.
const MOST_BREAKPOINTS: usize = 32;

/// Steps that screens and layouts come close to.
const BREAKPOINTS: [u32; 10] = [320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3840];

fn hints(r: &mut Reader<'_>) -> Hints {
    let steps = r.ints(
        "breakpoints",
        &BREAKPOINTS,
        1..=65_535,
        "Sides that w=auto and h=auto may come to, in pixels, ascending: client hints are snapped up to the next.",
    );
    if steps.is_empty() || steps.len() > MOST_BREAKPOINTS || !steps.is_sorted_by(|a, b| a < b) {
        let shown = steps.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        let allowed = format!("1 to {MOST_BREAKPOINTS} numbers, each larger than the one before");
        r.reject("breakpoints", format!("[{shown}]"), allowed, "each is one more rendition of every picture");
    }
    let width = r.int("default_width", 1_280_u32, 1..=65_535, "What w=auto means without hints, in CSS pixels.");
    Hints {
        breakpoints: steps.into_iter().filter_map(NonZeroU32::new).collect(),
        default_width: NonZeroU32::new(width).unwrap_or(NonZeroU32::MIN),
        save_data: r.bool("save_data", false, "Whether Save-Data: on lowers the quality; Vary then names it."),
    }
}
