//! A companion in another process: it verifies our tokens by the keys that we publish, and asks us whose API keys are.

use crate::{Site, text};
use access::config::AccessConfig;
use access::{Action, Denied, Resource};
use companion::Mounted;
use serde_json::json;
use service::drain::Drain;
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::test]
async fn tokens_and_keys_are_taken_over_sockets_and_keys_of_a_rotation_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::open(":memory:", &[&format!("auth.public_url={here}")]).await;
    let ann = site.user("acme", "ann", &["admin"]).await;
    let made =
        site.told(201, "POST", "tenants/*/keys", &site.admin, json!({ "name": "search", "roles": ["service"] })).await;
    let key = site
        .told(201, "POST", "tenants/acme/keys", text(&ann, "accessToken"), json!({ "name": "k", "roles": ["editor"] }))
        .await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.key");
    std::fs::write(&file, format!("{}\n", text(&made, "secret"))).unwrap();
    let sets = [
        format!("introspect={here}/auth/v1/introspect"),
        format!("introspect_key_file={}", file.display()),
        "introspect_fresh=1s".to_owned(),
        "issuers.0.sort=tintype".to_owned(),
        format!("issuers.0.issuer={here}/auth/v1"),
        "issuers.0.pause=1s".to_owned(),
    ];
    let config = service::config::load::<AccessConfig>(None, [], &sets).unwrap().config;
    let told = std::sync::Arc::clone(&site.clock);
    let clock = std::sync::Arc::new(move || {
        jiff::Timestamp::from_second(told.load(std::sync::atomic::Ordering::Relaxed)).expect("near now")
    });
    let door = config.door(None).unwrap().with_clock(clock);
    let token = text(&ann, "accessToken");
    nobody_answers(&config, &here, token, text(&key, "secret")).await;

    let Site { companion, clock, auth, .. } = site;
    let companion_again = auth::build(
        &site_config(),
        auth::Parts { auth: std::sync::Arc::clone(&auth), base: companion::testing::base(&["rate=0.0"]) },
    );
    let (mounted, _upkeep) = Mounted::new(vec![companion_again.unwrap()], None);
    let drain = Drain::new();
    let stop = drain.clone();
    let served = tokio::spawn(async move {
        companion::serve(listener, mounted, 100, Duration::from_secs(5), &stop, &stop).await;
    });

    clock.fetch_add(2, std::sync::atomic::Ordering::Relaxed);
    let caller = door.bearer(token).await.unwrap();
    assert_eq!((caller.subject.as_str(), caller.tenant.as_str()), (text(&ann, "subject"), "acme"));
    let bearer = door.bearer(text(&key, "secret")).await.unwrap();
    door.may(&bearer, Action::AssetEdit, &Resource::asset("acme", "a.jpg")).unwrap();
    assert_eq!(door.bearer(&access::ApiKey::generate().unwrap().expose()).await, Err(Denied::Key));

    // A new key signs: this process has never heard of it, and asks.
    let ask = async |method: &str, path: &str, token: &str, body: serde_json::Value| {
        companion::testing::ask_json(&companion, method, &format!("/auth/v1/{path}"), token, &body).await
    };
    assert_eq!(ask("POST", "rotations", &site.admin, json!(null)).await.status(), 201);
    clock.fetch_add(700, std::sync::atomic::Ordering::Relaxed);
    let refreshed = ask("POST", "refresh", "", json!({ "refreshToken": ann["refreshToken"] })).await.json();
    door.bearer(text(&refreshed, "accessToken")).await.unwrap();
    door.bearer(token).await.unwrap();

    // Revoked, and known here a second later.
    let path = format!("tenants/acme/keys/{}", text(&key["key"], "id"));
    assert_eq!(ask("DELETE", &path, text(&refreshed, "accessToken"), json!(null)).await.status(), 204);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(door.bearer(text(&key, "secret")).await, Err(Denied::Key));
    drain.begin();
    served.await.unwrap();
}

/// Where the service is not there, nobody is taken for somebody else, and the caller is told to try again.
async fn nobody_answers(config: &AccessConfig, here: &str, token: &str, key: &str) {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("it has one");
    let mut config = config.clone();
    config.introspect = Some(format!("http://{closed}/auth/v1/introspect").parse().expect("a URL"));
    config.issuers[0].jwks = Some(format!("http://{closed}/jwks.json").parse().expect("a URL"));
    assert!(config.issuers[0].issuer.starts_with(here));
    let door = config.door(None).expect("a sound config");
    for credentials in [token, key] {
        assert!(matches!(door.bearer(credentials).await, Err(Denied::Unavailable(_))));
    }
}

fn site_config() -> auth::Config {
    service::config::load::<auth::Config>(None, [], &[]).expect("the defaults are sound").config
}
