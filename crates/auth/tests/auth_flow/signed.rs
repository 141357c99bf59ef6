//! URLs that are signed, uploads that are granted, and CloudFront's form as others make it.

use crate::{Site, text};
use access::{Action, Resource};
use auth::signing::cloudfront::{CloudFront, Policy, encode};
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test]
async fn a_viewer_has_urls_signed_within_the_policies() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("sizes.cedar");
    std::fs::write(
        &policy,
        r#"@id("no-originals") forbid (principal in Role::"viewer", action == Action::"url:sign", resource)
           unless { context has width && context.width <= 1600 };"#,
    )
    .unwrap();
    let policies = format!("access.policies={}", policy.display());
    let site = Site::open(
        ":memory:",
        &[
            &policies,
            "auth.urls.0.tenant=acme",
            "auth.urls.0.kid=k1",
            "auth.urls.0.secret=an example of a secret, not to be used",
            "auth.urls.0.base=https://img.example/a/acme",
        ],
    )
    .await;
    let viewer = site.user("acme", "ann", &["viewer"]).await;
    let token = text(&viewer, "accessToken");
    let ask = |query: &str| json!({ "path": "cats/tom.jpg", "query": query, "expiresIn": 3600 });
    let signed = site.told(200, "POST", "tenants/acme/urls", token, ask("f=auto&width=800")).await;
    let again = site.told(200, "POST", "tenants/acme/urls", token, ask("w=800&f=auto&blur=0")).await;
    assert_eq!(signed, again, "one picture, one URL");
    assert!(
        text(&signed, "url").starts_with("https://img.example/a/acme/cats/tom.jpg?f=auto&w=800&kid=k1&exp="),
        "{signed}"
    );
    for query in ["w=1601", ""] {
        let refused = site.told(403, "POST", "tenants/acme/urls", token, ask(query)).await;
        assert!(text(&refused, "detail").contains("no-originals"), "{refused}");
    }
    assert_eq!(site.told(400, "POST", "tenants/acme/urls", token, ask("w=big")).await["errors"][0]["field"], "query");
}

#[tokio::test]
async fn an_upload_is_granted_for_a_folder_and_a_time_and_for_nothing_else() {
    let site = Site::memory().await;
    let editor = site.user("acme", "ann", &["editor"]).await;
    let viewer = site.user("acme", "bob", &["viewer"]).await;
    site.told(
        403,
        "POST",
        "tenants/acme/uploads",
        text(&viewer, "accessToken"),
        json!({ "below": "x", "expiresIn": 9 }),
    )
    .await;
    let asked = json!({ "below": "inbox", "expiresIn": 900 });
    let granted = site.told(200, "POST", "tenants/acme/uploads", text(&editor, "accessToken"), asked).await;
    let door = site.auth.door();
    let caller = door.bearer(text(&granted, "token")).await.unwrap();
    let may = |action, path| door.may(&caller, action, &Resource::asset("acme", path)).is_ok();
    assert!(may(Action::AssetCreate, "inbox/a.jpg"));
    assert!(
        !may(Action::AssetCreate, "a.jpg")
            && !may(Action::AssetReplace, "inbox/a.jpg")
            && !may(Action::AssetRead, "inbox/a.jpg")
    );
    let token = text(&granted, "token");
    let everywhere = json!({ "everywhere": true });
    for (method, path, body) in
        [("GET", "me", json!(null)), ("GET", "sessions", json!(null)), ("POST", "sign-out", everywhere)]
    {
        site.told(403, method, path, token, body).await;
    }
    site.later(900 + 31);
    assert!(door.bearer(token).await.is_err());
}

/// botocore's vectors; `None` where there is no shared folder.
fn vectors() -> Option<Value> {
    let folder = std::env::var_os("TINTYPE_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    let Ok(file) = std::fs::read(folder.join("vectors/cloudfront-signed.json")) else {
        println!("skipped: the shared folder has no vectors for CloudFront");
        return None;
    };
    Some(serde_json::from_slice(&file).expect("the vectors are JSON"))
}

fn decode(text: &str) -> Vec<u8> {
    STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).expect("base64")
}

