//! Text written on the picture: as large as asked or as fits, in lines no wider than the picture, in a colour that shows.

use super::Operation;
use super::channels::widen;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::layer::blend_row;
use crate::layer::position::{corner, share};
use crate::limits::Watch;
use crate::scratch::Scratch;
use crate::setup::Setup;
use crate::text::Faces;
use crate::text::font::Font;
use crate::text::line::{Line, set};
use crate::text::mask::Mask;
use cache_key::Transform;
use cache_key::transform::{Colour, Compass, Gravity, Text};
use std::sync::Arc;

/// Where the URL gives no size: this part of the picture's width,
const SIZE_OF_WIDTH: f32 = 1.0 / 20.0;
/// but no more than this part of its height, and less where the text would not fit then.
const SIZE_OF_HEIGHT: f32 = 1.0 / 4.0;
/// Smallest size that is chosen, pixels.
const LEAST_SIZE: f32 = 4.0;
/// Room between text and edge, in sizes of the text.
const MARGIN: f32 = 0.5;
/// Glyphs may cover the picture this often in all; a text that piles up more is refused.
const MOST_COVER: usize = 16;

/// Sizes and places depend on the picture that it is written on.
#[derive(Clone, Debug)]
pub struct Write {
    /// What, where, how.
    pub settings: Text,
    /// In the order in which they are asked for a character.
    pub fonts: Vec<Arc<Font>>,
    /// Multiplies size and offsets.
    pub dpr: f64,
}

/// A text set for one picture.
struct Block {
    lines: Vec<Line>,
    /// Of the widest line, pixels.
    width: f32,
    /// From the top of a line to its baseline, and from line to line.
    ascent: f32,
    step: f32,
    /// On each side.
    margin: f32,
}

impl Block {
    fn set(text: &str, faces: &Faces<'_>, room: f32) -> Self {
        let margin = faces.size * MARGIN;
        let lines = set(text, faces, (room - 2.0 * margin).max(1.0));
        let width = lines.iter().map(|line| line.width).fold(0.0, f32::max);
        let (ascent, step) = faces.line_metrics();
        Self { lines, width, ascent, step, margin }
    }

    /// With its margins, whole pixels.
    fn size(&self) -> (u32, u32) {
        let height = self.lines.len() as f32 * self.step;
        let whole = |side: f32| (side + 2.0 * self.margin).ceil().max(1.0) as u32;
        (whole(self.width), whole(height))
    }
}

impl Write {
    /// What a pass asks for, with the fonts that it may use.
    ///
    /// # Errors
    /// [`Error::NotConfigured`].
    pub(crate) fn of(transform: &Transform, setup: &Setup) -> Result<Option<Self>, Error> {
        let Some(settings) = transform.text.clone() else { return Ok(None) };
        let fonts = setup.assets.fonts(settings.font.as_deref())?;
        let dpr = transform.size.dpr.map_or(1.0, cache_key::Decimal::to_f64);
        Ok(Some(Self { settings, fonts, dpr }))
    }

    /// Sets the text for a picture. A size that was not asked for gives way until the text fits.
    fn block(&self, picture: (u32, u32), faces: &mut Faces<'_>) -> Block {
        let (width, height) = (picture.0 as f32, picture.1 as f32);
        let offset = match self.settings.gravity {
            Gravity::Compass(_, dx, _) => (f64::from(dx.max(0)) * self.dpr) as f32,
            _ => 0.0,
        };
        let room = width - offset;
        if let Some(size) = self.settings.size {
            faces.resize((f64::from(size.get()) * self.dpr) as f32);
            return Block::set(&self.settings.content, faces, room);
        }
        let mut size = (width * SIZE_OF_WIDTH).min(height * SIZE_OF_HEIGHT).max(LEAST_SIZE);
        loop {
            faces.resize(size);
            let block = Block::set(&self.settings.content, faces, room);
            if size <= LEAST_SIZE || block.size().1 <= picture.1 {
                return block;
            }
            size = (size * 0.85).max(LEAST_SIZE);
        }
    }

