//! Warm-up by the admin listener: `POST /warm`, `GET /warm`, `GET /warm/ID`, `DELETE /warm/ID`.
//!
//! Owns the requests' and answers' form, which `tintype warm` reads. Knows nothing of how a list is worked off.

use super::Refused;
use super::list::List;
use crate::admin::{failed, json};
use crate::app::App;
use bytes::Bytes;
use http::Request;
use service::admin::{Answer, Detail};

/// The path below which runs are.
pub(crate) const PATH: &str = "/warm";

/// Takes in a list.
pub(crate) async fn begin(app: App, request: Request<Bytes>) -> Answer {
    let list: List = match serde_json::from_slice(request.body()) {
        Ok(list) => list,
        Err(error) => return failed(400, &format!("the body is no list: {error}")),
    };
    if !app.lane.runs() {
        return failed(409, "there is no lane to do it: render.lane.threads is 0, or the server drains");
    }
    let most = app.lane.config().jobs;
    let read = match list.read(&app, most).await {
        Ok(read) => read,
        Err(text) => return failed(400, &text),
    };
    match app.lane.warm().add(read.jobs, read.refused) {
        Ok(run) => {
            let report = run.report();
            tracing::info!(id = report.id, total = report.total, refused = report.failed, "a warm-up begins");
            app.lane.nudge();
            let mut answer = json(202, &report);
            // For the audit log.
            answer.extensions_mut().insert(Detail(format!("{} renditions, id {}", report.total, report.id)));
            answer
        }
        Err(Refused::Full { most, waiting }) => failed(
            429,
            &format!("{waiting} renditions wait already, of at most {most} (render.lane.jobs); try again later"),
        ),
        Err(Refused::Runs(most)) => failed(429, &format!("{most} warm-ups are under way; try again later")),
    }
}

/// All runs, or how one stands.
pub(crate) async fn tell(app: App, request: Request<Bytes>) -> Answer {
    match id(&request) {
        None => json(200, &app.lane.warm().all().iter().map(|run| run.report()).collect::<Vec<_>>()),
        Some(id) => match app.lane.warm().find(id) {
            Some(run) => json(200, &run.report()),
            None => unknown(),
        },
    }
}

/// Ends one early.
pub(crate) async fn cancel(app: App, request: Request<Bytes>) -> Answer {
    match id(&request).and_then(|id| app.lane.warm().find(id)) {
        Some(run) => {
            if run.cancel() {
                tracing::info!(id = run.id(), "a warm-up was cancelled");
            }
            json(200, &run.report())
        }
        None => unknown(),
    }
}

fn id(request: &Request<Bytes>) -> Option<&str> {
    let id = request.uri().path().strip_prefix(PATH)?.trim_matches('/');
    (!id.is_empty()).then_some(id)
}

fn unknown() -> Answer {
    failed(404, "there is no such warm-up; only the latest are remembered, by the instance that was asked")
}
