//! Pinned vectors (made with another implementation, Python's `hmac`), and what no change may get past.

use super::*;
use crate::message::message;
use proptest::prelude::*;

const SECRET: &[u8] = b"an example of a secret, not to be used";

fn key() -> Key {
    Key::new("k1", "default", SECRET).unwrap()
}

fn only(rules: &[&str]) -> Vec<Allowed> {
    rules.iter().map(|rule| rule.parse().expect("a rule that can be read")).collect()
}

fn verifier(key: Key) -> Verifier {
    Verifier::new(vec![key]).unwrap()
}

fn get<'a>(path: &'a str, query: &'a str) -> Request<'a> {
    Request { method: "GET", host: None, path, query: Some(query) }
}

fn check(verifier: &Verifier, method: &str, host: Option<&str>, target: &str, now: u64) -> Result<Verified, Refused> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    verifier.verify(&Request { method, host, path, query }, now)
}

#[test]
fn vectors() {
    for (method, host, path, query, signature) in [
        ("GET", None, "/img/a.jpg", "", "SqxAB-Y9yS-D1cGhq7MrhF-Rw2GHWtDEe9PRwy0GPRk"),
        (
            "HEAD",
            None,
            "/img/cats/tom%20cat.jpg",
            "w=800&h=600&fit=cover&f=auto&kid=k1&exp=1800000000",
            "OK7FLZ-EpsVLR0Q95YrBp9CD42z6_B7w-ONZJ0ugTVQ",
        ),
        (
            "GET",
            Some("IMG.example.com:8443"),
            "/img/a.jpg",
            "w=1&kid=k1",
            "SiWzcCRTR3v5me9K4oGbA-SPOoCDcfjB1tuAT8O1FVM",
        ),
        ("GET", None, "/img/a.jpg", "b=2&a-b=1&a=1&kid=k1&&a=0", "zhm1Ym3mVi7l91-zAZdyhmMlR96m9VDbWP4TKQxyruQ"),
        ("PUT", None, "/img/%C3%A9.jpg", "kid=k1", "UIkSwrgJ1rsiEUQ38Pj3Wb3nrn3735TUJRu6MqnW3Ao"),
    ] {
        let sealed = format!("{query}&s={signature}");
        let request = Request { method, host, path, query: Some(&sealed) };
        let keys = verifier(key().bind_host(host.is_some()));
        assert!(keys.verify(&request, 1).is_ok(), "{method} {host:?} {path}?{query}");
    }
    let short = verifier(key().truncated_to(16).unwrap());
    assert!(short.verify(&get("/img/a.jpg", "w=1&kid=k1&s=WilA7ASKllV5A98Qds_86A"), 1).is_ok());
    let whole = verifier(key());
    assert_eq!(whole.verify(&get("/img/a.jpg", "w=1&kid=k1&s=WilA7ASKllV5A98Qds_86A"), 1), Err(Refused::Mismatch));
}

#[test]
fn the_message_line_by_line() {
    let request = Request {
        method: "HEAD",
        host: Some("IMG.Example.com"),
        path: "/img/a%20b.jpg",
        query: Some("w=800&s=x&&kid=k1&a=2&a-b=1"),
    };
    assert_eq!(
        String::from_utf8(message(&request, true).unwrap()).unwrap(),
        "tintype-v1\nGET\nimg.example.com\n/img/a%20b.jpg\na-b=1&a=2&kid=k1&w=800"
    );
    assert!(message(&request, false).unwrap().starts_with(b"tintype-v1\nGET\n\n/img/"));
}

