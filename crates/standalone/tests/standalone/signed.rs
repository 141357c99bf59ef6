//! Who sees published pictures: URLs are signed, by one key that is made at the first start.

use crate::flow::{signed, until};
use crate::server::Server;
use client::{Asset, Changes, Client};
use std::os::unix::fs::PermissionsExt as _;
use testkit::Reply;

async fn uploaded(server: &Server, client: &Client, name: &str, seed: u64) -> Asset {
    let file = server.folder().join(name);
    std::fs::write(&file, testkit::picture::noise(200, 100, seed)).expect("a file");
    client.upload(&file, &format!("here/{name}"), &|_| {}).await.expect("it is taken")
}

fn code(reply: &Reply) -> (u16, String) {
    let document: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let kind = document["type"].as_str().and_then(|kind| kind.rsplit('#').next()).unwrap_or_default();
    (reply.status, kind.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_picture_by_its_name_or_in_another_size_than_was_signed() {
    let mut server = Server::start(&[]);
    let client = server.administrator().await;
    let asset = uploaded(&server, &client, "tom.png", 1).await;
    let plain = asset.url.clone().unwrap();
    let good = client.sign("main", &asset.path, "w=64&f=png", 3600).await.unwrap();
    assert!(good.starts_with(&format!("{plain}?f=png&w=64&kid=platform&exp=")), "{good}");
    let answer = server.get(&good, &[]).await;
    assert_eq!(testkit::picture::png_size(&answer.body), Some((64, 32)), "{}", answer.status);

    let other = uploaded(&server, &client, "felix.png", 2).await;
    let refused = [
        plain.clone(),
        format!("{plain}?w=64&f=png"),
        good.replace("w=64", "w=65"),
        good.replace("f=png", "f=jpg"),
        good.replace(&asset.path, &other.path),
        good.replace("exp=1", "exp=2"),
        format!("{good}&h=8"),
        "/a/main/here/nothing.png?w=8".to_owned(),
    ];
    for url in refused {
        assert_eq!(code(&server.get(&url, &[]).await), (403, "bad-signature".to_owned()), "{url}");
    }
    assert_eq!(server.get(&plain, &[("authorization", "Bearer x")]).await.status, 403);

    let hit = until(&client, "tom", 1).await.hits.remove(0);
    let renditions = hit.more["renditions"].as_array().unwrap().iter().map(|one| one["url"].as_str().unwrap());
    for url in renditions.chain([hit.more["url"].as_str().unwrap()]) {
        assert!(server.get(url, &[]).await.status == 200 && url.contains("&s="), "{url}");
    }

    let key = server.folder().join("data/url.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&key).unwrap();
    server.again();
    assert_eq!(server.get(&good, &[]).await.status, 200, "the key is the same");
    assert!(secret.trim().len() >= 32 && !server.log().contains(secret.trim()));

    client.delete(&asset.id, None).await.unwrap();
    assert_eq!(server.get(&good, &[]).await.status, 404, "signed, and gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_public_is_found_by_everybody_where_a_policy_says_so_and_told_with_signed_urls() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("gallery.cedar");
    let text = "@id(\"gallery\")\npermit (principal, action == Action::\"asset:search\", resource)\n\
                when { resource.visibility == \"public\" };\n";
    std::fs::write(&policy, text).unwrap();
    let server = Server::start(&[format!("access.policies=[{:?}]", policy.to_str().unwrap())]);
    let client = server.administrator().await;
    let (mine, open) =
        (uploaded(&server, &client, "mine.png", 3).await, uploaded(&server, &client, "open.png", 4).await);
    let public = Changes { visibility: Some("public".to_owned()), ..Changes::default() };
    let open = client.edit(&open.id, Some(open.revision), &public).await.unwrap();

    let record = |asset: &Asset| format!("/ingest/v1/assets/{}?tenant=main", asset.id);
    assert!([401, 404].contains(&server.get(&record(&mine), &[]).await.status));
    assert_eq!(server.get(&record(&open), &[]).await.status, 200, "its record is for everybody");

    until(&client, "here", 2).await;
    let began = std::time::Instant::now();
    let found = loop {
        let answer = server.get("/search/v1/assets", &[]).await;
        let found: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let assets = found["assets"].as_array().cloned().unwrap_or_default();
        assert!(assets.iter().all(|one| one["path"] == "here/open.png"), "{found}");
        if let [asset] = &assets[..] {
            break asset.clone();
        }
        assert!(began.elapsed().as_secs() < 20, "the index never learns that it is public: {found}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(server.get(found["url"].as_str().unwrap(), &[]).await.status, 200);
    for asset in [&mine, &open] {
        let plain = format!("{}?w=8", asset.url.as_deref().unwrap());
        assert_eq!(server.get(&plain, &[]).await.status, 403, "public or not, only what was signed is made");
    }
    assert_eq!(server.get("/auth/v1/tenants/main/urls", &[]).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_signatures_names_are_enough() {
    let server = Server::start(&["platform.signed=false".to_owned()]);
    let client = server.administrator().await;
    let asset = uploaded(&server, &client, "tom.png", 5).await;
    let url = signed(&client, &asset, "w=64&f=png").await;
    assert!(!url.contains("&s="), "{url}");
    assert_eq!(server.get(&url, &[]).await.status, 200);
    assert!(!server.folder().join("data/url.key").exists());
}
