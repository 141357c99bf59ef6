//! What instances tell each other of originals by way of Redis: the head under the original's name, the bytes under theirs.
//!
//! Owns what is written of a head. Does not ask origins. Invariants: what an origin forbids to keep is never there, nor what
//! was asked for with credentials of the configuration; another instance counts an original's age from the same moment;
//! bytes are taken for an original only where their hash is its version.

use super::ask::{Brought, Want};
use super::seen::{Original, Seen, Told, View};
use crate::app::App;
use crate::cache::{Envelope, Holding, Stamp, Turn, stock};
use crate::handler::Asked;
use crate::semantics::{Terms, refresh as head};
use bytes::Bytes;
use cache_key::OriginalVersion;
use http::{HeaderMap, HeaderName, HeaderValue};
use origin::Sighting;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The type of a head, which is JSON.
const HEAD: &str = "application/vnd.tintype.original+json";
/// The type of bytes, whatever they are.
const BODY: &str = "application/octet-stream";

/// A [`Seen`], in words that another process understands. Times in milliseconds since 1970.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    hash: [u8; 32],
    len: u64,
    at: u64,
    fresh_since: u64,
    fields: Vec<(String, String)>,
    place: String,
    origin: usize,
}

impl Head {
    /// `None` for what is not to be told, or cannot be.
    fn of(seen: &Seen) -> Option<Self> {
        let (sighting, told) = (seen.found.as_ref().ok()?, seen.told.as_ref()?);
        let text =
            |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
        Some(Self {
            hash: content(&sighting.version)?,
            len: sighting.len,
            at: millis(seen.at),
            fresh_since: millis(told.terms.fresh_since),
            fields: told.fields.iter().map(text).collect::<Option<_>>()?,
            // A query may be a signature. Without its URL the answer is asked for anew rather than asked about.
            place: if told.place.contains('?') { String::new() } else { told.place.to_string() },
            origin: told.origin,
        })
    }

