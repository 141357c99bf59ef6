//! What every store holds to: one suite, run against the folder and against S3's servers.
//!
//! Knows no store. Each part uses names of its own, so that all may run against one store.

use crate::{ContentKey, Failure, Kept, Name, StageId, Store};
use bytes::Bytes;
use catalog::{ContentHash, TenantId};

/// All of it, with pieces of `piece` bytes where there are many.
pub(crate) async fn holds(store: &dyn Store, piece: usize) {
    staging(store).await;
    contents(store).await;
    large(store, piece).await;
    names(store).await;
    lists(store).await;
    removal(store).await;
}

fn tenant(name: &str) -> TenantId {
    name.parse().expect("a tenant")
}

fn stage(name: &str) -> StageId {
    name.parse().expect("a stage")
}

fn name(of: &str, path: &str) -> Name {
    Name::new(tenant(of), path.parse().expect("a path"))
}

async fn kept(store: &dyn Store, of: &str, bytes: &[u8]) -> (ContentKey, Kept) {
    let hash = ContentHash::of(bytes);
    let (stage, key) = (stage(&format!("s-{}", &hash.to_string()[..20])), ContentKey::new(tenant(of), hash));
    store.append(&stage, 0, Bytes::copy_from_slice(bytes)).await.expect("staged");
    let kept = store.keep(&stage, &key).await.expect("kept");
    store.discard(&stage).await.expect("discarded");
    (key, kept)
}

async fn staging(store: &dyn Store) {
    let one = stage("upload-1");
    assert_eq!(store.length(&one).await, Ok(0));
    assert_eq!(store.staged(&one, 0, 10).await, Err(Failure::NotStaged));
    assert_eq!(store.append(&one, 0, Bytes::from_static(b"hello ")).await, Ok(6));
    assert_eq!(store.append(&one, 0, Bytes::from_static(b"again")).await, Err(Failure::Offset { length: 6 }));
    assert_eq!(store.append(&one, 7, Bytes::from_static(b"gap")).await, Err(Failure::Offset { length: 6 }));
    assert_eq!(store.append(&one, 6, Bytes::from_static(b"world")).await, Ok(11));
    assert_eq!(store.length(&one).await, Ok(11));
    for (from, most, expected) in [(0, 100, "hello world"), (4, 4, "o wo"), (6, 5, "world"), (11, 5, ""), (90, 1, "")] {
        assert_eq!(store.staged(&one, from, most).await.expect("staged"), expected, "{from} {most}");
    }
    assert_eq!(store.noted(&one).await, Ok(None));
    store.note(&one, Bytes::from_static(b"first")).await.expect("noted");
    store.note(&one, Bytes::from_static(b"second")).await.expect("noted");
    assert_eq!(store.noted(&one).await, Ok(Some(Bytes::from_static(b"second"))));
    assert_eq!(store.length(&one).await, Ok(11), "a note is no part of it");
    let noted = stage("only-noted");
    store.note(&noted, Bytes::from_static(b"x")).await.expect("noted");
    assert_eq!(store.stages(None, 10).await, Ok(vec![noted.clone(), one.clone()]));
    assert_eq!(store.stages(None, 1).await, Ok(vec![noted.clone()]));
    assert_eq!(store.stages(Some(&noted), 10).await, Ok(vec![one.clone()]));
    for gone in [&one, &noted, &one] {
        store.discard(gone).await.expect("discarded");
    }
    assert_eq!((store.length(&one).await, store.noted(&one).await), (Ok(0), Ok(None)));
    assert_eq!(store.stages(None, 10).await, Ok(vec![]));
}

async fn contents(store: &dyn Store) {
    let hash = ContentHash::of(b"a picture");
    let (one, key) = (stage("upload-2"), ContentKey::new(tenant("main"), hash));
    assert_eq!(store.keep(&one, &key).await, Err(Failure::NotStaged));
    assert_eq!(store.look(&key).await, Ok(None));
    assert_eq!(store.read(&key, 0, 10).await, Err(Failure::Absent));
    store.append(&one, 0, Bytes::from_static(b"a picture")).await.expect("staged");
    assert_eq!(store.keep(&one, &key).await, Ok(Kept::New));
    assert_eq!(store.staged(&one, 0, 100).await.expect("still staged"), "a picture");
    assert_eq!(store.keep(&one, &key).await, Ok(Kept::Known));
    store.discard(&one).await.expect("discarded");
    assert_eq!(store.look(&key).await, Ok(Some(9)));
    for (from, most, expected) in [(0, 100, "a picture"), (2, 4, "pict"), (9, 1, "")] {
        assert_eq!(store.read(&key, from, most).await.expect("read"), expected);
    }
    let other = ContentKey::new(tenant("other"), hash);
    assert_eq!(store.look(&other).await, Ok(None), "tenants do not learn of each other");
}

