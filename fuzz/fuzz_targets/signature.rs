//! Requests of a stranger: none verifies unless we signed it, what we signed does, and a changed one does not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signature::message::message;
use signature::{Key, Request, Verifier, sign};

fn request(target: &str) -> Request<'_> {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    Request { method: "GET", host: Some("img.example.org"), path, query }
}

fuzz_target!(|input: (&str, Option<u16>, u16, u8)| {
    let (target, expires, at, flip) = input;
    let key = || Key::new("k1", "default", b"0123456789abcdef0123456789abcdef").expect("a good key");
    let verifier = Verifier::new(vec![key()]).expect("one key");
    assert!(verifier.verify(&request(target), 0).is_err(), "nobody signed {target:?}");

    let expires = expires.map(u64::from).filter(|seconds| *seconds > 0);
    let Ok(signed) = sign(&key(), &request(target), expires) else { return };
    let verified = verifier.verify(&request(&signed), 0).unwrap_or_else(|e| panic!("{signed:?}: {e}"));
    assert_eq!(verified.expires(), expires);
    if let Some(expires) = expires {
        assert!(verifier.verify(&request(&signed), expires).is_err(), "{signed:?} has expired");
    }

    let mut changed = signed.clone().into_bytes();
    let at = usize::from(at) % changed.len();
    changed[at] ^= flip;
    let Ok(changed) = String::from_utf8(changed) else { return };
    let same = message(&request(&changed), false).ok() == message(&request(&signed), false).ok();
    let signature = |t: &str| t.rsplit_once("&s=").map(|(_, s)| s.to_owned());
    if !same || signature(&changed) != signature(&signed) {
        assert!(verifier.verify(&request(&changed), 0).is_err(), "{signed:?} became {changed:?}");
    }
});
