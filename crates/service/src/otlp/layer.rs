//! Spans of `tracing` with the target [`TARGET`] → spans of OTLP.
//!
//! A span without a parent in this process takes its place in the trace from [`enter`]. Invariants: whoever ends a span
//! never waits; where the queue is full it is dropped and counted; other targets cost nothing.

use super::context::{Context, Propagation, random};
use super::span::{Ended, Value};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use tokio::sync::mpsc;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context as Of, Layer};
use tracing_subscriber::registry::LookupSpan;

/// What spans of requests' steps name as their target.
pub const TARGET: &str = "tintype::step";
/// The attribute that marks a span as failed; it is not sent.
pub const FAILED: &str = "failed";

thread_local! {
    static CALLER: Cell<Option<Context>> = const { Cell::new(None) };
}

/// Runs `make`, in which a span is made, below a caller outside of this process; `None` begins a trace.
pub fn enter<R>(caller: Option<Context>, make: impl FnOnce() -> R) -> R {
    CALLER.set(caller);
    let made = make();
    CALLER.set(None);
    made
}

/// The layer, for [`crate::telemetry::init`].
pub struct Spans {
    pub(super) propagation: Propagation,
    pub(super) queue: mpsc::Sender<Ended>,
    pub(super) dropped: Arc<AtomicU64>,
}

/// A span that is under way.
struct Open {
    context: Context,
    propagation: Propagation,
    parent: Option<u64>,
    serves: bool,
    began: SystemTime,
    attributes: Values,
}

#[derive(Default)]
struct Values {
    list: Vec<(&'static str, Value)>,
    failed: bool,
}

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.list.push((field.name(), Value::Text(format!("{value:?}"))));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.list.push((field.name(), Value::Text(value.to_owned())));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.list.push((field.name(), Value::Whole(value)));
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.list.push((field.name(), Value::Whole(i64::try_from(value).unwrap_or(i64::MAX))));
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.list.push((field.name(), Value::Real(value)));
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == FAILED {
            self.failed = value;
        } else {
            self.list.push((field.name(), Value::Bool(value)));
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, new: &Attributes<'_>, id: &Id, of: Of<'_, S>) {
        let Some(span) = of.span(id) else { return };
        let parent = span.parent().and_then(|parent| parent.extensions().get::<Open>().map(|open| open.context));
        let now = SystemTime::now();
        let (context, above, serves) = match (parent, CALLER.get()) {
            (Some(parent), _) => (parent.child(), Some(parent.span), false),
            (None, Some(caller)) => (caller.child(), Some(caller.span), true),
            (None, None) => (Context::root(now, true), None, true),
        };
        let mut attributes = Values::default();
        new.record(&mut attributes);
        span.extensions_mut().insert(Open {
            context,
            propagation: self.propagation,
            parent: above,
            serves,
            began: now,
            attributes,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, of: Of<'_, S>) {
        let Some(span) = of.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.attributes);
        }
    }

    fn on_close(&self, id: Id, of: Of<'_, S>) {
        let Some(span) = of.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let Open { context, parent, serves, began, attributes, .. } = open;
        let Values { list, failed } = attributes;
        let ended = SystemTime::now();
        let ended = Ended { name: span.name(), context, parent, serves, began, ended, attributes: list, failed };
        if self.queue.try_send(ended).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The place of a span in its trace. `None` where it is not recorded.
pub fn context_of(span: &tracing::Span) -> Option<Context> {
    placed(span).map(|(context, _)| context)
}

/// The field that names a span to those whom we call, and its value. `None` where it is not recorded.
pub fn outgoing(span: &tracing::Span) -> Option<(&'static str, String)> {
    placed(span).map(|(context, propagation)| (propagation.field(), propagation.write(context)))
}

fn placed(span: &tracing::Span) -> Option<(Context, Propagation)> {
    span.with_subscriber(|(id, subscriber)| {
        let span = subscriber.downcast_ref::<tracing_subscriber::Registry>()?.span(id)?;
        span.extensions().get::<Open>().map(|open| (open.context, open.propagation))
    })
    .flatten()
}

/// Whether one in so many is recorded: `share` of all, by chance.
pub fn chance(share: f64) -> bool {
    share >= 1.0 || (random() as f64 / u64::MAX as f64) < share
}
