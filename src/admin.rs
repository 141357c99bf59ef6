//! What the edge adds to the admin listener of `service`: warm-up and statistics.
//!
//! Owns the list of its routes and the form of their answers, which is JSON. Knows no sockets.

use crate::app::App;
use crate::stats::report;
use crate::warm::admin as warm;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use serde::Serialize;
use service::admin::{Admin, Answer};

impl App {
    /// Adds what this server can be asked and told on the admin listener.
    #[must_use]
    pub fn administer(&self, admin: Admin) -> Admin {
        let app = || self.clone();
        let (begin, all, one, cancel, stats) = (app(), app(), app(), app(), app());
        admin
            .route(Method::GET, report::PATH, move |request| report::answer(stats.clone(), request))
            .route(Method::POST, warm::PATH, move |request| warm::begin(begin.clone(), request))
            .route(Method::GET, warm::PATH, move |request| warm::tell(all.clone(), request))
            .route(Method::GET, "/warm/*", move |request| warm::tell(one.clone(), request))
            .route(Method::DELETE, "/warm/*", move |request| warm::cancel(cancel.clone(), request))
    }
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