/// Pieces that are too small to be parts, and one that is not; in an order that has both beside each other.
async fn large(store: &dyn Store, piece: usize) {
    let (one, mut whole) = (stage("upload-3"), Vec::new());
    for (at, length) in [piece / 3, piece / 3, piece, piece / 2, piece / 2, piece, 17].into_iter().enumerate() {
        let fill = |i: usize| u8::try_from((i * 31 + at * 7) % 251).expect("below 251");
        let bytes: Vec<u8> = (0..length).map(fill).collect();
        let offset = whole.len() as u64;
        whole.extend_from_slice(&bytes);
        assert_eq!(store.append(&one, offset, bytes.into()).await, Ok(whole.len() as u64));
    }
    let key = ContentKey::new(tenant("main"), ContentHash::of(&whole));
    assert_eq!(store.keep(&one, &key).await, Ok(Kept::New));
    store.discard(&one).await.expect("discarded");
    let mut read = Vec::new();
    while read.len() < whole.len() {
        let more = store.read(&key, read.len() as u64, piece).await.expect("read");
        assert!(!more.is_empty());
        read.extend_from_slice(&more);
    }
    assert_eq!(ContentHash::of(&read), key.hash);
    assert_eq!(store.remove(&key).await, Ok(()));
}

async fn names(store: &dyn Store) {
    let (first, _) = kept(store, "main", b"first").await;
    let (second, _) = kept(store, "main", b"second").await;
    let tom = name("main", "cats/tom & jerry é.jpg");
    assert_eq!(store.resolve(&tom).await, Ok(None));
    store.unlink(&tom).await.expect("nothing to do");
    assert_eq!(store.fits(&tom).await, Ok(()));
    store.link(&tom, &first.hash).await.expect("linked");
    assert_eq!(store.resolve(&tom).await, Ok(Some(first.hash)));
    store.link(&tom, &second.hash).await.expect("replaced");
    assert_eq!(store.resolve(&tom).await, Ok(Some(second.hash)));
    let nothing = ContentHash::of(b"nobody has it");
    assert_eq!(store.link(&tom, &nothing).await, Err(Failure::Absent));
    assert_eq!(store.link(&name("other", "x.jpg"), &first.hash).await, Err(Failure::Absent), "another tenant's");
    assert_eq!(store.resolve(&tom).await, Ok(Some(second.hash)));
    store.unlink(&tom).await.expect("unlinked");
    store.unlink(&tom).await.expect("again");
    assert_eq!(store.resolve(&tom).await, Ok(None));
}

async fn lists(store: &dyn Store) {
    let tenants = ["lists-a", "lists-b"];
    let mut expected = Vec::new();
    for of in tenants {
        for path in ["a.jpg", "b/c.jpg", "b/d/e.jpg", "z.jpg"] {
            let (key, _) = kept(store, of, path.as_bytes()).await;
            store.link(&name(of, path), &key.hash).await.expect("linked");
            expected.push((name(of, path), key));
        }
    }
    let mut told = Vec::new();
    loop {
        let after = told.last().map(|(name, _): &(Name, Option<ContentHash>)| name.clone());
        let page = store.names(after.as_ref(), 3).await.expect("listed");
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        told.extend(page);
    }
    let ours = |of: &TenantId| tenants.contains(&of.as_str());
    told.retain(|(name, _)| ours(&name.tenant));
    told.sort();
    let mut wanted: Vec<_> = expected.iter().map(|(name, key)| (name.clone(), Some(key.hash))).collect();
    wanted.sort();
    assert_eq!(told, wanted);
    let mut keys: Vec<ContentKey> = Vec::new();
    loop {
        let page = store.contents(keys.last(), 3).await.expect("listed");
        if page.is_empty() {
            break;
        }
        keys.extend(page);
    }
    assert!(keys.is_sorted() && keys.windows(2).all(|two| two[0] != two[1]));
    assert!(expected.iter().all(|(_, key)| keys.contains(key)));
}

async fn removal(store: &dyn Store) {
    let (key, new) = kept(store, "main", b"to be removed").await;
    assert_eq!(new, Kept::New);
    store.remove(&key).await.expect("removed");
    store.remove(&key).await.expect("again");
    assert_eq!(store.look(&key).await, Ok(None));
    let (_, anew) = kept(store, "main", b"to be removed").await;
    assert_eq!(anew, Kept::New);
}
