//! What the edge adds to the admin listener of `service`: purges, warm-up and statistics.
//!
//! Owns the list of its routes and the form of their answers, which is JSON. Knows no sockets; that TLS stands before them
//! where it is configured is said here.

use crate::app::App;
use crate::config::AdminConfig;
use crate::purge;
use crate::reload;
use crate::stats::report;
use crate::warm::admin as warm;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::BodyExt as _;
use serde::Serialize;
use service::admin::{Admin, Answer};

impl App {
    /// Adds what this server can be asked and told on the admin listener, who may, and TLS where it is configured, which
    /// needs the runtime that this is called on.
    ///
    /// # Errors
    /// The audit file or a certificate cannot be opened.
    pub fn administer(&self, admin: Admin, config: &AdminConfig) -> Result<Admin, String> {
        let admin = match config.tls.open((self.clock.wall)())? {
            None => admin,
            Some(credentials) => {
                let hangups = reload::hangups().map_err(|error| error.to_string())?;
                let entry = credentials.entry();
                tokio::spawn(credentials.keep_up(self.clone(), self.clock, hangups));
                admin.secure(entry)
            }
        };
        let app = || self.clone();
        let (begin, all, one, cancel, stats, purging) = (app(), app(), app(), app(), app(), app());
        Ok(self
            .doors
            .hang(admin, config)?
            .route(Method::POST, purge::PATH, move |request| purge::answer(purging.clone(), request))
            .route(Method::GET, report::PATH, move |request| report::answer(stats.clone(), request))
            .route(Method::POST, warm::PATH, move |request| warm::begin(begin.clone(), request))
            .route(Method::GET, warm::PATH, move |request| warm::tell(all.clone(), request))
            .route(Method::GET, "/warm/*", move |request| warm::tell(one.clone(), request))
            .route(Method::DELETE, "/warm/*", move |request| warm::cancel(cancel.clone(), request)))
    }

    /// As [`Method::POST`] of `/purge` on the admin listener, for whoever is in the same process: `body` is docs/purge.md's.
    /// The status of the answer, and its text.
    pub async fn purge(&self, body: Bytes) -> (u16, Bytes) {
        told(purge::answer(self.clone(), Request::new(body)).await).await
    }

    /// Likewise of `/warm`.
    pub async fn warm(&self, body: Bytes) -> (u16, Bytes) {
        told(warm::begin(self.clone(), Request::new(body)).await).await
    }
}

async fn told(answer: Answer) -> (u16, Bytes) {
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap_or_else(|never| match never {});
    (status, body.to_bytes())
}

/// An answer of a JSON text.
pub(crate) fn json(status: u16, value: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(value).expect("structs of texts and numbers are JSON");
    answer(status, HeaderValue::from_static("application/json"), text)
}

/// An answer that says why there is no other (RFC 9457).
pub(crate) fn failed(status: u16, detail: &str) -> Answer {
    #[derive(Serialize)]
    struct Problem<'a> {
        status: u16,
        detail: &'a str,
    }
    let text = serde_json::to_vec(&Problem { status, detail }).expect("a number and a text are JSON");
    answer(status, HeaderValue::from_static("application/problem+json"), text)
}

fn answer(status: u16, kind: HeaderValue, body: Vec<u8>) -> Answer {
    let response = Response::builder().status(status).header(CONTENT_TYPE, kind);
    let response = response.header(CACHE_CONTROL, const { HeaderValue::from_static("no-store") });
    response.body(Bytes::from(body).into()).expect("a status of three digits and two fields")
}
