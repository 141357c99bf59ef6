//! Synthetic documents: the same for the same number, with words as unevenly frequent as people's.

use finder::{Document, Place, Rgb, Swatch, Visibility};
use jiff::Timestamp;
use uuid::Uuid;

/// Different words there are.
pub(crate) const WORDS: u64 = 40_000;
const SYLLABLES: [&str; 24] = [
    "bo", "co", "di", "fu", "ga", "hal", "in", "ja", "kor", "lu", "mar", "no", "pel", "qui", "ra", "sol", "tan", "ur",
    "ver", "wi", "xa", "yon", "zet", "al",
];
const CAMERAS: [&str; 12] = [
    "Canon EOS 5D",
    "Canon EOS 450D",
    "Nikon D850",
    "Nikon Z 6",
    "Sony A7 III",
    "Fujifilm X-T4",
    "Apple iPhone 14",
    "Apple iPhone 15 Pro",
    "Google Pixel 8",
    "Samsung SM-S911B",
    "Panasonic G9",
    "Leica Q2",
];

/// A stream of numbers that look like chance (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The number of a word: the lower, the more frequent (about Zipf's law).
    pub(crate) fn word(&mut self) -> u64 {
        ((WORDS as f64).powf(self.part()) as u64).min(WORDS - 1)
    }
}

/// A word by its number: two to four syllables.
pub(crate) fn word(number: u64) -> String {
    let mut rest = number * 7 + 577;
    let mut text = String::new();
    while rest > 0 {
        text.push_str(SYLLABLES[(rest % 24) as usize]);
        rest /= 24;
    }
    text
}

fn words(chance: &mut Chance, count: u64) -> String {
    let words: Vec<String> = (0..count).map(|_| word(chance.word())).collect();
    words.join(" ")
}

pub(crate) fn document(number: u64) -> Document {
    let mut chance = Chance::of(number);
    let created = Timestamp::from_second(1_500_000_000 + i64::try_from(number * 97 % 280_000_000).unwrap_or(0));
    let created = created.unwrap_or(Timestamp::UNIX_EPOCH);
    let sizes = [(4000, 3000), (3000, 4000), (1920, 1080), (6000, 4000), (1080, 1080), (800, 600)];
    let (width, height) = sizes[chance.below(6) as usize];
    let camera = (chance.below(10) < 7).then(|| CAMERAS[chance.below(12) as usize].to_owned());
    let (titles, tags, about) = (2 + chance.below(5), chance.below(7), chance.below(30));
    let title = words(&mut chance, titles);
    let tags = (0..tags).map(|_| word(chance.word() / 8)).collect();
    let description = words(&mut chance, about);
    let mut colour = || Rgb((chance.next() as u32).to_be_bytes()[1..].try_into().unwrap_or_default());
    let shares = [0.4, 0.25, 0.15, 0.08, 0.04];
    let palette = shares.map(|share| Swatch { colour: colour(), share }).to_vec();
    let average = Some(colour());
    let place = Place::new(chance.part() * 140.0 - 60.0, chance.part() * 360.0 - 180.0);
    Document {
        tenant: format!("tenant-{}", chance.below(20)),
        id: Uuid::from_u64_pair(0x0190_0000_0000_7000 + number, 0x8000_0000_0000_0000 | chance.next() >> 2),
        revision: 1,
        version: 1,
        path: format!("{}/{}/{number}.jpg", word(chance.word() / 64), word(chance.word() / 16)),
        title,
        description,
        tags,
        derived_tags: Vec::new(),
        media_type: ["image/jpeg", "image/jpeg", "image/png", "image/webp"][chance.below(4) as usize].into(),
        width,
        height,
        bytes: 50_000 + chance.below(12_000_000),
        frames: 1,
        taken: camera.is_some().then_some(created),
        camera,
        lens: None,
        created,
        changed: created,
        average,
        palette,
        phash: Some(chance.next() | 1),
        place: place.filter(|_| number.is_multiple_of(3)),
        visibility: if number.is_multiple_of(10) { Visibility::Public } else { Visibility::Tenant },
        owner: format!("person-{}", chance.below(500)),
        thumbhash: Some("nAgKHQKHeVx4B4eWenhnl2dgdQZG".into()),
    }
}
