//! What is asked of an index.
//!
//! Invariant: a query has a [`Reach`]; there is no other way to make one. [`Query::check`] refuses what is beyond the
//! limits, and names what, which value and what is allowed; engines check before they answer.

use crate::alike::{Alike, MAX_DISTANCE};
use crate::colour::{ColourName, MAX_WITHIN, Near};
use crate::document::{Orientation, Place};
use crate::hits::Facet;
use crate::reach::Reach;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest text, in characters.
const MAX_TEXT: usize = 500;
/// Most words of a text that count.
pub(crate) const MAX_WORDS: usize = 10;
/// Most values of one filter.
const MAX_VALUES: usize = 50;
/// Largest page.
const MAX_LIMIT: usize = 200;
/// Most values of a facet.
const MAX_BUCKETS: usize = 200;
/// Largest radius: half of the Earth's girth, in metres.
const MAX_RADIUS: f64 = 20_038_000.0;

/// A question. Everything but its reach may be changed; what is empty does not restrict.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Query {
    reach: Reach,
    /// Words that all have to be in title, tags, description, names of camera and lens, or path. A word with `-` before it
    /// must not be there. The last word may be the beginning of one.
    pub text: String,
    /// All of these tags.
    pub tags: Vec<String>,
    /// Any of these tags.
    pub any_tags: Vec<String>,
    /// None of these tags.
    pub no_tags: Vec<String>,
    /// Any of these media types.
    pub types: Vec<String>,
    /// Any of these cameras, exactly as their facet says.
    pub cameras: Vec<String>,
    /// Any of these shapes.
    pub orientations: Vec<Orientation>,
    /// Any of these names of colours.
    pub colours: Vec<ColourName>,
    /// Any of these years.
    pub years: Vec<i16>,
    /// Moving pictures, or still ones.
    pub animated: Option<bool>,
    /// Below this folder of published names, such as `cats` or `cats/2026`.
    pub folder: Option<String>,
    /// Owned by this subject.
    pub owner: Option<String>,
    /// When it was taken; pictures that do not tell are left out where this restricts.
    pub taken: Span<Timestamp>,
    /// When it was made.
    pub created: Span<Timestamp>,
    /// Length of the content.
    pub bytes: Span<u64>,
    /// Width times height.
    pub pixels: Span<u64>,
    /// In pixels.
    pub width: Span<u32>,
    /// In pixels.
    pub height: Span<u32>,
    /// With a colour near this one.
    pub near: Option<Near>,
    /// Looking like this hash.
    pub alike: Option<Alike>,
    /// Taken here. Only what members of its tenant may see is searched by place: see [`Query::area`].
    pub area: Option<Area>,
    /// Without this asset: the one that others are compared with.
    pub without: Option<Uuid>,
    /// The order.
    pub sort: Sort,
    /// Most hits of the page, 1 to 200; 0 counts only.
    pub limit: usize,
    /// Where the page begins: what [`crate::Hits::next`] of the page before said.
    pub cursor: Option<String>,
    /// What to count.
    pub facets: Vec<Facet>,
    /// Most values of each facet, 1 to 200.
    pub buckets: usize,
    /// Whether to say where the words were found.
    pub highlight: bool,
}

/// A range with both ends in it; an end that is not there is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// At least.
    pub from: Option<T>,
    /// At most.
    pub to: Option<T>,
}

impl<T> Default for Span<T> {
    fn default() -> Self {
        Self { from: None, to: None }
    }
}

impl<T: PartialOrd> Span<T> {
    /// Whether everything is in it.
    pub fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    fn is_reversed(&self) -> bool {
        matches!((&self.from, &self.to), (Some(from), Some(to)) if from > to)
    }
}

/// A part of the Earth's surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Area {
    /// Between these corners; it may cross the 180th meridian.
    Box {
        /// The corner with the lower coordinates, unless the box crosses the 180th meridian.
        south_west: Place,
        /// The opposite corner.
        north_east: Place,
    },
    /// At most so far from a point.
    Round {
        /// The point.
        centre: Place,
        /// In metres, above 0.
        metres: f64,
    },
}

/// The order of hits. Of equal ones the asset that was made later comes first, then the one with the lower id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Sort {
    /// The best match of the words first; without words as `-created`.
    #[default]
    #[serde(rename = "relevance")]
    Relevance,
    /// The nearest colour first.
    #[serde(rename = "colour")]
    Colour,
    /// The most alike first.
    #[serde(rename = "likeness")]
    Likeness,
    /// Made first.
    #[serde(rename = "created")]
    Created,
    /// Made last.
    #[serde(rename = "-created")]
    CreatedDown,
    /// Changed first.
    #[serde(rename = "changed")]
    Changed,
    /// Changed last.
    #[serde(rename = "-changed")]
    ChangedDown,
    /// Taken first; where the picture does not tell, made first.
    #[serde(rename = "taken")]
    Taken,
    /// Taken last.
    #[serde(rename = "-taken")]
    TakenDown,
    /// The shortest file first.
    #[serde(rename = "bytes")]
    Bytes,
    /// The longest file first.
    #[serde(rename = "-bytes")]
    BytesDown,
    /// The fewest pixels first.
    #[serde(rename = "pixels")]
    Pixels,
    /// The most pixels first.
    #[serde(rename = "-pixels")]
    PixelsDown,
    /// The narrowest first.
    #[serde(rename = "width")]
    Width,
    /// The widest first.
    #[serde(rename = "-width")]
    WidthDown,
    /// The lowest first.
    #[serde(rename = "height")]
    Height,
    /// The highest first.
    #[serde(rename = "-height")]
    HeightDown,
}

