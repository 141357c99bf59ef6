//! What of EXIF, IPTC and XMP is told: named fields, without those that tell on somebody unless all of it is asked for.

use crate::metadata::Metadata;
use crate::metadata::exif::{self, Directory, Exif};
use crate::metadata::{iptc, xmp};
use serde_json::{Map, Number, Value};

/// EXIF fields that name a person, a device or a computer.
const PRIVATE_EXIF: &[&str] =
    &["CameraOwnerName", "BodySerialNumber", "LensSerialNumber", "HostComputer", "ImageUniqueID", "MakerNote"];
/// XMP name spaces that are told without asking: what the picture shows, and whose it is.
const PUBLIC_XMP: &[&str] = &[
    "dc:",
    "xmp:CreateDate",
    "xmp:Rating",
    "xmpRights:",
    "photoshop:",
    "Iptc4xmpCore:",
    "plus:",
    "cc:",
    "hdrgm:",
    "tiff:",
];
/// Properties among them that are not.
const PRIVATE_XMP: &[&str] = &["Iptc4xmpCore:CreatorContactInfo", "Iptc4xmpCore:Location", "tiff:ImageDescriptionRaw"];
/// Longer texts are cut: they are somebody's data, not facts of a picture.
const MAX_TEXT: usize = 2_000;

/// Named EXIF fields.
pub(super) fn exif(found: &Metadata<'_>, private: bool) -> Map<String, Value> {
    let Some(exif) = found.exif.as_deref().and_then(Exif::read) else { return Map::new() };
    let told = exif.fields.iter().filter_map(|field| {
        let name = field.name()?;
        let hidden = field.directory == Directory::Gps || PRIVATE_EXIF.contains(&name);
        let value = if hidden && !private { None } else { exif_value(field.value()) };
        value.map(|value| (name.to_owned(), value))
    });
    told.collect()
}

fn exif_value(value: exif::Value) -> Option<Value> {
    match value {
        exif::Value::Text(text) if !text.is_empty() => Some(cut(text)),
        exif::Value::Numbers(numbers) => match numbers.as_slice() {
            [] => None,
            [one] => number(*one),
            many => Some(Value::Array(many.iter().filter_map(|&value| number(value)).collect())),
        },
        _ => None,
    }
}

/// Whole numbers without a fraction, others with at most six places.
fn number(value: f64) -> Option<Value> {
    const WHOLE: f64 = 9e15;
    if value.fract() == 0.0 && value.abs() < WHOLE {
        return Some(Value::from(value as i64));
    }
    Number::from_f64((value * 1e6).round() / 1e6).map(Value::Number)
}

/// Named IPTC fields; those that may be there several times as lists. They describe what is shown, for whoever publishes it.
pub(super) fn iptc(found: &Metadata<'_>) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for field in found.iptc.as_deref().map(iptc::fields).unwrap_or_default() {
        let (Some(name), text) = (field.name(), cut(field.text())) else { continue };
        match all.get_mut(name) {
            None => {
                all.insert(name.into(), text);
            }
            Some(Value::Array(list)) => list.push(text),
            Some(one) => *one = Value::Array(vec![one.take(), text]),
        }
    }
    all
}

/// XMP properties by their usual prefixes; lists as lists.
pub(super) fn xmp(found: &Metadata<'_>, private: bool) -> Map<String, Value> {
    let properties = found.xmp.as_deref().map(xmp::properties).unwrap_or_default();
    let public = |name: &str| {
        PUBLIC_XMP.iter().any(|prefix| name.starts_with(prefix))
            && !PRIVATE_XMP.iter().any(|prefix| name.starts_with(prefix))
    };
    let told = properties.into_iter().filter(|property| private || public(&property.name)).filter_map(|property| {
        let mut texts: Vec<Value> = property.texts.into_iter().filter(|text| !text.is_empty()).map(cut).collect();
        let value = match texts.len() {
            0 => return None,
            1 => texts.pop()?,
            _ => Value::Array(texts),
        };
        Some((property.name, value))
    });
    told.collect()
}

fn cut(text: String) -> Value {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => Value::String(text),
    }
}