#[test]
fn signs_what_it_verifies() {
    let request = get("/img/a.jpg", "w=800");
    assert_eq!(
        sign(&key(), &request, Some(1_800_000_000)).unwrap().rsplit_once("&s=").unwrap().0,
        "/img/a.jpg?w=800&kid=k1&exp=1800000000"
    );
    let keys = verifier(key());
    let target = sign(&key(), &request, Some(100)).unwrap();
    for method in ["GET", "HEAD"] {
        let verified = check(&keys, method, None, &target, 99).unwrap();
        assert_eq!((&**verified.tenant(), &**verified.key_id(), verified.expires()), ("default", "k1", Some(100)));
    }
    assert_eq!(check(&keys, "GET", None, &target, 100), Err(Refused::Expired));
    assert_eq!(check(&keys, "POST", None, &target, 99), Err(Refused::Mismatch));
    let bare = sign(&key(), &Request { query: None, ..request }, None).unwrap();
    assert!(bare.starts_with("/img/a.jpg?kid=k1&s="));
    assert_eq!(check(&keys, "GET", None, &bare, u64::MAX).unwrap().expires(), None);
    assert_eq!(sign(&key(), &get("/a", "s=1"), None), Err(SignError::Sealed));
    assert_eq!(sign(&key(), &get("/a", "exp=1"), None), Err(SignError::Sealed));
    assert_eq!(sign(&key(), &get("a", ""), None), Err(SignError::Refused(Refused::Malformed)));
}

#[test]
fn refuses_before_it_compares() {
    let keys = verifier(key());
    let signature = "A".repeat(43);
    for (path, query, refused) in [
        ("/a", String::new(), Refused::Missing),
        ("/a", "w=1".into(), Refused::Missing),
        ("/a", "s=".into(), Refused::Malformed),
        ("/a", "s".into(), Refused::Malformed),
        ("/a", format!("s={signature}="), Refused::Malformed),
        ("/a", format!("s={}", "A".repeat(100)), Refused::Malformed),
        ("/a", "s=a+b".into(), Refused::Malformed),
        ("/a", format!("s={signature}&s={signature}"), Refused::Malformed),
        ("/a", format!("s={signature}&%65xp=5"), Refused::Malformed),
        ("/a", format!("s={signature}&exp=5&exp=6"), Refused::Malformed),
        ("/a", format!("s={signature}&exp=-5"), Refused::Malformed),
        ("/a", format!("s={signature}&exp=999999999999"), Refused::Malformed),
        ("/a", format!("s={signature}&kid="), Refused::Malformed),
        ("/a", format!("s={signature}&kid=k%31"), Refused::Malformed),
        ("/a", format!("s={signature}&a=\n"), Refused::Malformed),
        ("/a\n", format!("s={signature}"), Refused::Malformed),
        ("/a?", format!("s={signature}"), Refused::Malformed),
        ("a", format!("s={signature}"), Refused::Malformed),
        ("/a", format!("s={signature}&{}", "x&".repeat(200)), Refused::Malformed),
        ("/a", format!("s={signature}&x={}", "x".repeat(20_000)), Refused::Malformed),
        ("/a", format!("s={signature}&kid=k2"), Refused::UnknownKey),
        ("/a", format!("s={signature}"), Refused::Mismatch),
        ("/a", format!("s={signature}&exp=1"), Refused::Mismatch),
    ] {
        assert_eq!(keys.verify(&get(path, &query), 5), Err(refused), "{path} {query:.80}");
    }
    let none = Verifier::default();
    assert_eq!(none.verify(&get("/a", &format!("s={signature}")), 5), Err(Refused::UnknownKey));
}

#[test]
fn keys_rotate() {
    let new = Key::new("k2", "other", b"another example of a secret").unwrap();
    let old_target = sign(&key(), &get("/a", "w=1"), None).unwrap();
    let new_target = sign(&new, &get("/a", "w=1"), None).unwrap();
    let keys = Verifier::new(vec![new, key()]).unwrap();
    assert_eq!(check(&keys, "GET", None, &old_target, 1).unwrap().tenant().as_ref(), "default");
    assert_eq!(check(&keys, "GET", None, &new_target, 1).unwrap().tenant().as_ref(), "other");
    let crossed = old_target.replace("kid=k1", "kid=k2");
    assert_eq!(check(&keys, "GET", None, &crossed, 1), Err(Refused::Mismatch));
    assert_eq!(Verifier::new(vec![key(), key()]).unwrap_err(), KeyError::DuplicateId);
}

