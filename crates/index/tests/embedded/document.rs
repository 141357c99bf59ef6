//! Records of all sorts, and what is found of them.

use catalog::{Asset, AssetPath, Content, ContentHash, Facts, Visibility};
use finder::{ColourName, Rgb};
use index::{Policy, document};
use proptest::prelude::*;
use serde_json::{Value, json};

fn asset(facts: Value) -> Asset {
    let content = Content {
        hash: ContentHash::of(b"a"),
        bytes: 162_748,
        media_type: "image/jpeg".parse().expect("a type"),
        width: 512,
        height: 768,
        frames: 1,
    };
    let path: AssetPath = "cats/tom.jpg".parse().expect("a path");
    let at = "2026-11-22T09:00:00Z".parse().expect("a time");
    let mut asset = Asset::new("main".parse().expect("a tenant"), path, content, at);
    let Value::Object(facts) = facts else { panic!("facts are an object") };
    asset.facts = facts;
    asset
}

fn lighthouse() -> Value {
    json!({
        "schema": 1,
        "original": {"alpha": false, "hdr": null, "format": "JPEG"},
        "exif": {
            "Make": "NIKON CORPORATION", "Model": "NIKON D90", "LensModel": "18-105mm",
            "DateTimeOriginal": "2019:05:01 12:30:00", "OffsetTimeOriginal": "+02:00",
            "ImageDescription": "OLYMPUS DIGITAL CAMERA"
        },
        "iptc": {"Keywords": ["Lighthouse", "North  Sea"], "Caption-Abstract": "A lighthouse at dusk", "City": "Husum"},
        "xmp": {"dc:title": "Westerhever", "dc:subject": "lighthouse; dusk"},
        "looks": {
            "average": "#7b7462", "thumbhash": "nAgKHQKHeVx4B4eWenhnl2dgdQZG", "phash": "32a42dd9923bc2f8",
            "palette": [
                {"colour": "#0000ff", "share": 0.4}, {"colour": "#ff0000", "share": 0.06},
                {"colour": "#ee0000", "share": 0.05}, {"colour": "#00aa00", "share": 0.05}
            ]
        },
        "private": {"exif": {
            "GPSLatitude": [54, 22, 30], "GPSLatitudeRef": "N", "GPSLongitude": [8, 38, 24], "GPSLongitudeRef": "W"
        }}
    })
}

#[test]
fn a_picture_with_everything() {
    let found = document(&asset(lighthouse()), Policy::default());
    assert_eq!((found.title.as_str(), found.description.as_str()), ("Westerhever", "A lighthouse at dusk"));
    assert_eq!(found.camera.as_deref(), Some("NIKON D90"), "the make once");
    assert_eq!(found.lens.as_deref(), Some("18-105mm"));
    assert_eq!(found.taken.map(|time| time.to_string()).as_deref(), Some("2019-05-01T10:30:00Z"));
    assert_eq!((found.phash, found.palette.len()), (Some(0x32a4_2dd9_923b_c2f8), 4));
    assert_eq!(found.average, Some(Rgb([0x7b, 0x74, 0x62])));
    let tags = ["lighthouse", "dusk", "north sea", "portrait", "blue", "red", "jpeg", "small"];
    assert_eq!(found.derived_tags, tags, "each once, in lower case, colours by their sums");
    assert_eq!(found.place, None, "only where the policy allows");
    assert!(!serde_json::to_string(&found).unwrap().contains("usum"));
    let found = document(&asset(lighthouse()), Policy { places: true });
    let place = found.place.expect("allowed");
    assert!((place.latitude - 54.375).abs() < 1e-9 && (place.longitude + 8.64).abs() < 1e-9, "{place:?}");
    assert!(found.derived_tags.contains(&"husum".to_owned()));
}

#[test]
fn what_people_wrote_outweighs_the_file() {
    let mut asset = asset(lighthouse());
    asset.title = Some("Mine".to_owned());
    asset.description = Some("Words".to_owned());
    asset.tags = vec!["holiday".parse().unwrap()];
    asset.owner = Some("user:ann".parse().unwrap());
    asset.visibility = Visibility::Public;
    let found = document(&asset, Policy::default());
    assert_eq!((found.title.as_str(), found.description.as_str(), found.owner.as_str()), ("Mine", "Words", "user:ann"));
    assert_eq!((found.tags, found.visibility), (vec!["holiday".to_owned()], finder::Visibility::Public));
}

#[test]
fn nothing_known_makes_a_document_too() {
    let found = document(&asset(json!({})), Policy { places: true });
    assert_eq!(found.derived_tags, ["portrait", "jpeg", "small"]);
    assert_eq!((found.title.as_str(), found.camera, found.taken, found.place), ("", None, None, None));
}

#[test]
fn shapes_sizes_and_kinds_are_tags() {
    let tags = |change: &dyn Fn(&mut Asset)| {
        let mut asset = asset(json!({"original": {"alpha": true, "hdr": "pq"}}));
        change(&mut asset);
        document(&asset, Policy::default()).derived_tags
    };
    let moving = tags(&|asset| {
        asset.content.frames = 12;
        asset.content.media_type = "image/svg+xml".parse().unwrap();
        (asset.content.width, asset.content.height) = (100, 100);
    });
    assert_eq!(moving, ["square", "svg", "tiny", "animated", "transparent", "hdr"]);
    for (width, height, size) in
        [(1000, 999, "small"), (1000, 1000, "medium"), (4000, 2000, "large"), (6000, 4000, "huge")]
    {
        let found = tags(&|asset| (asset.content.width, asset.content.height) = (width, height));
        assert!(found.contains(&size.to_owned()), "{size}: {found:?}");
    }
}

