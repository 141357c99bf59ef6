//! Sign-in, refresh and its reuse, sign-out, lock-out, passwords, rotation.

use crate::{PASSWORD, Site, text};
use serde_json::json;

#[tokio::test]
async fn sign_in_refresh_and_what_a_copied_token_does() {
    let site = Site::memory().await;
    let first = site.user("main", "ann", &["editor"]).await;
    let me = site.told(200, "GET", "me", text(&first, "accessToken"), json!(null)).await;
    assert_eq!((text(&me, "email"), text(&me, "tenant")), ("ann@example.com", "main"));
    assert_eq!(me["roles"], json!(["editor"]));

    let refresh = |tokens: &serde_json::Value| json!({ "refreshToken": tokens["refreshToken"] });
    let second = site.told(200, "POST", "refresh", "", refresh(&first)).await;
    assert_ne!(first["refreshToken"], second["refreshToken"]);
    // Another tab, or an answer that was lost: a moment later it is taken once more.
    site.later(5);
    let third = site.told(200, "POST", "refresh", "", refresh(&first)).await;
    // Later somebody has a copy: the whole family is dead, whoever has the newest.
    site.later(60);
    let reused = site.told(401, "POST", "refresh", "", refresh(&first)).await;
    assert_eq!(text(&reused, "code"), "session-over");
    for tokens in [&second, &third] {
        site.told(401, "POST", "refresh", "", refresh(tokens)).await;
    }
    let log = site.told(200, "GET", "tenants/main/audit", &site.admin, json!(null)).await;
    assert!(log["items"][0]["detail"].as_str().unwrap().contains("used again"), "{log}");
    site.told(401, "POST", "refresh", "", json!({ "refreshToken": "never given" })).await;
}

#[tokio::test]
async fn sessions_end_by_signing_out_by_time_and_by_a_new_password() {
    let site = Site::memory().await;
    let one = site.user("main", "ann", &["viewer"]).await;
    let two = site.sign_in("ann@example.com", PASSWORD).await;
    let token = text(&one, "accessToken");
    let sessions = site.told(200, "GET", "sessions", token, json!(null)).await;
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    let refresh = |tokens: &serde_json::Value| json!({ "refreshToken": tokens["refreshToken"] });

    site.told(204, "POST", "sign-out", text(&two, "accessToken"), json!({})).await;
    site.told(401, "POST", "refresh", "", refresh(&two)).await;
    let three = site.sign_in("ann@example.com", PASSWORD).await;
    site.told(403, "POST", "password", token, json!({ "current": "wrong", "new": "another long password" })).await;
    let short = site.told(400, "POST", "password", token, json!({ "current": PASSWORD, "new": "short" })).await;
    assert!(!short.to_string().contains("\"short\""), "a password is in no answer: {short}");
    site.told(204, "POST", "password", token, json!({ "current": PASSWORD, "new": "another long password" })).await;
    site.told(401, "POST", "refresh", "", refresh(&three)).await;
    let one = site.told(200, "POST", "refresh", "", refresh(&one)).await;
    site.told(401, "POST", "sign-in", "", json!({ "email": "ann@example.com", "password": PASSWORD })).await;
    site.sign_in("ANN@example.com", "another long password").await;

    site.told(204, "POST", "sign-out", text(&one, "accessToken"), json!({ "everywhere": true })).await;
    site.told(401, "POST", "refresh", "", refresh(&one)).await;
    let four = site.sign_in("ann@example.com", "another long password").await;
    site.later(31 * 24 * 3600);
    site.told(401, "POST", "refresh", "", refresh(&four)).await;
    site.told(401, "GET", "me", text(&four, "accessToken"), json!(null)).await;
}

#[tokio::test]
async fn failures_lock_out_one_account_from_one_network_and_then_pass() {
    let site = Site::memory().await;
    site.user("main", "ann", &["viewer"]).await;
    let wrong = |email: &str| json!({ "email": email, "password": "wrong wrong wrong" });
    for _ in 0..5 {
        let refused = site.told(401, "POST", "sign-in", "", wrong("ann@example.com")).await;
        let unknown = site.told(401, "POST", "sign-in", "", wrong("nobody@example.com")).await;
        assert_eq!(refused, unknown, "nobody learns who has an account");
    }
    let right = json!({ "email": "ann@example.com", "password": PASSWORD });
    let locked = site.ask("POST", "sign-in", "", right.clone()).await;
    assert_eq!(locked.status(), 429, "{}", locked.json());
    assert!(locked.head.headers.contains_key("retry-after"));
    site.user("main", "bob", &["viewer"]).await;
    site.later(15 * 60 + 1);
    site.told(200, "POST", "sign-in", "", right).await;
}

