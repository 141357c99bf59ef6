//! Tags that nobody gave: read out of the file, and out of its looks.
//!
//! Invariant: each is a word or phrase in lower case that somebody might type, and each is there once.

use super::Policy;
use super::facts::Told;
use catalog::Asset;
use finder::{ColourName, Orientation, Swatch};
use serde_json::Value;
use std::collections::BTreeMap;

/// A colour counts from this share of the picture on, all palette colours of one name together.
const COLOUR_SHARE: f32 = 0.1;
/// Classes of size by millions of pixels, as people speak of them: upper ends.
const SIZES: &[(f64, &str)] = &[(0.1, "tiny"), (1.0, "small"), (8.0, "medium"), (24.0, "large")];
/// What is larger than all of these.
const LARGEST: &str = "huge";
/// Keywords of one field that are a list in themselves are taken apart at these.
const SEPARATORS: [char; 2] = [';', ','];

/// All of them: keywords first.
pub(super) fn derived(asset: &Asset, told: &Told<'_>, palette: &[Swatch], policy: Policy) -> Vec<String> {
    let mut tags = Vec::new();
    keywords(told, &mut tags);
    if policy.places {
        for (part, name) in [
            ("iptc", "City"),
            ("iptc", "Province-State"),
            ("iptc", "Country-PrimaryLocationName"),
            ("xmp", "photoshop:City"),
            ("xmp", "photoshop:State"),
            ("xmp", "photoshop:Country"),
        ] {
            told.texts(part, name).iter().for_each(|text| push(&mut tags, text));
        }
    }
    push(&mut tags, Orientation::of(asset.content.width, asset.content.height).as_str());
    for name in colours(palette) {
        push(&mut tags, name.as_str());
    }
    push(&mut tags, format(asset.content.media_type.as_str()));
    push(&mut tags, size(f64::from(asset.content.width) * f64::from(asset.content.height) / 1e6));
    if asset.content.frames > 1 {
        push(&mut tags, "animated");
    }
    let original = told.part("original");
    if original.get("alpha").and_then(Value::as_bool) == Some(true) {
        push(&mut tags, "transparent");
    }
    if original.get("hdr").is_some_and(|hdr| !hdr.is_null()) {
        push(&mut tags, "hdr");
    }
    tags
}

fn keywords(told: &Told<'_>, tags: &mut Vec<String>) {
    for (part, name) in [("xmp", "dc:subject"), ("iptc", "Keywords")] {
        let texts = told.texts(part, name);
        let list_in_one = texts.len() == 1;
        for text in texts {
            match list_in_one {
                true => text.split(SEPARATORS).for_each(|word| push(tags, word)),
                false => push(tags, &text),
            }
        }
    }
}

fn push(tags: &mut Vec<String>, text: &str) {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let tag = words.join(" ");
    if !tag.is_empty() && !tags.contains(&tag) {
        tags.push(tag);
    }
}

/// Names of the colours that much of the picture has, the most frequent first.
fn colours(palette: &[Swatch]) -> Vec<ColourName> {
    let mut shares: BTreeMap<ColourName, f32> = BTreeMap::new();
    for swatch in palette {
        *shares.entry(ColourName::of(swatch.colour)).or_default() += swatch.share;
    }
    let mut named: Vec<(ColourName, f32)> = shares.into_iter().filter(|(_, share)| *share >= COLOUR_SHARE).collect();
    named.sort_by(|one, two| two.1.total_cmp(&one.1));
    named.into_iter().map(|(name, _)| name).collect()
}

/// `jpeg` of `image/jpeg`, `svg` of `image/svg+xml`.
fn format(media_type: &str) -> &str {
    let subtype = media_type.split_once('/').map_or(media_type, |(_, subtype)| subtype);
    let name = subtype.split('+').next().unwrap_or(subtype);
    name.strip_prefix("x-").unwrap_or(name)
}

fn size(megapixels: f64) -> &'static str {
    SIZES.iter().find(|(end, _)| megapixels < *end).map_or(LARGEST, |(_, name)| name)
}
