//! API keys, grants, introspection, users and their roles.

use crate::{PASSWORD, Site, text};
use access::{Action, Resource};
use serde_json::json;

#[tokio::test]
async fn a_key_is_shown_once_is_limited_and_is_revoked() {
    let site = Site::memory().await;
    let admin = site.user("acme", "ann", &["admin"]).await;
    let token = text(&admin, "accessToken");
    let asked =
        json!({ "name": "build", "roles": ["editor"], "scopes": ["asset:create"], "expires": "2027-12-01T00:00:00Z" });
    let made = site.told(201, "POST", "tenants/acme/keys", token, asked).await;
    let (secret, id) = (text(&made, "secret"), text(&made["key"], "id"));
    let me = site.told(200, "GET", "me", secret, json!(null)).await;
    assert_eq!((text(&me, "kind"), text(&me, "tenant")), ("key", "acme"));
    let list = site.told(200, "GET", "tenants/acme/keys", token, json!(null)).await;
    assert_eq!(list["items"][0]["id"], id);
    assert!(!list.to_string().contains(&secret[14..]), "the secret is shown once");
    let log = site.told(200, "GET", "tenants/acme/audit", token, json!(null)).await;
    assert!(!log.to_string().contains(&secret[14..]) && !log.to_string().contains(PASSWORD));

    let door = site.auth.door();
    let caller = door.bearer(secret).await.unwrap();
    door.may(&caller, Action::AssetCreate, &Resource::asset("acme", "a.jpg")).unwrap();
    assert!(door.may(&caller, Action::AssetRead, &Resource::asset("acme", "a.jpg")).is_err(), "beyond its scopes");
    assert!(door.may(&caller, Action::AssetCreate, &Resource::asset("main", "a.jpg")).is_err());

    site.told(204, "DELETE", &format!("tenants/acme/keys/{id}"), token, json!(null)).await;
    site.told(404, "DELETE", &format!("tenants/acme/keys/{id}"), token, json!(null)).await;
    assert_eq!(site.told(401, "GET", "me", secret, json!(null)).await["code"], "key-invalid");

    let short = json!({ "name": "short", "roles": ["viewer"], "expires": "2027-01-16T00:00:00Z" });
    let short = site.told(201, "POST", "tenants/acme/keys", token, short).await;
    site.told(200, "GET", "me", text(&short, "secret"), json!(null)).await;
    site.later(2 * 24 * 3600);
    site.told(401, "GET", "me", text(&short, "secret"), json!(null)).await;
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_have() {
    let site = Site::memory().await;
    let admin = site.user("acme", "ann", &["admin"]).await;
    let token = text(&admin, "accessToken");
    let asked = |roles: &[&str]| json!({ "name": "k", "roles": roles });
    site.told(400, "POST", "tenants/acme/keys", token, asked(&["service"])).await;
    site.told(403, "POST", "tenants/*/keys", token, asked(&["service"])).await;
    site.told(400, "POST", "tenants/acme/keys", token, asked(&[])).await;
    let user = |roles: &[&str]| json!({ "email": "x@example.com", "name": "X", "password": PASSWORD, "roles": roles });
    site.told(400, "POST", "tenants/acme/users", token, user(&["operator"])).await;
    site.told(403, "POST", "tenants/*/users", token, user(&["operator"])).await;
    site.told(400, "POST", "tenants/*/users", &site.admin, user(&["admin"])).await;
    let narrow = json!({ "name": "n", "roles": ["admin"], "scopes": ["key:manage"] });
    let narrow = site.told(201, "POST", "tenants/acme/keys", token, narrow).await;
    site.told(403, "POST", "tenants/acme/keys", text(&narrow, "secret"), asked(&["admin"])).await;
    // An operator has no pictures, and no keys to them either.
    site.user("*", "opal", &["operator"]).await;
}

#[tokio::test]
async fn a_service_asks_whose_a_token_is() {
    let site = Site::memory().await;
    let made =
        site.told(201, "POST", "tenants/*/keys", &site.admin, json!({ "name": "search", "roles": ["service"] })).await;
    let service = text(&made, "secret");
    let ann = site.user("acme", "ann", &["viewer"]).await;
    let ask = async |token: &str| site.told(200, "POST", "introspect", service, json!({ "token": token })).await;
    let found = ask(text(&ann, "accessToken")).await;
    assert_eq!((found["active"].clone(), text(&found["caller"], "tenant")), (json!(true), "acme"));
    let caller: access::Caller = serde_json::from_value(found["caller"].clone()).unwrap();
    assert_eq!(caller.subject, text(&ann, "subject"), "as a door elsewhere reads it");
    assert_eq!(ask("tt_nonsense").await, json!({ "active": false }));
    site.told(204, "POST", "sign-out", text(&ann, "accessToken"), json!({})).await;
    assert_eq!(ask(text(&ann, "accessToken")).await, json!({ "active": false }), "its session is over");
    let viewer = site.user("acme", "bob", &["viewer"]).await;
    site.told(403, "POST", "introspect", text(&viewer, "accessToken"), json!({ "token": "x" })).await;
}

#[tokio::test]
async fn a_grant_holds_below_its_path_until_its_end() {
    let site = Site::memory().await;
    let admin = site.user("acme", "ann", &["admin"]).await;
    let token = text(&admin, "accessToken");
    let guest = site.user("other", "gil", &["viewer"]).await;
    let asked = |actions: &[&str], below: &str| json!({ "subject": guest["subject"], "actions": actions, "below": below, "until": "2027-01-15T09:00:00Z" });
    site.told(400, "POST", "tenants/acme/grants", token, asked(&["user:manage"], "")).await;
    site.told(400, "POST", "tenants/acme/grants", token, asked(&["asset:read"], "/press/")).await;
    let made = site.told(201, "POST", "tenants/acme/grants", token, asked(&["asset:read"], "press")).await;
    let refreshed = site.told(200, "POST", "refresh", "", json!({ "refreshToken": guest["refreshToken"] })).await;
    let door = site.auth.door();
    let caller = door.bearer(text(&refreshed, "accessToken")).await.unwrap();
    let may = |path: &str| door.may(&caller, Action::AssetRead, &Resource::asset("acme", path)).is_ok();
    assert!(may("press/a.jpg") && !may("a.jpg"));
    site.later(3600);
    assert!(!may("press/a.jpg"), "its end");
    let id = text(&made, "id");
    let admin = site.sign_in("ann@example.com", PASSWORD).await;
    let token = text(&admin, "accessToken");
    site.told(204, "DELETE", &format!("tenants/acme/grants/{id}"), token, json!(null)).await;
    site.told(404, "DELETE", &format!("tenants/acme/grants/{id}"), token, json!(null)).await;
}

#[tokio::test]
async fn grants_of_others_do_not_lock_anybody_out() {
    let site = Site::memory().await;
    let admin = site.user("acme", "ann", &["admin"]).await;
    let guest = site.user("other", "gil", &["viewer"]).await;
    let all: Vec<&str> = access::Action::ALL
        .iter()
        .map(|action| action.as_str())
        .filter(|name| name.starts_with("asset:") || name.ends_with(":sign"))
        .collect();
    for number in 0..20 {
        let below = format!("{number}{}", "x".repeat(500));
        let asked =
            json!({ "subject": guest["subject"], "actions": all, "below": below, "until": "2027-01-15T09:00:00Z" });
        site.told(201, "POST", "tenants/acme/grants", text(&admin, "accessToken"), asked).await;
    }
    let refreshed = site.told(200, "POST", "refresh", "", json!({ "refreshToken": guest["refreshToken"] })).await;
    site.told(200, "GET", "me", text(&refreshed, "accessToken"), json!(null)).await;
}

#[tokio::test]
async fn policies_can_be_read_and_asked() {
    let site = Site::memory().await;
    let admin = site.user("acme", "ann", &["admin"]).await;
    let token = text(&admin, "accessToken");
    let read = site.told(200, "GET", "policies", token, json!(null)).await;
    assert!(text(&read["policies"][0], "text").contains("viewer-sees"));
    let asked =
        json!({ "subject": "x", "tenant": "acme", "roles": ["viewer"], "action": "asset:edit", "path": "a.jpg" });
    let answer = site.told(200, "POST", "policies/decisions", token, asked).await;
    assert_eq!(answer, json!({ "allowed": false, "policies": [], "errors": [] }));
    let asked =
        json!({ "subject": "x", "tenant": "acme", "roles": ["editor"], "action": "asset:edit", "path": "a.jpg" });
    let answer = site.told(200, "POST", "policies/decisions", token, asked).await;
    assert_eq!(answer["policies"], json!(["editor-changes"]));
    let foreign =
        json!({ "subject": "x", "tenant": "main", "roles": ["editor"], "action": "asset:edit", "path": "a.jpg" });
    site.told(403, "POST", "policies/decisions", token, foreign).await;
}
