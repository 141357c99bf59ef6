//! What the companion answers: its wire types, made of what the index found.
//!
//! Invariant: where a picture was taken is told to members of its tenant only, and only where the config allows it.

use crate::config::{Places, SearchConfig};
use crate::links::{Links, srcset};
use finder::{Bucket, Document, Facet, Highlight, Hit, Hits, Place, Reach, Rgb, Suggestion, Swatch, Total, Visibility};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// One page of what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FoundAssets)]
pub struct Assets {
    /// In the order that was asked for.
    pub assets: Vec<Asset>,
    /// How many there are on all pages.
    pub total: Total,
    /// Counts of values, of each facet that was asked for: the most frequent first.
    pub facets: BTreeMap<Facet, Vec<Bucket>>,
    /// Give it as `cursor`, beside the same query, for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How long the search took, in milliseconds; of a kept answer, how long it took then.
    #[schema(example = 4.2)]
    pub took_ms: f64,
}

/// One asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FoundAsset)]
pub struct Asset {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: String,
    /// Its published name.
    #[schema(example = "cats/tom.jpg")]
    pub path: String,
    /// The record's revision.
    pub revision: u64,
    /// The content's version.
    pub version: u64,
    /// May be empty.
    pub title: String,
    /// May be empty.
    pub description: String,
    /// Tags that people gave.
    pub tags: Vec<String>,
    /// Tags that were read out of the file.
    pub derived_tags: Vec<String>,
    /// Of the original.
    #[schema(example = "image/jpeg")]
    pub media_type: String,
    /// Upright, in pixels.
    pub width: u32,
    /// Upright, in pixels.
    pub height: u32,
    /// Length of the original.
    pub bytes: u64,
    /// Whether it moves.
    pub animated: bool,
    /// Make and model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// The lens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// When it was taken, where the picture tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
    /// When the asset was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// Who owns it.
    pub owner: String,
    /// Who may see it beside its tenant.
    pub visibility: Visibility,
    /// A placeholder: `ThumbHash` in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbhash: Option<String>,
    /// Its colours.
    pub colours: Colours,
    /// Where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// A small rendition at the edge, signed where that is needed.
    pub url: String,
    /// Renditions for the attribute `srcset`.
    pub srcset: String,
    /// The same one by one.
    pub renditions: Vec<Rendition>,
    /// What it was ordered by, with `relevance`, `colour` and `likeness`: higher is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// Where the words were found, if asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub highlights: Vec<Highlight>,
}

/// The colours of a picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Colours {
    /// The mean colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "#7b7462")]
    pub average: Option<Rgb>,
    /// The most frequent first.
    pub palette: Vec<Swatch>,
    /// Names of those with a tenth of the picture or more.
    #[schema(example = json!(["brown", "grey"]))]
    pub names: Vec<String>,
}

/// One rendition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// In pixels.
    pub width: u32,
    /// At the edge.
    pub url: String,
}

/// Completions of what is being typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestions {
    /// The most frequent first.
    pub suggestions: Vec<Suggestion>,
}

/// What an answer is made with.
pub(crate) struct Dressing<'a> {
    pub(crate) links: &'a Links,
    pub(crate) config: &'a SearchConfig,
    pub(crate) reach: &'a Reach,
    /// Unix seconds.
    pub(crate) now: u64,
}

impl Dressing<'_> {
    pub(crate) fn assets(&self, hits: Hits, took_ms: f64) -> Assets {
        let Hits { hits, total, facets, next } = hits;
        let members = self.reach.members_only();
        let assets = hits.into_iter().map(|hit| self.asset(hit, &members)).collect();
        Assets { assets, total, facets, next, took_ms }
    }

    fn asset(&self, hit: Hit, members: &Reach) -> Asset {
        let Hit { document, score, highlights } = hit;
        let linked = self.links.of(&document, self.now);
        let told = self.config.places == Places::Members && members.shows(&document);
        Asset {
            id: document.id,
            revision: document.revision,
            version: document.version,
            animated: document.is_animated(),
            colours: colours(&document),
            place: document.place.filter(|_| told),
            tenant: document.tenant,
            path: document.path,
            title: document.title,
            description: document.description,
            tags: document.tags,
            derived_tags: document.derived_tags,
            media_type: document.media_type,
            width: document.width,
            height: document.height,
            bytes: document.bytes,
            camera: document.camera,
            lens: document.lens,
            taken: document.taken,
            created: document.created,
            changed: document.changed,
            owner: document.owner,
            visibility: document.visibility,
            thumbhash: document.thumbhash,
            url: linked.url,
            srcset: srcset(&linked.renditions),
            renditions: linked.renditions.into_iter().map(|(width, url)| Rendition { width, url }).collect(),
            score,
            highlights,
        }
    }
}

fn colours(document: &Document) -> Colours {
    let names = document.colour_names().into_iter().map(|name| name.as_str().to_owned()).collect();
    Colours { average: document.average, palette: document.palette.clone(), names }
}
