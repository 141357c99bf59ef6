//! The whole flow in one process again, on the parts that an installation of several machines has.

use crate::flow::{Place, walk};
use crate::parts::{Production, dynamodb};
use crate::server::Server;
use testkit::s3::Moto;

async fn walk_on(parts: &Production, sets: &[Vec<String>]) {
    let server = Server::start_with(&parts.file(), &sets.concat());
    let client = server.administrator().await;
    walk(&Place { client: &client, edges: &[server.address], folder: server.folder() }).await;
    assert!(parts.renditions() > 0, "renditions are kept in the bucket");
    let kept = parts.redis.tell("DBSIZE");
    assert!(!kept.starts_with(":0"), "renditions and answers are kept in Redis: {kept}");
    for embedded in ["catalog.db", "jobs.db", "auth.db", "store/content", "index/meta.json"] {
        assert!(!server.folder().join("data").join(embedded).exists(), "{embedded} is of another kind");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow_on_postgresql_s3_opensearch_and_redis() {
    let Some(parts) = Production::start() else { return };
    let sets = [
        parts.edge(),
        parts.store(),
        parts.auth(),
        parts.catalog(),
        parts.jobs(),
        parts.finder(),
        Production::search(),
    ];
    walk_on(&parts, &sets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_flow_on_dynamodb_sqs_s3_opensearch_and_redis() {
    let (Some(parts), Some(ordered)) = (Production::start(), Moto::start_ordered()) else { return };
    let sets = [
        parts.edge(),
        parts.store(),
        parts.auth(),
        dynamodb(&ordered),
        parts.sqs(),
        parts.finder(),
        Production::search(),
    ];
    walk_on(&parts, &sets).await;
}