#[test]
fn a_key_is_good_for_what_it_is_bound_to() {
    let bound = || key().only_below("/img/public").unwrap().only_with(only(&["w", "h"]));
    let refused = |path, query| match sign(&bound(), &get(path, query), None) {
        Ok(_) => None,
        Err(SignError::Refused(refused)) => Some(refused),
        Err(SignError::Sealed) => panic!("nothing is sealed here"),
    };
    assert_eq!(refused("/img/public/a", "w=1&h=1"), None);
    assert_eq!(refused("/img/public", "w=1"), None);
    assert_eq!(refused("/img/publican", "w=1"), Some(Refused::Prefix));
    assert_eq!(refused("/img/%70ublic/a", "w=1"), Some(Refused::Prefix));
    assert_eq!(refused("/img/public/a", "w=1&q=1"), Some(Refused::Parameter));
    assert_eq!(refused("/img/public/a", "width=1"), Some(Refused::Parameter));

    // The same secret without bounds signs anything; the bound key refuses it though the signature is right.
    let keys = verifier(bound());
    let target = |path, query| sign(&key(), &get(path, query), Some(9)).unwrap();
    assert_eq!(check(&keys, "GET", None, &target("/img/x", "w=1"), 5), Err(Refused::Prefix));
    assert_eq!(check(&keys, "GET", None, &target("/img/public/x", "q=1"), 5), Err(Refused::Parameter));
    assert!(check(&keys, "GET", None, &target("/img/public/x", "h=1"), 5).is_ok());
}

#[test]
fn a_key_has_its_time() {
    let timed = || key().valid_between(Some(100), Some(200)).unwrap();
    let keys = verifier(timed());
    let target = sign(&key(), &get("/a", "w=1"), Some(150)).unwrap();
    for (now, outcome) in
        [(99, Err(Refused::KeyTime)), (100, Ok(Some(150))), (149, Ok(Some(150))), (150, Err(Refused::Expired))]
    {
        assert_eq!(check(&keys, "GET", None, &target, now).map(|verified| verified.expires()), outcome, "at {now}");
    }
    let endless = sign(&key(), &get("/a", "w=1"), None).unwrap();
    for (now, outcome) in [(99, Err(Refused::KeyTime)), (199, Ok(Some(200))), (200, Err(Refused::KeyTime))] {
        assert_eq!(check(&keys, "GET", None, &endless, now).map(|verified| verified.expires()), outcome, "at {now}");
    }
    let forged = endless.replace("w=1", "w=2");
    assert_eq!(check(&keys, "GET", None, &forged, 300), Err(Refused::Mismatch), "a key's time is told to its holders");
    assert_eq!(key().valid_between(Some(5), Some(5)).unwrap_err(), KeyError::Window);
}

#[test]
fn a_secret_is_exchanged_under_one_id() {
    let (old, new) = (SECRET, b"another example of a secret");
    let exchanged = verifier(Key::new("k1", "default", new).unwrap().also_with(old).unwrap());
    let after = verifier(Key::new("k1", "default", new).unwrap());
    let by_old = sign(&key(), &get("/a", "w=1"), None).unwrap();
    let by_new = sign(exchanged.key(None).unwrap(), &get("/a", "w=1"), None).unwrap();
    for (keys, target, fine) in
        [(&exchanged, &by_old, true), (&exchanged, &by_new, true), (&after, &by_old, false), (&after, &by_new, true)]
    {
        assert_eq!(check(keys, "GET", None, target, 1).is_ok(), fine, "{target}");
    }
    assert_eq!(key().also_with(b"short").unwrap_err(), KeyError::ShortSecret);
}

#[test]
fn a_key_bounds_what_it_may_ask_for() {
    let bound = || key().only_with(only(&["w<=800", "f=webp|avif", "q"]));
    let refused = |query| sign(&bound(), &get("/a", query), None).err();
    for fine in ["", "w=800", "w=12.5&f=avif&q=99", "q"] {
        assert_eq!(refused(fine), None, "{fine}");
    }
    for other in ["w=801", "w=%38", "w=auto", "w=8e2", "f=png", "f=webp%20", "h=1", "dpr=8&w=800", "then=w%3D9999"] {
        assert_eq!(refused(other), Some(SignError::Refused(Refused::Parameter)), "{other}");
    }
}

#[test]
fn the_host_counts_where_it_is_bound() {
    let key = || key().bind_host(true);
    let request = Request { host: Some("a.example"), ..get("/a", "w=1") };
    let target = sign(&key(), &request, None).unwrap();
    let keys = verifier(key());
    assert!(check(&keys, "GET", Some("A.EXAMPLE"), &target, 1).is_ok());
    assert_eq!(check(&keys, "GET", Some("b.example"), &target, 1), Err(Refused::Mismatch));
    assert_eq!(check(&keys, "GET", None, &target, 1), Err(Refused::Malformed));
    assert_eq!(sign(&key(), &get("/a", ""), None), Err(SignError::Refused(Refused::Malformed)));
}

