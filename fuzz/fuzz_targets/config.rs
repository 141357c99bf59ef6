//! Configurations of anybody: no text makes the reader panic, what it takes it can print and read again to the same, and no
//! secret comes out of it, whether it was taken or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service::config::{Choice, Reader, Secret, Section, load};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

const SECRET: &str = "hidden-0f1e2d3c4b5a";

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    On,
    Off,
}

impl Choice for Mode {
    const NAMES: &'static [(&'static str, Self)] = &[("on", Self::On), ("off", Self::Off)];
}

/// A key of every kind there is.
#[expect(dead_code, reason = "only that they are read counts")]
struct Part {
    address: SocketAddr,
    listen: Vec<SocketAddr>,
    time: Duration,
    bytes: u64,
    number: u32,
    perhaps: Option<i64>,
    on: bool,
    mode: Mode,
    secret: Option<Secret>,
    names: BTreeMap<String, String>,
    sides: Vec<u32>,
    more: Vec<Entry>,
}

#[expect(dead_code, reason = "likewise")]
struct Entry {
    name: String,
    secret: Option<Secret>,
}

impl Section for Part {
    const DOC: &'static str = "Of the fuzzer.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            address: r.parsed("address", "127.0.0.1:1", "An address."),
            listen: r.list("listen", &["[::1]:2"], "Addresses."),
            time: r.duration("time", "1s", "1ms"..="1h", "A time."),
            bytes: r.bytes("bytes", "1KiB", "0B"..="16TiB", "A size."),
            number: r.int("number", 5, 1..=1000, "A number."),
            perhaps: r.optional_int("perhaps", -5..=5, 1, "Perhaps one."),
            on: r.bool("on", true, "A switch."),
            mode: r.choice("mode", Mode::On, "A choice."),
            secret: r.secret("secret", "A secret."),
            names: r.map("names", "a = \"b\"", "Names."),
            sides: r.ints("sides", &[1, 2], 1..=65_535, "Numbers."),
            more: r.tables("more", &[]),
        }
    }
}

impl Section for Entry {
    const DOC: &'static str = "One of several.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self { name: r.required("name", "a", "A name."), secret: r.secret("secret", "A secret.") }
    }
}

/// Reads a text as a file, over which the fuzzer's own environment and `--set` come.
fn read(text: &str, environment: &[(&str, &str)], sets: &[String]) -> Result<String, String> {
    let path = std::env::temp_dir().join(format!("tintype-fuzz-config-{}", std::process::id()));
    let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.expect("a file for the text");
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = load::<Part>(Some(&path), environment, sets);
    loaded.map(|loaded| loaded.effective().to_owned()).map_err(|errors| errors.to_string())
}

fuzz_target!(|input: (&str, Vec<(&str, &str)>, Vec<&str>)| {
    let (text, environment, sets) = input;
    let sets: Vec<String> = sets.into_iter().map(str::to_owned).collect();
    if let Ok(printed) = read(text, &environment, &sets) {
        let again = read(&printed, &[], &[]).unwrap_or_else(|errors| panic!("{printed}\n{errors}"));
        // Secrets are printed as comments: they are the only thing that is lost.
        assert_eq!(again, printed);
    }
    let hidden = format!("secret = \"{SECRET}\"\n{text}");
    let told = match read(&hidden, &environment, &sets) {
        Ok(printed) => printed,
        Err(errors) => errors,
    };
    let elsewhere = text.contains(SECRET) || environment.iter().any(|(_, value)| value.contains(SECRET));
    assert!(elsewhere || sets.iter().any(|set| set.contains(SECRET)) || !told.contains(SECRET), "{told}");
});
