//! A document taken apart into words and numbers: what every engine keeps, and all it keeps beside the document itself.
//!
//! Knows no engine. Invariant: a tombstone has no word of the reach, so that no query can find it.

use crate::alike::{bits, quarters};
use crate::colour::{Cell, MIN_SHARE};
use crate::document::{Document, Place};
use crate::error::FinderError;
use crate::hits::Facet;
use crate::reach::Reach;
use crate::words::{distinct, fold};
use crate::write::Write;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

/// Most writes of a batch.
const MAX_BATCH: usize = 10_000;

/// Most distinct words of a field.
const MAX_WORDS: usize = 1_000;
/// Shortest and longest beginning of a word that is kept, in characters.
const STARTS: std::ops::RangeInclusive<usize> = 2..=16;

/// What words are kept of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Field {
    /// Its tenant, its visibility, and that it is there.
    Reach,
    /// Words of the title.
    Title,
    /// Words of the tags that people gave.
    Tags,
    /// Words of the description, derived tags, camera and lens.
    About,
    /// Words of the path.
    Path,
    /// Beginnings of the words of title and tags.
    Starts,
    /// Tags as a whole, folded, of both kinds.
    Tag,
    /// The media type.
    Type,
    /// The camera.
    Camera,
    /// The shape.
    Orientation,
    /// Names of colours.
    Colour,
    /// The year.
    Year,
    /// All folders of the path, and the path.
    Folder,
    /// The owner.
    Owner,
    /// `yes` or `no`.
    Moves,
    /// Cells of the palette's colours.
    Palette,
    /// The cell of the mean colour.
    Average,
    /// Quarters of the perceptual hash.
    Quarters,
    /// Bits of the perceptual hash.
    Bits,
}

impl Field {
    pub(crate) const ALL: [Self; 19] = [
        Self::Reach,
        Self::Title,
        Self::Tags,
        Self::About,
        Self::Path,
        Self::Starts,
        Self::Tag,
        Self::Type,
        Self::Camera,
        Self::Orientation,
        Self::Colour,
        Self::Year,
        Self::Folder,
        Self::Owner,
        Self::Moves,
        Self::Palette,
        Self::Average,
        Self::Quarters,
        Self::Bits,
    ];

    /// Its name in an engine.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Title => "title",
            Self::Tags => "tags",
            Self::About => "about",
            Self::Path => "path",
            Self::Starts => "starts",
            Self::Tag => "tag",
            Self::Type => "type",
            Self::Camera => "camera",
            Self::Orientation => "orientation",
            Self::Colour => "colour",
            Self::Year => "year",
            Self::Folder => "folder",
            Self::Owner => "owner",
            Self::Moves => "moves",
            Self::Palette => "palette",
            Self::Average => "average",
            Self::Quarters => "quarters",
            Self::Bits => "bits",
        }
    }

    /// Whether its values are counted.
    pub(crate) fn is_counted(self) -> bool {
        matches!(
            self,
            Self::Title | Self::Tag | Self::Type | Self::Camera | Self::Orientation | Self::Colour | Self::Year
        )
    }
}

impl From<Facet> for Field {
    fn from(facet: Facet) -> Self {
        match facet {
            Facet::Tags => Self::Tag,
            Facet::Type => Self::Type,
            Facet::Camera => Self::Camera,
            Facet::Orientation => Self::Orientation,
            Facet::Colour => Self::Colour,
            Facet::Year => Self::Year,
        }
    }
}

/// What numbers are kept of. Times are milliseconds of Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Number {
    /// When it was made.
    Created,
    /// When it was changed.
    Changed,
    /// When it was taken, where that is known.
    Taken,
    /// When it was taken, or else made.
    When,
    Bytes,
    Pixels,
    Width,
    Height,
}

impl Number {
    pub(crate) const ALL: [Self; 8] =
        [Self::Created, Self::Changed, Self::Taken, Self::When, Self::Bytes, Self::Pixels, Self::Width, Self::Height];

    /// Its name in an engine.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Taken => "taken",
            Self::When => "when",
            Self::Bytes => "bytes",
            Self::Pixels => "pixels",
            Self::Width => "width",
            Self::Height => "height",
        }
    }
}

/// A write as an engine keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: Uuid,
    pub(crate) revision: u64,
    /// `None` of a tombstone.
    pub(crate) document: Option<Document>,
    pub(crate) words: Vec<(Field, Vec<String>)>,
    pub(crate) numbers: Vec<(Number, i64)>,
    pub(crate) place: Option<Place>,
}

impl From<Write> for Record {
    fn from(write: Write) -> Self {
        match write {
            Write::Put(document) => Self::of(document.trim()),
            Write::Remove { id, revision, .. } => {
                Self { id, revision, document: None, words: Vec::new(), numbers: Vec::new(), place: None }
            }
        }
    }
}

impl Record {
    fn of(document: Document) -> Self {
        Self {
            id: document.id,
            revision: document.revision,
            words: words(&document),
            numbers: numbers(&document),
            place: document.place,
            document: Some(document),
        }
    }
}

