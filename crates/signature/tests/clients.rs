//! The signers of `clients/`, each against `clients/vectors.json`, which this crate makes (`TINTYPE_BLESS=1` writes it
//! anew) and holds. A language that is not installed is skipped, aloud.

use serde_json::{Value, json};
use signature::{Key, Refused, Request, SignError, Verifier, sign};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Kid, secret, and whether the host is signed.
const KEYS: [(&str, &str, bool); 3] = [
    ("k1", "an example of a secret, not to be used", false),
    ("2026-11.b_c", "another example, with ünïcode & spaces", false),
    ("hosted", "a third example of a secret, for hosts", true),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients")
}

fn key(kid: &str) -> Key {
    let (kid, secret, host) = KEYS.into_iter().find(|(known, _, _)| *known == kid).expect("one of ours");
    Key::new(kid, "default", secret.as_bytes()).expect("a good key").bind_host(host)
}

/// What comes before the path, the host, the path, and the query where there is a `?`.
fn split(url: &str) -> (&str, Option<&str>, &str, Option<&str>) {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
    let origin = &url[..host.map_or(0, |host| "https://".len() + host.len())];
    let target = &url[origin.len()..];
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    (origin, host, path, query)
}

fn signed(url: &str, kid: &str, expires: Option<u64>) -> Result<String, SignError> {
    let (origin, host, path, query) = split(url);
    sign(&key(kid), &Request { method: "GET", host, path, query }, expires).map(|target| format!("{origin}{target}"))
}

fn verdict(method: &str, url: &str, now: u64) -> &'static str {
    let keys = Verifier::new(KEYS.iter().map(|(kid, _, _)| key(kid)).collect()).expect("each once");
    let (_, host, path, query) = split(url);
    keys.verify(&Request { method, host, path, query }, now).map_or_else(Refused::as_str, |_| "ok")
}

const SIGN: [(&str, &str, &str, Option<u64>); 14] = [
    ("a path alone", "/img/a.jpg", "k1", None),
    ("an expiry", "/img/cats/tom%20cat.jpg?w=800&f=auto", "k1", Some(1_800_000_000)),
    ("pairs are sorted as bytes, each as a whole", "/img/a.jpg?w=1&a-b=1&a=1&a=0&A=2&a.b=3&a_b=4", "k1", None),
    ("one name is the start of another", "/img/a.jpg?ab=1&a=1&a&aa=1&a==1", "k1", None),
    ("empty pairs are left out", "/img/a.jpg?&&w=1&&h=2&", "k1", Some(99_999_999_999)),
    ("a question mark and nothing behind it", "/img/a.jpg?", "k1", None),
    ("a pair without a value, and one with an empty value", "/img/a.jpg?wm-tile&dl=", "k1", None),
    ("escapes are not decoded, and keep their case", "/img/%e2%82%AC.jpg?text=%41%20b%2Fc%26d", "k1", None),
    ("dots and doubled slashes stay", "/img/./x/..//a.jpg?w=1", "k1", None),
    ("a question mark in the query", "/img/a.jpg?text=why?&w=1", "k1", None),
    ("a secret that is not ASCII, a longer kid", "/img/a.jpg?w=1", "2026-11.b_c", Some(1)),
    ("the host is not signed where the key does not bind it", "https://img.example.org/img/a.jpg?w=1", "k1", None),
    ("the host is signed, in lower case, with its port", "https://IMG.Example.org:8443/img/a.jpg?w=1", "hosted", None),
    ("punctuation that URLs may have", "/img/a!$'()*+,;:@~[]{}|^`\\\"<>.jpg?x=!$'()*+,;:@/[]{}|^`\\\"<>", "k1", None),
];

