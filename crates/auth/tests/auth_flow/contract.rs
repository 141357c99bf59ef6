//! What the store promises, held by SQLite and PostgreSQL alike.

use access::{Action, Role};
use auth::store::{
    Added, GrantRecord, KeyRecord, NewLink, Place, Refreshed, SessionRecord, SigningRecord, Store, TenantRecord,
    UserRecord,
};
use testkit::postgres::Postgres;

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.db");
    hold(&Place::Sqlite(path.clone())).await;
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "hashes of passwords are nobody else's business");
    hold(&Place::Memory).await;
}

#[tokio::test]
async fn postgresql_keeps_the_contract() {
    let Some(server) = Postgres::start() else { return };
    hold(&Place::Postgres(server.url(Postgres::DATABASE))).await;
}

async fn hold(place: &Place) {
    let store = Store::open(place).await.expect("it opens");
    store.ready().await.expect("it answers");
    users_and_tenants(&store).await;
    sessions(&store).await;
    keys_and_grants(&store).await;
    failures(&store).await;
    chain(&store).await;
    if !matches!(place, Place::Memory) {
        let again = Store::open(place).await.expect("its tables are as they should be");
        assert_eq!(again.count_users().await.expect("kept"), 1);
    }
}

async fn users_and_tenants(store: &Store) {
    let tenant = TenantRecord { id: "acme".into(), name: "Acme".into(), locked: false, created: 5 };
    assert!(store.add_tenant(&tenant).await.expect("added"));
    assert!(!store.add_tenant(&tenant).await.expect("asked"), "taken");
    assert!(store.change_tenant("acme", "ACME", true).await.expect("changed"));
    assert_eq!(
        store.tenants("", 10).await.expect("listed")[0],
        TenantRecord { name: "ACME".into(), locked: true, ..tenant }
    );
    let user = UserRecord {
        id: "u1".into(),
        email: "ann@example.com".into(),
        name: "Ann".into(),
        password: "h1".into(),
        locked: false,
        created: 7,
    };
    let admin = ("acme".to_owned(), Role::Admin);
    // The same role twice is that role.
    let roles = [admin.clone(), admin, ("*".to_owned(), Role::Operator)];
    assert_eq!(store.add_user(&user, &roles).await.expect("added"), Added::Yes);
    let twin = UserRecord { id: "u2".into(), ..user.clone() };
    assert_eq!(store.add_user(&twin, &roles).await.expect("asked"), Added::EmailTaken);
    assert!(store.roles("u2").await.expect("none").is_empty(), "nothing of a refused one is kept");
    assert_eq!(store.user_by_email("ann@example.com").await.expect("found"), Some(user));
    assert_eq!(store.users("acme", "", 10).await.expect("listed").len(), 1);
    assert!(store.users("acme", "u1", 10).await.expect("listed").is_empty());
    store.set_roles("u1", "acme", &[Role::Viewer, Role::Editor, Role::Viewer]).await.expect("set");
    assert_eq!(store.roles("u1").await.expect("read").len(), 3);
    assert!(store.set_password("u1", "h1", "h2", 9).await.expect("set"));
    assert!(!store.set_password("u1", "h1", "h3", 9).await.expect("asked"), "changed meanwhile");
}