fn numbers(document: &Document) -> Vec<(Number, i64)> {
    let length = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let taken = document.taken.map(|taken| (Number::Taken, taken.as_millisecond()));
    let mut numbers = vec![
        (Number::Created, document.created.as_millisecond()),
        (Number::Changed, document.changed.as_millisecond()),
        (Number::When, document.taken.unwrap_or(document.created).as_millisecond()),
        (Number::Bytes, length(document.bytes)),
        (Number::Pixels, length(document.pixels())),
        (Number::Width, i64::from(document.width)),
        (Number::Height, i64::from(document.height)),
    ];
    numbers.extend(taken);
    numbers
}

fn words(document: &Document) -> Vec<(Field, Vec<String>)> {
    let texts = |list: &[&str]| distinct(list.iter().copied(), MAX_WORDS);
    let tags: Vec<&str> = document.tags.iter().map(String::as_str).collect();
    let title = texts(&[&document.title]);
    let tag_words = texts(&tags);
    let mut about: Vec<&str> = vec![&document.description];
    about.extend(document.derived_tags.iter().map(String::as_str));
    about.extend([&document.camera, &document.lens].into_iter().flatten().map(String::as_str));
    let when = document.taken.unwrap_or(document.created);
    let mut fields = vec![
        (Field::Reach, Reach::words_of(&document.tenant, document.visibility)),
        (Field::Starts, starts(title.iter().chain(&tag_words))),
        (Field::Title, title),
        (Field::Tags, tag_words),
        (Field::About, texts(&about)),
        (Field::Path, texts(&[&document.path])),
        (Field::Tag, document.all_tags()),
        (Field::Type, vec![document.media_type.to_ascii_lowercase()]),
        (Field::Camera, document.camera.clone().into_iter().collect()),
        (Field::Orientation, vec![document.orientation().as_str().to_owned()]),
        (Field::Colour, document.colour_names().into_iter().map(|name| name.as_str().to_owned()).collect()),
        (Field::Year, vec![year(when)]),
        (Field::Folder, folders(&document.path)),
        (Field::Owner, vec![document.owner.clone()]),
        (Field::Moves, vec![moves(document.is_animated()).to_owned()]),
        (Field::Palette, cells(document)),
        (Field::Average, document.average.map(|average| Cell::of(average).token()).into_iter().collect()),
    ];
    if let Some(hash) = document.phash {
        fields.extend([(Field::Quarters, quarters(hash)), (Field::Bits, bits(hash))]);
    }
    fields.retain(|(_, words)| !words.is_empty());
    fields
}

/// A batch as engines keep it, unless it is too large.
pub(crate) fn records(writes: Vec<Write>) -> Result<Vec<Record>, FinderError> {
    if writes.len() > MAX_BATCH {
        return Err(FinderError::Broken(format!("{} writes at once, at most {MAX_BATCH}", writes.len())));
    }
    Ok(writes.into_iter().map(Record::from).collect())
}

/// The cells of the colours that count.
fn cells(document: &Document) -> Vec<String> {
    let mut cells = Vec::new();
    for swatch in document.palette.iter().filter(|swatch| swatch.share >= MIN_SHARE) {
        let cell = Cell::of(swatch.colour).token();
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    cells
}

/// A year as a word, such as `2026`.
fn year(when: Timestamp) -> String {
    when.to_zoned(TimeZone::UTC).year().to_string()
}

/// Whether it moves, as a word.
pub(crate) fn moves(animated: bool) -> &'static str {
    if animated { "yes" } else { "no" }
}

/// `a/b/c.jpg` lies in `a` and `a/b`, and is itself.
fn folders(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).map(str::to_owned).collect()
}

fn starts<'w>(words: impl Iterator<Item = &'w String>) -> Vec<String> {
    let mut starts = std::collections::BTreeSet::new();
    for word in words {
        let ends = word.char_indices().map(|(at, _)| at).skip(1).chain([word.len()]);
        let kept = ends.enumerate().filter(|(before, _)| STARTS.contains(&(before + 1)));
        starts.extend(kept.filter_map(|(_, end)| word.get(..end)).map(fold));
    }
    starts.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Field, Number, folders, starts};

    #[test]
    fn paths_lie_in_all_their_folders() {
        assert_eq!(folders("a/b/c.jpg"), ["a", "a/b", "a/b/c.jpg"]);
    }

    #[test]
    fn words_have_beginnings() {
        let words = ["tomé".to_owned(), "to".to_owned(), "a".to_owned()];
        assert_eq!(starts(words.iter()), ["to", "tom", "tome"]);
        assert_eq!(starts([&"x".repeat(40)].into_iter()).len(), 15);
    }

    #[test]
    fn names_are_different() {
        let mut names: Vec<&str> = Field::ALL.map(Field::name).to_vec();
        names.extend(Number::ALL.map(Number::name));
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
