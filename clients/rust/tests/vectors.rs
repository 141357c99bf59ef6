//! The signer against `clients/vectors.json`.

use serde::Deserialize;
use tintype_sign::{Key, sign};

#[derive(Deserialize)]
struct Vectors {
    keys: Vec<Known>,
    sign: Vec<Case>,
    not_signed: Vec<Case>,
}

#[derive(Deserialize)]
struct Known {
    kid: String,
    secret: String,
    host: bool,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    url: String,
    kid: String,
    expires: Option<u64>,
    signed: Option<String>,
}

#[test]
fn the_vectors_hold() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors.json")).unwrap();
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    let key = |case: &Case| {
        let known = vectors.keys.iter().find(|known| known.kid == case.kid).expect("a key of the file");
        Key { kid: &known.kid, secret: known.secret.as_bytes(), host: known.host }
    };
    for case in &vectors.sign {
        assert_eq!(sign(&case.url, &key(case), case.expires).ok(), case.signed, "{}", case.name);
    }
    for case in &vectors.not_signed {
        assert!(sign(&case.url, &key(case), case.expires).is_err(), "{}", case.name);
    }
}

#[test]
fn secrets_are_not_printed() {
    let key = Key { kid: "k1", secret: b"an example of a secret, not to be used", host: false };
    assert!(!format!("{key:?}").contains("example"));
    assert!(sign("/a", &Key { secret: b"short", ..key }, None).is_err());
    assert!(sign("/a", &Key { kid: "k 1", ..key }, None).is_err());
    assert!(sign("/a", &key, Some(0)).is_err());
}
