//! The console's session: auth's own sign-in, refresh and sign-out, with the refresh token in a cookie that no script can read.
//!
//! Knows nothing of passwords and tokens but where they stand in auth's answers. Invariants: a refresh token is never in an
//! answer here; the cookie goes to these paths alone, over TLS where there is TLS, and with requests of this site alone.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use companion::{Problem, code};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const COOKIE: &str = "tintype_session";
/// Where the cookie goes.
const PLACE: &str = "/console/session";
/// Longest body of a request or of auth's answer.
const LIMIT: u64 = 64 << 10;
/// Seconds that a browser keeps the cookie; auth knows when the session is over.
const AGE: u64 = 400 * 86_400;

/// The routes; `auth` is the companion that is asked.
pub(crate) fn router(auth: Router) -> Router {
    Router::new()
        .route(PLACE, post(sign_in).delete(sign_out))
        .route("/console/session/refresh", post(refresh))
        .with_state(auth)
}

async fn sign_in(State(auth): State<Router>, request: Request) -> Result<Response, Problem> {
    own(request.headers())?;
    let (head, body) = request.into_parts();
    let body = companion::collect(body, LIMIT).await?;
    exchange(auth, "/auth/v1/sign-in", &head, Body::from(body)).await
}

async fn refresh(State(auth): State<Router>, request: Request) -> Result<Response, Problem> {
    own(request.headers())?;
    let (head, _ours_says_all) = request.into_parts();
    let Some(token) = cookie(&head.headers) else {
        return Err(Problem::new(code::UNAUTHORIZED, "Nobody is signed in here."));
    };
    let body = json!({ "refreshToken": token }).to_string();
    let mut response = exchange(auth, "/auth/v1/refresh", &head, Body::from(body)).await?;
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::SET_COOKIE, set("", 0, &head.headers));
    }
    Ok(response)
}

async fn sign_out(State(auth): State<Router>, request: Request) -> Result<Response, Problem> {
    own(request.headers())?;
    let (head, _nothing) = request.into_parts();
    // The session ends here also where its access token is over already.
    let _ended_or_over = ask(auth, "/auth/v1/sign-out", &head, Body::from("{}")).await;
    Ok(([(header::SET_COOKIE, set("", 0, &head.headers))], StatusCode::NO_CONTENT).into_response())
}

/// Only our own pages may ask: SameSite keeps other sites out, this keeps other ports of the same site out.
fn own(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let foreign = text(header::ORIGIN).is_some_and(|origin| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        text(header::HOST) != Some(host) && text(header::HeaderName::from_static("x-forwarded-host")) != Some(host)
    });
    if foreign { Err(Problem::new(code::FORBIDDEN, "Another site may not ask for that.")) } else { Ok(()) }
}

async fn ask(auth: Router, path: &str, head: &http::request::Parts, body: Body) -> Response {
    let mut request = Request::builder().method(Method::POST).uri(path).body(body).expect("a fixed path");
    *request.headers_mut() = head.headers.clone();
    for name in [header::COOKIE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *request.extensions_mut() = head.extensions.clone();
    auth.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// Asks auth, and moves the refresh token of its answer into the cookie.
async fn exchange(auth: Router, path: &str, head: &http::request::Parts, body: Body) -> Result<Response, Problem> {
    let (mut answer, body) = ask(auth, path, head, body).await.into_parts();
    if !answer.status.is_success() {
        return Ok(Response::from_parts(answer, body));
    }
    let body = companion::collect(body, LIMIT).await?;
    let mut tokens: Value = serde_json::from_slice(&body).map_err(Problem::internal)?;
    let refresh = tokens.as_object_mut().and_then(|tokens| tokens.remove("refreshToken"));
    let refresh = refresh.as_ref().and_then(Value::as_str).ok_or_else(|| Problem::internal("no refresh token"))?;
    answer.headers.insert(header::SET_COOKIE, set(refresh, AGE, &head.headers));
    answer.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(answer, Body::from(tokens.to_string())))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && !value.is_empty()).map(|(_, value)| value)
}

