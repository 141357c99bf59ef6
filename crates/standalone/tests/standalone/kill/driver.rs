//! Somebody who uploads, replaces, deletes, restores and makes keys while servers die, and remembers what was acknowledged.
//!
//! One thread, and names of its own: so it always knows what a name may be. Invariant: what it sees is held against what it was
//! told each time, not only at the end.

use catalog::ContentHash;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::wire::{self, Connection, Reply};

/// Names of one driver.
const NAMES: usize = 6;
/// Contents that they have; each has a width of its own.
const CONTENTS: u64 = 12;

/// xorshift64*.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % end
    }
}

/// A picture of its own for each number.
fn content(number: u64) -> Vec<u8> {
    testkit::picture::noise(8 + u32::try_from(number).expect("few"), 8, number)
}

/// Asks as who holds a token. `None`: nobody answered, or only that it cannot be done now; it was done, or not.
pub(super) fn ask(address: SocketAddr, token: &str, method: &str, target: &str, body: &[u8]) -> Option<Reply> {
    let (bearer, length) = (format!("Bearer {token}"), body.len().to_string());
    let mut fields = vec![("content-length", length.as_str()), ("connection", "close")];
    if !token.is_empty() {
        fields.push(("authorization", &bearer));
    }
    if body.starts_with(b"{") {
        fields.push(("content-type", "application/json"));
    }
    let message = [wire::head(method, target, &fields).as_bytes(), body].concat();
    let asked = Connection::open(address).and_then(|mut connection| {
        connection.send(&message)?;
        connection.reply(method)
    });
    asked.ok().filter(|reply| reply.status < 500)
}

fn document(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|error| panic!("{error}: {}", reply.text()))
}

fn text<'a>(value: &'a Value, place: &str) -> &'a str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_else(|| panic!("{place} in {value}"))
}

/// One of its names.
struct Name {
    path: String,
    /// Hashes that it may have now; `None` is nothing.
    may_be: Vec<Option<String>>,
    /// What was there when its deletion was acknowledged: id and hash.
    deleted: Option<(String, String)>,
}

/// See the module.
pub(super) struct Driver {
    address: SocketAddr,
    token: String,
    random: Random,
    names: Vec<Name>,
    /// By name, the secret where it was told.
    keys: BTreeMap<String, Option<String>>,
    label: String,
    /// Acknowledged changes.
    pub(super) done: u64,
}

/// A name as it is in the end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) id: String,
    /// The width of its picture.
    pub(super) width: u32,
}