const NOT_SIGNED: [(&str, &str, &str); 13] = [
    ("no slash at its start", "img/a.jpg", "k1"),
    ("nothing", "", "k1"),
    ("a fragment", "/img/a.jpg#x", "k1"),
    ("a fragment behind the query", "/img/a.jpg?w=1#x", "k1"),
    ("white space", "/img/a b.jpg?w=1", "k1"),
    ("a line feed in the path", "/img/a\nb.jpg", "k1"),
    ("a line feed in the query", "/img/a.jpg?w=1\n&h=2", "k1"),
    ("an escape in a parameter's name", "/img/a.jpg?%77=1", "k1"),
    ("it has a signature", "/img/a.jpg?s=x", "k1"),
    ("it has a kid", "/img/a.jpg?kid=k1", "k1"),
    ("it has an expiry", "/img/a.jpg?w=1&exp=5", "k1"),
    ("it has an impossible expiry", "/img/a.jpg?w=1&exp=soon", "k1"),
    ("no host to sign", "/img/a.jpg?w=1", "hosted"),
];

/// Requests that were tampered with, made from ones that were signed.
fn requests() -> Vec<(&'static str, &'static str, String, u64)> {
    let plain = signed("/img/a.jpg?w=800&h=600", "k1", None).expect("signed");
    let timed = signed("/img/a.jpg?w=800", "k1", Some(1_000)).expect("signed");
    let hosted = signed("https://img.example.org/img/a.jpg?w=1", "hosted", None).expect("signed");
    let kidless = {
        let request = Request { method: "GET", host: None, path: "/img/a.jpg", query: Some("w=1") };
        let mac = "dnOygQIQ_-z4Y4GEmnR5NKwBAkkK5xaYolLHcNvWRl8";
        format!("{}?{}&s={mac}", request.path, request.query.unwrap_or_default())
    };
    let (bare, seal) = plain.rsplit_once("&s=").expect("sealed");
    let other = if seal.ends_with('A') { 'E' } else { 'A' };
    let last = &seal[..seal.len() - 1];
    let with = |s: &str| format!("{bare}&s={s}");
    let standard = seal.replace('-', "+").replace('_', "/");
    vec![
        ("as it was signed", "GET", plain.clone(), 0),
        ("HEAD is covered by GET", "HEAD", plain.clone(), 0),
        ("another method is not", "POST", plain.clone(), 0),
        (
            "pairs in another order, and empty ones",
            "GET",
            format!("/img/a.jpg?&h=600&&{}", plain.split_once('?').expect("a query").1.replace("&h=600", "")),
            0,
        ),
        ("the signature first", "GET", format!("/img/a.jpg?s={seal}&{}", bare.split_once('?').expect("a query").1), 0),
        ("before it expires", "GET", timed.clone(), 999),
        ("when it expires", "GET", timed.clone(), 1_000),
        ("an expiry put off", "GET", timed.replace("exp=1000", "exp=9999"), 0),
        ("an expiry left out", "GET", timed.replace("&exp=1000", ""), 0),
        ("an expiry with a leading zero", "GET", timed.replace("exp=1000", "exp=01000"), 0),
        ("no kid, and the first key's signature", "GET", kidless, 0),
        ("another value", "GET", plain.replace("w=800", "w=801"), 0),
        ("the same number in other words", "GET", plain.replace("w=800", "w=800.0"), 0),
        ("the same path in other words", "GET", plain.replace("a.jpg", "%61.jpg"), 0),
        ("a doubled slash", "GET", plain.replace("/img/", "/img//"), 0),
        ("a pair more", "GET", format!("{plain}&q=1"), 0),
        ("a pair less", "GET", plain.replace("&h=600", ""), 0),
        ("two pairs glued", "GET", plain.replace("&h=600", "%26h=600"), 0),
        ("another kid, that there is", "GET", plain.replace("kid=k1", "kid=2026-11.b_c"), 0),
        ("a kid that there is not", "GET", plain.replace("kid=k1", "kid=k9"), 0),
        ("no signature", "GET", bare.to_owned(), 0),
        ("an empty signature", "GET", with(""), 0),
        ("padding", "GET", with(&format!("{seal}=")), 0),
        ("the other base64", "GET", with(&format!("{}+/", &standard[..41])), 0),
        ("the last character changed", "GET", with(&format!("{last}{other}")), 0),
        ("bits behind the end", "GET", with(&format!("{last}{}", behind(seal))), 0),
        ("cut short", "GET", with(&seal[..40]), 0),
        ("all zeroes", "GET", with(&"A".repeat(43)), 0),
        ("too long", "GET", with(&format!("{seal}{seal}")), 0),
        ("another case", "GET", with(&seal.to_ascii_lowercase()), 0),
        ("two signatures", "GET", format!("{plain}&s={seal}"), 0),
        ("two kids", "GET", format!("{plain}&kid=k1"), 0),
        ("an escape in a name", "GET", plain.replace("w=800", "%77=800"), 0),
        ("the host that was signed", "GET", hosted.clone(), 0),
        ("another host", "GET", hosted.replace("img.example.org", "img.example.com"), 0),
        ("the host in capitals", "GET", hosted.replace("img.example.org", "IMG.EXAMPLE.ORG"), 0),
        ("the signature's text inside of a value", "GET", format!("/img/a.jpg?w=800&h=600&text={seal}&kid=k1"), 0),
        ("too many parameters", "GET", format!("{plain}{}", "&x".repeat(200)), 0),
    ]
}

