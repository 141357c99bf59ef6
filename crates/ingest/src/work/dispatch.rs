//! Events out of the outbox into the queue, as the jobs that follow from them.
//!
//! The catalog's own dispatcher has the loop. Invariant: an event is marked as sent only after its jobs are in the queue.

use crate::desk::Desk;
use catalog::outbox::{Dispatcher, Pace, Sink};
use catalog::{Event, Later};
use jobs::{JobKind, NewJob, Queue};
use service::drain::Drain;
use std::sync::Arc;

/// Hands on until the drain.
pub(crate) async fn run(desk: Desk, drain: Drain) {
    let sink = Arc::new(Into(Arc::clone(&desk.queue)));
    let holder = uuid::Uuid::now_v7().to_string();
    let dispatcher = Dispatcher::new(Arc::clone(&desk.catalog), sink, holder, Pace::default());
    let bell = dispatcher.bell();
    let ringing = async {
        loop {
            desk.awake.notified().await;
            bell.ring();
        }
    };
    tokio::select! {
        () = dispatcher.run(drain.draining()) => {}
        () = ringing => {}
    }
}

/// The queue that takes them.
struct Into(Arc<dyn Queue>);

impl Sink for Into {
    fn take<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let jobs = events.iter().flat_map(of).collect();
            self.0.send(jobs).await.map(drop).map_err(|error| error.to_string())
        })
    }
}

/// The jobs of an event: to publish and to index it.
fn of(event: &Event) -> [NewJob; 2] {
    let payload = serde_json::to_value(event).expect("events are JSON");
    let trace = event.trace.as_ref().map(ToString::to_string);
    [JobKind::PUBLISH, JobKind::INDEX].map(|kind| {
        let key = format!("{kind}/{}", event.id);
        NewJob::new(kind, payload.clone()).tenant(&event.tenant).trace(trace.clone()).key(key)
    })
}
