//! The snippets of `docs/signing.md` run, and print the URL that the page promises and the verifier accepts.
//! A language that is not installed is skipped, aloud.

use signature::{Key, Refused, Request, Verifier, sign};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

const SECRET: &[u8] = b"an example of a secret, not to be used";
const PATH: &str = "/img/cats/tom%20cat.jpg";

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/signing.md");
    std::fs::read_to_string(file).expect("docs/signing.md is there")
}

/// The `nth` fenced block of a language.
fn block<'a>(page: &'a str, language: &str, nth: usize) -> &'a str {
    let fence = format!("```{language}\n");
    let start = page.split(&fence).nth(nth + 1).expect("the page has this block");
    start.split("```").next().expect("the block ends")
}

fn signed() -> String {
    let key = Key::new("k1", "default", SECRET).expect("a good key");
    let request = Request { method: "GET", host: None, path: PATH, query: Some("w=800&f=auto") };
    sign(&key, &request, Some(1_800_000_000)).expect("a good request")
}

#[test]
fn the_worked_example_holds() {
    let page = page();
    let url = block(&page, "text", 1).trim();
    assert_eq!(url, signed());
    let query = url.split_once('?').map(|(_, query)| query);
    let request = Request { method: "GET", host: None, path: PATH, query };
    let message = signature::message::message(&request, false).expect("well-formed");
    assert_eq!(String::from_utf8(message).expect("text"), block(&page, "text", 0).trim_end());
    let verifier = Verifier::new(vec![Key::new("k1", "default", SECRET).expect("a good key")]).expect("one key");
    assert!(verifier.verify(&request, 1_799_999_999).is_ok());
    assert_eq!(verifier.verify(&request, 1_800_000_000), Err(Refused::Expired));
}

#[test]
fn every_snippet_prints_the_url() {
    let page = page();
    for (language, program, flag) in [("sh", "sh", "-c"), ("js", "node", "-e"), ("python", "python3", "-c")] {
        if language == "sh" && Command::new("openssl").arg("version").output().is_err() {
            println!("skipped: sh (no openssl here)");
            continue;
        }
        match Command::new(program).arg(flag).arg(block(&page, language, 0)).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => println!("skipped: {language} (no {program} here)"),
            Err(error) => panic!("{program}: {error}"),
            Ok(output) => {
                let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
                assert_eq!(out.trim_end(), signed(), "{language}: {err}");
            }
        }
    }
}

#[test]
fn every_refusal_is_explained() {
    let page = page();
    for refused in [
        Refused::Missing,
        Refused::Malformed,
        Refused::UnknownKey,
        Refused::Mismatch,
        Refused::Expired,
        Refused::KeyTime,
        Refused::Prefix,
        Refused::Parameter,
    ] {
        assert!(page.contains(&format!("| `{}` |", refused.as_str())), "{refused:?}");
    }
}
