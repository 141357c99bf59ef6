//! What is the same round every handler, and the companion that comes of it.
//!
//! Knows no handler. Invariant: whatever is served has gone through [`Base::finish`], so that no route is without its limits.

use crate::caller::sign_in_first;
use crate::config::Limits;
use crate::metric::Metrics;
use crate::problem::{Problem, code};
use crate::{openapi, round};
use access::Door;
use axum::Router;
use axum::middleware::from_fn_with_state;
use http::Method;
use service::drain::Drain;
use service::forwarded::Trust;
use service::otlp::{OtlpConfig, Recording};
use service::rate::Table;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Requests below a path that may be larger and take longer than `[limits]` says: uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How their paths begin.
    pub prefix: &'static str,
    /// Largest body, in bytes.
    pub body: u64,
    /// Longest time to an answer, the sending of the body included.
    pub deadline: std::time::Duration,
}

/// What is the same round every handler. Clones share it: its limits hold for all companions of a process together.
#[derive(Clone)]
pub struct Base {
    shared: Arc<Shared>,
    door: Option<Arc<Door>>,
}

/// See [`Base`].
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) recording: Option<Recording>,
    pub(crate) trust: Trust,
    pub(crate) rate: Option<Table>,
    pub(crate) slots: Semaphore,
    pub(crate) start: Instant,
}

/// A companion's name and its exceptions, for the layers.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) shared: Arc<Shared>,
    pub(crate) door: Option<Arc<Door>>,
    pub(crate) patience: Arc<[Patience]>,
}

type Work = Box<dyn FnOnce(Drain) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Work behind the requests, that ends once the drain has begun.
pub struct Task {
    /// For the log.
    pub name: &'static str,
    work: Work,
}

impl Task {
    /// `work` ends by itself once the drain that it is given has begun.
    pub fn new<F>(name: &'static str, work: impl FnOnce(Drain) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name, work: Box::new(move |drain| Box::pin(work(drain))) }
    }

    /// Starts it; the drain counts it until it ends.
    pub fn start(self, drain: &Drain) {
        let (guard, name) = (drain.track(), self.name);
        let work = (self.work)(drain.clone());
        tokio::spawn(async move {
            let _counted = guard;
            work.await;
            tracing::debug!(task = name, "ended");
        });
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.name).finish()
    }
}

/// A companion: what it answers, what that is called, and what it does meanwhile.
pub struct Companion {
    /// First segment of its paths.
    pub name: &'static str,
    /// Its routes, with everything round them.
    pub router: Router,
    /// Their document.
    pub api: OpenApi,
    /// Its work behind the requests.
    pub tasks: Vec<Task>,
}

impl fmt::Debug for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Companion").field("name", &self.name).field("tasks", &self.tasks).finish_non_exhaustive()
    }
}

impl Companion {
    /// Adds work.
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }
}

impl Base {
    /// One per process, so that its limits hold for all companions together.
    #[must_use]
    pub fn new(limits: &Limits, otlp: &OtlpConfig, metrics: Metrics) -> Self {
        let shared = Shared {
            trust: Trust { networks: limits.trusted_proxies.clone(), ..Trust::default() },
            rate: limits.rate.map(Table::new),
            slots: Semaphore::new(limits.requests),
            recording: Recording::new(otlp),
            start: Instant::now(),
            limits: limits.clone(),
            metrics,
        };
        Self { shared: Arc::new(shared), door: None }
    }

    /// Where callers are asked who they are; without it handlers that take a [`crate::Caller`] refuse.
    #[must_use]
    pub fn with_door(self, door: Arc<Door>) -> Self {
        Self { door: Some(door), ..self }
    }

    /// Where callers are asked.
    #[must_use]
    pub fn door(&self) -> Option<&Arc<Door>> {
        self.door.as_ref()
    }

    /// As [`finish_with`](Self::finish_with), without exceptions.
    #[must_use]
    pub fn finish(&self, name: &'static str, about: &'static str, router: OpenApiRouter) -> Companion {
        self.finish_with(name, about, router, &[])
    }

    /// Lays everything round the handlers. Paths are whole: `/NAME/v1/…`. `about` is the document's description.
    #[must_use]
    pub fn finish_with(
        &self,
        name: &'static str,
        about: &'static str,
        router: OpenApiRouter,
        patience: &[Patience],
    ) -> Companion {
        let (mut router, api) = router.split_for_parts();
        if let Some(door) = &self.door {
            let closed = Arc::new(openapi::closed(&api));
            router = router.route_layer(from_fn_with_state((Arc::clone(door), closed), sign_in_first));
        }
        let api = openapi::complete(api, name, about);
        let site = Site { name, shared: Arc::clone(&self.shared), door: self.door.clone(), patience: patience.into() };
        let router = openapi::serve(router, name, &api)
            .fallback(nothing_here)
            .method_not_allowed_fallback(wrong_method)
            .layer(CatchPanicLayer::custom(round::panicked))
            .layer(from_fn_with_state(site, round::round));
        Companion { name, router, api, tasks: Vec::new() }
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Base").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

async fn nothing_here() -> Problem {
    Problem::new(code::NOT_FOUND, "There is nothing at this path.")
}

async fn wrong_method(method: Method) -> Problem {
    let method = crate::problem::shorten(method.as_str());
    Problem::new(code::METHOD, format!("{method} is not known here; the header Allow has what is."))
}
