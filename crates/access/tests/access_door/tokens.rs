//! Tokens of our own issuer, and keys that are fetched.

use crate::{door_at, now};
use access::token::issuer::{Issuer, Mapping, Sort, Source};
use access::token::keys::Jwks;
use access::token::{Claims, Fetched, KeySet, Remote, Signer};
use access::{Action, ApiKey, Caller, Denied, Door, Grant, Keys, Kind, Resource, Role};
use arc_swap::ArcSwap;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://tintype.example/auth/v1";

fn claims() -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: "tintype".into(),
        sub: "ann".into(),
        exp: NOW + 900,
        iat: NOW,
        jti: "j".into(),
        sid: "s".into(),
        tenant: "main".into(),
        roles: vec![Role::Viewer],
        scope: String::new(),
        grants: Vec::new(),
    }
}

fn door(signer: &Signer) -> Door {
    let keys = Arc::new(ArcSwap::from_pointee(signer.key_set().expect("its own key")));
    door_at(NOW).with_local_issuer(ISSUER, keys)
}

fn ask(door: &Door, token: &str) -> Result<Caller, Denied> {
    now(door.bearer(token))
}

#[test]
fn a_token_of_our_own_is_taken_with_either_algorithm() {
    for signer in [Signer::generate_eddsa().unwrap(), Signer::generate_es256().unwrap()] {
        let token = signer.sign("at+jwt", &claims()).unwrap();
        let caller = ask(&door(&signer), &token).unwrap();
        assert_eq!((caller.subject.as_str(), caller.tenant.as_str(), caller.id.as_str()), ("ann", "main", "s"));
        assert!(caller.is(Role::Viewer) && caller.kind == Kind::User);
        let again = Signer::from_pkcs8(&signer.expose_pkcs8().unwrap()).unwrap();
        assert_eq!(again.kid(), signer.kid());
        assert!(!format!("{signer:?}").contains("pkcs8"));
    }
}

#[test]
fn what_is_wrong_with_a_token_is_told_and_it_is_refused() {
    let signer = Signer::generate_eddsa().unwrap();
    let door = door(&signer);
    let signed = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        signer.sign("at+jwt", &claims).unwrap()
    };
    assert_eq!(ask(&door, &signed(&|c| c.exp = NOW - 31)), Err(Denied::Expired));
    assert!(ask(&door, &signed(&|c| c.exp = NOW - 29)).is_ok(), "clocks differ");
    for (change, what) in [
        (&(|c: &mut Claims| c.iat = NOW + 60) as &dyn Fn(&mut Claims), "not begun"),
        (&|c| c.iss = format!("{ISSUER}/"), "issuer"),
        (&|c| c.aud = "other".into(), "another service"),
        (&|c| c.scope = "openid".into(), "scopes"),
    ] {
        let denied = ask(&door, &signed(change)).unwrap_err();
        assert!(denied.to_string().contains(what), "{denied}");
        assert_eq!(denied.code(), "token-invalid");
    }
    let other_sort = signer.sign("JWT", &claims()).unwrap();
    assert!(ask(&door, &other_sort).unwrap_err().to_string().contains("no access token"));
    let stranger = Signer::generate_eddsa().unwrap().sign("at+jwt", &claims()).unwrap();
    assert!(ask(&door, &stranger).unwrap_err().to_string().contains("key"));
    let mut changed = signed(&|_| {});
    changed.replace_range(changed.len() - 4..changed.len() - 2, "AA");
    assert!(ask(&door, &changed).is_err());
    assert!(ask(&door, &"a".repeat(20_000)).unwrap_err().to_string().contains("long"));
}

