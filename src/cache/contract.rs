//! What every tier promises, as tests that each implementation runs against its real server.

use super::tier::{Failure, Tier};
use bytes::Bytes;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

/// The whole suite over a tier that takes entries of up to `largest` bytes.
pub(crate) async fn holds(tier: &dyn Tier, largest: usize) {
    absent(tier).await;
    kept_and_replaced(tier).await;
    removed(tier).await;
    any_bytes(tier, largest).await;
    expires(tier).await;
    together(tier).await;
}

async fn absent(tier: &dyn Tier) {
    assert_eq!(tier.get(&[0; 32]).await, Ok(None));
    assert_eq!(tier.remove(&[0; 32]).await, Ok(()), "nothing to remove is no failure");
}

async fn kept_and_replaced(tier: &dyn Tier) {
    let (one, two) = ([1; 32], [2; 32]);
    tier.put(&one, Bytes::from_static(b"first"), LONG).await.expect("put");
    tier.put(&two, Bytes::from_static(b"other"), LONG).await.expect("put");
    assert_eq!(tier.get(&one).await, Ok(Some(Bytes::from_static(b"first"))));
    tier.put(&one, Bytes::from_static(b"second"), LONG).await.expect("put over");
    assert_eq!(tier.get(&one).await, Ok(Some(Bytes::from_static(b"second"))));
    assert_eq!(tier.get(&two).await, Ok(Some(Bytes::from_static(b"other"))), "names do not run into each other");
}

async fn removed(tier: &dyn Tier) {
    let name = [3; 32];
    tier.put(&name, Bytes::from_static(b"x"), LONG).await.expect("put");
    tier.remove(&name).await.expect("remove");
    assert_eq!(tier.get(&name).await, Ok(None));
}

async fn any_bytes(tier: &dyn Tier, largest: usize) {
    let noise: Vec<u8> = (0..largest).map(|i| (i * 31 % 251) as u8).collect();
    for (number, size) in [0, 1, 255, 4096, largest].into_iter().enumerate() {
        let name = [10 + number as u8; 32];
        let bytes = Bytes::copy_from_slice(&noise[..size]);
        tier.put(&name, bytes.clone(), LONG).await.expect("put");
        assert_eq!(tier.get(&name).await, Ok(Some(bytes)), "{size} bytes");
    }
    assert_eq!(tier.put(&[20; 32], vec![0; largest + 1].into(), LONG).await, Err(Failure::TooLarge));
    assert_eq!(tier.get(&[20; 32]).await, Ok(None));
}

/// Waits for what has to happen, not for a time.
async fn expires(tier: &dyn Tier) {
    let name = [4; 32];
    tier.put(&name, Bytes::from_static(b"soon gone"), Duration::from_millis(50)).await.expect("put");
    let began = Instant::now();
    while tier.get(&name).await != Ok(None) {
        assert!(began.elapsed() < Duration::from_secs(30), "it never expires");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn together(tier: &dyn Tier) {
    let name = [5; 32];
    let puts = (0..50_u8).map(|value| tier.put(&name, vec![value; 1000].into(), LONG));
    for put in puts.collect::<Vec<_>>() {
        put.await.expect("put");
    }
    let bytes = tier.get(&name).await.expect("get").expect("the last one");
    assert!(bytes.len() == 1000 && bytes.iter().all(|byte| *byte == bytes[0]), "never a mixture");
}
