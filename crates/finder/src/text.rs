//! How words rank: by where they are found and how well they match, never by how rare they are.
//!
//! For each word of a query the best class counts, and the sum of these is the score: a whole number that depends on the
//! query and the document alone. So engines agree, and what is added between two pages moves nothing.
//! (`docs/decisions/0088-ranking-by-classes.md`)

use crate::document::Document;
use crate::hits::{Highlight, Piece};
use crate::plan::{Class, Criterion, Match};
use crate::query::MAX_WORDS;
use crate::record::Field;
use crate::words::{distance, distinct, tolerance, words};

/// Fields and their weights: title before tags before description before path.
const FIELDS: [(Field, u32); 4] = [(Field::Title, 16), (Field::Tags, 10), (Field::About, 6), (Field::Path, 4)];
const EXACT: u32 = 8;
const PREFIX: u32 = 5;
const ONE_TYPO: u32 = 3;
const TWO_TYPOS: u32 = 1;
/// A mistyped beginning of a word of title or tags.
const TYPED: u32 = 3;
/// Longest part of a description that is shown, in characters.
const EXCERPT: usize = 240;

/// A text taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// All of these, in order.
    pub(crate) wanted: Vec<String>,
    /// None of these.
    pub(crate) unwanted: Vec<String>,
    /// Whether the last wanted word may go on.
    pub(crate) typing: bool,
}

impl Text {
    /// Words with `-` before them are unwanted. Of more than ten words the first ten count.
    pub(crate) fn of(text: &str) -> Self {
        let (unwanted, wanted): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|part| part.len() > 1 && part.starts_with('-'));
        let typing = !text.ends_with(char::is_whitespace)
            && !text.split_whitespace().last().is_some_and(|last| unwanted.contains(&last));
        let of = |parts: &[&str]| distinct(parts.iter().copied(), MAX_WORDS);
        Self { wanted: of(&wanted), unwanted: of(&unwanted), typing }
    }

    /// One criterion for each wanted word.
    pub(crate) fn criteria(&self) -> Vec<Criterion> {
        let last = self.wanted.len().saturating_sub(1);
        self.wanted.iter().enumerate().map(|(at, word)| criterion(word, self.typing && at == last)).collect()
    }

    /// The unwanted words, to be found nowhere.
    pub(crate) fn refusals(&self) -> Vec<Class> {
        let of =
            |word: &String| FIELDS.map(|(field, _)| Class { weight: 0, field, matches: Match::Word(word.clone()) });
        self.unwanted.iter().flat_map(of).collect()
    }

    /// Where the wanted words are in a document.
    pub(crate) fn highlights(&self, document: &Document) -> Vec<Highlight> {
        let mut found = Vec::new();
        let texts = [("title", &document.title), ("description", &document.description), ("path", &document.path)];
        for (field, text) in texts {
            found.extend(
                self.pieces(text, field == "description").map(|pieces| Highlight { field: field.into(), pieces }),
            );
        }
        for tag in &document.tags {
            found.extend(self.pieces(tag, false).map(|pieces| Highlight { field: "tags".into(), pieces }));
        }
        found
    }

    /// A text cut at the words found in it; `None` where there is none.
    fn pieces(&self, text: &str, excerpt: bool) -> Option<Vec<Piece>> {
        let hits: Vec<_> = words(text).filter(|(_, word)| self.finds(word)).map(|(span, _)| span).collect();
        let first = hits.first()?.start;
        let window = if excerpt { window(text, first) } else { 0..text.len() };
        let (mut pieces, mut at) = (Vec::new(), window.start);
        let mut push = |from: usize, to: usize, hit: bool| {
            if let Some(text) = text.get(from..to).filter(|text| !text.is_empty()) {
                pieces.push(Piece { text: text.to_owned(), hit });
            }
        };
        for span in hits.into_iter().filter(|span| span.end <= window.end) {
            if span.start < at {
                continue; // two words in one character
            }
            push(at, span.start, false);
            push(span.start, span.end, true);
            at = span.end;
        }
        push(at, window.end, false);
        Some(pieces)
    }

    fn finds(&self, word: &str) -> bool {
        let last = self.wanted.len().saturating_sub(1);
        self.wanted.iter().enumerate().any(|(at, wanted)| {
            let begins = self.typing && at == last && word.starts_with(wanted.as_str());
            begins || distance(wanted, word, tolerance(wanted)).is_some()
        })
    }
}

fn criterion(word: &str, typing: bool) -> Criterion {
    let tolerance = tolerance(word);
    let mut classes = Vec::new();
    for (field, weight) in FIELDS {
        let mut class = |quality, matches| classes.push(Class { weight: weight * quality, field, matches });
        class(EXACT, Match::Word(word.to_owned()));
        if typing {
            class(PREFIX, Match::Prefix(word.to_owned()));
        }
        if tolerance >= 1 {
            class(ONE_TYPO, Match::Typos(word.to_owned(), 1));
        }
        if tolerance >= 2 {
            class(TWO_TYPOS, Match::Typos(word.to_owned(), 2));
        }
    }
    if typing && tolerance >= 1 {
        classes.push(Class { weight: TYPED, field: Field::Starts, matches: Match::Typos(word.to_owned(), tolerance) });
    }
    Criterion(classes)
}

/// A part of a text round a place in it, cut between characters.
fn window(text: &str, at: usize) -> std::ops::Range<usize> {
    let back = text.get(..at).map_or(0, |before| before.char_indices().rev().nth(EXCERPT / 4).map_or(0, |(at, _)| at));
    let rest = text.get(back..).unwrap_or_default();
    let end = rest.char_indices().nth(EXCERPT).map_or(text.len(), |(length, _)| back + length);
    back..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str, query: &str) -> Option<String> {
        let pieces = Text::of(query).pieces(text, true)?;
        Some(
            pieces
                .iter()
                .map(|piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text.clone() })
                .collect(),
        )
    }

    #[test]
    fn texts_are_taken_apart() {
        let text = Text::of("Red  cat -dog - lightho");
        assert_eq!(
            (text.wanted, text.unwanted, text.typing),
            (vec!["red".into(), "cat".into(), "lightho".into()], vec!["dog".to_owned()], true)
        );
        assert!(!Text::of("cat ").typing && !Text::of("cat -do").typing);
        assert_eq!(Text::of(""), Text { typing: true, ..Text::default() });
    }

    #[test]
    fn words_are_shown_where_they_are() {
        assert_eq!(shown("A lighthouse, by night", "ghost").as_deref(), None);
        assert_eq!(shown("A lighthouse, by night", "lighthuose").as_deref(), Some("A [lighthouse], by night"));
        assert_eq!(shown("A lighthouse, by night", "by lightho").as_deref(), Some("A [lighthouse], [by] night"));
        assert_eq!(shown("<b>Café</b>", "cafe").as_deref(), Some("<b>[Café]</b>"));
    }

    proptest! {
        #[test]
        fn pieces_make_the_text_again(text in "[a-c ]{0,40}", query in "[a-c]{1,3}") {
            if let Some(pieces) = Text::of(&query).pieces(&text, false) {
                prop_assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
                prop_assert!(pieces.iter().any(|piece| piece.hit));
            }
        }

        #[test]
        fn an_excerpt_is_short_and_has_the_word(before in "[é ]{0,400}", after in "[é ]{0,400}") {
            let text = format!("{before} cat {after}");
            let pieces = Text::of("cat ").pieces(&text, true).expect("it is there");
            prop_assert!(pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>() <= EXCERPT);
            prop_assert!(pieces.iter().any(|piece| piece.hit && piece.text == "cat"));
        }
    }
}
