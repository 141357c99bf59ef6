//! What is laid round handlers: limits, ids, problems, the document; without sockets, and once over one.

use axum::body::Body;
use companion::testing::{Answered, ask, ask_json, base, differences};
use companion::{Companion, Json, Mounted, Patience, Problem, Query, RequestId, Task, serve};
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::drain::Drain;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Greeting {
    name: String,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wait {
    #[serde(default)]
    millis: u64,
}

#[derive(Serialize, ToSchema)]
struct Told {
    text: String,
    id: String,
}

#[utoipa::path(post, path = "/demo/v1/greetings", request_body = Greeting, responses((status = 200, body = Told)))]
async fn greet(id: RequestId, Json(greeting): Json<Greeting>) -> Json<Told> {
    Json(Told { text: format!("hello {}", greeting.name), id: id.to_string() })
}

#[utoipa::path(get, path = "/demo/v1/greetings", params(Wait), responses((status = 200, body = Told)))]
async fn slow(Query(wait): Query<Wait>) -> Result<Json<Told>, Problem> {
    tokio::time::sleep(Duration::from_millis(wait.millis)).await;
    Ok(Json(Told { text: "at last".into(), id: String::new() }))
}

#[utoipa::path(get, path = "/demo/v1/broken/{how}", params(("how" = String, Path)), responses((status = 200)))]
async fn broken(axum::extract::Path(how): axum::extract::Path<String>) -> (StatusCode, &'static str) {
    match how.as_str() {
        "panic" => panic!("hunter2"),
        "plain" => (StatusCode::UNPROCESSABLE_ENTITY, "a framework's own words"),
        _ => (StatusCode::OK, "fine"),
    }
}

#[utoipa::path(put, path = "/demo/v1/large", request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses((status = 200)))]
async fn large(body: Body) -> Result<String, Problem> {
    Ok(companion::collect(body, u64::MAX).await?.len().to_string())
}

const LARGE: Patience = Patience { prefix: "/demo/v1/large", body: 64 << 10, deadline: Duration::from_secs(60) };

fn demo(sets: &[&str]) -> Companion {
    let router = OpenApiRouter::new().routes(routes!(greet, slow)).routes(routes!(broken)).routes(routes!(large));
    base(sets).finish_with("demo", "For tests.", router, &[LARGE])
}

async fn get(companion: &Companion, path: &str) -> Answered {
    ask(companion, Request::builder().uri(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn answers_have_ids_and_say_how_they_may_be_used() {
    let demo = demo(&[]);
    let request = Request::builder().method("POST").uri("/demo/v1/greetings").header("x-request-id", "mine");
    let request = request.header("content-type", "application/json").body(Body::from(r#"{"name": "Ann"}"#)).unwrap();
    let answer = ask(&demo, request).await;
    assert_eq!(answer.json(), json!({ "text": "hello Ann", "id": "mine" }));
    assert_eq!(answer.head.headers["x-request-id"], "mine");
    assert_eq!(answer.head.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.head.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let demo = demo(&["body=1KiB"]);
    let big = json!({ "name": "x".repeat(2000) });
    let refusals = [
        (get(&demo, "/demo/v2").await, 404, "not-found"),
        (ask_json(&demo, "DELETE", "/demo/v1/greetings", "", &Value::Null).await, 405, "method-not-allowed"),
        (ask_json(&demo, "POST", "/demo/v1/greetings", "", &json!({ "nom": "Ann" })).await, 400, "bad-field"),
        (ask_json(&demo, "POST", "/demo/v1/greetings", "", &big).await, 413, "too-large"),
        (get(&demo, "/demo/v1/greetings?milis=1").await, 400, "bad-field"),
        (get(&demo, "/demo/v1/broken/plain").await, 400, "bad-request"),
        (get(&demo, "/demo/v1/broken/panic").await, 500, "internal"),
    ];
    for (answer, status, code) in refusals {
        let document = answer.json();
        assert_eq!((answer.status(), &document["code"]), (status, &json!(code)), "{document}");
        assert_eq!(answer.head.headers["content-type"], "application/problem+json");
        assert_eq!(document["status"], status);
        assert!(answer.head.headers.contains_key("x-request-id"));
        assert!(!document.to_string().contains("hunter2"), "{document}");
    }
    assert_eq!(
        ask_json(&demo, "DELETE", "/demo/v1/greetings", "", &Value::Null).await.head.headers["allow"],
        "POST,GET,HEAD"
    );
}

#[tokio::test(start_paused = true)]
async fn limits_hold_of_rate_of_number_and_of_time() {
    let limited = demo(&["rate=0.001", "burst=2"]);
    let path = "/demo/v1/greetings";
    assert_eq!(get(&limited, path).await.status(), 200);
    assert_eq!(get(&limited, path).await.status(), 200);
    let refused = get(&limited, path).await;
    assert_eq!((refused.status(), refused.json()["code"].as_str()), (429, Some("too-many-requests")));
    assert!(refused.head.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);

    let late = get(&demo(&["deadline=1s"]), "/demo/v1/greetings?millis=5000").await;
    assert_eq!((late.status(), late.json()["code"].as_str()), (503, Some("timed-out")));

    let narrow = demo(&["requests=1"]);
    let (first, second) = tokio::join!(get(&narrow, "/demo/v1/greetings?millis=500"), get(&narrow, path));
    assert_eq!((first.status(), second.status()), (200, 503));
    assert_eq!(second.json()["code"], "overloaded");
    assert_eq!(get(&narrow, path).await.status(), 200, "the place is free again");
}

#[tokio::test]
async fn uploads_have_limits_of_their_own() {
    let demo = demo(&["body=1KiB"]);
    let put = |bytes: usize| {
        let request = Request::builder().method("PUT").uri("/demo/v1/large");
        request.body(Body::from(vec![0; bytes])).unwrap()
    };
    assert_eq!(ask(&demo, put(64 << 10)).await.body, "65536");
    assert_eq!(ask(&demo, put((64 << 10) + 1)).await.status(), 413);
}

#[tokio::test]
async fn the_document_is_held_against_the_routes() {
    let fine = demo(&[]);
    assert_eq!(differences(&fine).await, Vec::<String>::new());
    let served = get(&fine, "/demo/v1/openapi.json").await.json();
    assert_eq!(served["info"]["title"], "tintype-demo");
    let operation = &served["paths"]["/demo/v1/greetings"]["post"];
    for status in ["200", "400", "429", "500", "503", "default"] {
        assert!(operation["responses"].get(status).is_some(), "{status}: {operation}");
    }
    assert!(served["components"]["schemas"]["Problem"]["properties"]["code"].is_object(), "{served}");
    assert_eq!(served["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");

    let router = OpenApiRouter::new().routes(routes!(greet)).route("/demo/v1/secret", axum::routing::get(|| async {}));
    let undocumented = base(&[]).finish("demo", "For tests.", router);
    assert_eq!(differences(&undocumented).await, ["/demo/v1/secret is routed and not documented"]);
    let more =
        OpenApiRouter::new().routes(routes!(greet)).route("/demo/v1/greetings", axum::routing::delete(|| async {}));
    assert_eq!(differences(&base(&[]).finish("demo", "For tests.", more)).await.len(), 1);
}

#[tokio::test]
async fn a_drain_lets_what_was_accepted_finish_and_ends_the_tasks() {
    let (drain, stop) = (Drain::new(), Drain::new());
    let companion = demo(&[]).with_task(Task::new("wait", |drain: Drain| async move { drain.draining().await }));
    let (mounted, tasks) = Mounted::new(vec![companion], None);
    for task in tasks {
        task.start(&drain);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = {
        let (stop, drain) = (stop.clone(), drain.clone());
        tokio::spawn(async move { serve(listener, mounted, 8, Duration::from_secs(5), &stop, &drain).await })
    };
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /demo/v1/greetings?millis=300 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    idle.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 404", "what belongs to no companion");
    drain.begin();
    stop.begin();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("at last"), "{answer}");
    drain.finish(Duration::from_secs(5)).await.unwrap();
    serving.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
