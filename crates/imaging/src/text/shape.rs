//! Characters become glyphs: runs of one direction, script and font, each shaped by the font's own rules.
//!
//! A character that the first font lacks is taken from the next one that has it; one that none has shows the first font's
//! sign for that.

use super::font::Font;
use harfrust::{Direction, ShapeOptions, Shaper, UnicodeBuffer};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use std::ops::Range;
use std::sync::Arc;
use unicode_bidi::Level;
use unicode_script::{Script, UnicodeScript};

/// A chain of fonts at one size.
pub(crate) struct Faces<'a> {
    faces: Vec<Face<'a>>,
    /// Pixels per em.
    pub(crate) size: f32,
}

struct Face<'a> {
    font: FontRef<'a>,
    shaper: Shaper<'a>,
    /// Pixels per unit of the font's design, for a size of one pixel.
    unit: f32,
}

/// A glyph where it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Glyph {
    /// Which font of the chain.
    pub(crate) face: usize,
    /// Which glyph of the font.
    pub(crate) id: u32,
    /// Of its origin: pixels to the right of the line's left end.
    pub(crate) x: f32,
    /// Of its origin: pixels above the baseline.
    pub(crate) y: f32,
    /// Pixels to the next glyph's place.
    pub(crate) advance: f32,
    /// The byte of the text that it stands for.
    pub(crate) cluster: usize,
}

/// Neighbouring characters that are shaped together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    range: Range<usize>,
    level: Level,
    face: usize,
    script: Script,
}

impl<'a> Faces<'a> {
    /// `fonts` in the order in which they are asked for a character; not empty.
    pub(crate) fn new(fonts: &'a [Arc<Font>], size: f32) -> Self {
        let faces = fonts.iter().map(|font| {
            let face = font.face();
            let shaper = font.shaper().shaper(&face).build();
            let units = shaper.units_per_em().max(1);
            Face { font: face, shaper, unit: 1.0 / units as f32 }
        });
        Self { faces: faces.collect(), size }
    }

    /// The same fonts in another size.
    pub(crate) fn resize(&mut self, size: f32) {
        self.size = size;
    }

    /// The font of that number in the chain.
    pub(crate) fn font(&self, face: usize) -> Option<&FontRef<'a>> {
        self.faces.get(face).map(|face| &face.font)
    }

    /// Pixels from a line's top to its baseline, and from one baseline to the next, by the first font.
    pub(crate) fn line_metrics(&self) -> (f32, f32) {
        let Some(face) = self.faces.first() else { return (self.size, self.size) };
        let metrics = face.font.metrics(Size::new(self.size), LocationRef::default());
        let (ascent, descent) = (metrics.ascent.max(0.0), metrics.descent.min(0.0));
        // Fonts have stated nonsense here.
        let height = (ascent - descent + metrics.leading.max(0.0)).clamp(self.size * 0.8, self.size * 3.0);
        (ascent.min(height), height)
    }

    /// The glyphs of `range` of `text`, whose characters all have `level`, from left to right; and how wide they are.
    pub(crate) fn shape(&self, text: &str, range: Range<usize>, level: Level, x: f32) -> (Vec<Glyph>, f32) {
        let mut items = self.items(text, range, level);
        if level.is_rtl() {
            items.reverse();
        }
        let mut glyphs = Vec::new();
        let mut pen = x;
        for item in items {
            self.shape_item(text, &item, &mut pen, &mut glyphs);
        }
        (glyphs, pen - x)
    }

    fn shape_item(&self, text: &str, item: &Item, pen: &mut f32, glyphs: &mut Vec<Glyph>) {
        let (Some(face), Some(part)) = (self.faces.get(item.face), text.get(item.range.clone())) else { return };
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(part);
        buffer.set_direction(if item.level.is_rtl() { Direction::RightToLeft } else { Direction::LeftToRight });
        buffer.guess_segment_properties();
        let shaped = face.shaper.shape(buffer, ShapeOptions::new());
        let scale = face.unit * self.size;
        for (info, position) in shaped.glyph_infos().iter().zip(shaped.glyph_positions()) {
            let advance = position.x_advance as f32 * scale;
            glyphs.push(Glyph {
                face: item.face,
                id: info.glyph_id,
                x: *pen + position.x_offset as f32 * scale,
                y: position.y_offset as f32 * scale,
                advance,
                cluster: item.range.start + info.cluster as usize,
            });
            *pen += advance;
        }
    }

    /// Cuts a run of one level where the font or the script changes.
    fn items(&self, text: &str, range: Range<usize>, level: Level) -> Vec<Item> {
        let mut items: Vec<Item> = Vec::new();
        let start = range.start;
        for (at, c) in text.get(range).unwrap_or_default().char_indices() {
            let (from, to) = (start + at, start + at + c.len_utf8());
            let own = c.script();
            match items.last_mut() {
                // Spaces, marks and joiners stay with what they follow, as long as its font can draw them.
                Some(last)
                    if (is_shared(own) || own == last.script || is_shared(last.script))
                        && self.draws(last.face, c, own) =>
                {
                    last.range.end = to;
                    if is_shared(last.script) {
                        last.script = own;
                    }
                }
                _ => {
                    let face = (0..self.faces.len()).find(|face| self.has(*face, c)).unwrap_or(0);
                    items.push(Item { range: from..to, level, face, script: own });
                }
            }
        }
        items
    }

    /// Whether a character can go on in this font: it has it, or the character shows nothing by itself, or a better
    /// font does not exist.
    fn draws(&self, face: usize, c: char, script: Script) -> bool {
        let invisible =
            c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}');
        invisible || script == Script::Inherited || {
            let first = (0..self.faces.len()).find(|face| self.has(*face, c));
            first.is_none_or(|first| first == face)
        }
    }

    fn has(&self, face: usize, c: char) -> bool {
        self.font(face).is_some_and(|font| font.charmap().map(c).is_some_and(|glyph| glyph.to_u32() != 0))
    }
}

fn is_shared(script: Script) -> bool {
    matches!(script, Script::Common | Script::Inherited | Script::Unknown)
}