    /// Shares of the free room to the left of each line.
    fn alignment(&self) -> f32 {
        match self.settings.gravity {
            Gravity::Compass(compass, ..) => share(compass).0 as f32,
            _ => share(Compass::Centre).0 as f32,
        }
    }
}

impl Operation for Write {
    fn name(&self) -> &'static str {
        "text"
    }

    fn apply(&self, bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let picture = (bitmap.width(), bitmap.height());
        let mut faces = Faces::new(&self.fonts, LEAST_SIZE);
        let block = self.block(picture, &mut faces);
        let size = block.size();
        let at = corner(picture, size, self.settings.gravity, self.dpr);
        let Some(seen) = Seen::of(picture, size, at) else { return Ok(bitmap) };
        let mut mask = Mask::new(seen.width, seen.height);
        let mut budget = (picture.0 as usize * picture.1 as usize).saturating_mul(MOST_COVER);
        for (line, number) in block.lines.iter().zip(0_u16..) {
            let x = block.margin + (block.width - line.width) * self.alignment() - seen.cut.0;
            let baseline = block.margin + block.ascent + f32::from(number) * block.step - seen.cut.1;
            watch.check()?;
            for glyph in &line.glyphs {
                budget = spend(budget, mask.draw(&faces, *glyph, (x, baseline)))?;
            }
        }
        let colour = self.settings.colour.unwrap_or_else(|| contrast(&bitmap, &seen));
        Ok(paint(bitmap, &seen, &mask, colour, scratch))
    }
}

/// What is left of the pixels that glyphs may cover.
fn spend(budget: usize, pixels: usize) -> Result<usize, Error> {
    let (what, limit) = ("how often the text's letters cover the picture", MOST_COVER as u64);
    budget.checked_sub(pixels).ok_or(Error::TooLarge { what, value: limit + 1, limit })
}

/// The part of a box that lies inside of the picture.
struct Seen {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    /// What of the box is cut off at the left and at the top.
    cut: (f32, f32),
}

impl Seen {
    fn of(picture: (u32, u32), size: (u32, u32), at: (i64, i64)) -> Option<Self> {
        let span = |start: i64, length: u32, side: u32| {
            let (from, to) = (start.clamp(0, side.into()), (start + i64::from(length)).clamp(0, side.into()));
            Some((usize::try_from(from).ok()?, usize::try_from(to - from).ok().filter(|length| *length > 0)?))
        };
        let (x, width) = span(at.0, size.0, picture.0)?;
        let (y, height) = span(at.1, size.1, picture.1)?;
        Some(Self { x, y, width, height, cut: ((x as i64 - at.0) as f32, (y as i64 - at.1) as f32) })
    }

    /// The rows of the picture in it, each from its left edge on.
    fn rows<'b>(&self, bitmap: &'b Bitmap) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let channels = bitmap.layout().channels();
        let (from, to) = (self.x * channels, (self.x + self.width) * channels);
        let rows = bitmap.pixels().chunks_exact(bitmap.width() as usize * channels);
        rows.skip(self.y).take(self.height).map(move |row| &row[from..to])
    }
}

/// Black on what is light, white on what is dark (Rec. 709 weights; nothing counts as white).
fn contrast(bitmap: &Bitmap, seen: &Seen) -> Colour {
    let luma = |r: u8, g: u8, b: u8| (u64::from(r) * 54 + u64::from(g) * 183 + u64::from(b) * 19) / 256;
    let sum: u64 = seen
        .rows(bitmap)
        .map(|row| match bitmap.layout() {
            Layout::Gray => row.iter().map(|value| u64::from(*value)).sum::<u64>(),
            Layout::Rgb => row.as_chunks::<3>().0.iter().map(|p| luma(p[0], p[1], p[2])).sum(),
            Layout::Rgba => {
                let over_white = |p: &[u8; 4]| {
                    let alpha = u64::from(p[3]);
                    (luma(p[0], p[1], p[2]) * alpha + 255 * (255 - alpha)) / 255
                };
                row.as_chunks::<4>().0.iter().map(over_white).sum()
            }
        })
        .sum();
    let value = if sum / (seen.width * seen.height) as u64 > 127 { 0 } else { u8::MAX };
    Colour { r: value, g: value, b: value, a: u8::MAX }
}

