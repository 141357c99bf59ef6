//! The face over a socket: who may see, cancel, replay and rebuild, of their own tenant and of others.

use crate::bench::{Bench, engine, open};
use access::{ApiKey, Caller, Door, Keys, KeysFuture, Kind, Policies, Role};
use companion::{Companion, Mounted};
use jobs::{Filter, JobId, JobKind, NewJob, State, Take};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testkit::wire::{Connection, head};

const KIND: JobKind = JobKind::of("other");

/// Keys of everybody whom the matrix has.
#[derive(Debug, Default)]
struct Everybody(HashMap<String, Caller>);

impl Keys for Everybody {
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a> {
        Box::pin(async move { Ok(self.0.get(key.id()).cloned()) })
    }
}

/// The companion, and keys of: viewer, editor and admin of `main`, admin of `other`, an operator.
fn companion(bench: &Bench, folder: &Path) -> (Companion, HashMap<&'static str, String>) {
    let (mut everybody, mut tokens) = (Everybody::default(), HashMap::new());
    for (name, tenant, role) in [
        ("viewer", "main", Role::Viewer),
        ("editor", "main", Role::Editor),
        ("admin", "main", Role::Admin),
        ("stranger", "other", Role::Admin),
        ("operator", "", Role::Operator),
    ] {
        let key = ApiKey::generate().expect("random bytes");
        everybody.0.insert(key.id().to_owned(), Caller::new(Kind::Key, name, tenant, &[role]));
        tokens.insert(name, key.expose());
    }
    let door = Arc::new(Door::new(Policies::builtin().expect("sound")).with_keys(Arc::new(everybody)));
    let base = companion::testing::base(&["rate=0.0"]).with_door(Arc::clone(&door));
    let parts = index::Parts {
        catalog: Arc::clone(&bench.catalog),
        finder: engine(folder),
        queue: Arc::clone(&bench.queue),
        door,
        jobs: service::config::load::<jobs::JobsConfig>(None, [], &[]).expect("sound").config,
        runners: jobs::Metrics::default(),
    };
    let companion = index::build(&crate::bench::config(), parts, &base, &mut Registry::default());
    (companion, tokens)
}

/// Serves it, without its work.
async fn serve(bench: &Bench, companion: Companion) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let (mounted, _idle) = Mounted::new(vec![companion], None);
    let drain = bench.drain.clone();
    tokio::spawn(async move {
        companion::serve(listener, mounted, 64, Duration::from_secs(10), &drain, &drain).await;
    });
    address
}

/// Status and body of a request; without a token nobody asks.
async fn ask(address: SocketAddr, method: &str, target: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    tokio::task::block_in_place(|| {
        let (host, length) = (address.to_string(), body.len().to_string());
        let mut fields =
            vec![("host", host.as_str()), ("content-length", &length), ("content-type", "application/json")];
        fields.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let mut connection = Connection::open(address).expect("it listens");
        connection.send([head(method, target, &fields).as_bytes(), body.as_bytes()].concat()).expect("sent");
        let reply = connection.reply(method).expect("an answer");
        (reply.status, serde_json::from_str(&reply.text()).unwrap_or_default())
    })
}

