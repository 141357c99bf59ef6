//! Every endpoint with a tenant in it refuses those of another one; every other one refuses nobody in particular. Generated from
//! the document, so that a new endpoint without its line here fails.

use crate::{Site, text};
use serde_json::{Value, json};

/// A body that is sound, so that it is the caller who is refused and not the request.
fn body(method: &str, path: &str) -> Option<Value> {
    let until = "2027-01-15T09:00:00Z";
    Some(match (method, path.strip_prefix("/auth/v1/")?) {
        ("get" | "delete", _) | ("post", "rotations") => Value::Null,
        ("post", "tenants") => json!({ "id": "new", "name": "New" }),
        ("patch", "tenants/{tenant}") => json!({ "name": "Other" }),
        ("post", "tenants/{tenant}/users") => json!({ "email": "a@b.c", "name": "A", "roles": ["viewer"] }),
        ("patch", "tenants/{tenant}/users/{user}") => json!({ "name": "Other" }),
        ("post", "tenants/{tenant}/keys") => json!({ "name": "k", "roles": ["viewer"] }),
        ("post", "tenants/{tenant}/grants") => {
            json!({ "subject": "x", "actions": ["asset:read"], "until": until })
        }
        ("post", "tenants/{tenant}/urls" | "tenants/{tenant}/cloudfront") => {
            json!({ "path": "a.jpg", "expiresIn": 60 })
        }
        ("post", "tenants/{tenant}/uploads") => json!({ "below": "in", "expiresIn": 60 }),
        ("post", "introspect") => json!({ "token": "x" }),
        ("post", "policies/decisions") => {
            json!({ "subject": "x", "tenant": "main", "roles": [], "action": "user:read" })
        }
        ("post", "password") => json!({ "current": "x", "new": "y" }),
        ("post", "sign-out") => json!({}),
        _ => return None,
    })
}

/// What everybody may ask.
const OPEN: [&str; 5] = ["/sign-in", "/sign-up", "/refresh", "/jwks.json", "/.well-known/openid-configuration"];
/// What is one's own, whoever one is.
const OWN: [&str; 5] = ["/me", "/sessions", "/sessions/{session}", "/password", "/sign-out"];

#[tokio::test]
async fn strangers_are_refused_everywhere() {
    let site = Site::memory().await;
    let foreign = site.user("acme", "ann", &["admin"]).await;
    let foreign = text(&foreign, "accessToken");
    let document = serde_json::to_value(&site.companion.api).unwrap();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let short = path.strip_prefix("/auth/v1").unwrap();
        for (method, _) in item.as_object().unwrap().iter().filter(|(_, operation)| operation["responses"].is_object())
        {
            if OPEN.contains(&short) {
                continue;
            }
            let body = body(method, path).unwrap_or_else(|| panic!("{method} {path} has no line here"));
            let filled = short[1..].replace("{tenant}", "main").replace("{user}", "u").replace("{key}", "k");
            let filled = filled.replace("{grant}", "g").replace("{session}", "s");
            let method = method.to_uppercase();
            site.told(401, &method, &filled, "", body.clone()).await;
            if !OWN.contains(&short) && short != "/policies" {
                let refused = site.told(403, &method, &filled, foreign, body).await;
                assert!(!refused.to_string().contains("\"u\""), "{refused}");
            }
            asked += 1;
        }
    }
    assert!(asked >= 28, "{asked}");
}

#[tokio::test]
async fn the_document_is_what_is_routed() {
    let site = Site::memory().await;
    assert_eq!(companion::testing::differences(&site.companion).await, Vec::<String>::new());
}

#[test]
fn the_printed_configuration_is_current() {
    type Whole = companion::binary::Whole<auth::Place, auth::Config>;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
    companion::testing::config_is_current::<Whole>(&file);
}

/// Nobody in particular does not learn what should have been written.
#[tokio::test]
async fn who_one_is_comes_before_what_one_says() {
    let site = Site::memory().await;
    for (method, path) in
        [("POST", "policies/decisions"), ("POST", "tenants"), ("PATCH", "tenants/main"), ("POST", "password")]
    {
        for token in ["", "no token"] {
            site.told(401, method, path, token, json!({ "unknown": true })).await;
        }
    }
    site.told(400, "POST", "policies/decisions", &site.admin, json!({ "unknown": true })).await;
    site.told(400, "POST", "sign-in", "", json!({ "unknown": true })).await;
}
