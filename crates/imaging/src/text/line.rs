//! Lines: a text broken where its writing systems allow (UAX #14) and set in the order in which it is read (UAX #9).

use super::shape::{Faces, Glyph};
use std::ops::Range;
use unicode_bidi::{Level, ParagraphBidiInfo};
use unicode_linebreak::{BreakOpportunity, linebreaks};

/// One line, from left to right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) glyphs: Vec<Glyph>,
    /// Pixels.
    pub(crate) width: f32,
}

/// Sets a text in lines of at most `width` pixels. A word that is wider is broken anywhere between its letters; a
/// letter that is wider stands alone.
pub(crate) fn set(text: &str, faces: &Faces<'_>, width: f32) -> Vec<Line> {
    text.split('\n').flat_map(|paragraph| Paragraph::new(paragraph, faces).lines(width)).collect()
}

struct Paragraph<'t, 'f> {
    text: &'t str,
    faces: &'f Faces<'f>,
    bidi: ParagraphBidiInfo<'t>,
    /// By byte: the advance of the glyphs that stand for what begins there, pixels; `None` inside of a cluster.
    advances: Vec<Option<f32>>,
}

impl<'t, 'f> Paragraph<'t, 'f> {
    fn new(text: &'t str, faces: &'f Faces<'f>) -> Self {
        let bidi = ParagraphBidiInfo::new(text, None);
        let mut advances = vec![None; text.len()];
        for run in runs(&bidi.levels) {
            let level = bidi.levels.get(run.start).copied().unwrap_or_else(Level::ltr);
            for glyph in faces.shape(text, run, level, 0.0).0 {
                if let Some(slot) = advances.get_mut(glyph.cluster) {
                    *slot = Some(slot.unwrap_or(0.0) + glyph.advance);
                }
            }
        }
        Self { text, faces, bidi, advances }
    }

    fn lines(&self, width: f32) -> Vec<Line> {
        if self.text.is_empty() {
            return vec![Line::default()];
        }
        let mut lines = Vec::new();
        let mut start = 0;
        // The last place after `start` where the line may end.
        let mut place = None;
        for (at, kind) in linebreaks(self.text) {
            while start < at && self.width(start..at) > width {
                let end = place.take().unwrap_or_else(|| self.forced_end(start, width));
                if end >= at {
                    break;
                }
                lines.push(self.line(start..end));
                start = end;
            }
            if kind == BreakOpportunity::Mandatory {
                lines.push(self.line(start..at));
                start = at;
                place = None;
            } else if at > start {
                place = Some(at);
            }
        }
        lines
    }

    /// Without the spaces at its end, which may stick out.
    fn seen(&self, range: Range<usize>) -> Range<usize> {
        let length = self.text.get(range.clone()).unwrap_or_default().trim_end().len();
        range.start..range.start + length
    }

    fn width(&self, range: Range<usize>) -> f32 {
        self.advances.get(self.seen(range)).unwrap_or_default().iter().flatten().sum()
    }

    /// The end of the longest piece that fits, of one cluster at least.
    fn forced_end(&self, start: usize, width: f32) -> usize {
        let mut sum = 0.0;
        for (at, advance) in self.advances.iter().enumerate().skip(start) {
            let Some(advance) = advance else { continue };
            if at > start && sum + advance > width {
                return at;
            }
            sum += advance;
        }
        self.text.len()
    }

    fn line(&self, range: Range<usize>) -> Line {
        let range = self.seen(range);
        let mut line = Line::default();
        if range.is_empty() {
            return line;
        }
        let (levels, runs) = self.bidi.visual_runs(range);
        for run in runs {
            let level = levels.get(run.start).copied().unwrap_or_else(Level::ltr);
            let (glyphs, width) = self.faces.shape(self.text, run, level, line.width);
            line.glyphs.extend(glyphs);
            line.width += width;
        }
        line
    }
}

