//! The facts of an original, from its header and what is embedded in it: no pixel is decoded here.

use super::embedded;
use crate::metadata;
use crate::probe::Probe;
use moxcms::{ColorProfile, DataColorSpace, ProfileText};
use serde_json::{Map, Value, json};

/// The shape of the answer: raised when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// All that is told of an original. With `private`, also where and by what it was taken (`meta=keep`).
pub fn facts(original: &[u8], probe: &Probe, private: bool) -> Map<String, Value> {
    let found = metadata::read(original, probe.format);
    let (width, height) = probe.upright_size();
    let profile = found.icc.as_deref().and_then(|icc| ColorProfile::new_from_slice(icc).ok());
    let xmp = embedded::xmp(&found, private);
    let mut all = Map::new();
    all.insert("schema".into(), SCHEMA.into());
    all.insert(
        "original".into(),
        json!({
            "format": probe.format.as_str(),
            "mediaType": probe.format.media_type(),
            "bytes": original.len(),
            "blake3": blake3::hash(original).to_hex().as_str(),
            "width": width,
            "height": height,
            "stored": { "width": probe.width, "height": probe.height },
            "orientation": probe.orientation.exif(),
            "depth": probe.depth,
            "alpha": probe.has_alpha,
            "lossless": !probe.lossy,
            "frames": probe.frames,
            "plays": probe.motion.map(|motion| motion.plays),
            "durationMs": probe.motion.map(|motion| motion.micros.div_ceil(1000)),
            "colour": {
                "space": space(probe, profile.as_ref()),
                "profile": profile.as_ref().and_then(description),
                "cicp": found.cicp,
            },
            "hdr": hdr(found.cicp, &xmp),
        }),
    );
    all.insert("exif".into(), Value::Object(embedded::exif(&found, private)));
    all.insert("iptc".into(), Value::Object(embedded::iptc(&found)));
    all.insert("xmp".into(), Value::Object(xmp));
    all
}

/// What the stored numbers mean.
fn space(probe: &Probe, profile: Option<&ColorProfile>) -> &'static str {
    match profile.map(|profile| profile.color_space) {
        Some(DataColorSpace::Cmyk) => "CMYK",
        Some(DataColorSpace::Gray) => "grey",
        Some(DataColorSpace::Lab) => "Lab",
        _ if probe.gray => "grey",
        _ => "RGB",
    }
}

/// The name that a profile has for people: in English where it has several.
fn description(profile: &ColorProfile) -> Option<String> {
    let text = match profile.description.as_ref()? {
        ProfileText::PlainString(text) => text.clone(),
        ProfileText::Localizable(all) => {
            let english = all.iter().find(|text| text.language.eq_ignore_ascii_case("en"));
            english.or_else(|| all.first())?.value.clone()
        }
        ProfileText::Description(text) => text.ascii_string.clone(),
    };
    let text = text.trim_matches(|c: char| c.is_control() || c == ' ').to_owned();
    (!text.is_empty()).then_some(text)
}

/// How more than the ordinary range of brightness is stored, if it is (ITU-T H.273, table 3; ISO 21496-1).
fn hdr(cicp: Option<[u8; 4]>, xmp: &Map<String, Value>) -> Option<&'static str> {
    match cicp {
        Some([_, 16, ..]) => Some("pq"),
        Some([_, 18, ..]) => Some("hlg"),
        _ => xmp.keys().any(|name| name.starts_with("hdrgm:")).then_some("gain-map"),
    }
}