#[test]
fn secrets_are_not_printed_and_not_short() {
    let shown = format!("{:?}", verifier(key()));
    assert!(shown.contains("k1") && !shown.contains("example of"), "{shown}");
    assert_eq!(Key::new("k1", "t", b"fifteen bytes!!").unwrap_err(), KeyError::ShortSecret);
    assert_eq!(Key::new("k 1", "t", SECRET).unwrap_err(), KeyError::Id);
    assert_eq!(key().truncated_to(15).unwrap_err(), KeyError::SignatureLength);
    assert_eq!(key().truncated_to(33).unwrap_err(), KeyError::SignatureLength);
    assert_eq!(key().only_below("img").unwrap_err(), KeyError::Prefix);
}

fn pair() -> impl Strategy<Value = String> {
    "[a-rt-z]{1,3}(=[A-Za-z0-9%._:,-]{0,4})?".prop_filter("the seal's own names", |pair| {
        !["kid", "exp"].contains(&pair.split('=').next().unwrap_or_default())
    })
}

proptest! {
    #[test]
    fn any_changed_byte_is_noticed(
        path in "/[a-z0-9%./-]{0,12}",
        pairs in prop::collection::vec(pair(), 0..5),
        expires in prop::option::of(1..99_999_999_999_u64),
        at in any::<prop::sample::Index>(),
        byte in 0x21..0x7f_u8,
    ) {
        let query = pairs.join("&");
        let target = sign(&key(), &get(&path, &query), expires).unwrap();
        let keys = verifier(key());
        prop_assert!(check(&keys, "GET", None, &target, 0).is_ok());
        let mut changed = target.clone().into_bytes();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte && changed[at] != b'?');
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(check(&keys, "GET", None, &changed, 0).is_err(), "{} {}", target, changed);
    }

    #[test]
    fn any_removed_or_added_pair_is_noticed(pairs in prop::collection::vec(pair(), 1..5), extra in pair()) {
        let keys = verifier(key());
        let target = sign(&key(), &get("/a", &pairs.join("&")), None).unwrap();
        let added = format!("{target}&{extra}");
        prop_assert!(check(&keys, "GET", None, &added, 0).is_err());
        let removed = target.replacen(&format!("?{}", pairs[0]), "?", 1);
        prop_assert!(check(&keys, "GET", None, &removed, 0).is_err());
    }

    #[test]
    fn order_does_not_matter(pairs in prop::collection::vec(pair(), 0..6), by in 0..8_usize) {
        let target = sign(&key(), &get("/a", &pairs.join("&")), Some(9)).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let mut moved: Vec<&str> = query.split('&').collect();
        let by = by % moved.len();
        moved.rotate_left(by);
        moved.reverse();
        let moved = moved.join("&&");
        prop_assert!(verifier(key()).verify(&get(path, &moved), 0).is_ok());
    }

    #[test]
    fn any_request_is_answered(method in "\\PC{0,5}", path in "\\PC{0,20}", query in "([a-z&=%]|s=|exp=|kid=|\\PC){0,20}") {
        let request = Request { method: &method, host: Some(&path), path: &path, query: Some(&query) };
        prop_assert!(verifier(key().bind_host(true)).verify(&request, 0).is_err());
        let _ = sign(&key(), &request, Some(0));
    }
}

/// Found by fuzzing: the signature is a parameter more, and that one was one too many.
#[test]
fn what_is_signed_is_let_through() {
    let mut refused = 0;
    for pairs in crate::message::MAX_PAIRS - 5..crate::message::MAX_PAIRS + 3 {
        let query = vec!["a=1"; pairs].join("&");
        let request = get("/a.jpg", &query);
        match sign(&key(), &request, None) {
            Ok(signed) => {
                let query = signed.split_once('?').map(|(_, query)| query);
                assert!(verifier(key()).verify(&Request { query, ..request }, 0).is_ok(), "{pairs} pairs");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 2 && refused < 8, "{refused} were too many");
}