fn paint(bitmap: Bitmap, seen: &Seen, mask: &Mask, colour: Colour, scratch: &mut Scratch) -> Bitmap {
    let coloured = colour.r != colour.g || colour.g != colour.b;
    let mut bitmap = match bitmap.layout() {
        Layout::Gray if coloured => widen(bitmap, Layout::Rgb, scratch),
        _ => bitmap,
    };
    let (layout, width) = (bitmap.layout(), bitmap.width() as usize);
    let channels = layout.channels();
    // Every coverage's premultiplied pixel, made once.
    let ink: [[u8; 4]; 256] = std::array::from_fn(|coverage| {
        let alpha = (coverage as u32 * u32::from(colour.a) + 127) / 255;
        let times = |value: u8| ((u32::from(value) * alpha + 127) / 255) as u8;
        [times(colour.r), times(colour.g), times(colour.b), alpha as u8]
    });
    let rows = bitmap.pixels_mut().chunks_exact_mut(width * channels).skip(seen.y);
    let mut over = vec![0; mask.width * 4];
    for (row, covered) in rows.zip(mask.values.chunks_exact(mask.width)) {
        for (pixel, value) in over.as_chunks_mut::<4>().0.iter_mut().zip(covered) {
            *pixel = ink[usize::from(*value)];
        }
        blend_row(&mut row[seen.x * channels..], layout, &over);
    }
    bitmap
}

#[cfg(test)]
mod tests {
    use super::*;
    use cache_key::{Presets, parse};

    fn written(query: &str, bitmap: Bitmap) -> Result<Bitmap, Error> {
        let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
        let write = Write::of(&transform, &Setup::default()).expect("bundled fonts").expect("a text");
        write.apply(bitmap, &Watch::new(), &mut Scratch::new(1 << 20))
    }

    fn even(width: u32, height: u32, value: u8) -> Bitmap {
        Bitmap::new(width, height, Layout::Gray, vec![value; (width * height) as usize])
    }

    /// Left, top, right, bottom of all that is not `ground`, and how much of it there is in whole pixels.
    fn ink(bitmap: &Bitmap, ground: u8) -> ([u32; 4], u32) {
        let lit = (0..).zip(bitmap.pixels()).filter(|(_, value)| **value != ground);
        let sum: u32 = lit.clone().map(|(_, value)| u32::from(value.abs_diff(ground))).sum();
        let edge = lit
            .map(|(at, _): (u32, _)| (at % bitmap.width(), at / bitmap.width()))
            .fold([u32::MAX, u32::MAX, 0, 0], |[left, top, right, bottom], (x, y)| {
                [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]
            });
        (edge, sum / 255)
    }

    #[test]
    fn it_stands_where_it_is_told() {
        let edge = |query: &str| ink(&written(query, even(200, 100, 0)).expect("written"), 0).0;
        let [left, top, right, bottom] = edge("text=Hxg&text-size=20&text-color=fff&text-g=se:10:6");
        assert!(left > 130 && top > 60, "{left} {top}");
        // Half a size of margin, and the offset.
        assert!((176..=181).contains(&right) && (80..=85).contains(&bottom), "{right} {bottom}");
        let [left, top, right, bottom] = edge("text=Hxg&text-size=20&text-color=fff");
        assert!(
            (left + right).abs_diff(200) <= 3 && (top + bottom).abs_diff(100) <= 8,
            "{left} {top} {right} {bottom}"
        );
        let [left, ..] = edge("text=Hxg&text-size=20&text-color=fff&text-g=nw:-30:0");
        assert_eq!(left, 0, "over the edge, and cut there");
    }

    #[test]
    fn it_wraps_and_never_leaves_the_picture_s_sides() {
        let words = "text=many%20words%20that%20are%20too%20long%20for%20one%20line&text-size=12&text-color=fff";
        let height = |width: u32| {
            let ([left, top, right, bottom], _) = ink(&written(words, even(width, 300, 0)).expect("written"), 0);
            assert!(left >= 5 && right <= width - 5, "{left} {right} of {width}");
            bottom - top
        };
        let (narrow, wide) = (height(60), height(400));
        assert!(narrow > 5 * wide, "{narrow} {wide}");
    }