#[test]
fn the_header_is_one_bearer_or_nothing() {
    let signer = Signer::generate_eddsa().unwrap();
    let door = door(&signer);
    let token = signer.sign("at+jwt", &claims()).unwrap();
    let head = |values: &[&str]| {
        let mut head = HeaderMap::new();
        for value in values {
            head.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        head
    };
    assert!(now(door.caller(&head(&[]))).unwrap().is_anonymous());
    assert_eq!(now(door.caller(&head(&[&format!("bearer {token}")]))).unwrap().subject, "ann");
    let bearer = format!("Bearer {token}");
    for wrong in [&["Basic YTpi"][..], &["Bearer"], &[&bearer, &bearer], &[""]] {
        assert_eq!(now(door.caller(&head(wrong))), Err(Denied::Header), "{wrong:?}");
    }
}

#[test]
fn two_keys_live_side_by_side_and_one_goes() {
    let (old, new) = (Signer::generate_eddsa().unwrap(), Signer::generate_es256().unwrap());
    let set = |signers: &[&Signer]| {
        KeySet::of(&Jwks { keys: signers.iter().map(|signer| signer.jwk().clone()).collect() }).unwrap()
    };
    let keys = Arc::new(ArcSwap::from_pointee(set(&[&old, &new])));
    let door = door_at(NOW).with_local_issuer(ISSUER, Arc::clone(&keys));
    let tokens = [&old, &new].map(|signer| signer.sign("at+jwt", &claims()).unwrap());
    assert!(tokens.iter().all(|token| ask(&door, token).is_ok()));
    keys.store(Arc::new(set(&[&new])));
    assert!(ask(&door, &tokens[0]).is_err() && ask(&door, &tokens[1]).is_ok());
}

#[test]
fn grants_and_scopes_travel_in_tokens() {
    let signer = Signer::generate_eddsa().unwrap();
    let door = door(&signer);
    let until = Timestamp::from_second(NOW + 60).unwrap();
    let grant = Grant { tenant: "other".into(), actions: vec![Action::AssetRead], below: "shared".into(), until };
    let token = signer
        .sign("at+jwt", &Claims { grants: vec![grant], scope: "asset:read asset:list".into(), ..claims() })
        .unwrap();
    let caller = ask(&door, &token).unwrap();
    door.may(&caller, Action::AssetRead, &Resource::asset("other", "shared/a.jpg")).unwrap();
    assert!(door.may(&caller, Action::AssetRead, &Resource::asset("other", "a.jpg")).is_err());
    door.may(&caller, Action::AssetRead, &Resource::asset("main", "a.jpg")).unwrap();
    let denied = door.may(&caller, Action::AssetSearch, &Resource::asset("main", "a.jpg")).unwrap_err();
    assert!(denied.to_string().contains("beyond-scope"), "{denied}");
}

/// An issuer whose published keys the test exchanges, and which counts how often it is asked.
struct Published {
    keys: Arc<Mutex<Result<Vec<u8>, String>>>,
    asked: Arc<AtomicUsize>,
    clock: Arc<Mutex<i64>>,
    door: Door,
}

fn published() -> Published {
    let keys = Arc::new(Mutex::new(Err("down".to_owned())));
    let (asked, clock) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(NOW)));
    let (given, counted, told) = (Arc::clone(&keys), Arc::clone(&asked), Arc::clone(&clock));
    let fetch = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let answer = given.lock().expect("not poisoned").clone();
        Box::pin(async move { answer }) as Fetched
    };
    let seconds = SignedDuration::from_secs;
    let issuer = Issuer {
        name: "far".into(),
        issuer: ISSUER.into(),
        sort: Sort::Tintype,
        audiences: vec!["tintype".into()],
        source: Source::There(Arc::new(Remote::new(fetch, seconds(30), seconds(600), seconds(3600)))),
        mapping: Mapping::default(),
    };
    let clock_of_door =
        Arc::new(move || Timestamp::from_second(*told.lock().expect("not poisoned")).expect("near now"));
    let door = door_at(NOW).with_issuer(issuer).with_clock(clock_of_door).with_leeway(100_000);
    Published { keys, asked, clock, door }
}

#[test]
fn published_keys_are_asked_for_seldom_and_kept_while_the_issuer_is_down() {
    let site = published();
    let (old, new) = (Signer::generate_eddsa().unwrap(), Signer::generate_eddsa().unwrap());
    let json = |signer: &Signer| Ok(serde_json::json!({ "keys": [signer.jwk()] }).to_string().into_bytes());
    let tokens = [&old, &new].map(|signer| signer.sign("at+jwt", &claims()).unwrap());
    let asked = || site.asked.load(Ordering::Relaxed);
    let at = |seconds: i64| *site.clock.lock().unwrap() = NOW + seconds;

    assert_eq!(ask(&site.door, &tokens[0]).unwrap_err().code(), "authentication-unavailable");
    *site.keys.lock().unwrap() = json(&old);
    assert!(ask(&site.door, &tokens[0]).is_err(), "not asked again so soon");
    at(31);
    assert!(ask(&site.door, &tokens[0]).is_ok());
    assert_eq!(asked(), 2);

    // Rotation: an unknown key is a reason to ask again, but not more often than the pause.
    *site.keys.lock().unwrap() = json(&new);
    for _ in 0..20 {
        assert!(ask(&site.door, &tokens[1]).is_err());
    }
    assert_eq!(asked(), 2);
    at(62);
    assert!(ask(&site.door, &tokens[1]).is_ok());
    assert_eq!(asked(), 3);

    // Down, or answering nonsense: what was had holds, until it is too old.
    for answer in [Err("down".to_owned()), Ok(b"{}".to_vec()), Ok(br#"{"keys":[]}"#.to_vec())] {
        *site.keys.lock().unwrap() = answer;
        at(62 + 601 + 60 * i64::try_from(asked()).unwrap());
        assert!(ask(&site.door, &tokens[1]).is_ok());
    }
    assert_eq!(asked(), 6);
    at(62 + 3601);
    assert_eq!(ask(&site.door, &tokens[1]).unwrap_err().code(), "authentication-unavailable");
}

#[derive(Debug)]
struct OneKey([u8; 32]);

impl Keys for OneKey {
    fn find<'a>(&'a self, key: &'a ApiKey) -> access::KeysFuture<'a> {
        let found = key.is_of(&self.0, b"pepper").then(|| Caller::new(Kind::Key, "ann", "main", &[Role::Editor]));
        Box::pin(async move { Ok(found) })
    }
}

#[test]
fn api_keys_are_told_from_tokens() {
    let key = ApiKey::generate().unwrap();
    let door = door_at(NOW).with_keys(Arc::new(OneKey(key.hash(b"pepper"))));
    assert_eq!(ask(&door, &key.expose()).unwrap().kind, Kind::Key);
    assert_eq!(ask(&door, &ApiKey::generate().unwrap().expose()), Err(Denied::Key));
    assert_eq!(ask(&door, "tt_short"), Err(Denied::Key));
    assert_eq!(ask(&door_at(NOW), &key.expose()), Err(Denied::Key), "a door that knows no keys");
}