#[test]
fn dates_of_all_writers() {
    let taken = |facts: Value| document(&asset(facts), Policy::default()).taken.map(|time| time.to_string());
    let some = |text: &str| Some(text.to_owned());
    for (facts, expected) in [
        (json!({"exif": {"DateTimeOriginal": "2020:02:29 23:59:59"}}), some("2020-02-29T23:59:59Z")),
        (
            json!({"exif": {"DateTimeDigitized": "2020:02:29 00:00:00", "OffsetTimeDigitized": "-03:30"}}),
            some("2020-02-29T03:30:00Z"),
        ),
        (json!({"exif": {"DateTimeOriginal": "0000:00:00 00:00:00"}}), None),
        (json!({"exif": {"DateTimeOriginal": "1970:01:01 00:00:00"}}), None),
        (
            json!({"exif": {"DateTimeOriginal": "    :  :     :  :  "}, "xmp": {"photoshop:DateCreated": "2021-06-01T10:00:00+02:00"}}),
            some("2021-06-01T08:00:00Z"),
        ),
        (json!({"xmp": {"xmp:CreateDate": "2021-06-01T10:00:00"}}), some("2021-06-01T10:00:00Z")),
        (json!({"xmp": {"photoshop:DateCreated": "2021-06-01"}}), some("2021-06-01T00:00:00Z")),
        (json!({"iptc": {"DateCreated": "20190501", "TimeCreated": "120000+0200"}}), some("2019-05-01T10:00:00Z")),
        (json!({"iptc": {"DateCreated": "2019-05-01", "TimeCreated": "12:00:00"}}), some("2019-05-01T12:00:00Z")),
        (json!({"iptc": {"DateCreated": "20190501"}}), some("2019-05-01T00:00:00Z")),
        (json!({"iptc": {"DateCreated": "é"}}), None),
    ] {
        assert_eq!(taken(facts.clone()), expected, "{facts}");
    }
}

#[test]
fn places_that_are_none() {
    let place = |gps: Value| document(&asset(json!({"private": {"exif": gps}})), Policy { places: true }).place;
    assert!(place(json!({"GPSLatitude": [1, 2, 3], "GPSLongitude": 4.5})).is_some());
    for gps in [
        json!({"GPSLatitude": [0, 0, 0], "GPSLongitude": [0, 0, 0]}),
        json!({"GPSLatitude": [120, 0, 0], "GPSLongitude": [1, 0, 0]}),
        json!({"GPSLatitude": [], "GPSLongitude": [1, 0, 0]}),
        json!({"GPSLatitude": [1, "x"], "GPSLongitude": [1, 0, 0]}),
        json!({"GPSLatitude": [1, 0, 0]}),
    ] {
        assert_eq!(place(gps.clone()), None, "{gps}");
    }
}

/// A JSON value of whatever shape, few levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,30}".prop_map(Value::from),
        "[0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

proptest! {
    #[test]
    fn facts_of_any_shape_make_a_document(
        part in prop::sample::select(vec!["exif", "iptc", "xmp", "looks", "original", "private"]),
        name in prop::sample::select(vec![
            "Make", "Model", "DateTimeOriginal", "OffsetTimeOriginal", "DateCreated", "TimeCreated", "Keywords", "dc:subject",
            "dc:title", "palette", "phash", "average", "thumbhash", "alpha", "exif", "GPSLatitude", "xmp:CreateDate",
        ]),
        value in any_value(),
    ) {
        let mut facts = Facts::new();
        let mut inner = Facts::new();
        inner.insert(name.to_owned(), value.clone());
        facts.insert(part.to_owned(), Value::Object(inner));
        let found = document(&asset(Value::Object(facts)), Policy { places: true });
        prop_assert!(found.derived_tags.iter().all(|tag| *tag == tag.to_lowercase() && !tag.is_empty()));
        let mut whole = Facts::new();
        whole.insert(part.to_owned(), value);
        let _ = document(&asset(Value::Object(whole)), Policy { places: true });
    }

    /// The colours that a document names are those of its palette, and all that have their share.
    #[test]
    fn colours_by_name_are_those_with_a_share(colours in prop::collection::vec((any::<[u8; 3]>(), 0.0_f32..0.3), 0..8)) {
        let palette: Vec<Value> =
            colours.iter().map(|(colour, share)| json!({"colour": Rgb(*colour).to_string(), "share": share})).collect();
        let found = document(&asset(json!({"looks": {"palette": palette}})), Policy::default());
        for name in ColourName::ALL {
            let share: f32 =
                colours.iter().filter(|(colour, _)| ColourName::of(Rgb(*colour)) == name).map(|(_, share)| share).sum();
            let tagged = found.derived_tags.iter().any(|tag| tag == name.as_str());
            prop_assert!(tagged == (share >= 0.1) || (share - 0.1).abs() < 1e-5, "{name:?} {share} {tagged}");
        }
    }
}
