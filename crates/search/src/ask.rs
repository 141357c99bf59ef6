//! What callers ask: the parameters of `/search/v1/assets`, and the query that they make.
//!
//! Invariant: what is not plainly right is refused with its parameter, its value and what is allowed.

use crate::config::{Places, SearchConfig};
use companion::{Problem, code};
use finder::{Area, ColourName, Facet, FinderError, Near, NearTo, Orientation, Place, Query, Reach, Rejected, Sort};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Distance in bits up to which pictures are alike, unless said otherwise.
pub(crate) const DISTANCE: u8 = 10;
/// Distance of colours, likewise.
const WITHIN: f32 = 20.0;

/// What a colour is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ColourOf {
    /// Any colour with a tenth of the picture or more.
    #[default]
    Palette,
    /// The mean colour.
    Average,
}

/// The parameters of a search. Those that take several values are repeated: `tag=cat&tag=pet`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Ask {
    /// Words that all have to be there; `-word` must not. The last one may be the beginning of a word, unless a space
    /// follows. Small typing errors are forgiven from four letters on.
    #[param(max_length = 200, required = false)]
    pub(crate) q: String,
    /// Only this tenant's, of those that the caller reaches.
    pub(crate) tenant: Option<String>,
    /// All of these tags.
    #[param(required = false, max_items = 50)]
    pub(crate) tag: Vec<String>,
    /// Any of these tags.
    #[param(required = false, max_items = 50)]
    pub(crate) any_tag: Vec<String>,
    /// None of these tags.
    #[param(required = false, max_items = 50)]
    pub(crate) no_tag: Vec<String>,
    /// Any of these media types.
    #[param(required = false, max_items = 50)]
    pub(crate) r#type: Vec<String>,
    /// Any of these cameras, as their facet says.
    #[param(required = false, max_items = 50)]
    pub(crate) camera: Vec<String>,
    /// Any of these shapes.
    #[param(required = false)]
    pub(crate) orientation: Vec<Orientation>,
    /// Any of these names of colours: black, blue, brown, green, grey, orange, pink, purple, red, white, yellow.
    #[param(required = false, value_type = Vec<ColourName>)]
    pub(crate) colour_name: Vec<String>,
    /// Any of these years: of when it was taken, or else made.
    #[param(required = false, max_items = 50)]
    pub(crate) year: Vec<i16>,
    /// Moving pictures, or still ones.
    pub(crate) animated: Option<bool>,
    /// Below this folder.
    pub(crate) folder: Option<String>,
    /// Owned by this subject.
    pub(crate) owner: Option<String>,
    /// Taken then or later.
    pub(crate) taken_from: Option<Timestamp>,
    /// Taken then or earlier.
    pub(crate) taken_to: Option<Timestamp>,
    /// Made then or later.
    pub(crate) created_from: Option<Timestamp>,
    /// Made then or earlier.
    pub(crate) created_to: Option<Timestamp>,
    /// Length of the file, at least.
    pub(crate) min_bytes: Option<u64>,
    /// Length of the file, at most.
    pub(crate) max_bytes: Option<u64>,
    /// Millions of pixels, at least.
    #[param(minimum = 0, maximum = 1_000_000_000)]
    pub(crate) min_megapixels: Option<f64>,
    /// Millions of pixels, at most.
    #[param(minimum = 0, maximum = 1_000_000_000)]
    pub(crate) max_megapixels: Option<f64>,
    /// In pixels.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    pub(crate) min_width: Option<u32>,
    /// In pixels.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    pub(crate) max_width: Option<u32>,
    /// In pixels.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    pub(crate) min_height: Option<u32>,
    /// In pixels.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    pub(crate) max_height: Option<u32>,
    /// With a colour near this one, such as `ff8800`.
    #[param(pattern = "^#?[0-9A-Fa-f]{6}$")]
    pub(crate) colour: Option<String>,
    /// Largest distance of that colour (CIE76 ΔE), 1 to 40; 20 by itself.
    #[param(minimum = 1, maximum = 40)]
    pub(crate) colour_within: Option<f32>,
    /// What that colour is compared with.
    pub(crate) colour_of: Option<ColourOf>,
    /// Looking like this asset.
    pub(crate) similar_to: Option<Uuid>,
    /// Most bits of the perceptual hash that differ, 0 to 15; 10 by itself.
    #[param(maximum = 15)]
    pub(crate) distance: Option<u8>,
    /// Taken near this point: `latitude,longitude`. Only pictures of tenants whose member the caller is.
    #[param(pattern = "^-?([0-8]?[0-9](\\.[0-9]{1,9})?|90),-?((1[0-7][0-9]|[0-9]{1,2})(\\.[0-9]{1,9})?|180)$")]
    pub(crate) near: Option<String>,
    /// How near, in metres; 10000 by itself.
    #[param(minimum = 1, maximum = 20_038_000)]
    pub(crate) radius: Option<f64>,
    /// Taken in this box: `south,west,north,east`.
    #[param(pattern = "^-?([0-8]?[0-9](\\.[0-9]{1,9})?|90)(,-?([0-8]?[0-9](\\.[0-9]{1,9})?|90)){3}$")]
    pub(crate) r#box: Option<String>,
    /// The order.
    pub(crate) sort: Option<Sort>,
    /// Assets of a page; 0 counts only; 50 by itself.
    #[param(maximum = 200)]
    pub(crate) limit: Option<usize>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// What to count.
    #[param(required = false)]
    pub(crate) facet: Vec<Facet>,
    /// Most values of each facet, 1 to 200; 20 by itself.
    #[param(minimum = 1, maximum = 200)]
    pub(crate) buckets: Option<usize>,
    /// Whether to tell where the words were found.
    #[param(required = false)]
    pub(crate) highlight: bool,
}

