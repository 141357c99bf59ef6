//! What a file says of itself, out of the facts of a record: EXIF, IPTC and XMP by their names, whichever says it.
//!
//! Knows the fields of docs/info.md. Of two that say the same, the one that people write with care comes first: XMP, then
//! IPTC, then EXIF (as the guidelines of the Metadata Working Group, 2010, have it for texts; for dates EXIF comes first).

use catalog::Facts;
use catalog::asset::PRIVATE;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Texts that cameras write where nobody wrote anything.
const EMPTY_WORDS: &[&str] = &[
    "OLYMPUS DIGITAL CAMERA",
    "KODAK Digital Still Camera",
    "Exif_JPEG_PICTURE",
    "SONY DSC",
    "MINOLTA DIGITAL CAMERA",
    "DIGITAL CAMERA",
    "SAMSUNG DIGITAL CAMERA",
    "Untitled",
    "default",
];

/// The facts of a record.
pub(super) struct Told<'a>(pub(super) &'a Facts);

static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl Told<'_> {
    /// One of their parts, such as `exif`; empty where it is not there.
    pub(super) fn part(&self, name: &str) -> &Map<String, Value> {
        self.0.get(name).and_then(Value::as_object).unwrap_or(&NOTHING)
    }

    fn private(&self, name: &str) -> &Map<String, Value> {
        let private = self.0.get(PRIVATE).and_then(|private| private.get(name));
        private.and_then(Value::as_object).unwrap_or(&NOTHING)
    }

    /// The first text of a field that says something.
    fn text(&self, part: &str, name: &str) -> Option<String> {
        let value = self.part(part).get(name)?;
        let text = value.as_str().or_else(|| value.as_array()?.first()?.as_str())?.trim();
        let says = !text.is_empty() && !EMPTY_WORDS.iter().any(|empty| text.eq_ignore_ascii_case(empty));
        says.then(|| text.to_owned())
    }

    fn first(&self, fields: &[(&str, &str)]) -> Option<String> {
        fields.iter().find_map(|(part, name)| self.text(part, name))
    }

    /// What the picture is called.
    pub(super) fn title(&self) -> Option<String> {
        self.first(&[("xmp", "dc:title"), ("xmp", "photoshop:Headline"), ("iptc", "ObjectName"), ("iptc", "Headline")])
    }

    /// What it shows.
    pub(super) fn description(&self) -> Option<String> {
        self.first(&[("xmp", "dc:description"), ("iptc", "Caption-Abstract"), ("exif", "ImageDescription")])
    }

    /// Make and model, the make once.
    pub(super) fn camera(&self) -> Option<String> {
        let make = self.first(&[("exif", "Make"), ("xmp", "tiff:Make")]);
        let model = self.first(&[("exif", "Model"), ("xmp", "tiff:Model")]);
        joined(make, model)
    }

    /// The lens likewise.
    pub(super) fn lens(&self) -> Option<String> {
        joined(self.text("exif", "LensMake"), self.text("exif", "LensModel"))
    }

    /// All texts of a field.
    pub(super) fn texts(&self, part: &str, name: &str) -> Vec<String> {
        let texts = match self.part(part).get(name) {
            Some(Value::String(text)) => vec![text.as_str()],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        texts.into_iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
    }

    /// When it was taken. Without an offset the camera's time is taken for UTC: it is wrong by hours, not by days.
    pub(super) fn taken(&self) -> Option<Timestamp> {
        let exif = [("DateTimeOriginal", "OffsetTimeOriginal"), ("DateTimeDigitized", "OffsetTimeDigitized")];
        let by_exif = exif.iter().find_map(|(time, offset)| {
            let time = DateTime::strptime("%Y:%m:%d %H:%M:%S", self.text("exif", time)?).ok()?;
            at(time, self.text("exif", offset).as_deref().and_then(offset_of))
        });
        let by_xmp = || {
            let fields = [("xmp", "photoshop:DateCreated"), ("xmp", "xmp:CreateDate")];
            fields.iter().find_map(|(part, name)| iso(&self.text(part, name)?))
        };
        by_exif.or_else(by_xmp).or_else(|| self.taken_by_iptc())
    }

    /// `20190501` and `120000+0200` (IIM 2:55 and 2:60).
    fn taken_by_iptc(&self) -> Option<Timestamp> {
        let date = self.text("iptc", "DateCreated")?.replace('-', "");
        let time = self.text("iptc", "TimeCreated").unwrap_or_default().replace(':', "");
        let (time, offset) = time.split_at_checked(6).unwrap_or(("000000", ""));
        let time = DateTime::strptime("%Y%m%d%H%M%S", format!("{date}{time}")).ok()?;
        at(time, offset_of(offset))
    }

    /// Degrees north and east, by GPS. It is below `private`, or with the rest where the policy of uploads keeps it there.
    pub(super) fn place(&self) -> Option<(f64, f64)> {
        [self.private("exif"), self.part("exif")].into_iter().find_map(|gps| {
            let axis = |name: &str, name_ref: &str, negative: &str| {
                let degrees = degrees(gps.get(name)?)?;
                let side = gps.get(name_ref).and_then(Value::as_str).unwrap_or_default();
                Some(if side.eq_ignore_ascii_case(negative) { -degrees } else { degrees })
            };
            let place = (axis("GPSLatitude", "GPSLatitudeRef", "S")?, axis("GPSLongitude", "GPSLongitudeRef", "W")?);
            // What devices write that know no place.
            (place != (0.0, 0.0)).then_some(place)
        })
    }
}

/// Degrees, minutes and seconds.
fn degrees(value: &Value) -> Option<f64> {
    let parts: Vec<f64> = match value {
        Value::Array(parts) => parts.iter().map(Value::as_f64).collect::<Option<_>>()?,
        one => vec![one.as_f64()?],
    };
    let sound = !parts.is_empty() && parts.iter().all(|part| (0.0..=180.0).contains(part));
    sound.then(|| parts.iter().zip([1.0, 60.0, 3600.0]).map(|(part, share)| part / share).sum())
}

fn joined(make: Option<String>, model: Option<String>) -> Option<String> {
    match (make, model) {
        (Some(make), Some(model)) => {
            let first = make.split_whitespace().next().unwrap_or_default().to_lowercase();
            let twice = !first.is_empty() && model.to_lowercase().starts_with(&first);
            Some(if twice { model } else { format!("{make} {model}") })
        }
        (make, model) => make.or(model),
    }
}

fn at(time: DateTime, offset: Option<Offset>) -> Option<Timestamp> {
    // Cameras whose clock was never set.
    let set = time.year() >= 1826 && (time.year(), time.month(), time.day()) != (1970, 1, 1);
    let zone = TimeZone::fixed(offset.unwrap_or(Offset::UTC));
    set.then(|| time.to_zoned(zone).ok()).flatten().map(|time| time.timestamp())
}

/// `+02:00`, `-0330`, `Z`.
fn offset_of(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = digits.parse().ok().filter(|_| plain)?;
    Offset::from_seconds(sign * ((number / 100) * 3600 + (number % 100) * 60)).ok()
}

/// ISO 8601 as XMP has it: with or without time, with or without offset.
fn iso(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return at(Offset::UTC.to_datetime(time), None);
    }
    at(text.parse::<DateTime>().ok()?, None)
}
