//! Questions of every kind; each number asks another one. The caller is a member of all tenants: the dear case.

use crate::documents::{Chance, document, word};
use finder::{Alike, Area, ColourName, Facet, Near, NearTo, Place, Prompt, Query, Reach, Rgb, Sort};
use jiff::Timestamp;

type Question = fn(u64) -> Query;

pub(crate) const ALL: [(&str, Question); 17] = [
    ("newest, one tenant of 20", one_tenant),
    ("newest, all", newest),
    ("newest, 5 facets over everything", |number| facets(newest(number))),
    ("one word", one_word),
    ("one frequent word", frequent),
    ("two words", two_words),
    ("two words, highlights", |number| with(two_words(number), |query| query.highlight = true)),
    ("two words, 5 facets", |number| facets(two_words(number))),
    ("beginning of a word (3 letters)", beginning),
    ("beginning with a typing error (6 letters)", mistyped),
    ("word with a typing error", typing_error),
    ("tag and year, by size", tag_and_year),
    ("ranges of time and pixels", ranges),
    ("colour within 15, nearest first", colour),
    ("name of a colour, 5 facets", |number| facets(colour_name(number))),
    ("alike within 8, nearest first", alike),
    ("within 50 km", around),
];

fn everything() -> Query {
    let reach = (0..20).fold(Reach::nothing(), |reach, tenant| reach.tenant(&format!("tenant-{tenant}")));
    Query::new(reach)
}

fn with(mut query: Query, change: impl FnOnce(&mut Query)) -> Query {
    change(&mut query);
    query
}

fn of(text: String) -> Query {
    with(everything(), |query| query.text = text)
}

fn chance(number: u64) -> Chance {
    Chance::of(number ^ 0xfeed_f00d)
}

fn one_tenant(number: u64) -> Query {
    Query::new(Reach::nothing().tenant(&format!("tenant-{}", number % 20)))
}

fn newest(_: u64) -> Query {
    everything()
}

fn facets(query: Query) -> Query {
    let facets = vec![Facet::Tags, Facet::Type, Facet::Camera, Facet::Orientation, Facet::Year];
    with(query, |query| query.facets = facets)
}

fn one_word(number: u64) -> Query {
    of(format!("{} ", word(chance(number).word())))
}

fn frequent(number: u64) -> Query {
    of(format!("{} ", word(number % 10)))
}

fn two_words(number: u64) -> Query {
    let mut chance = chance(number);
    of(format!("{} {}", word(chance.word() / 16), word(chance.word())))
}

fn beginning(number: u64) -> Query {
    of(word(chance(number).word()).chars().take(3).collect())
}

/// Two neighbours swapped.
fn swapped(word: &str, length: usize) -> String {
    let mut letters: Vec<char> = word.chars().take(length).collect();
    if letters.len() > 3 {
        letters.swap(2, 3);
    }
    letters.into_iter().collect()
}

fn mistyped(number: u64) -> Query {
    of(swapped(&word(chance(number).word()), 6))
}

fn typing_error(number: u64) -> Query {
    of(format!("{} ", swapped(&word(chance(number).word()), 40)))
}

fn tag_and_year(number: u64) -> Query {
    let mut chance = chance(number);
    let (tags, years) = (vec![word(chance.word() / 8)], vec![2018 + i16::try_from(chance.below(8)).unwrap_or(0)]);
    with(everything(), |query| (query.tags, query.years, query.sort) = (tags, years, Sort::BytesDown))
}

fn ranges(number: u64) -> Query {
    let mut query = everything();
    let from = 1_500_000_000 + i64::try_from(chance(number).below(200_000_000)).unwrap_or(0);
    query.taken.from = Timestamp::from_second(from).ok();
    query.taken.to = Timestamp::from_second(from + 30_000_000).ok();
    query.pixels.from = Some(5_000_000);
    query
}

fn colour(number: u64) -> Query {
    let [_, red, green, blue] = (chance(number).next() as u32).to_be_bytes();
    let near = Near { colour: Rgb([red, green, blue]), within: 15.0, to: NearTo::Palette };
    with(everything(), |query| (query.near, query.sort) = (Some(near), Sort::Colour))
}

fn colour_name(number: u64) -> Query {
    with(everything(), |query| query.colours = vec![ColourName::ALL[(number % 11) as usize]])
}

fn alike(number: u64) -> Query {
    let hash = document(number * 4_999).phash.unwrap_or(1);
    let alike = Some(Alike { hash, within: 8 });
    with(everything(), |query| (query.alike, query.sort) = (alike, Sort::Likeness))
}

fn around(number: u64) -> Query {
    let centre = document(number * 3).place.unwrap_or(Place { latitude: 0.0, longitude: 0.0 });
    with(everything(), |query| query.area = Some(Area::Round { centre, metres: 50_000.0 }))
}

pub(crate) fn prompt(number: u64) -> Prompt {
    Prompt::new(everything().reach(), word(chance(number).word()).chars().take(3).collect::<String>())
}
