//! Sends spans in batches and metrics every so often, until the process ends.
//!
//! Invariants: one batch is under way at a time; the queue before it is bounded; a collector that is away costs a warning
//! now and then, and what could not be sent.

use super::config::{Endpoint, OtlpConfig};
use super::layer::Spans;
use super::metrics;
use super::span::{self, Ended};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Spans that may wait.
const QUEUE: usize = 4096;
/// Spans of one batch.
const BATCH: usize = 512;
/// How long spans are gathered.
const GATHER: Duration = Duration::from_secs(1);
/// Tries of one batch.
const ATTEMPTS: u32 = 3;
/// Longest time for what is left when the process ends.
const LAST: Duration = Duration::from_secs(3);

/// What became of spans and batches.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Spans that the queue had no room for.
    pub dropped: Arc<AtomicU64>,
    /// Batches that the collector took.
    pub sent: Arc<AtomicU64>,
    /// Batches that it did not take.
    pub failed: Arc<AtomicU64>,
}

/// What sends, before it runs.
pub struct Exporter {
    endpoint: Endpoint,
    authorization: Option<HeaderValue>,
    config: OtlpConfig,
    spans: mpsc::Receiver<Ended>,
    counts: Counts,
    resource: Vec<(String, String)>,
    client: Client<HttpConnector, Full<Bytes>>,
    start: SystemTime,
}

/// What sends, while it runs.
#[derive(Debug)]
pub struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// Sends what is left, and ends.
    pub async fn finish(self) {
        let _ended_already = self.stop.send(());
        let _late_or_panicked = tokio::time::timeout(LAST, self.task).await;
    }
}

/// The layer that gathers spans, and what sends them; `None` where no endpoint is configured.
///
/// # Errors
/// An authorization that no header can hold.
pub fn open(config: &OtlpConfig, version: &'static str) -> Result<Option<(Option<Spans>, Exporter)>, String> {
    let Some(endpoint) = config.endpoint.clone() else { return Ok(None) };
    let authorization = config.authorization.as_ref().map(|secret| {
        let mut value = HeaderValue::try_from(secret.expose())
            .map_err(|_| "otlp.authorization: holds characters that no header can".to_owned())?;
        value.set_sensitive(true);
        Ok::<_, String>(value)
    });
    let (queue, spans) = mpsc::channel(QUEUE);
    let counts = Counts::default();
    let layer =
        config.traces.then(|| Spans { propagation: config.propagation, queue, dropped: Arc::clone(&counts.dropped) });
    let resource = [("service.name", config.service_name.as_str()), ("service.version", version)];
    Ok(Some((
        layer,
        Exporter {
            endpoint,
            authorization: authorization.transpose()?,
            config: config.clone(),
            spans,
            counts,
            resource: resource.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            start: SystemTime::now(),
        },
    )))
}

impl Exporter {
    /// For metrics.
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Starts to send, on the current runtime.
    pub fn start(self, registry: Arc<Registry>) -> Running {
        let (stop, stopped) = oneshot::channel();
        Running { stop, task: tokio::spawn(self.run(registry, stopped)) }
    }

    async fn run(mut self, registry: Arc<Registry>, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = tokio::time::interval(self.config.interval);
        ticks.tick().await;
        let mut batch = Vec::new();
        let mut traces = self.config.traces;
        loop {
            tokio::select! {
                biased;
                _stop = &mut stopped => break,
                _now = ticks.tick(), if self.config.metrics => self.send_metrics(&registry).await,
                received = self.spans.recv_many(&mut batch, BATCH), if traces => {
                    if received == 0 {
                        traces = false;
                        continue;
                    }
                    tokio::time::sleep(GATHER).await;
                    while batch.len() < BATCH && let Ok(span) = self.spans.try_recv() {
                        batch.push(span);
                    }
                    self.send_spans(&mut batch).await;
                }
            }
        }
        while let Ok(span) = self.spans.try_recv() {
            batch.push(span);
            if batch.len() >= BATCH {
                self.send_spans(&mut batch).await;
            }
        }
        self.send_spans(&mut batch).await;
        if self.config.metrics {
            self.send_metrics(&registry).await;
        }
    }

    async fn send_spans(&self, batch: &mut Vec<Ended>) {
        if !batch.is_empty() {
            let body = span::request(&self.resource, batch);
            batch.clear();
            self.send("traces", body.into()).await;
        }
    }

    async fn send_metrics(&self, registry: &Registry) {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        if prometheus_client::encoding::text::encode(&mut text, registry).is_ok() {
            let (start, now) = (span::nanos(self.start), span::nanos(SystemTime::now()));
            self.send("metrics", metrics::request(&self.resource, &text, start, now).into()).await;
        }
    }

    async fn send(&self, signal: &str, body: Bytes) {
        let mut pause = Duration::from_millis(100);
        for attempt in 1..=ATTEMPTS {
            let problem = match tokio::time::timeout(self.config.timeout, self.post(signal, body.clone())).await {
                Ok(Ok(status)) if status.is_success() => {
                    self.counts.sent.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                // Those that a client may say again (OTLP, "Retryable Response Codes").
                Ok(Ok(status)) if !matches!(status.as_u16(), 429 | 502 | 503 | 504) => status.to_string(),
                Ok(Ok(status)) if attempt == ATTEMPTS => status.to_string(),
                Ok(Err(error)) if attempt == ATTEMPTS => error,
                Err(_elapsed) if attempt == ATTEMPTS => "no answer in time".to_owned(),
                _ => {
                    tokio::time::sleep(pause).await;
                    pause *= 4;
                    continue;
                }
            };
            let failed = self.counts.failed.fetch_add(1, Ordering::Relaxed);
            // The first of every hundred: a collector that is away is no news every second.
            if failed.is_multiple_of(100) {
                tracing::warn!(signal, problem, failed, "the collector does not take telemetry");
            }
            return;
        }
    }

    async fn post(&self, signal: &str, body: Bytes) -> Result<StatusCode, String> {
        let uri = self.endpoint.of(signal).ok_or("not an address")?;
        let mut request =
            Request::builder().method(Method::POST).uri(uri).header(CONTENT_TYPE, "application/x-protobuf");
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        // The body says nothing that is of use here; it is small, and dropped with its connection where it is not.
        Ok(response.status())
    }
}
