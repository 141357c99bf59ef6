//! Spans as OTLP writes them (opentelemetry-proto, `trace/v1/trace.proto`).

use super::context::Context;
use super::wire::Message;
use std::time::{SystemTime, UNIX_EPOCH};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Whole(i64),
    Real(f64),
    Bool(bool),
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) name: &'static str,
    pub(super) context: Context,
    pub(super) parent: Option<u64>,
    /// It answers a request from outside.
    pub(super) serves: bool,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) failed: bool,
}

/// `SPAN_KIND_INTERNAL` and `SPAN_KIND_SERVER`.
const INTERNAL: i64 = 1;
const SERVER: i64 = 2;
/// `STATUS_CODE_ERROR`.
const ERROR: i64 = 2;

pub(super) fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A `KeyValue` as `field` of a message.
pub(super) fn attribute(message: &mut Message, field: u64, name: &str, value: &Value) {
    message.message(field, |pair| {
        pair.bytes(1, name.as_bytes()).message(2, |any| {
            match value {
                Value::Text(text) => any.bytes(1, text.as_bytes()),
                Value::Bool(value) => any.number(2, i64::from(*value)),
                Value::Whole(value) => any.number(3, *value),
                Value::Real(value) => any.double(4, *value),
            };
        });
    });
}

/// Who tells: `Resource` as field 1 of `ResourceSpans` and `ResourceMetrics`.
pub(super) fn resource(message: &mut Message, resource: &[(String, String)]) {
    message.message(1, |inner| {
        for (name, value) in resource {
            attribute(inner, 1, name, &Value::Text(value.clone()));
        }
    });
}

/// What recorded it: `InstrumentationScope` as field 1.
pub(super) fn scope(message: &mut Message) {
    message.message(1, |scope| {
        scope.bytes(1, b"tintype").bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
    });
}

/// An `ExportTraceServiceRequest`.
pub(super) fn request(of: &[(String, String)], spans: &[Ended]) -> Vec<u8> {
    let mut request = Message::new();
    request.message(1, |group| {
        resource(group, of);
        group.message(2, |scoped| {
            scope(scoped);
            for span in spans {
                scoped.message(2, |message| write(message, span));
            }
        });
    });
    request.into_bytes()
}

fn write(message: &mut Message, span: &Ended) {
    message.bytes(1, &span.context.trace.to_be_bytes()).bytes(2, &span.context.span.to_be_bytes());
    if let Some(parent) = span.parent {
        message.bytes(4, &parent.to_be_bytes());
    }
    message
        .bytes(5, span.name.as_bytes())
        .number(6, if span.serves { SERVER } else { INTERNAL })
        .fixed64(7, nanos(span.began))
        .fixed64(8, nanos(span.ended));
    for (name, value) in &span.attributes {
        attribute(message, 9, name, value);
    }
    if span.failed {
        message.message(15, |status| {
            status.number(3, ERROR);
        });
    }
    // The low byte is W3C's flags.
    message.fixed32(16, u32::from(span.context.sampled));
}
