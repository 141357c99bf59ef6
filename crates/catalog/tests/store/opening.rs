//! What cannot be opened says why, names what was meant, and keeps passwords to itself.

use crate::world::World;
use catalog::{CatalogConfig, StoreError};

async fn refusal(sets: &[&str]) -> StoreError {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let loaded = service::config::load::<CatalogConfig>(None, [], &sets).expect("a configuration");
    catalog::open(&loaded.config, &aws::Aws::new()).await.expect_err("it cannot be opened")
}

#[tokio::test]
async fn a_file_that_cannot_be() {
    let error = refusal(&["sqlite.path=/dev/null/catalog.db"]).await;
    assert!(matches!(&error, StoreError::Unreachable(why) if why.contains("/dev/null")), "{error}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("catalog.db");
    std::fs::write(&path, "something else altogether, and longer than the head of a database: ".repeat(9))
        .expect("a file");
    let error = refusal(&[&format!("sqlite.path={}", path.display())]).await;
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let port = format!("postgres.port={}", testkit::redis::free().port());
    let sets = ["kind=postgres", "postgres.tls=disable", "postgres.password=tell-nobody", "timeout=2s", &port];
    let error = refusal(&sets).await;
    assert!(error.passes() && !error.to_string().contains("tell-nobody"), "{error}");
    let error = refusal(&["kind=postgres", "postgres.password_file=/nowhere/password"]).await;
    assert!(error.to_string().contains("/nowhere/password"), "{error}");
}

/// Within the suite of DynamoDB, for its server.
pub(crate) async fn a_table_that_is_not_there(world: &World) {
    let World::Dynamo(server, _) = world else { return };
    let endpoint = format!("dynamodb.endpoint=http://{}", server.address);
    let sets =
        ["kind=dynamodb", "dynamodb.table=none", "dynamodb.access_key_id=a", "dynamodb.secret_access_key=tell-nobody"];
    let error = refusal(&[&sets[..], &[&endpoint]].concat()).await;
    assert!(
        matches!(&error, StoreError::Refused(why) if why.contains("no table none") && why.contains("create")),
        "{error}"
    );
}
