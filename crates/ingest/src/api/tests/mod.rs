//! The routes on embedded parts, without a socket.

mod assets;
pub(crate) mod bench;
mod hostile;
mod tus;
mod ways;

use bench::Bench;

#[tokio::test]
async fn the_document_is_what_is_routed() {
    let bench = Bench::new().await;
    assert_eq!(companion::testing::differences(&bench.companion).await, Vec::<String>::new());
}