async fn sessions(store: &Store) {
    let session = |id: &str| SessionRecord {
        id: id.into(),
        user: "u1".into(),
        tenant: "acme".into(),
        network: "n".into(),
        agent: "a".into(),
        created: 100,
        seen: 100,
        expires: 1000,
        ended: None,
    };
    store.begin_session(&session("s1"), "r0").await.expect("begun");
    // Twenty at once with one token: one wins, the others are taken for the same client, or for a thief's.
    let asked = (0..20).map(|number| {
        let store = store.clone();
        tokio::spawn(
            async move { store.refresh("r0", &format!("r1-{number}"), 200, 10, 1200).await.expect("answered") },
        )
    });
    let mut won = 0;
    for answer in asked.collect::<Vec<_>>() {
        match answer.await.expect("no panic") {
            Refreshed::Yes(_) => won += 1,
            Refreshed::JustNow(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
    assert!(matches!(store.refresh("r0", "x", 300, 10, 1200).await.expect("answered"), Refreshed::Reused(_)));
    assert_eq!(store.refresh("r1-3", "x", 300, 10, 1200).await.expect("answered"), Refreshed::No);
    assert_eq!(store.refresh("unknown", "x", 300, 10, 1200).await.expect("answered"), Refreshed::No);
    assert_eq!(store.session("s1").await.expect("read").expect("kept").ended, Some(300));
    store.begin_session(&session("s2"), "q0").await.expect("begun");
    store.begin_session(&session("s3"), "p0").await.expect("begun");
    assert_eq!(store.refresh("q0", "q1", 1000, 10, 1200).await.expect("answered"), Refreshed::No, "over");
    assert_eq!(store.sessions("u1", 500).await.expect("listed").len(), 2);
    assert!(!store.end_session("s2", "another", "x", 500).await.expect("asked"));
    assert_eq!(store.end_sessions("u1", "s3", "x", 500).await.expect("ended"), ["s2"]);
    assert_eq!(store.forget_sessions(600).await.expect("forgotten"), 2);
    assert!(store.session("s1").await.expect("read").is_none());
}

async fn keys_and_grants(store: &Store) {
    let key = KeyRecord {
        id: "k1".into(),
        tenant: "acme".into(),
        name: "build".into(),
        owner: "u1".into(),
        hash: "h".into(),
        roles: vec![Role::Editor],
        scopes: vec!["asset:*".parse().expect("a scope")],
        created: 1,
        expires: Some(99),
        revoked: None,
        used: None,
    };
    store.add_key(&key).await.expect("added");
    assert_eq!(store.key("k1").await.expect("read"), Some(key.clone()));
    store.touch_key("k1", 70_000).await.expect("noted");
    store.touch_key("k1", 80_000).await.expect("not within a minute");
    assert_eq!(store.keys("acme", "", 9).await.expect("listed"), [KeyRecord { used: Some(70_000), ..key }]);
    assert!(!store.revoke_key("k1", "other", 5).await.expect("asked"));
    assert!(store.revoke_key("k1", "acme", 5).await.expect("revoked"));
    assert!(!store.revoke_key("k1", "acme", 6).await.expect("asked"));

    let signing =
        |kid: &str, begins| SigningRecord { kid: kid.into(), sealed: "s".into(), created: 10, begins, ends: None };
    assert!(store.add_signing_key(&signing("a", 10), 10, true).await.expect("added"));
    assert!(!store.add_signing_key(&signing("b", 10), 10, true).await.expect("asked"), "one first key");
    assert!(store.add_signing_key(&signing("c", 20), 50, false).await.expect("added"));
    let live = async |now| {
        let keys = store.signing_keys(now).await.expect("read");
        keys.into_iter().map(|key| key.kid).collect::<Vec<_>>()
    };
    assert_eq!((live(30).await, live(50).await), (vec!["a".to_owned(), "c".to_owned()], vec!["c".to_owned()]));

    let grant = GrantRecord {
        id: "g1".into(),
        tenant: "acme".into(),
        subject: "u1".into(),
        actions: vec![Action::AssetRead],
        below: "press".into(),
        granted_by: "u9".into(),
        created: 1,
        expires: 100,
        revoked: None,
    };
    store.add_grant(&grant).await.expect("added");
    assert_eq!(store.grants_of("u1", "acme", 99, 9).await.expect("read"), std::slice::from_ref(&grant));
    assert!(store.grants_of("u1", "acme", 100, 9).await.expect("read").is_empty());
    assert!(store.revoke_grant("g1", "acme", 50).await.expect("revoked"));
    assert!(store.grants_of("u1", "acme", 60, 9).await.expect("read").is_empty());
    assert_eq!(store.grants("acme", "", 9).await.expect("listed"), [GrantRecord { revoked: Some(50), ..grant }]);
}

async fn failures(store: &Store) {
    for (now, wanted) in [(100, 1), (150, 2), (190, 3)] {
        assert_eq!(store.count_failure("x", now, now - 100).await.expect("counted"), wanted);
    }
    assert_eq!(store.failures("x", 90).await.expect("read"), (3, 100));
    assert_eq!(store.failures("x", 101).await.expect("read"), (0, 0), "too old");
    assert_eq!(store.count_failure("x", 300, 200).await.expect("counted"), 1, "a new window");
    store.forget_failures("x").await.expect("forgotten");
    assert_eq!(store.failures("x", 0).await.expect("read"), (0, 0));
}

async fn chain(store: &Store) {
    let seal = |seq: i64, noted: &NewLink, before: &str| format!("{before}>{seq}{}", noted.act);
    let added = (0..30).map(|number| {
        let store = store.clone();
        let link = NewLink { at: number, tenant: "acme".into(), act: format!("a{number}"), ..NewLink::default() };
        tokio::spawn(async move { store.add_link(&link, seal).await.expect("added") })
    });
    for link in added.collect::<Vec<_>>() {
        link.await.expect("no panic");
    }
    let links = store.links_after(0, 100).await.expect("read");
    assert_eq!(links.iter().map(|link| link.seq).collect::<Vec<_>>(), (1..=30).collect::<Vec<i64>>(), "no gaps");
    let mut before = String::new();
    for link in &links {
        assert_eq!(link.hash, seal(link.seq, &link.noted, &before));
        before.clone_from(&link.hash);
    }
    assert_eq!(store.head().await.expect("read"), (30, before));
    assert_eq!(store.links_before("acme", 4, 2).await.expect("read").len(), 2);
    assert!(store.links_before("other", 99, 9).await.expect("read").is_empty());
}
