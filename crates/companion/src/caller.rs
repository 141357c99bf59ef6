//! The extractor of callers: who asks, as [`access::Door`] finds.
//!
//! Invariant: a handler that takes one is not run for credentials that are bad; without any it gets an anonymous caller,
//! whom policies permit next to nothing.

use crate::problem::{Code, Problem, code};
use access::{Denied, Door, Fault};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, StatusCode};
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub access::Caller);

/// A caller that was found before the handler's own readers began.
#[derive(Clone, Debug)]
struct Found(access::Caller);

/// Operations that are for somebody only, by method and path as it is routed.
pub(crate) type Closed = Arc<HashSet<(Method, String)>>;

/// Finds the caller before anything else of the request is read: whoever is nobody in particular does not learn what a body
/// or a field should have been.
pub(crate) async fn sign_in_first(
    State((door, closed)): State<(Arc<Door>, Closed)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_closed = path.is_some_and(|path| closed.contains(&(request.method().clone(), path)));
    if is_closed {
        let found = door.caller(request.headers()).await;
        match found.and_then(|caller| if caller.is_anonymous() { Err(Denied::Anonymous) } else { Ok(caller) }) {
            Ok(caller) => drop(request.extensions_mut().insert(Found(caller))),
            Err(denied) => return Problem::from(denied).into_response(),
        }
    }
    next.run(request).await
}

impl Deref for Caller {
    type Target = access::Caller;

    fn deref(&self) -> &access::Caller {
        &self.0
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let (status, title) = match denied.fault() {
            Fault::Credentials => (StatusCode::UNAUTHORIZED, "Sign in first"),
            Fault::Forbidden => (StatusCode::FORBIDDEN, "This is not allowed"),
            Fault::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "This cannot be done at the moment"),
        };
        let mut problem = Self::new(Code::new(denied.code(), status, title), denied.to_string());
        if let Some(challenge) = denied.challenge() {
            problem = problem.with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if denied.fault() == Fault::Unavailable {
            problem = problem.retry_after(Duration::from_secs(1));
        }
        problem
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        if let Some(Found(caller)) = parts.extensions.get::<Found>() {
            return Ok(Self(caller.clone()));
        }
        let Some(door) = parts.extensions.get::<Arc<Door>>().cloned() else {
            return Err(Problem::new(code::UNAVAILABLE, "Nobody can be let in here: there is no door.")
                .because("a handler asks for its caller, and the companion was built without access::Door"));
        };
        Ok(Self(door.caller(&parts.headers).await?))
    }
}