/// A query that is beyond the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The field, as this crate calls it.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// What is allowed.
    pub allowed: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} is not allowed: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for Rejected {}

impl Query {
    /// Everything within reach, the newest first, 50 to a page.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            text: String::new(),
            tags: Vec::new(),
            any_tags: Vec::new(),
            no_tags: Vec::new(),
            types: Vec::new(),
            cameras: Vec::new(),
            orientations: Vec::new(),
            colours: Vec::new(),
            years: Vec::new(),
            animated: None,
            folder: None,
            owner: None,
            taken: Span::default(),
            created: Span::default(),
            bytes: Span::default(),
            pixels: Span::default(),
            width: Span::default(),
            height: Span::default(),
            near: None,
            alike: None,
            area: None,
            without: None,
            sort: Sort::Relevance,
            limit: 50,
            cursor: None,
            facets: Vec::new(),
            buckets: 20,
            highlight: false,
        }
    }

    /// What may be read. With an [`Area`] it is narrowed to tenants whose member the caller is: where a picture was taken
    /// is not public with the picture.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.area.is_some() { self.reach.members_only() } else { self.reach.clone() }
    }

    /// What decides which documents there are and in which order, whoever asks and however they are shown.
    pub(crate) fn bare(&self) -> Self {
        Self {
            reach: Reach::nothing(),
            cursor: None,
            limit: 0,
            buckets: 1,
            facets: Vec::new(),
            highlight: false,
            ..self.clone()
        }
    }

    /// Refuses what is beyond the limits.
    ///
    /// # Errors
    /// [`Rejected`]: the first field that is.
    pub fn check(&self) -> Result<(), Rejected> {
        let refuse = |field, value: String, allowed: &str| Err(Rejected { field, value, allowed: allowed.to_owned() });
        let length = self.text.chars().count();
        if length > MAX_TEXT {
            return refuse("text", format!("{length} characters"), &format!("at most {MAX_TEXT} characters"));
        }
        let lists = [
            ("tags", self.tags.len()),
            ("any_tags", self.any_tags.len()),
            ("no_tags", self.no_tags.len()),
            ("types", self.types.len()),
            ("cameras", self.cameras.len()),
            ("years", self.years.len()),
        ];
        if let Some((field, count)) = lists.into_iter().find(|(_, count)| *count > MAX_VALUES) {
            return refuse(field, format!("{count} values"), &format!("at most {MAX_VALUES} values"));
        }
        if self.limit > MAX_LIMIT {
            return refuse("limit", self.limit.to_string(), &format!("0 to {MAX_LIMIT}"));
        }
        if !(1..=MAX_BUCKETS).contains(&self.buckets) {
            return refuse("buckets", self.buckets.to_string(), &format!("1 to {MAX_BUCKETS}"));
        }
        self.check_spans()?;
        self.check_nearness()
    }

    fn check_spans(&self) -> Result<(), Rejected> {
        let reversed = [
            ("taken", self.taken.is_reversed()),
            ("created", self.created.is_reversed()),
            ("bytes", self.bytes.is_reversed()),
            ("pixels", self.pixels.is_reversed()),
            ("width", self.width.is_reversed()),
            ("height", self.height.is_reversed()),
        ];
        match reversed.into_iter().find(|(_, reversed)| *reversed) {
            Some((field, _)) => Err(Rejected {
                field,
                value: "a range that ends before it begins".to_owned(),
                allowed: "an end that is not below the beginning".to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn check_nearness(&self) -> Result<(), Rejected> {
        let refuse = |field, value: String, allowed: String| Err(Rejected { field, value, allowed });
        if let Some(near) = self.near.filter(|near| !(1.0..=MAX_WITHIN).contains(&near.within)) {
            return refuse("within", near.within.to_string(), format!("1 to {MAX_WITHIN}"));
        }
        if let Some(alike) = self.alike.filter(|alike| alike.within > MAX_DISTANCE) {
            return refuse("distance", alike.within.to_string(), format!("0 to {MAX_DISTANCE}"));
        }
        match self.area {
            Some(Area::Round { metres, .. }) if !(metres > 0.0 && metres <= MAX_RADIUS) => {
                return refuse("radius", metres.to_string(), format!("above 0, up to {MAX_RADIUS} metres"));
            }
            Some(Area::Box { south_west, north_east }) if south_west.latitude > north_east.latitude => {
                let value = format!("{} to {}", south_west.latitude, north_east.latitude);
                return refuse("box", value, "a northern edge that is not south of the southern one".to_owned());
            }
            _ => {}
        }
        match self.sort {
            Sort::Colour if self.near.is_none() => {
                refuse("sort", "colour".to_owned(), "with a colour to be near to".to_owned())
            }
            Sort::Likeness if self.alike.is_none() => {
                refuse("sort", "likeness".to_owned(), "with an asset to be similar to".to_owned())
            }
            _ => Ok(()),
        }
    }
}