async fn dead(bench: &Bench, tenant: Option<&str>) -> JobId {
    let job = NewJob { tenant: tenant.map(str::to_owned), ..NewJob::new(KIND, json!({"of": tenant})) };
    let ids = bench.queue.send(vec![job]).await.expect("taken in");
    let take = Take { kinds: vec![KIND], max: 1, lease: Duration::from_secs(60), wait: Duration::ZERO };
    let leased = bench.queue.receive(&take).await.expect("asked").pop().expect("due");
    assert!(bench.queue.bury(&leased.lease, "why not").await.expect("told"));
    ids[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_do_what() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let (companion, tokens) = companion(&bench, folder.path());
    let wrong = companion::testing::differences(&companion).await;
    assert!(wrong.is_empty(), "{wrong:?}");
    let address = serve(&bench, companion).await;
    let (main, other, nobodys) =
        (dead(&bench, Some("main")).await, dead(&bench, Some("other")).await, dead(&bench, None).await);
    let job = |id: &JobId, act: &str| format!("/index/v1/jobs/{id}{act}");
    let none = Value::Null;
    // Who; then the expected status for: nobody, viewer, editor, admin, admin of another tenant, operator.
    let who = ["nobody", "viewer", "editor", "admin", "stranger", "operator"];
    let matrix: Vec<(&str, String, Value, [u16; 6])> = vec![
        ("GET", "/index/v1/jobs".into(), none.clone(), [401, 403, 200, 200, 200, 200]),
        ("GET", "/index/v1/jobs?tenant=other".into(), none.clone(), [401, 403, 403, 403, 200, 200]),
        ("GET", "/index/v1/jobs/depth".into(), none.clone(), [401, 403, 403, 403, 403, 200]),
        ("GET", "/index/v1/status".into(), none.clone(), [401, 403, 403, 403, 403, 200]),
        ("GET", job(&main, ""), none.clone(), [401, 404, 200, 200, 404, 200]),
        ("GET", job(&other, ""), none.clone(), [401, 404, 404, 404, 200, 200]),
        ("GET", job(&nobodys, ""), none.clone(), [401, 404, 404, 404, 404, 200]),
        ("GET", job(&JobId::new(), ""), none.clone(), [401, 404, 404, 404, 404, 404]),
        ("POST", "/index/v1/jobs/replay".into(), json!({"ids": [main]}), [401, 404, 403, 200, 404, 200]),
        ("POST", "/index/v1/jobs/replay".into(), json!({"ids": [nobodys]}), [401, 404, 404, 404, 404, 200]),
        (
            "POST",
            "/index/v1/jobs/replay".into(),
            json!({"kind": "none", "tenant": "other"}),
            [401, 403, 403, 403, 200, 200],
        ),
        ("POST", job(&other, "/cancel"), none.clone(), [401, 404, 404, 404, 200, 409]),
        ("POST", "/index/v1/rebuild".into(), none.clone(), [401, 403, 403, 403, 403, 202]),
        ("POST", "/index/v1/check".into(), json!({"repair": true}), [401, 403, 403, 403, 403, 202]),
    ];
    for (method, target, body, expected) in matrix {
        for (name, status) in who.into_iter().zip(expected) {
            let token = tokens.get(name).map(String::as_str);
            let (found, answer) = ask(address, method, &target, token, &body).await;
            assert_eq!(found, status, "{name}: {method} {target}: {answer}");
        }
    }
    bench.drain.begin();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_replayed_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let (companion, tokens) = companion(&bench, folder.path());
    let address = serve(&bench, companion).await;
    let (admin, operator) = (tokens["admin"].as_str(), tokens["operator"].as_str());
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(dead(&bench, Some("main")).await);
    }
    dead(&bench, Some("other")).await;
    let none = Value::Null;
    // Pages, and only of their own tenant.
    let (_, first) = ask(address, "GET", "/index/v1/jobs?state=dead&limit=2", Some(admin), &none).await;
    assert_eq!(
        (first["items"].as_array().unwrap().len(), &first["items"][0]["reason"]),
        (2, &json!("why not")),
        "{first}"
    );
    let next = format!("/index/v1/jobs?state=dead&limit=2&cursor={}", first["cursor"].as_str().unwrap());
    let (_, second) = ask(address, "GET", &next, Some(admin), &none).await;
    assert_eq!((second["items"][0]["id"].as_str(), &second["cursor"]), (Some(ids[2].to_string().as_str()), &none));
    let (_, all) = ask(address, "GET", "/index/v1/jobs", Some(operator), &none).await;
    assert_eq!(all["items"].as_array().unwrap().len(), 4);
    // What is wrong is named.
    for (target, field) in [
        ("/index/v1/jobs?limit=0", "query.limit"),
        ("/index/v1/jobs?limit=201", "query.limit"),
        ("/index/v1/jobs?cursor=x", "query.cursor"),
        ("/index/v1/jobs/x", "path.id"),
    ] {
        let (status, problem) = ask(address, "GET", target, Some(admin), &none).await;
        assert_eq!((status, problem["errors"][0]["field"].as_str()), (400, Some(field)), "{target}: {problem}");
    }
    for target in ["/index/v1/jobs?state=asleep", "/index/v1/jobs?kind=A", "/index/v1/jobs?colour=red"] {
        assert_eq!(ask(address, "GET", target, Some(admin), &none).await.0, 400, "{target}");
    }
    // All of the tenant's are replayed, and nobody else's.
    let (_, replayed) = ask(address, "POST", "/index/v1/jobs/replay", Some(admin), &json!({"kind": "other"})).await;
    assert_eq!(replayed, json!({"replayed": 3}));
    let (_, depth) = ask(address, "GET", "/index/v1/jobs/depth", Some(operator), &none).await;
    assert_eq!((&depth["ready"], &depth["dead"], &depth["kinds"]["other"]["ready"]), (&json!(3), &json!(1), &json!(3)));
    let cancel = format!("/index/v1/jobs/{}/cancel", ids[0]);
    assert_eq!(ask(address, "POST", &cancel, Some(admin), &none).await, (200, json!({"outcome": "removed"})));
    assert_eq!(ask(address, "POST", &cancel, Some(admin), &none).await.0, 409);
    // Long works are jobs, one at a time.
    let (_, one) = ask(address, "POST", "/index/v1/rebuild", Some(operator), &none).await;
    let (_, two) = ask(address, "POST", "/index/v1/rebuild", Some(operator), &none).await;
    assert_eq!(one, two);
    let filter = Filter { states: vec![State::Ready], kinds: vec![JobKind::REBUILD], tenant: None };
    assert_eq!(bench.queue.jobs(&filter, None, 10).await.unwrap().len(), 1);
    bench.drain.begin();
}
