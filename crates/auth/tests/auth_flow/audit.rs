//! The chain of the audit log: sound as it is written, and found out when it is changed.

use crate::Site;
use serde_json::json;
use sqlx::SqlitePool;

#[tokio::test]
async fn a_row_that_was_changed_taken_out_or_cut_off_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.db");
    let site = Site::open(path.to_str().unwrap(), &[]).await;
    for name in ["ann", "bob", "cid", "dan"] {
        site.user("acme", name, &["viewer"]).await;
    }
    let examined = async || site.told(200, "GET", "audit/examination", &site.admin, json!(null)).await;
    let sound = examined().await;
    assert_eq!(sound["sound"], true, "{sound}");
    let rows = sound["rows"].as_i64().unwrap();
    assert!(rows >= 10, "{sound}");

    let database = SqlitePool::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    for (spoil, mend, place) in [
        (
            "UPDATE audit SET actor = actor || 'x' WHERE seq = 4",
            "UPDATE audit SET actor = substr(actor, 1, length(actor) - 1) WHERE seq = 4",
            4,
        ),
        ("UPDATE audit SET at = at + 1 WHERE seq = 2", "UPDATE audit SET at = at - 1 WHERE seq = 2", 2),
        ("UPDATE audit SET seq = -3 WHERE seq = 3", "UPDATE audit SET seq = 3 WHERE seq = -3", 3),
    ] {
        sqlx::query(spoil).execute(&database).await.unwrap();
        let found = examined().await;
        assert_eq!(
            (found["sound"].clone(), found["brokenAt"].clone()),
            (json!(false), json!(place)),
            "{spoil}: {found}"
        );
        sqlx::query(mend).execute(&database).await.unwrap();
        assert_eq!(examined().await["sound"], true, "{mend}");
    }
    sqlx::query("DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)").execute(&database).await.unwrap();
    assert_eq!(examined().await["brokenAt"], rows);
}

#[tokio::test]
async fn the_log_is_read_page_by_page_and_by_its_tenant_only() {
    let site = Site::memory().await;
    for name in ["ann", "bob", "cid"] {
        site.user("acme", name, &["viewer"]).await;
    }
    let mut seen = Vec::new();
    let mut path = "tenants/*/audit?limit=3".to_owned();
    loop {
        let page = site.told(200, "GET", &path, &site.admin, json!(null)).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["seq"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("tenants/*/audit?limit=3&cursor={next}");
    }
    let wanted: Vec<i64> = (1..=i64::try_from(seen.len()).unwrap()).rev().collect();
    assert_eq!(seen, wanted);
    let own = site.told(200, "GET", "tenants/acme/audit", &site.admin, json!(null)).await;
    assert!(own["items"].as_array().unwrap().iter().all(|row| row["tenant"] == "acme"));
    site.told(400, "GET", "tenants/acme/audit?cursor=nonsense", &site.admin, json!(null)).await;
    site.told(400, "GET", "tenants/acme/audit?limit=0", &site.admin, json!(null)).await;
}