#[tokio::test]
async fn many_guesses_at_once_are_no_more_guesses() {
    let site = Site::memory().await;
    site.user("main", "ann", &["viewer"]).await;
    let guess =
        || site.ask("POST", "sign-in", "", json!({ "email": "ann@example.com", "password": "wrong wrong wrong" }));
    let (a, b, c, d, e, f, g, h) = tokio::join!(guess(), guess(), guess(), guess(), guess(), guess(), guess(), guess());
    let looked_at = [a, b, c, d, e, f, g, h].iter().filter(|answer| answer.status() == 401).count();
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn a_locked_user_and_a_locked_tenant_are_out_at_the_next_token() {
    let site = Site::memory().await;
    let ann = site.user("acme", "ann", &["viewer"]).await;
    let bob = site.user("acme", "bob", &["viewer"]).await;
    let id = text(&ann, "subject").to_owned();
    site.told(200, "PATCH", &format!("tenants/acme/users/{id}"), &site.admin, json!({ "locked": true })).await;
    let refresh = |tokens: &serde_json::Value| json!({ "refreshToken": tokens["refreshToken"] });
    site.told(401, "POST", "refresh", "", refresh(&ann)).await;
    site.told(401, "POST", "sign-in", "", json!({ "email": "ann@example.com", "password": PASSWORD })).await;
    site.told(200, "PATCH", "tenants/acme", &site.admin, json!({ "locked": true })).await;
    site.told(401, "POST", "refresh", "", refresh(&bob)).await;
}

#[tokio::test]
async fn keys_rotate_while_tokens_of_the_old_one_live() {
    let site = Site::memory().await;
    let old = site.user("main", "ann", &["viewer"]).await;
    let kids = async || {
        let set = site.told(200, "GET", "jwks.json", "", json!(null)).await;
        set["keys"].as_array().unwrap().iter().map(|key| text(key, "kid").to_owned()).collect::<Vec<_>>()
    };
    let before = kids().await;
    let rotated = site.told(201, "POST", "rotations", &site.admin, json!(null)).await;
    let both = kids().await;
    assert_eq!((before.len(), both.len()), (1, 2));
    assert!(both.contains(&text(&rotated, "kid").to_owned()));
    // The new key is published, and does not sign before everybody can have it.
    let during = site.sign_in("ann@example.com", PASSWORD).await;
    assert_eq!(kid_of(&during), before[0]);
    site.later(601);
    let after = site.sign_in("ann@example.com", PASSWORD).await;
    assert_eq!(kid_of(&after), text(&rotated, "kid"));
    for tokens in [&old, &during, &after] {
        site.told(200, "GET", "me", text(tokens, "accessToken"), json!(null)).await;
    }
    let configuration = site.told(200, "GET", ".well-known/openid-configuration", "", json!(null)).await;
    assert_eq!(text(&configuration, "jwks_uri"), "http://127.0.0.1:8085/auth/v1/jwks.json");
}

fn kid_of(tokens: &serde_json::Value) -> String {
    use base64::Engine as _;
    let header = text(tokens, "accessToken").split('.').next().expect("a token has a header");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).expect("base64url");
    text(&serde_json::from_slice(&header).expect("JSON"), "kid").to_owned()
}

#[tokio::test]
async fn accounts_are_made_by_oneself_only_where_that_is_allowed() {
    let asked = json!({ "email": "eve@example.com", "name": "Eve", "password": PASSWORD });
    let closed = Site::memory().await;
    closed.told(403, "POST", "sign-up", "", asked.clone()).await;
    let open = Site::open(":memory:", &["auth.sign_up=true"]).await;
    open.told(201, "POST", "sign-up", "", asked.clone()).await;
    open.told(409, "POST", "sign-up", "", asked).await;
    let eve = open.sign_in("eve@example.com", PASSWORD).await;
    assert_eq!(eve["roles"], json!(["viewer"]));
    for (field, body) in [
        ("email", json!({ "email": "eve", "name": "Eve", "password": PASSWORD })),
        ("name", json!({ "email": "e@example.com", "name": "", "password": PASSWORD })),
        ("password", json!({ "email": "e@example.com", "name": "Eve", "password": "short" })),
        ("role", json!({ "email": "e@example.com", "name": "Eve", "password": PASSWORD, "role": "admin" })),
    ] {
        let refused = open.told(400, "POST", "sign-up", "", body).await;
        assert_eq!(refused["errors"][0]["field"], field, "{refused}");
    }
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_either() {
    let site = Site::memory().await;
    let ann = site.user("main", "ann", &["viewer"]).await;
    let guess = json!({ "current": "wrong wrong wrong", "new": "another good password" });
    for status in [403, 403, 403, 403, 403, 429] {
        site.told(status, "POST", "password", text(&ann, "accessToken"), guess.clone()).await;
    }
    let right = json!({ "current": PASSWORD, "new": "another good password" });
    site.told(429, "POST", "password", text(&ann, "accessToken"), right.clone()).await;
    site.later(15 * 60 + 1);
    let ann = site.told(200, "POST", "sign-in", "", json!({ "email": "ann@example.com", "password": PASSWORD })).await;
    site.told(204, "POST", "password", text(&ann, "accessToken"), right).await;
}
