//! How texts become words, the same for documents and queries and for every engine: engines get words, never texts.
//!
//! Knows no language: there is no stemming, since nobody says in which language a title is; the beginning of a word and
//! small typing errors find it all the same. Invariant: a word has 1 to 40 characters, letters and digits only.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest word, in characters; what is longer is cut.
const MAX_WORD: usize = 40;

/// Trimmed, in lower case, without diacritics, compatible forms made one: `Ｃafé ` is `cafe`. What tags are compared by.
#[must_use]
pub fn fold(text: &str) -> String {
    text.trim().nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// The words of a text, folded, with where each stands in it (bytes).
pub(crate) fn words(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    spans(text).into_iter().flat_map(|span| {
        let folded = fold(text.get(span.clone()).unwrap_or_default());
        // Folding may make several of one: a character that stands for a whole word, say.
        let within = spans(&folded).into_iter().filter_map(|part| folded.get(part));
        let words: Vec<String> = within.map(plain).filter(|word| !word.is_empty()).collect();
        words.into_iter().map(move |word| (span.clone(), word))
    })
}

/// Letters and digits only, cut.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).take(MAX_WORD).collect()
}

/// The distinct words of some texts, in the order of their first appearance, at most `limit`.
pub(crate) fn distinct<'t>(texts: impl IntoIterator<Item = &'t str>, limit: usize) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let all = texts.into_iter().flat_map(words).map(|(_, word)| word);
    all.filter(|word| seen.insert(word.clone())).take(limit).collect()
}

/// Runs of letters, digits and marks; a character of a script without spaces stands alone.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if stands_alone(c) {
            spans.push(at..end);
            open = false;
        } else if c.is_alphanumeric() || (open && (is_combining_mark(c) || c == '\'' || c == '’')) {
            match spans.last_mut().filter(|_| open) {
                Some(span) => span.end = end,
                None => spans.push(at..end),
            }
            open = true;
        } else {
            open = false;
        }
    }
    spans
}

/// Han, Hiragana, Katakana: written without spaces.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// How many typing errors a word may have: none below 4 characters, 1 below 8, else 2.
pub(crate) fn tolerance(word: &str) -> u8 {
    match word.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// The fewest insertions, deletions, replacements and swaps of neighbours (each piece of text changed once) that make
/// one of the other; `None` above `limit`.
pub(crate) fn distance(left: &str, right: &str, limit: u8) -> Option<u8> {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > usize::from(limit) {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let mut best = (above[column] + usize::from(a != b)).min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().and_then(|last| u8::try_from(*last).ok()).filter(|last| *last <= limit)
}

#[cfg(test)]
mod tests {
    use super::{distance, distinct, fold, tolerance, words};
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<String> {
        words(text).map(|(_, word)| word).collect()
    }

    #[test]
    fn texts_become_words() {
        for (text, expected) in [
            ("Tom, the cat!", &["tom", "the", "cat"][..]),
            ("Crème brûlée", &["creme", "brulee"]),
            ("IMG_0042.JPG", &["img", "0042", "jpg"]),
            ("don't stop", &["dont", "stop"]),
            ("ＡＢＣ ﬁn", &["abc", "fin"]),
            ("黒い猫 cat", &["黒", "い", "猫", "cat"]),
            ("Straße İstanbul", &["straße", "istanbul"]),
            (" … ", &[]),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert_eq!(of(&"x".repeat(99))[0].len(), 40);
        assert_eq!(distinct(["a b a", "b c d"], 3), ["a", "b", "c"]);
        assert_eq!(fold("  Two  Words "), "two  words");
    }

    #[test]
    fn typing_errors_are_counted() {
        for (left, right, expected) in [
            ("cat", "cat", Some(0)),
            ("lighthose", "lighthouse", Some(1)),
            ("ctas", "cats", Some(1)),
            ("abc", "xyz", None),
        ] {
            assert_eq!(distance(left, right, 2), expected, "{left} {right}");
        }
        assert_eq!([tolerance("cat"), tolerance("cats"), tolerance("lighthouse")], [0, 1, 2]);
    }

    proptest! {
        #[test]
        fn words_are_where_they_say(text in "\\PC{0,60}") {
            for (span, word) in words(&text) {
                let there = text.get(span).expect("on character boundaries");
                prop_assert!(!word.is_empty() && word.chars().count() <= 40);
                prop_assert!(fold(there).contains(word.chars().next().expect("not empty")));
            }
        }

        #[test]
        fn words_of_words_are_themselves(text in "\\PC{0,60}") {
            let first = of(&text);
            prop_assert_eq!(of(&first.join(" ")), first);
        }
    }
}
