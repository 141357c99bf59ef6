//! The extractor of callers: who asks, as [`access::Door`] finds.
//!
//! Invariant: a handler that takes one is not run for credentials that are bad; without any it gets an anonymous caller,
//! whom policies permit next to nothing.

use crate::problem::{Code, Problem, code};
use access::{Denied, Door, Fault};
use axum::extract::FromRequestParts;
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub access::Caller);

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
        let Some(door) = parts.extensions.get::<Arc<Door>>().cloned() else {
            return Err(Problem::new(code::UNAVAILABLE, "Nobody can be let in here: there is no door.")
                .because("a handler asks for its caller, and the companion was built without access::Door"));
        };
        Ok(Self(door.caller(&parts.headers).await?))
    }
}