impl Ask {
    /// The query, but for what it is to be similar to.
    pub(crate) fn query(&self, reach: Reach, config: &SearchConfig) -> Result<Query, Problem> {
        let mut query = Query::new(reach);
        text(&self.q, config)?;
        query.text.clone_from(&self.q);
        (query.tags, query.any_tags, query.no_tags) = (self.tag.clone(), self.any_tag.clone(), self.no_tag.clone());
        (query.types, query.cameras) = (self.r#type.clone(), self.camera.clone());
        (query.orientations, query.years) = (self.orientation.clone(), self.year.clone());
        query.colours = self.colour_name.iter().map(|name| colour_name(name)).collect::<Result<_, _>>()?;
        (query.animated, query.folder, query.owner) = (self.animated, self.folder.clone(), self.owner.clone());
        (query.taken.from, query.taken.to) = (self.taken_from, self.taken_to);
        (query.created.from, query.created.to) = (self.created_from, self.created_to);
        let lengths = [("query.minBytes", self.min_bytes), ("query.maxBytes", self.max_bytes)];
        for (field, bytes) in lengths.into_iter().filter_map(|(field, bytes)| Some((field, bytes?))) {
            if i64::try_from(bytes).is_err() {
                return Err(Problem::field(field, bytes, format!("0 to {}", i64::MAX)));
            }
        }
        (query.bytes.from, query.bytes.to) = (self.min_bytes, self.max_bytes);
        query.pixels.from = pixels("query.minMegapixels", self.min_megapixels, f64::ceil)?;
        query.pixels.to = pixels("query.maxMegapixels", self.max_megapixels, f64::floor)?;
        (query.width.from, query.width.to) = (self.min_width, self.max_width);
        (query.height.from, query.height.to) = (self.min_height, self.max_height);
        query.near = self.colour()?;
        query.area = self.area(config)?;
        query.sort = self.sort.unwrap_or_default();
        query.limit = self.limit.unwrap_or(50.min(config.limit));
        if query.limit > config.limit {
            return Err(Problem::field("query.limit", query.limit, format!("0 to {}", config.limit)));
        }
        query.cursor.clone_from(&self.cursor);
        query.facets.clone_from(&self.facet);
        query.buckets = self.buckets.unwrap_or(query.buckets);
        query.highlight = self.highlight;
        Ok(query)
    }

    fn colour(&self) -> Result<Option<Near>, Problem> {
        let Some(text) = &self.colour else {
            return match (self.colour_within, self.colour_of) {
                (None, None) => Ok(None),
                _ => Err(Problem::missing("query.colour", "a colour such as ff8800, beside colourWithin or colourOf")),
            };
        };
        let colour = text.parse().map_err(|_| Problem::field("query.colour", text, "rrggbb in hexadecimal"))?;
        let to = match self.colour_of.unwrap_or_default() {
            ColourOf::Palette => NearTo::Palette,
            ColourOf::Average => NearTo::Average,
        };
        Ok(Some(Near { colour, within: self.colour_within.unwrap_or(WITHIN), to }))
    }

    fn area(&self, config: &SearchConfig) -> Result<Option<Area>, Problem> {
        let asked = self.near.is_some() || self.r#box.is_some() || self.radius.is_some();
        if asked && config.places == Places::Nobody {
            return Err(Problem::new(code::FORBIDDEN, "Places are not searched here ([search] places = \"nobody\")."));
        }
        match (&self.near, &self.r#box) {
            (Some(_), Some(text)) => Err(Problem::field("query.box", text, "either near or box")),
            (None, None) if self.radius.is_some() => Err(Problem::missing("query.near", "a point, beside radius")),
            (None, None) => Ok(None),
            (Some(text), None) => {
                let allowed = "latitude,longitude in degrees, such as 51.5,-0.12";
                let place = numbers(text).and_then(|[latitude, longitude]| Place::new(latitude, longitude));
                let centre = place.ok_or_else(|| Problem::field("query.near", text, allowed))?;
                Ok(Some(Area::Round { centre, metres: self.radius.unwrap_or(10_000.0) }))
            }
            (None, Some(text)) => {
                let corners = numbers(text).and_then(|[south, west, north, east]| {
                    Some(Area::Box { south_west: Place::new(south, west)?, north_east: Place::new(north, east)? })
                });
                let allowed = "south,west,north,east in degrees";
                corners.map(Some).ok_or_else(|| Problem::field("query.box", text, allowed))
            }
        }
    }
}

/// A text within the config's limit.
pub(crate) fn text(text: &str, config: &SearchConfig) -> Result<(), Problem> {
    if text.chars().count() > config.text {
        return Err(Problem::field("query.q", text, format!("at most {} characters", config.text)));
    }
    Ok(())
}

fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let numbers: Vec<f64> = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

fn colour_name(text: &str) -> Result<ColourName, Problem> {
    let names = ColourName::ALL.map(ColourName::as_str);
    let found = ColourName::ALL.into_iter().find(|name| name.as_str() == text);
    found.ok_or_else(|| Problem::field("query.colourName", text, names.join(", ")))
}

fn pixels(field: &str, megapixels: Option<f64>, round: fn(f64) -> f64) -> Result<Option<u64>, Problem> {
    let Some(megapixels) = megapixels else { return Ok(None) };
    if !(0.0..=1e9).contains(&megapixels) {
        return Err(Problem::field(field, megapixels, "0 to 1000000000"));
    }
    Ok(Some(round(megapixels * 1e6) as u64))
}

/// What the index says went wrong, as callers are told.
pub(crate) fn problem(error: FinderError) -> Problem {
    match error {
        FinderError::Query(Rejected { field, value, allowed }) => Problem::field(parameter(field), value, allowed),
        FinderError::Unavailable(why) => Problem::unavailable(why),
        FinderError::TimedOut => Problem::new(code::TIMED_OUT, "The search took too long. Ask for less, or try again."),
        FinderError::Broken(why) | FinderError::Generation(why) => Problem::internal(why),
    }
}

/// A field of the index's query as callers know it.
fn parameter(field: &str) -> &'static str {
    match field {
        "text" => "query.q",
        "tags" => "query.tag",
        "any_tags" => "query.anyTag",
        "no_tags" => "query.noTag",
        "types" => "query.type",
        "cameras" => "query.camera",
        "years" => "query.year",
        "limit" => "query.limit",
        "buckets" => "query.buckets",
        "cursor" => "query.cursor",
        "taken" => "query.takenFrom",
        "created" => "query.createdFrom",
        "bytes" => "query.minBytes",
        "pixels" => "query.minMegapixels",
        "width" => "query.minWidth",
        "height" => "query.minHeight",
        "within" => "query.colourWithin",
        "distance" => "query.distance",
        "radius" => "query.radius",
        "box" => "query.box",
        "sort" => "query.sort",
        _ => "query",
    }
}
