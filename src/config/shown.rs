//! `[routes.referrer]` and `[routes.sizes]`: on whose pages a route's pictures may be shown, and how large they are made.

use crate::semantics::referrer::HostPattern;
use cache_key::sizes::Sizes;
use service::config::{Reader, Section};
use std::num::NonZeroU32;
use std::path::PathBuf;

/// Most sizes of a side.
const MOST: usize = 256;

/// On whose pages.
#[derive(Clone, Debug)]
pub struct ReferrerConfig {
    pub allow: Vec<HostPattern>,
    pub empty: bool,
    pub image: Option<PathBuf>,
}

impl Section for ReferrerConfig {
    const DOC: &'static str =
        "On whose pages pictures may be shown (Referer). A shared cache in front must key on it: see docs/access.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            allow: r.list(
                "allow",
                &[],
                "Hosts of pages: example.org, *.example.org; that of the request always may. None listed: there is no such rule.",
            ),
            empty: r.bool("empty", true, "Answer requests that name no page: apps, bookmarks, pages that do not tell."),
            image: r.optional_parsed(
                "image",
                "/srv/not-here.png",
                "A picture that is shown instead, under the status 403.",
            ),
        };
        if config.allow.is_empty() && (!config.empty || config.image.is_some()) {
            r.reject("allow", "[]", "at least one host, where empty = false or an image is given", "");
        }
        config
    }
}

/// How large.
#[derive(Clone, Debug)]
pub struct SizesConfig(pub Sizes);

impl Section for SizesConfig {
    const DOC: &'static str =
        "Which sizes are made, in CSS pixels; presets are held to them too, and dpr to 1, 1.5, 2, 3, 4.";

    fn read(r: &mut Reader<'_>) -> Self {
        let widths = sides(r, "widths", "What w and min-w may be, ascending; none listed: anything.");
        let heights = sides(r, "heights", "What h and min-h may be, likewise.");
        let snap =
            r.bool("snap", false, "Others become the next larger that is listed, rather than being refused with 400.");
        Self(Sizes { widths, heights, snap })
    }
}

fn sides(r: &mut Reader<'_>, key: &'static str, doc: &'static str) -> Vec<NonZeroU32> {
    let sides: Vec<u32> = r.ints(key, &[], 1..=65_535, doc);
    if sides.len() > MOST || !sides.is_sorted_by(|a, b| a < b) {
        let shown = sides.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
        r.reject(key, format!("[{shown}]"), format!("at most {MOST} numbers, each larger than the one before"), "");
    }
    sides.into_iter().filter_map(NonZeroU32::new).collect()
}
