//! A record → the document that is found: its words, its facts, its looks.
//!
//! Pure: knows no index and reads no clock. Invariants: what is private in the record is not in the document, but for the
//! place where the policy allows it; facts of whatever shape make a document, if need be a poor one.

mod facts;
mod tags;

use catalog::{Asset, Visibility};
use facts::Told;
use finder::{Document, Place, Rgb, Swatch};
use serde_json::Value;

/// What of a record may be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether pictures can be found by where they were taken: coordinates, and names of cities and countries.
    pub places: bool,
}

/// The document of an asset.
#[must_use]
pub fn document(asset: &Asset, policy: Policy) -> Document {
    let told = Told(&asset.facts);
    let looks = told.part("looks");
    let palette = palette(looks.get("palette"));
    let colour = |name: &str| looks.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Rgb>().ok());
    let hash = looks.get("phash").and_then(Value::as_str).and_then(|text| u64::from_str_radix(text, 16).ok());
    let derived_tags = tags::derived(asset, &told, &palette, policy);
    Document {
        tenant: asset.tenant.to_string(),
        id: *asset.id.as_uuid(),
        revision: asset.revision.get(),
        version: asset.version.get(),
        path: asset.path.to_string(),
        title: asset.title.clone().or_else(|| told.title()).unwrap_or_default(),
        description: asset.description.clone().or_else(|| told.description()).unwrap_or_default(),
        tags: asset.tags.iter().map(ToString::to_string).collect(),
        derived_tags,
        media_type: asset.content.media_type.to_string(),
        width: asset.content.width,
        height: asset.content.height,
        bytes: asset.content.bytes,
        frames: asset.content.frames,
        camera: told.camera(),
        lens: told.lens(),
        taken: told.taken(),
        created: asset.created,
        changed: asset.changed,
        average: colour("average"),
        palette,
        phash: hash,
        place: policy.places.then(|| told.place()).flatten().and_then(|(north, east)| Place::new(north, east)),
        visibility: match asset.visibility {
            Visibility::Tenant => finder::Visibility::Tenant,
            Visibility::Public => finder::Visibility::Public,
        },
        owner: asset.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        thumbhash: looks.get("thumbhash").and_then(Value::as_str).map(str::to_owned),
    }
    .trim()
}

fn palette(value: Option<&Value>) -> Vec<Swatch> {
    let swatches = value.and_then(Value::as_array).into_iter().flatten();
    swatches
        .filter_map(|swatch| {
            let colour = swatch.get("colour")?.as_str()?.parse().ok()?;
            let share = swatch.get("share")?.as_f64()? as f32;
            Some(Swatch { colour, share })
        })
        .collect()
}