/// Stretches of one level, in the order of the text.
fn runs(levels: &[Level]) -> Vec<Range<usize>> {
    let mut start = 0;
    let stretches = levels.chunk_by(|a, b| a == b);
    stretches
        .map(|stretch| {
            let run = start..start + stretch.len();
            start = run.end;
            run
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::font::{BUNDLED, Font};
    use super::*;
    use proptest::prelude::*;
    use std::sync::{Arc, LazyLock};

    static FONTS: LazyLock<[Arc<Font>; 1]> = LazyLock::new(|| [Arc::new(BUNDLED[0].read())]);

    fn lines(text: &str, width: f32) -> Vec<Line> {
        set(text, &Faces::new(&*FONTS, 20.0), width)
    }

    /// The bytes of the text that each line's glyphs stand for, from left to right.
    fn clusters(text: &str, width: f32) -> Vec<Vec<usize>> {
        lines(text, width).iter().map(|line| line.glyphs.iter().map(|glyph| glyph.cluster).collect()).collect()
    }

    #[test]
    fn lines_break_between_words_and_at_line_breaks() {
        assert_eq!(clusters("ab cd", 1e6), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(clusters("ab cd", 40.0), [vec![0, 1], vec![3, 4]], "the space at the end is not set");
        assert_eq!(clusters("a\n\nb", 1e6), [vec![0], vec![], vec![0]]);
        assert_eq!(clusters("", 10.0), [Vec::<usize>::new()]);
    }

    #[test]
    fn a_word_too_long_is_broken_between_letters() {
        assert_eq!(clusters("mmmm", 45.0), [[0, 1], [2, 3]]);
        assert_eq!(clusters("mm", 1.0), [[0], [1]], "one letter at least");
        assert_eq!(clusters("a mmmm", 45.0), [vec![0], vec![2, 3], vec![4, 5]]);
    }

    #[test]
    fn right_to_left_is_read_from_the_right() {
        // Hebrew: the first letter stands rightmost.
        let alef_bet = "\u{5d0}\u{5d1}";
        assert_eq!(clusters(alef_bet, 1e6), [[2, 0]]);
        // Latin in Hebrew keeps its own order, to the left of what comes before it.
        assert_eq!(clusters("\u{5d0} ab", 1e6), [[3, 4, 2, 0]]);
        // Hebrew in Latin.
        assert_eq!(clusters("a \u{5d0}\u{5d1} b", 1e6), [[0, 1, 4, 2, 6, 7]]);
    }

    #[test]
    fn arabic_letters_join() {
        // Beh alone, and at the beginning of a word, are different glyphs.
        let ids = |text: &str| lines(text, 1e6)[0].glyphs.iter().map(|glyph| glyph.id).collect::<Vec<_>>();
        let (alone, word) = (ids("\u{628}"), ids("\u{628}\u{628}"));
        assert_eq!(word.len(), 2);
        assert!(!word.contains(&alone[0]));
    }

    #[test]
    fn what_no_font_has_is_the_sign_for_that() {
        let line = &lines("a\u{4e2d}b", 1e6)[0];
        assert_eq!((line.glyphs.len(), line.glyphs[1].id), (3, 0));
        assert!(line.glyphs[1].advance > 0.0);
    }

    #[test]
    fn marks_stay_on_their_letter() {
        let accent = &lines("e\u{301}", 1e6)[0];
        assert!((accent.width - lines("e", 1e6)[0].width).abs() < 0.01);
        // Also one that no font has.
        assert_eq!(lines("<\u{20e2}", 1.0).len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_the_text(text in "\\PC{0,30}|[ab \u{5d0}\u{628}\u{64b}\u{200d}\u{2067}\u{2028}\n]{0,40}", width in 1.0..200.0_f32) {
            let lines = lines(&text, width);
            prop_assert!(lines.len() > text.matches('\n').count());
            for line in lines {
                prop_assert!(line.width.is_finite());
                // A letter is not broken, though its mark may have come out as a sign of its own.
                let wide = line.glyphs.iter().filter(|glyph| glyph.advance > 0.0).map(|glyph| glyph.cluster);
                let few = wide.collect::<std::collections::BTreeSet<_>>().len() <= 1;
                // Joined and kerned again at its own ends, a line may come out a little wider than it was measured.
                prop_assert!(few || line.width <= width + 20.0, "{} of {width}", line.width);
            }
        }
    }
}
