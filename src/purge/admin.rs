//! `POST /purge` on the admin listener.
//!
//! Knows JSON and the order of things: understand all, mark, tell the fleet, sweep here, tell the CDN. Who may ask is the
//! listener's business.

use super::report::Report;
use super::request::{self, Wanted};
use super::resolve::{Meaning, resolve};
use super::sweep::Swept;
use crate::app::App;
use crate::cache::{Marks, Scope};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use service::admin::{Answer, Detail};

/// Does what the request says, and says what was done.
pub(crate) async fn answer(app: App, request: Request<Bytes>) -> Answer {
    let wanted = match request::read(request.body()) {
        Ok(wanted) => wanted,
        Err(why) => return respond(400, &json!({"error": why})),
    };
    let report = purge(&app, wanted).await;
    let mut answer = respond(report.status(), &report.json());
    // For the audit log.
    answer.extensions_mut().insert(Detail(report.summary()));
    answer
}

async fn purge(app: &App, Wanted { items, dry_run }: Wanted) -> Report {
    let resolved = items.into_iter().map(|item| {
        let meaning = resolve(&app.routes, &item);
        (item, meaning)
    });
    let items: Vec<_> = resolved.collect();
    let mut all = Meaning::default();
    for meaning in items.iter().filter_map(|(_, meaning)| meaning.as_ref().ok()) {
        all.scopes.extend(&meaning.scopes);
        all.cdn.extend(meaning.cdn.iter().cloned());
    }
    let mut report = Report { items, dry_run, memory: Swept::default(), tiers: Vec::new(), told: None, cdn: None };
    if all.scopes.is_empty() {
        return report;
    }
    let scopes: Vec<Scope> = all.scopes.into_iter().collect();
    // Counted before: the messages of the fleet make this instance sweep too, perhaps sooner.
    let named = Marks::new(scopes.len());
    named.add(1, &scopes);
    report.memory = app.fleet.sweeper.would(&named);
    if dry_run {
        return report;
    }
    let told = app.fleet.ledger.announce(&scopes, (app.clock.wall)()).await;
    report.told = app.fleet.ledger.is_shared().then(|| told.map_err(|failure| failure.to_string()));
    app.fleet.sweeper.memory();
    report.tiers = app.fleet.sweeper.tiers(&app.tiers).await;
    // After the fleet: what the CDN then asks for anew is not what was there before.
    report.cdn = app.fleet.cdn.as_ref().map(|cdn| cdn.invalidate(all.cdn.into_iter()));
    for (item, meaning) in &report.items {
        app.metrics.purge(item.kind(), meaning.is_ok());
    }
    tracing::info!(
        scopes = scopes.len(),
        renditions = report.memory.renditions,
        originals = report.memory.originals,
        told = ?report.told,
        "purged"
    );
    report
}

fn respond(status: u16, body: &Value) -> Answer {
    let mut response = Response::new(Full::from(format!("{body:#}\n")));
    if let Ok(status) = status.try_into() {
        *response.status_mut() = status;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