fn field<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn cloudfronts_policies_are_those_that_botocore_signs() {
    let Some(file) = vectors() else { return };
    let pem: String = text(&file, "public_key_pem").lines().filter(|line| !line.starts_with('-')).collect();
    let public = STANDARD.decode(pem).unwrap();
    let signer =
        CloudFront::new(text(&file, "key_pair_id"), "https://x", text(&file, "throwaway_private_key_pem")).unwrap();
    let mut looked_at = 0;
    for vector in file["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| !vector["policy"].is_null() || text(vector, "name").starts_with("canned"))
    {
        let (url, signed) = (text(vector, "url"), text(vector, "signed"));
        let policy = match field(signed, "Expires") {
            Some(before) => {
                Policy { resource: url.into(), before: before.parse().unwrap(), after: None, network: None }
            }
            None => {
                let given: Value = serde_json::from_str(text(vector, "policy")).unwrap();
                let statement = &given["Statement"][0];
                let conditions = &statement["Condition"];
                Policy {
                    resource: text(statement, "Resource").into(),
                    before: conditions["DateLessThan"]["AWS:EpochTime"].as_i64().unwrap(),
                    after: conditions["DateGreaterThan"]["AWS:EpochTime"].as_i64(),
                    network: conditions["IpAddress"]["AWS:SourceIp"].as_str().map(str::to_owned),
                }
            }
        };
        // Theirs is SHA-1: it holds for our text of the policy, byte for byte.
        let theirs = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, &public);
        theirs.verify(policy.json().as_bytes(), &decode(field(signed, "Signature").unwrap())).unwrap();
        // Ours is SHA-256, and says so.
        let ours = signer.signed_url(url, &policy).unwrap();
        assert_eq!(field(&ours, "Hash-Algorithm"), Some("SHA256"));
        assert_eq!(field(&ours, "Key-Pair-Id"), field(signed, "Key-Pair-Id"));
        if let Some(custom) = field(&ours, "Policy") {
            assert_eq!(custom, encode(policy.json().as_bytes()));
            assert_eq!(Some(custom), field(signed, "Policy"));
        } else {
            assert_eq!(field(&ours, "Expires"), field(signed, "Expires"));
        }
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &public);
        key.verify(policy.json().as_bytes(), &decode(field(&ours, "Signature").unwrap())).unwrap();
        looked_at += 1;
    }
    assert!(looked_at >= 6, "{looked_at}");
}

#[tokio::test]
async fn cloudfronts_cookies_open_a_folder_only_where_no_policy_tells_its_pictures_apart() {
    let Some(file) = vectors() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (key, policy) = (folder.path().join("cf.pem"), folder.path().join("press.cedar"));
    std::fs::write(&key, text(&file, "throwaway_private_key_pem")).unwrap();
    std::fs::write(
        &policy,
        r#"forbid (principal, action == Action::"url:sign", resource in Folder::"acme/press/secret");"#,
    )
    .unwrap();
    let sets = [
        format!("access.policies={}", policy.display()),
        "auth.cloudfront.key_pair_id=K2JCJMDEHXQW5F".to_owned(),
        format!("auth.cloudfront.private_key_file={}", key.display()),
        "auth.cloudfront.base=https://cdn.example/a".to_owned(),
    ];
    let site = Site::open(":memory:", &sets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let viewer = site.user("acme", "ann", &["viewer"]).await;
    let token = text(&viewer, "accessToken");
    let asked = |path: &str, cookies: bool| json!({ "path": path, "expiresIn": 600, "cookies": cookies, "network": "192.0.2.0/24" });
    let url = site.told(200, "POST", "tenants/acme/cloudfront", token, asked("cats/tom.jpg", false)).await;
    assert!(text(&url, "url").starts_with("https://cdn.example/a/acme/cats/tom.jpg?Policy="), "{url}");
    for name in ["*", "press/*", "cats/%2A.jpg"] {
        let refused = site.told(400, "POST", "tenants/acme/cloudfront", token, asked(name, false)).await;
        assert_eq!(refused["errors"][0]["field"], "path", "a wildcard would open what no policy was asked about");
    }
    let cookies = site.told(200, "POST", "tenants/acme/cloudfront", token, asked("cats", true)).await;
    assert_eq!(cookies["cookies"]["CloudFront-Hash-Algorithm"], "SHA256");
    let policy = String::from_utf8(decode(text(&cookies["cookies"], "CloudFront-Policy"))).unwrap();
    assert!(policy.contains("https://cdn.example/a/acme/cats/*") && policy.contains("192.0.2.0/24"), "{policy}");
    site.told(403, "POST", "tenants/acme/cloudfront", token, asked("press", true)).await;
    site.told(403, "POST", "tenants/acme/cloudfront", token, asked("press/secret/a.jpg", false)).await;
}

#[tokio::test]
async fn an_uploads_token_outlives_a_rotation() {
    let site = Site::memory().await;
    site.user("*", "opal", &["operator"]).await;
    let editor = site.user("acme", "ann", &["editor"]).await;
    let asked = json!({ "below": "inbox", "expiresIn": 86_400 });
    let granted = site.told(200, "POST", "tenants/acme/uploads", text(&editor, "accessToken"), asked).await;
    site.told(201, "POST", "rotations", &site.admin, json!(null)).await;
    site.later(3600);
    let opal = site.sign_in("opal@example.com", crate::PASSWORD).await;
    site.told(201, "POST", "rotations", text(&opal, "accessToken"), json!(null)).await;
    site.auth.door().bearer(text(&granted, "token")).await.unwrap();
}