    #[test]
    fn twice_the_pixels_is_the_same_picture() {
        let query = "text=Hxg&text-size=20&text-color=fff&text-g=sw:10:6";
        let (one, area) = ink(&written(query, even(200, 100, 0)).expect("written"), 0);
        let double = written(&format!("{query}&dpr=2"), even(400, 200, 0)).expect("written");
        let (two, fourfold) = ink(&double, 0);
        assert!(one.iter().zip(two).all(|(one, two)| (2 * one).abs_diff(two) <= 3), "{one:?} {two:?}");
        assert!((4 * area).abs_diff(fourfold) < area / 4, "{area} {fourfold}");
    }

    #[test]
    fn without_a_colour_it_shows() {
        for (ground, expected) in [(0, 255), (90, 255), (160, 0), (255, 0)] {
            let result = written("text=HHH&text-size=40", even(200, 100, ground)).expect("written");
            assert!(result.pixels().contains(&expected), "on {ground}");
            assert_eq!(result.layout(), Layout::Gray);
        }
        let red = written("text=HHH&text-color=f00", even(200, 100, 0)).expect("written");
        assert_eq!(red.layout(), Layout::Rgb);
        let clear = Bitmap::new(60, 30, Layout::Rgba, vec![0; 60 * 30 * 4]);
        let result = written("text=H&text-size=20&text-color=0080ff80", clear).expect("written");
        let solid = result.pixels().as_chunks::<4>().0.iter().filter(|pixel| **pixel == [0, 128, 255, 128]).count();
        assert!(solid > 20, "translucent on nothing is itself: {solid}");
    }

    #[test]
    fn without_a_size_it_fits() {
        let long = "lorem%20ipsum%20dolor%20sit%20amet%20".repeat(20);
        for (width, height) in [(300, 100), (100, 300), (640, 480)] {
            let result = written(&format!("text={long}&text-color=fff"), even(width, height, 0)).expect("written");
            let ([left, top, right, bottom], area) = ink(&result, 0);
            assert!(left > 0 && top > 0 && right < width && bottom < height, "{width}×{height}");
            assert!(area > width * height / 50, "{area} of {width}×{height}");
        }
        assert!(written("text=tiny", even(1, 1, 0)).is_ok());
    }

    #[test]
    fn scripts_are_written_and_what_is_missing_shows_as_missing() {
        let area = |text: &str| {
            let query = format!("text={text}&text-size=20&text-color=fff");
            ink(&written(&query, even(200, 60, 0)).expect("written"), 0).1
        };
        for text in ["a", "%C3%A9", "%D7%A9%D7%9C%D7%95%D7%9D", "%D8%B3%D9%84%D8%A7%D9%85", "%CE%A9", "%E4%B8%AD"] {
            assert!(area(text) > 10, "{text}");
        }
        assert_eq!(area("%20"), 0);
        assert_eq!(area("%E2%80%8B"), 0, "a space of no width");
    }

    #[test]
    fn work_has_an_end() {
        assert_eq!((spend(10, 10), spend(10, 3)), (Ok(0), Ok(7)));
        assert!(matches!(spend(10, 11), Err(Error::TooLarge { limit: 16, .. })));
        // As large as may be, and as many marks on one letter as fit.
        let pile = format!("text=M{}&text-size=1024&dpr=8&text-color=fff", "%E2%83%9D".repeat(300));
        assert!(written(&pile, even(300, 300, 0)).is_ok_and(|result| (result.width(), result.height()) == (300, 300)));
        let watch = Watch::new();
        watch.cancel();
        let transform = parse(Some("text=a"), &Presets::none()).expect("a valid query").transform;
        let write = Write::of(&transform, &Setup::default()).expect("fonts").expect("a text");
        assert_eq!(write.apply(even(9, 9, 0), &watch, &mut Scratch::new(0)), Err(Error::Cancelled));
    }
}