/// The last character of a text of base64 with its two unused bits set.
fn behind(seal: &str) -> char {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = seal.bytes().last().expect("43 characters");
    let at = ALPHABET.iter().position(|byte| *byte == last).expect("of the alphabet");
    char::from(ALPHABET[at ^ 1])
}

fn vectors() -> Value {
    let sign = SIGN.map(|(name, url, kid, expires)| {
        let signed = signed(url, kid, expires).unwrap_or_else(|error| panic!("{name}: {error}"));
        json!({ "name": name, "url": url, "kid": kid, "expires": expires, "signed": signed })
    });
    let not_signed = NOT_SIGNED.map(|(name, url, kid)| {
        assert!(signed(url, kid, None).is_err(), "{name}");
        json!({ "name": name, "url": url, "kid": kid })
    });
    let verify = requests().into_iter().map(|(name, method, url, now)| {
        let expect = verdict(method, &url, now);
        json!({ "name": name, "method": method, "url": url, "now": now, "expect": expect })
    });
    json!({
        "about": "Signatures of Tintype: what every signer makes and every verifier says. Made by crates/signature; docs/signing.md describes the format.",
        "keys": KEYS.map(|(kid, secret, host)| json!({ "kid": kid, "secret": secret, "host": host })),
        "sign": sign,
        "not_signed": not_signed,
        "verify": verify.collect::<Vec<_>>(),
    })
}

#[test]
fn the_vectors_are_ours() {
    let path = folder().join("vectors.json");
    let text = format!("{:#}\n", vectors());
    if std::env::var_os("TINTYPE_BLESS").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&path).expect("clients/vectors.json is there"), text);
}

#[test]
fn each_outcome_is_among_them() {
    let all = requests();
    let outcomes: Vec<_> = all.iter().map(|(_, method, url, now)| verdict(method, url, *now)).collect();
    for outcome in ["ok", "missing", "malformed", "unknown-kid", "mismatch", "expired"] {
        assert!(outcomes.contains(&outcome), "{outcome}");
    }
    let fine = all.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == "ok").map(|((name, ..), _)| *name);
    assert_eq!(
        fine.collect::<Vec<_>>(),
        [
            "as it was signed",
            "HEAD is covered by GET",
            "pairs in another order, and empty ones",
            "the signature first",
            "before it expires",
            "no kid, and the first key's signature",
            "the host that was signed",
            "the host in capitals"
        ]
    );
}

fn holds(program: &str, arguments: &[&str], within: &str) {
    let mut command = Command::new(program);
    let run = command.args(arguments).current_dir(folder().join(within)).env("PYTHONDONTWRITEBYTECODE", "1");
    match run.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => println!("skipped: clients/{within} (no {program} here)"),
        Err(error) => panic!("{program}: {error}"),
        Ok(output) => {
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "clients/{within}:\n{out}{err}");
        }
    }
}

#[test]
fn javascript() {
    holds("node", &["test.mjs"], "javascript");
}

#[test]
fn cloudfront() {
    holds("node", &["test.mjs"], "cloudfront");
}

#[test]
fn python() {
    holds("python3", &["test_tintype_sign.py"], "python");
}

#[test]
fn go() {
    holds("go", &["test", "./..."], "go");
}
