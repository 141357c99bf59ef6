//! What happens at the doors, counted: connections, handshakes, certificates.

use super::{ListenerLabels, ReasonLabels, ResultLabels};
use crate::server::Event;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::time::UNIX_EPOCH;

/// The metrics of sockets.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    connections: Gauge,
    refused: Family<ReasonLabels, Counter>,
    handshakes: Family<ResultLabels, Counter>,
    reloads: Family<ResultLabels, Counter>,
    certificate_end: Family<ListenerLabels, Gauge>,
}

impl Doors {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let doors = Self {
            connections: Gauge::default(),
            refused: Family::default(),
            handshakes: Family::default(),
            reloads: Family::default(),
            certificate_end: Family::default(),
        };
        registry.register("connections", "Connections open", doors.connections.clone());
        registry.register("refused_connections", "Connections that were cut off, by reason", doors.refused.clone());
        registry.register("handshakes", "TLS and QUIC handshakes, by what came of them", doors.handshakes.clone());
        registry.register(
            "certificate_reloads",
            "Changed certificates, by whether they could be used",
            doors.reloads.clone(),
        );
        registry.register(
            "certificate_expiry_timestamp_seconds",
            "When the first of a listener's certificates ends, in seconds since 1970; only where it speaks TLS",
            doors.certificate_end.clone(),
        );
        doors
    }

    /// Counts it.
    pub(crate) fn note(&self, event: Event) {
        match event {
            Event::Opened => drop(self.connections.inc()),
            Event::Closed => drop(self.connections.dec()),
            Event::Refused(refusal) => {
                self.refused.get_or_create(&ReasonLabels { reason: refusal.as_str() }).inc();
            }
            Event::Handshake(handshake) => {
                self.handshakes.get_or_create(&ResultLabels { result: handshake.as_str() }).inc();
            }
            Event::Reloaded(well) => {
                let result = if well { "ok" } else { "failed" };
                self.reloads.get_or_create(&ResultLabels { result }).inc();
            }
            Event::CertificatesEnd(listener, end) => {
                let seconds = end.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                let labels = ListenerLabels { listener: listener.as_str() };
                self.certificate_end.get_or_create(&labels).set(i64::try_from(seconds).unwrap_or(i64::MAX));
            }
        }
    }
}