    fn seen(self, stamp: Stamp) -> Option<Seen> {
        let mut fields = HeaderMap::new();
        for (name, value) in &self.fields {
            fields.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        // Only what is kept of any answer, whoever wrote this.
        let fields = head::keep(&fields);
        let (at, fresh_since) = (time(self.at)?, time(self.fresh_since)?);
        let terms = Terms { fresh_since: fresh_since.min(at), ..Terms::read(&fields, at, at) };
        let version = OriginalVersion::from_content_hash(&self.hash);
        let found = Ok(Sighting { version, modified: head::modified(&fields), len: self.len });
        let told = Some(Told { terms, fields, place: self.place.into(), origin: self.origin });
        Some(Seen { found, at, told, failed_at: None, stamp }).filter(Seen::is_storable)
    }
}

/// The hash in a version that is one of content.
fn content(version: &OriginalVersion) -> Option<[u8; 32]> {
    let hash = version.as_bytes().get(1..)?.try_into().ok()?;
    (OriginalVersion::from_content_hash(&hash) == *version).then_some(hash)
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn time(millis: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

/// What another instance has told, where that is as good as asking: a head that is fresh for the route, or the bytes.
/// A newer head that is not fresh is remembered, and asked about.
pub(super) async fn recall(app: &App, asked: &Asked, want: Want) -> Option<Arc<Brought>> {
    let stock = app.tiers.stock().filter(|_| asked.reading.route.shares())?;
    let known = app.originals.known(asked);
    if want == Want::Bytes {
        let seen = known?;
        let version = seen.found.as_ref().ok()?.version.clone();
        let hash = content(&version)?;
        let envelope = stock.find(stock::body_name(&hash), 0).await.filter(|envelope| envelope.hash == hash)?;
        let original = Original { version, bytes: envelope.body.clone() };
        app.originals.bytes.insert(asked.reading.source, Arc::new(original));
        return Some(Arc::new(Brought { seen, bytes: Some(envelope.body), asked: false }));
    }
    let envelope = stock.find(*asked.reading.source.as_bytes(), asked.since).await?;
    let stamp = Stamp { generation: envelope.generation, label: asked.stamp(app).label };
    let seen = serde_json::from_slice::<Head>(&envelope.body).ok()?.seen(stamp)?;
    if known.is_some_and(|known| known.at >= seen.at) {
        return None;
    }
    let seen = Arc::new(seen);
    app.originals.sightings.insert(asked.reading.source, Arc::clone(&seen));
    holds(app, asked, &seen).then(|| Arc::new(Brought { seen, bytes: None, asked: false }))
}

/// Whether it is fresh as the request's route sees it.
pub(super) fn holds(app: &App, asked: &Asked, seen: &Arc<Seen>) -> bool {
    let now = (app.clock.wall)();
    View::new(app.check, &asked.reading.route, Arc::clone(seen)).is_ok_and(|view| view.is_fresh(now))
}

/// Whose turn it is to ask for an original that nobody here knows.
pub(super) async fn turn(app: &App, asked: &Asked, want: Want) -> Turn<Arc<Brought>> {
    let shares = app.tiers.stock().is_some() && asked.reading.route.shares();
    match &app.fleet.leases {
        Some(leases) if shares && want == Want::Look && app.originals.known(asked).is_none() => {
            leases.turn(*asked.reading.source.as_bytes(), || recall(app, asked, want)).await
        }
        _ => Turn::Work(Holding::alone()),
    }
}

/// Tells the others what was brought; those who wait for it are let go in any case.
pub(super) fn tell(app: &App, asked: &Asked, brought: &Brought, holding: Holding) {
    let Some(stock) = app.tiers.stock().filter(|_| asked.reading.route.shares()) else { return };
    let source = *asked.reading.source.as_bytes();
    let may = brought.seen.is_storable() && asked.reading.route.shares_of(&brought.seen);
    let head = if may { Head::of(&brought.seen) } else { None };
    let Some(head) = head else {
        // What must not be kept takes with it what was kept before.
        if !brought.seen.is_storable() || brought.seen.found.is_err() {
            stock.forget(source);
        }
        holding.nothing();
        return;
    };
    let envelope = |kind: &str, hash, body| Envelope {
        made: head.at / 1000,
        generation: brought.seen.stamp.generation,
        hash,
        source,
        modified: None,
        kind: kind.to_owned(),
        extension: String::new(),
        label: Arc::clone(&brought.seen.stamp.label),
        body,
    };
    let mut entries = Vec::new();
    if let Some(bytes) = brought.bytes.as_ref().filter(|bytes| bytes.len() as u64 <= stock.largest()) {
        entries.push((stock::body_name(&head.hash), envelope(BODY, head.hash, bytes.clone())));
    }
    let text = Bytes::from(serde_json::to_vec(&head).expect("texts and numbers are JSON"));
    // Last: it tells of the bytes.
    entries.push((source, envelope(HEAD, *blake3::hash(&text).as_bytes(), text)));
    stock.keep(&entries, holding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CACHE_CONTROL, DATE, ETAG};

    fn seen(fields: &[(HeaderName, &str)], received: u64) -> Seen {
        let fields: HeaderMap = fields.iter().map(|(n, v)| (n.clone(), HeaderValue::from_str(v).unwrap())).collect();
        let at = UNIX_EPOCH + Duration::from_millis(received);
        let terms = Terms::read(&fields, at, at);
        Seen {
            found: Ok(Sighting { version: OriginalVersion::from_content(b"x"), modified: None, len: 1 }),
            at,
            told: Some(Told { terms, fields, place: "http://a/b".into(), origin: 1 }),
            failed_at: None,
            stamp: Stamp::default(),
        }
    }

    fn again(seen: &Seen) -> Option<Seen> {
        let text = serde_json::to_vec(&Head::of(seen)?).unwrap();
        serde_json::from_slice::<Head>(&text).unwrap().seen(Stamp::default())
    }

    #[test]
    fn what_is_told_is_no_fresher_elsewhere() {
        let first = seen(
            &[(CACHE_CONTROL, "max-age=60"), (DATE, "Tue, 14 Nov 2023 22:13:00 GMT"), (ETAG, "\"a\"")],
            1_700_000_000_250,
        );
        let other = again(&first).expect("told");
        let (ours, theirs) = (first.told.as_ref().unwrap(), other.told.as_ref().unwrap());
        assert_eq!(ours.terms, theirs.terms);
        assert_eq!((&ours.fields, &ours.place, ours.origin), (&theirs.fields, &theirs.place, theirs.origin));
        assert_eq!((&first.found, first.at), (&other.found, other.at));
        assert_eq!(first.at.duration_since(theirs.terms.fresh_since).unwrap().as_secs(), 20, "its age on arrival");
    }

    #[test]
    fn what_is_forbidden_or_foreign_is_not_taken() {
        for forbidden in ["no-store", "private"] {
            assert!(again(&seen(&[(CACHE_CONTROL, forbidden)], 5000)).is_none(), "{forbidden}");
        }
        let mut file = seen(&[(CACHE_CONTROL, "max-age=9")], 5000);
        file.told = None;
        assert!(Head::of(&file).is_none(), "a look at a file is nobody else's");
        let mut gone = seen(&[(CACHE_CONTROL, "max-age=9")], 5000);
        gone.found = Err(origin::Missing::NotFound);
        assert!(Head::of(&gone).is_none());
        let mut signed = seen(&[(CACHE_CONTROL, "max-age=9")], 5000);
        signed.told.as_mut().unwrap().place = "http://a/b?signature=1".into();
        assert_eq!(Head::of(&signed).unwrap().place, "");
        let late = Head { fresh_since: u64::MAX, ..Head::of(&seen(&[(CACHE_CONTROL, "max-age=9")], 5000)).unwrap() };
        assert!(late.seen(Stamp::default()).is_none_or(|seen| seen.told.unwrap().terms.fresh_since <= seen.at));
    }
}
