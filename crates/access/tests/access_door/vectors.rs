//! Tokens that others made: Cognito's form with every fault, and Wycheproof's signatures and key sets.

use crate::{door_at, now};
use access::token::issuer::{Issuer, Mapping, Sort, Source};
use access::token::{KeySet, payload};
use access::{Kind, Role};
use arc_swap::ArcSwap;
use serde_json::{Value, json};
use std::sync::Arc;

/// A file of the shared folder; `None` where there is none.
fn shared(name: &str) -> Option<Value> {
    let folder = std::env::var_os("TINTYPE_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let path = folder.join("vectors").join(name);
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: there is no {}", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).expect("the vectors are JSON"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[test]
fn cognitos_tokens() {
    let Some(file) = shared("cognito-jwt.json") else { return };
    let keys = KeySet::read(file["jwks"].to_string().as_bytes()).unwrap();
    let issuer = Issuer {
        name: "cognito".into(),
        issuer: text(&file, "issuer").into(),
        sort: Sort::Cognito,
        audiences: vec![text(&file, "client_id").into()],
        source: Source::Here(Arc::new(ArcSwap::from_pointee(keys))),
        mapping: Mapping {
            tenant: Some("main".into()),
            roles_claim: "cognito:groups".into(),
            roles: [("editors".to_owned(), Role::Editor)].into(),
            ..Mapping::default()
        },
    };
    let door = door_at(file["now"].as_i64().unwrap()).with_issuer(issuer);
    for vector in file["vectors"].as_array().unwrap() {
        let found = now(door.bearer(text(vector, "token")));
        // Padding is against RFC 7515; the file leaves open whether it is taken, and it is not.
        let valid = vector["valid"].as_bool().unwrap_or(false);
        assert_eq!(found.is_ok(), valid, "{}: {found:?}", text(vector, "name"));
        if let Ok(caller) = found {
            assert_eq!((caller.tenant.as_str(), caller.kind), ("main", Kind::User));
            assert!(caller.is(Role::Editor) && caller.subject.starts_with("cognito|"), "{caller:?}");
        }
    }
}

/// Groups with keys of kinds that are not taken here at all: every token of theirs is refused.
fn is_ours(key: &Value) -> bool {
    let keys = key["keys"].as_array().cloned().unwrap_or_else(|| vec![key.clone()]);
    keys.iter().all(|key| matches!(text(key, "alg"), "RS256" | "ES256" | ""))
}

#[test]
fn wycheproofs_signatures_and_keys() {
    let mut looked_at = 0;
    for name in ["signature", "key", "crypto"] {
        let Some(file) = shared(&format!("wycheproof-json_web_{name}_test.json")) else { return };
        for group in file["testGroups"].as_array().unwrap() {
            let key = if group["public"].is_null() { &group["private"] } else { &group["public"] };
            let set = if key["keys"].is_null() { json!({ "keys": [key] }) } else { key.clone() };
            let set = KeySet::read(set.to_string().as_bytes());
            for test in group["tests"].as_array().unwrap() {
                let Some(token) = test["jws"].as_str() else { continue };
                looked_at += 1;
                let held = set.as_ref().is_ok_and(|set| payload(token, set).is_ok());
                let valid = text(test, "result") == "valid" && is_ours(key);
                let why = format!(
                    "{name} {} {} {}: {:?}",
                    group["comment"],
                    test["tcId"],
                    test["comment"],
                    set.as_ref().err()
                );
                assert_eq!(held, valid, "{why}");
            }
        }
    }
    assert!(looked_at > 400, "{looked_at}");
}