fn set(token: &str, age: u64, headers: &HeaderMap) -> HeaderValue {
    let secure = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path={PLACE}; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("tintype_session=; Max-Age=0"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    /// An auth that knows one password, and gives each refresh token once.
    fn auth() -> Router {
        let sign_in = post(|body: String| async move {
            match body.contains("right") {
                true => {
                    (StatusCode::OK, json!({ "accessToken": "a1", "refreshToken": "r1", "expiresIn": 900 }).to_string())
                }
                false => (StatusCode::UNAUTHORIZED, json!({ "code": "sign-in-failed" }).to_string()),
            }
        });
        let refresh = post(|body: String| async move {
            match body.contains("\"r1\"") {
                true => {
                    (StatusCode::OK, json!({ "accessToken": "a2", "refreshToken": "r2", "expiresIn": 900 }).to_string())
                }
                false => (StatusCode::UNAUTHORIZED, json!({ "code": "session-over" }).to_string()),
            }
        });
        let sign_out = post(|| async { StatusCode::NO_CONTENT });
        Router::new()
            .route("/auth/v1/sign-in", sign_in)
            .route("/auth/v1/refresh", refresh)
            .route("/auth/v1/sign-out", sign_out)
    }

    async fn asked(method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> (http::response::Parts, String) {
        let mut request = Request::builder().method(method).uri(path).header("host", "img.example.org");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a sound request");
        let answer = router(auth()).oneshot(request).await.expect("a router always answers");
        let (head, body) = answer.into_parts();
        (
            head,
            String::from_utf8(body.collect().await.expect("a body in memory, of text").to_bytes().to_vec())
                .expect("a body in memory, of text"),
        )
    }

    #[tokio::test]
    async fn the_refresh_token_is_in_the_cookie_alone() {
        let (head, body) = asked("POST", PLACE, &[], r#"{"password": "right"}"#).await;
        let cookie = head.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("tintype_session=r1; ") && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains("Secure") && body.contains("a1") && !body.contains("r1"), "{body}");
        let (head, body) =
            asked("POST", "/console/session/refresh", &[("cookie", "x=1; tintype_session=r1")], "{}").await;
        assert!(head.headers[header::SET_COOKIE].to_str().unwrap().starts_with("tintype_session=r2; "));
        assert!(body.contains("a2") && !body.contains("r2"), "{body}");
        let (head, _) = asked("POST", PLACE, &[("x-forwarded-proto", "https")], r#"{"password": "right"}"#).await;
        assert!(head.headers[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
    }

    #[tokio::test]
    async fn what_is_over_is_taken_away_and_other_sites_are_not_served() {
        let (head, _) = asked("POST", PLACE, &[], r#"{"password": "wrong"}"#).await;
        assert_eq!((head.status, head.headers.get(header::SET_COOKIE)), (StatusCode::UNAUTHORIZED, None));
        let (head, _) = asked("POST", "/console/session/refresh", &[("cookie", "tintype_session=r0")], "{}").await;
        assert_eq!(head.status, StatusCode::UNAUTHORIZED);
        assert!(head.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
        let (head, _) = asked("POST", "/console/session/refresh", &[], "{}").await;
        assert_eq!(head.status, StatusCode::UNAUTHORIZED);
        let (head, _) = asked("DELETE", PLACE, &[("authorization", "Bearer a1")], "").await;
        assert_eq!(head.status, StatusCode::NO_CONTENT);
        assert!(head.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
        let (head, _) = asked("POST", PLACE, &[("origin", "https://evil.example")], r#"{"password": "right"}"#).await;
        assert_eq!(head.status, StatusCode::FORBIDDEN);
        let (head, _) = asked("POST", PLACE, &[("origin", "http://img.example.org")], r#"{"password": "right"}"#).await;
        assert_eq!(head.status, StatusCode::OK);
    }
}