impl Driver {
    pub(super) fn new(address: SocketAddr, password: &str, seed: u64) -> Self {
        let body = json!({ "email": "admin@localhost", "password": password }).to_string();
        let signed = ask(address, "", "POST", "/auth/v1/sign-in", body.as_bytes()).expect("it lives yet");
        let name = |number| Name { path: format!("d{seed}/n{number}.png"), may_be: vec![None], deleted: None };
        Self {
            address,
            token: text(&document(&signed), "/accessToken").to_owned(),
            random: Random::new(seed),
            names: (0..NAMES).map(name).collect(),
            keys: BTreeMap::new(),
            label: format!("d{seed}"),
            done: 0,
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self, stop: &AtomicBool) -> Self {
        while !stop.load(Ordering::Relaxed) {
            let at = usize::try_from(self.random.below(NAMES as u64)).expect("few");
            if self.random.below(12) == 0 {
                self.make_key();
            } else if self.step(at).is_none() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        self
    }

    fn ask(&self, method: &str, target: &str, body: &[u8]) -> Option<Reply> {
        ask(self.address, &self.token, method, target, body)
    }

    /// Looks at a name, and changes it. `None` where nobody answered.
    fn step(&mut self, at: usize) -> Option<()> {
        let there = self.observe(at)?;
        match (there, self.random.below(10)) {
            (Some((id, hash)), 0..=3) => self.delete(at, &id, hash),
            (None, 0..=4) if self.names[at].deleted.is_some() => self.restore(at),
            _ => self.put(at),
        }
    }

    /// Id and hash of what is there, which is something that may be.
    fn observe(&mut self, at: usize) -> Option<Option<(String, String)>> {
        let reply = self.ask("GET", &format!("/ingest/v1/paths/{}", self.names[at].path), b"")?;
        let name = &mut self.names[at];
        let there = match reply.status {
            200 => {
                let record = document(&reply);
                Some((text(&record, "/asset/id").to_owned(), text(&record, "/asset/content/hash").to_owned()))
            }
            404 => None,
            status => panic!("{}: {status} {}", name.path, reply.text()),
        };
        let hash = there.as_ref().map(|(_, hash)| hash.clone());
        assert!(name.may_be.contains(&hash), "{} is {hash:?}, and not one of {:?}", name.path, name.may_be);
        name.may_be = vec![hash];
        Some(there)
    }

    fn put(&mut self, at: usize) -> Option<()> {
        let bytes = content(self.random.below(CONTENTS));
        let hash = ContentHash::of(&bytes).to_string();
        let name = &mut self.names[at];
        name.deleted = None;
        name.may_be.push(Some(hash.clone()));
        let target = format!("/ingest/v1/files/{}", name.path);
        let reply = self.ask("PUT", &target, &bytes)?;
        assert!(matches!(reply.status, 200 | 201), "{target}: {} {}", reply.status, reply.text());
        self.acknowledged(at, Some(hash))
    }

    fn delete(&mut self, at: usize, id: &str, hash: String) -> Option<()> {
        let name = &mut self.names[at];
        name.may_be.push(None);
        let target = format!("/ingest/v1/assets/{id}");
        let reply = self.ask("DELETE", &target, b"")?;
        assert!(matches!(reply.status, 200 | 204), "{target}: {} {}", reply.status, reply.text());
        self.names[at].deleted = Some((id.to_owned(), hash));
        self.acknowledged(at, None)
    }

    fn restore(&mut self, at: usize) -> Option<()> {
        let name = &mut self.names[at];
        let (id, hash) = name.deleted.take()?;
        name.may_be.push(Some(hash.clone()));
        let target = format!("/ingest/v1/assets/{id}/restore");
        let reply = self.ask("POST", &target, b"{}")?;
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        self.acknowledged(at, Some(hash))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what a step ends with")]
    fn acknowledged(&mut self, at: usize, hash: Option<String>) -> Option<()> {
        self.names[at].may_be = vec![hash];
        self.done += 1;
        Some(())
    }

    fn make_key(&mut self) {
        let name = format!("{}-{}", self.label, self.keys.len());
        let body = json!({ "name": name, "roles": ["viewer"] }).to_string();
        let reply = self.ask("POST", "/auth/v1/tenants/main/keys", body.as_bytes());
        let secret = reply.map(|reply| {
            assert_eq!(reply.status, 201, "{}", reply.text());
            text(&document(&reply), "/secret").to_owned()
        });
        self.done += u64::from(secret.is_some());
        self.keys.insert(name, secret);
    }

    /// What it asks for has to be answered by now.
    pub(super) fn told(&self, target: &str) -> Value {
        let reply = self.ask("GET", target, b"").unwrap_or_else(|| panic!("{target}: nobody answers"));
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        document(&reply)
    }

    /// Where a picture is shown; signed where the configuration has a key.
    fn url(&self, path: &str) -> String {
        let body = json!({ "path": path, "query": "f=png", "expiresIn": 3600 }).to_string();
        let signed = self.ask("POST", "/auth/v1/tenants/main/urls", body.as_bytes()).expect("it answers by now");
        match signed.status {
            200 | 201 => text(&document(&signed), "/url").to_owned(),
            // There is no key.
            409 => format!("/a/main/{path}?f=png"),
            status => panic!("{path}: {status} {}", signed.text()),
        }
    }

    /// What its names are in the end.
    pub(super) fn live(&mut self) -> Vec<Seen> {
        let mut live = Vec::new();
        for at in 0..NAMES {
            let there = self.observe(at).expect("it answers by now");
            let path = self.names[at].path.clone();
            let shown = ask(self.address, "", "GET", &self.url(&path), b"").expect("it answers by now");
            let Some((id, hash)) = there else {
                assert_eq!(shown.status, 404, "{path} is not there");
                continue;
            };
            let mut widths = (0..CONTENTS).filter(|number| ContentHash::of(&content(*number)).to_string() == hash);
            let width = 8 + u32::try_from(widths.next_back().expect("one of ours")).expect("few");
            assert_eq!(testkit::picture::png_size(&shown.body), Some((width, 8)), "{path} is shown as it is");
            live.push(Seen { path, id, width });
        }
        live
    }

    /// Keys that were acknowledged are there, once, and let their holder in.
    pub(super) fn has_its_keys(&self) {
        let mut listed: BTreeMap<String, usize> = BTreeMap::new();
        let mut after = String::new();
        loop {
            let page = self.told(&format!("/auth/v1/tenants/main/keys?limit=200{after}"));
            for key in page["items"].as_array().expect("a page") {
                *listed.entry(text(key, "/name").to_owned()).or_default() += 1;
            }
            let Some(cursor) = page["next"].as_str() else { break };
            after = format!("&cursor={cursor}");
        }
        for (name, secret) in &self.keys {
            let times = listed.get(name).copied().unwrap_or(0);
            assert!(if secret.is_some() { times == 1 } else { times <= 1 }, "the key {name} is there {times} times");
            if let Some(secret) = secret {
                let me = ask(self.address, secret, "GET", "/auth/v1/me", b"").expect("it answers by now");
                assert_eq!(me.status, 200, "the key {name}: {}", me.text());
            }
        }
    }
}
