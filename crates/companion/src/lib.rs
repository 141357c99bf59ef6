//! Several binaries need it: what every companion does round its work on HTTP. Knows no part of that work.
//!
//! A companion writes handlers with `#[utoipa::path]`, collects them in an [`OpenApiRouter`](utoipa_axum::router::OpenApiRouter)
//! and hands that to [`Base::finish`]. What comes back, a [`Companion`], has round each handler: a request id, a span that
//! goes on with the caller's trace, security headers, limits of rate, of concurrency, of body and time, and problem documents
//! (RFC 9457) in place of every answer that a framework would make. The same [`Companion`] is served alone
//! ([`binary::run`]) or beside others ([`serve`]).
//!
//! Extractors: [`Json`], [`Query`], [`Path`] (strict, and their errors name the field), [`Caller`], [`ClientAddress`],
//! [`Precondition`] (`If-Match`), [`IdempotencyKey`], [`RequestId`], [`Trace`].
//!
//! ```
//! use companion::{Base, Caller, Companion, Json, Problem};
//! use serde::{Deserialize, Serialize};
//! use utoipa::ToSchema;
//! use utoipa_axum::{router::OpenApiRouter, routes};
//!
//! #[derive(Deserialize, ToSchema)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct Greeting {
//!     name: String,
//! }
//!
//! #[derive(Serialize, ToSchema)]
//! struct Answer {
//!     text: String,
//! }
//!
//! /// Greets.
//! #[utoipa::path(post, path = "/demo/v1/greetings", request_body = Greeting, responses((status = 200, body = Answer)))]
//! async fn greet(caller: Caller, Json(greeting): Json<Greeting>) -> Result<Json<Answer>, Problem> {
//!     if greeting.name.is_empty() {
//!         return Err(Problem::field("name", "", "1 to 100 characters"));
//!     }
//!     Ok(Json(Answer { text: format!("{} greets {}", caller.subject, greeting.name) }))
//! }
//!
//! fn build(base: &Base) -> Companion {
//!     base.finish("demo", "Greets whoever is named.", OpenApiRouter::new().routes(routes!(greet)))
//! }
//! ```

pub mod arguments;
mod base;
pub mod binary;
mod body;
mod caller;
mod conditions;
mod config;
mod cursor;
mod extract;
mod metric;
mod openapi;
mod problem;
mod request;
mod round;
mod serve;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use base::{Base, Companion, Patience, Task};
pub use body::collect;
pub use caller::Caller;
pub use conditions::{IdempotencyKey, Precondition, etag};
pub use config::{Limits, Place, Server};
pub use cursor::Cursor;
pub use extract::{Json, Path, Query};
pub use metric::Metrics;
pub use problem::{Code, FieldError, Problem, code};
pub use request::{ClientAddress, Peer, RequestId, Trace};
pub use serve::{Fallback, Mounted, serve};
