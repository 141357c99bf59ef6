//! The documents that are looked for.

use finder::{Document, Place, Swatch, Visibility, Write};
use jiff::Timestamp;
use uuid::Uuid;

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A document with a number: its id, and when it was made.
pub(crate) fn numbered(number: u64, path: &str, title: &str, tags: &[&str]) -> Document {
    let created = Timestamp::from_second(1_700_000_000 + i64::try_from(number).expect("a small number") * 60);
    let created = created.expect("a time of this century");
    Document {
        tenant: "main".into(),
        id: Uuid::from_u128(u128::from(number)),
        revision: 1,
        version: 1,
        path: path.into(),
        title: title.into(),
        description: String::new(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        derived_tags: Vec::new(),
        media_type: "image/jpeg".into(),
        width: 4000,
        height: 3000,
        bytes: 1_000_000 + number,
        frames: 1,
        camera: None,
        lens: None,
        taken: None,
        created,
        changed: created,
        average: None,
        palette: Vec::new(),
        phash: None,
        place: None,
        visibility: Visibility::Tenant,
        owner: "ann".into(),
        thumbhash: None,
    }
}

pub(crate) fn put(document: &Document) -> Write {
    Write::Put(Box::new(document.clone()))
}

fn palette(colours: &[(&str, f32)]) -> Vec<Swatch> {
    colours.iter().map(|(colour, share)| Swatch { colour: colour.parse().expect("a colour"), share: *share }).collect()
}

/// Some pictures of one tenant.
pub(crate) fn some() -> Vec<Document> {
    let mut all = vec![
        numbered(1, "sea/light.jpg", "Lighthouse at dusk", &["sea", "Evening"]),
        numbered(2, "cats/tom.jpg", "Tom, the cat", &["cat", "pet"]),
        numbered(3, "cats/small/kit.jpg", "Kitten", &["cat", "lighthouse"]),
        numbered(4, "dogs/rex.jpg", "Rex", &["dog", "pet"]),
        numbered(5, "sea/boat.png", "Crème brûlée on a boat", &["food"]),
        numbered(6, "misc/lighthouse.gif", "Untitled", &[]),
        numbered(7, "misc/old.jpg", "Holiday", &["New York", "city"]),
        numbered(8, "misc/new.jpg", "Holidays again", &["new york"]),
        numbered(9, "nacht.jpg", "黒い猫", &["cat"]),
    ];
    all[1].description = "He sleeps near the lighthouse of <b>Dover</b>, all day long.".into();
    all[2].derived_tags = vec!["macro".into()];
    all[3].camera = Some("Canon EOS 450D".into());
    all[3].lens = Some("EF 50mm".into());
    all[6].camera = Some("Canon EOS 450D".into());
    all[4].media_type = "image/png".into();
    all[5].media_type = "image/gif".into();
    all[5].frames = 12;
    (all[0].width, all[0].height) = (3000, 4000);
    (all[4].width, all[4].height) = (1000, 1000);
    (all[8].width, all[8].height) = (640, 480);
    all[0].taken = Some(time("2019-07-01T12:00:00Z"));
    all[6].taken = Some(time("2001-01-01T00:00:00Z"));
    all[0].palette = palette(&[("#ff0000", 0.6), ("#ffffff", 0.05)]);
    all[1].palette = palette(&[("#f01010", 0.3), ("#0000ff", 0.3)]);
    all[2].palette = palette(&[("#00a000", 0.9)]);
    all[3].palette = palette(&[("#ff8c00", 0.5)]);
    all[0].average = Some("#cc2222".parse().expect("a colour"));
    all[1].average = Some("#802080".parse().expect("a colour"));
    all[0].place = Place::new(51.13, 1.34);
    all[1].place = Place::new(48.85, 2.35);
    all[2].place = Place::new(-17.7, 179.5);
    all[3].place = Place::new(-17.7, -179.5);
    all[0].phash = Some(0xf0f0_f0f0_f0f0_f0f0);
    all[1].phash = Some(0xf0f0_f0f0_f0f0_f0f3);
    all[2].phash = Some(0x0f0f_0f0f_0f0f_0f0f);
    all[7].owner = "bob".into();
    all
}
