//! What is kept of an asset so that it can be found: its names, its facts, its looks, and who may see it.
//!
//! Knows nothing of how an engine keeps it. Invariant: what is read out of files is bounded by [`Document::trim`], so that no text
//! from a file's metadata makes an index swell.

use crate::colour::{ColourName, MIN_SHARE, Rgb};
use crate::words::fold;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Longest title, in characters.
const MAX_TITLE: usize = 500;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 10_000;
/// Most tags of a kind.
const MAX_TAGS: usize = 200;
/// Longest tag, camera or lens, in characters.
const MAX_NAME: usize = 100;
/// Most colours of a palette.
const MAX_PALETTE: usize = 16;

/// An asset as it can be found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Whose it is.
    pub tenant: String,
    /// The asset's id.
    pub id: Uuid,
    /// The record's revision: of two writes of one asset the higher one holds.
    pub revision: u64,
    /// The content's version.
    #[serde(default)]
    pub version: u64,
    /// Its published name inside the tenant, such as `cats/tom.jpg`.
    pub path: String,
    /// Its title; may be empty.
    #[serde(default)]
    pub title: String,
    /// What is told of it; may be empty.
    #[serde(default)]
    pub description: String,
    /// Tags that people gave.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Tags that were read out of the file.
    #[serde(default)]
    pub derived_tags: Vec<String>,
    /// Such as `image/jpeg`.
    pub media_type: String,
    /// Upright, in pixels.
    pub width: u32,
    /// Upright, in pixels.
    pub height: u32,
    /// Length of the content.
    pub bytes: u64,
    /// Frames; above 1 it moves.
    #[serde(default = "one")]
    pub frames: u32,
    /// The camera's make and model.
    #[serde(default)]
    pub camera: Option<String>,
    /// The lens.
    #[serde(default)]
    pub lens: Option<String>,
    /// When it was taken, by its metadata.
    #[serde(default)]
    pub taken: Option<Timestamp>,
    /// When the asset was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
    /// The mean colour.
    #[serde(default)]
    pub average: Option<Rgb>,
    /// Its colours, the most frequent first.
    #[serde(default)]
    pub palette: Vec<Swatch>,
    /// pHash of 64 bits; 0 says that the picture has no structure to compare.
    #[serde(default)]
    pub phash: Option<u64>,
    /// Where it was taken. Only where the policy allows that places are searched.
    #[serde(default)]
    pub place: Option<Place>,
    /// Who may see it beside its tenant.
    pub visibility: Visibility,
    /// The subject who owns it.
    pub owner: String,
    /// `ThumbHash` in base64.
    #[serde(default)]
    pub thumbhash: Option<String>,
}

fn one() -> u32 {
    1
}

/// A colour of a palette.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Swatch {
    /// The colour.
    #[schema(value_type = String, example = "#5e4e31")]
    pub colour: Rgb,
    /// How much of the picture has it, 0 to 1.
    pub share: f32,
}

/// A point on the Earth (WGS 84), in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// -90 (south) to 90.
    pub latitude: f64,
    /// -180 (west) to 180.
    pub longitude: f64,
}

impl Place {
    /// A point with coordinates that exist; `None` otherwise.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let exists = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        exists.then_some(Self { latitude, longitude })
    }
}

/// Who may see an asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members of its tenant.
    #[default]
    Tenant,
    /// Everybody.
    Public,
}

/// The shape of a picture, seen upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
    /// Sides that differ by less than a fiftieth.
    Square,
}

impl Orientation {
    /// All, in the order of their names.
    pub const ALL: [Self; 3] = [Self::Landscape, Self::Portrait, Self::Square];

    /// Of a size in pixels.
    #[must_use]
    pub fn of(width: u32, height: u32) -> Self {
        let (long, short) = (u64::from(width.max(height)), u64::from(width.min(height)));
        if (long - short) * 50 < long {
            Self::Square
        } else if width > height {
            Self::Landscape
        } else {
            Self::Portrait
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
            Self::Square => "square",
        }
    }
}

impl Document {
    /// Names of the colours with a tenth of the picture or more, each once.
    #[must_use]
    pub fn colour_names(&self) -> Vec<ColourName> {
        let mut names = Vec::new();
        for swatch in self.palette.iter().filter(|swatch| swatch.share >= MIN_SHARE) {
            let name = ColourName::of(swatch.colour);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Width times height.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Its shape.
    #[must_use]
    pub fn orientation(&self) -> Orientation {
        Orientation::of(self.width, self.height)
    }

    /// Whether it moves.
    #[must_use]
    pub fn is_animated(&self) -> bool {
        self.frames > 1
    }

    /// Both kinds of tags, folded (see [`fold`]), each once.
    #[must_use]
    pub fn all_tags(&self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for tag in self.tags.iter().chain(&self.derived_tags).map(|tag| fold(tag)) {
            if !tag.is_empty() && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        tags
    }

    /// Cuts texts and lists to what is kept: 500 characters of the title, 10,000 of the description, 200 tags of each
    /// kind, 100 characters of every tag, camera and lens, 16 colours. Colours without a share and places that do not exist go.
    #[must_use]
    pub fn trim(mut self) -> Self {
        cut(&mut self.title, MAX_TITLE);
        cut(&mut self.description, MAX_DESCRIPTION);
        for tags in [&mut self.tags, &mut self.derived_tags] {
            tags.truncate(MAX_TAGS);
            tags.iter_mut().for_each(|tag| cut(tag, MAX_NAME));
        }
        for name in [&mut self.camera, &mut self.lens].into_iter().flatten() {
            cut(name, MAX_NAME);
        }
        self.palette.retain(|swatch| swatch.share > 0.0 && swatch.share <= 1.0);
        self.palette.truncate(MAX_PALETTE);
        self.phash = self.phash.filter(|hash| *hash != 0);
        self.place = self.place.and_then(|place| Place::new(place.latitude, place.longitude));
        self
    }
}

fn cut(text: &mut String, characters: usize) {
    if let Some((at, _)) = text.char_indices().nth(characters) {
        text.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use super::Orientation;

    #[test]
    fn nearly_equal_sides_are_square() {
        for (width, height, expected) in [
            (100, 100, Orientation::Square),
            (100, 99, Orientation::Square),
            (100, 98, Orientation::Landscape),
            (3000, 4000, Orientation::Portrait),
            (u32::MAX, 1, Orientation::Landscape),
            (0, 0, Orientation::Portrait),
        ] {
            assert_eq!(Orientation::of(width, height), expected, "{width}x{height}");
        }
    }
}
