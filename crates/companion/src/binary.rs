//! The `main` of a companion: its command line, its config, and its life from the first log line to the drained end.
//!
//! Knows no companion. Invariant: it says that it is ready only once it serves, and ends in order: unready, no new
//! connections, work finished.

use crate::arguments::{CheckArguments, ConfigArguments};
use crate::base::{Base, Companion};
use crate::config::{Limits, Place, Server};
use crate::metric::Metrics;
use crate::serve::{Mounted, serve};
use clap::{Parser, Subcommand};
use prometheus_client::registry::Registry;
use service::admin::{Admin, Readiness, register_build};
use service::config::{Reader, Section};
use service::drain::{self, Drain, DrainConfig};
use service::health::{self, Probe, Target};
use service::otlp::{self, OtlpConfig};
use service::telemetry::{self, Log};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long `health` waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// The whole configuration of a companion's binary: what all have, and `own`.
#[derive(Debug)]
pub struct Whole<P, C> {
    /// `[server]`.
    pub server: Server<P>,
    /// `[limits]`.
    pub limits: Limits,
    /// The companion's own sections.
    pub own: C,
    /// `[drain]`.
    pub drain: DrainConfig,
    /// `[log]`.
    pub log: Log,
    /// `[otlp]`.
    pub otlp: OtlpConfig,
}

impl<P: Place, C: Section> Section for Whole<P, C> {
    const DOC: &'static str = C::DOC;

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            server: r.section("server"),
            limits: r.section("limits"),
            own: C::read(r),
            drain: r.section("drain"),
            log: r.section("log"),
            otlp: r.section("otlp"),
        }
    }
}

/// What a companion is built on.
#[derive(Debug)]
pub struct Ground {
    /// Metrics are registered here.
    pub registry: Registry,
    /// The end of the process.
    pub drain: Drain,
    limits: Limits,
    otlp: OtlpConfig,
    metrics: Metrics,
}

impl Ground {
    /// What is laid round handlers; see [`Base::new`].
    #[must_use]
    pub fn base(&self) -> Base {
        Base::new(&self.limits, &self.otlp, self.metrics.clone())
    }
}

#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 110,
    after_help = "Exit status:\n  0  done\n  1  it could not be done\n  \
    2  the command line is wrong\n  3  the configuration is wrong\n  4  health: the server is not ready"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM or SIGINT, then drain.
    Serve(ConfigArguments),
    /// Say everything that is wrong with a configuration, or print it.
    CheckConfig(CheckArguments),
    /// Ask a running server whether it is ready (for container health checks).
    Health(ConfigArguments),
}

/// Why it ended.
enum Failure {
    Failed(String),
    Config(service::config::ConfigErrors),
    NotReady(String),
}

impl From<service::config::ConfigErrors> for Failure {
    fn from(errors: service::config::ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

/// The whole `main` of a companion: `build` makes it of its config.
///
/// ```ignore
/// fn main() -> std::process::ExitCode {
///     companion::binary::run::<ingest::Place, ingest::Config>("Takes uploads.", async |config, ground| { … })
/// }
/// ```
pub fn run<P: Place, C: Section>(
    about: &'static str,
    build: impl AsyncFnOnce(C, &mut Ground) -> Result<Companion, String>,
) -> ExitCode {
    use clap::{CommandFactory as _, FromArgMatches as _};
    let name = P::BINARY;
    let matches = Arguments::command().name(name).about(about).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let (code, text) = match obey::<P, C>(arguments.command, build) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Failed(text)) => (1, text),
        Err(Failure::Config(errors)) => (3, errors.to_string()),
        Err(Failure::NotReady(text)) => (4, text),
    };
    eprintln!("{name}: {text}");
    ExitCode::from(code)
}

fn obey<P: Place, C: Section>(
    command: Command,
    build: impl AsyncFnOnce(C, &mut Ground) -> Result<Companion, String>,
) -> Result<(), Failure> {
    match command {
        Command::Serve(arguments) => live(arguments.load::<Whole<P, C>>()?.config, build).map_err(Failure::Failed),
        Command::CheckConfig(arguments) => Ok(arguments.check::<Whole<P, C>>()?),
        Command::Health(arguments) => {
            let admin = arguments.load::<Whole<P, C>>()?.config.server.admin;
            let answer = health::ask(&Target::plain(admin), Probe::Ready, HEALTH_TIMEOUT);
            println!("{}", answer.map_err(|unhealthy| Failure::NotReady(unhealthy.to_string()))?);
            Ok(())
        }
    }
}

/// telemetry → build → serve → drain.
fn live<P: Place, C: Section>(
    config: Whole<P, C>,
    build: impl AsyncFnOnce(C, &mut Ground) -> Result<Companion, String>,
) -> Result<(), String> {
    let (spans, exporter) = otlp::open(&config.otlp, env!("CARGO_PKG_VERSION"))?.unzip();
    let _flushes_the_log_at_the_end =
        telemetry::init(&config.log, spans.flatten()).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let Whole { server, limits, own, drain: draining, otlp, .. } = config;
        let drain = Drain::new();
        drain::on_signals(drain.clone()).map_err(|error| error.to_string())?;
        let mut registry = Registry::with_prefix("tintype");
        register_build(&mut registry, P::NAME, env!("CARGO_PKG_VERSION"));
        let metrics = Metrics::register(&mut registry);
        let mut ground = Ground { registry, drain: drain.clone(), limits, otlp, metrics };
        let companion = build(own, &mut ground).await?;
        let registry = Arc::new(ground.registry);
        let exporting = exporter.map(|exporter| exporter.start(Arc::clone(&registry)));
        let readiness = Readiness::new(drain.clone());
        let taken = |key, address, error| format!("{key}: cannot listen on {address}: {error}");
        let admin = Admin::new(readiness.clone(), registry).bind(server.admin).await;
        let admin = admin.map_err(|error| taken("server.admin", server.admin, error))?;
        let listener = TcpListener::bind(server.listen).await;
        let listener = listener.map_err(|error| taken("server.listen", server.listen, error))?;
        let places = (listener.local_addr(), admin.local_addr());
        if let (Ok(address), Ok(admin_address)) = places {
            tracing::info!(service = P::NAME, %address, %admin_address, version = env!("CARGO_PKG_VERSION"), "listening");
        }
        tokio::spawn(admin.serve());
        let (mounted, tasks) = Mounted::new(vec![companion], None);
        for task in tasks {
            task.start(&drain);
        }
        let stop = Drain::new();
        let serving = {
            let (stop, drain) = (stop.clone(), drain.clone());
            tokio::spawn(async move {
                serve(listener, mounted, server.connections, server.head_timeout, &stop, &drain).await;
            })
        };
        readiness.ready();
        wind_down(&drain, &stop, &draining).await;
        serving.await.map_err(|error| format!("the listener: {error}"))?;
        if let Some(exporting) = exporting {
            exporting.finish().await;
        }
        Ok(())
    })
}

/// Waits for the drain to begin, then ends in order: unready, no new connections, work finished.
pub async fn wind_down(drain: &Drain, stop: &Drain, config: &DrainConfig) {
    drain.draining().await;
    tracing::info!(notice = ?config.notice, "draining: still accepting, no longer ready");
    tokio::time::sleep(config.notice).await;
    stop.begin();
    match drain.finish(config.deadline).await {
        Ok(()) => tracing::info!("drained"),
        Err(unfinished) => tracing::warn!(%unfinished, "the drain deadline passed"),
    }
}
