//! What the catalog keeps of a picture: what the edge tells of it (`f=json`), with what is private apart.
//!
//! Invariants: place, serial numbers and owners' names are below `private` or nowhere; the whole is bounded.

use crate::inspect::{Reason, Refused};
use cache_key::transform::Format;
use cache_key::{FormatClass, Hinted, Transform, Variant};
use catalog::Facts;
use catalog::asset::PRIVATE;
use imaging::{Probe, Scratch, Setup, Watch};
use serde_json::{Map, Value};
use service::config::Choice;

/// Bytes of all facts as JSON: a record of DynamoDB has room for 400 KiB in all.
const MOST: usize = 64 << 10;
/// What is left out, one after the other, of what is larger.
const SPARE: [&str; 3] = ["xmp", "iptc", "exif"];

/// What becomes of private facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Private {
    /// Those who may edit see them.
    Keep,
    /// Nobody gets to know them from the record; the original has them.
    Drop,
}

impl Choice for Private {
    const NAMES: &'static [(&'static str, Self)] = &[("keep", Self::Keep), ("drop", Self::Drop)];
}

/// What is told of a picture.
///
/// # Errors
/// It cannot be looked at.
pub(crate) fn of(
    bytes: &[u8],
    probe: &Probe,
    private: Private,
    setup: &Setup,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Facts, Refused> {
    let mut transform = Transform::default();
    transform.output.format = Format::Json;
    let variant = Variant { transform: transform.hinted(Hinted::default()), class: FormatClass::default() };
    let told = imaging::render(bytes, &variant, setup, watch, scratch)?;
    let broken = |error: serde_json::Error| Refused::new(Reason::Damaged, error.to_string());
    let mut facts: Facts = serde_json::from_slice(&told.bytes).map_err(broken)?;
    // Of the transform, not of the picture.
    facts.remove("result");
    if private == Private::Keep {
        let all = imaging::info::facts(bytes, probe, true);
        let apart = only_in(&all, &facts);
        if !apart.is_empty() {
            facts.insert(PRIVATE.to_owned(), Value::Object(apart));
        }
    }
    bound(&mut facts);
    Ok(facts)
}

/// What of `exif`, `iptc` and `xmp` only the first one has.
fn only_in(all: &Map<String, Value>, public: &Facts) -> Map<String, Value> {
    let mut apart = Map::new();
    for part in SPARE {
        let Some(Value::Object(fields)) = all.get(part) else { continue };
        let known = public.get(part).and_then(Value::as_object);
        let fields = fields.iter().filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
        let fields: Map<String, Value> = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        if !fields.is_empty() {
            apart.insert(part.to_owned(), Value::Object(fields));
        }
    }
    apart
}

fn bound(facts: &mut Facts) {
    let length = |facts: &Facts| serde_json::to_vec(facts).map_or(usize::MAX, |text| text.len());
    for part in SPARE {
        if length(facts) <= MOST {
            return;
        }
        facts.insert(part.to_owned(), Value::Object(Map::new()));
        if let Some(Value::Object(private)) = facts.get_mut(PRIVATE) {
            private.remove(part);
        }
    }
}
