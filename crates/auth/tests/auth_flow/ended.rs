//! What becomes of access tokens whose session was ended, here and in other processes; and what is counted.

use crate::{PASSWORD, Site, text};
use prometheus_client::registry::Registry;
use serde_json::json;
use testkit::redis::Redis;

#[tokio::test]
async fn tokens_of_an_ended_session_are_refused_at_once() {
    let site = Site::memory().await;
    let one = site.user("main", "ann", &["viewer"]).await;
    let two = site.sign_in("ann@example.com", PASSWORD).await;
    let me = async |status, tokens: &serde_json::Value| {
        site.told(status, "GET", "me", text(tokens, "accessToken"), json!(null)).await
    };
    site.told(204, "POST", "sign-out", text(&two, "accessToken"), json!({})).await;
    assert_eq!(me(401, &two).await["code"], "session-over");
    me(200, &one).await;

    let refresh = json!({ "refreshToken": one["refreshToken"] });
    site.told(200, "POST", "refresh", "", refresh.clone()).await;
    site.later(60);
    site.told(401, "POST", "refresh", "", refresh).await;
    assert_eq!(me(401, &one).await["code"], "session-over", "somebody has a copy");

    let three = site.sign_in("ann@example.com", PASSWORD).await;
    let path = format!("tenants/main/users/{}", text(&three, "subject"));
    site.told(200, "PATCH", &path, &site.admin, json!({ "locked": true })).await;
    me(401, &three).await;
}

#[tokio::test]
async fn other_processes_refuse_them_too() {
    let Some(redis) = Redis::start(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("auth.db").display().to_string();
    let shared = format!("access.sessions.url={}", redis.url());
    let here = Site::open(&database, &[&shared]).await;
    let (there, alone) = (Site::open(&database, &[&shared]).await, Site::open(&database, &[]).await);
    let ann = here.user("main", "ann", &["viewer"]).await;
    let token = text(&ann, "accessToken");
    there.told(200, "GET", "me", token, json!(null)).await;
    here.told(204, "POST", "sign-out", token, json!({})).await;
    there.told(401, "GET", "me", token, json!(null)).await;
    alone.told(200, "GET", "me", token, json!(null)).await;
    alone.later(15 * 60 + 31);
    alone.told(401, "GET", "me", token, json!(null)).await;
}

#[tokio::test]
async fn what_people_do_is_counted() {
    let site = Site::memory().await;
    let ann = site.user("main", "ann", &["viewer"]).await;
    let wrong = json!({ "email": "ann@example.com", "password": "wrong wrong wrong" });
    for _ in 0..5 {
        site.told(401, "POST", "sign-in", "", wrong.clone()).await;
    }
    site.told(429, "POST", "sign-in", "", wrong).await;
    let refresh = json!({ "refreshToken": ann["refreshToken"] });
    site.told(200, "POST", "refresh", "", refresh.clone()).await;
    site.told(200, "POST", "refresh", "", refresh.clone()).await;
    site.told(403, "GET", "tenants/main/users", text(&ann, "accessToken"), json!(null)).await;
    site.told(401, "GET", "me", "tt_aaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", json!(null)).await;
    site.later(60);
    site.told(401, "POST", "refresh", "", refresh).await;
    site.told(401, "POST", "refresh", "", json!({ "refreshToken": "never given" })).await;
    let mut registry = Registry::with_prefix("tintype");
    site.auth.metrics().register(&mut registry);
    let mut told = String::new();
    prometheus_client::encoding::text::encode(&mut told, &registry).unwrap();
    for line in [
        "tintype_auth_sign_ins_total{outcome=\"done\"} 2",
        "tintype_auth_sign_ins_total{outcome=\"failed\"} 5",
        "tintype_auth_sign_ins_total{outcome=\"locked-out\"} 1",
        "tintype_auth_refreshes_total{outcome=\"done\"} 1",
        "tintype_auth_refreshes_total{outcome=\"repeated\"} 1",
        "tintype_auth_refreshes_total{outcome=\"reused\"} 1",
        "tintype_auth_refreshes_total{outcome=\"over\"} 1",
        "tintype_auth_sessions_ended_total 1",
        "tintype_auth_keys_total{outcome=\"refused\"} 1",
        "tintype_auth_decisions_total{outcome=\"denied\"} 1",
    ] {
        assert!(told.lines().any(|told| told == line), "{line} in\n{told}");
    }
}
