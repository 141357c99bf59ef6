//! `tintype serve` and `tintype health`.

use super::token::TokenArguments;
use super::trust::{Place, TrustArguments};
use super::{ConfigArguments, Failure};
use crate::app::App;
use crate::config::Config;
use crate::reload::{self, Reload};
use crate::sandbox;
use crate::server::{Answer as _, Clock, Listeners, Listening, Stop, Tls};
use clap::Args;
use prometheus_client::registry::Registry;
use service::admin::{Admin, Readiness, register_build};
use service::config::Loaded;
use service::drain::{self, Drain};
use service::health::{self, Probe, Target};
use service::otlp::{self, Exporter};
use service::telemetry;
use std::io::{Error, IsTerminal};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Longest wait for what has been purged, before the server says that it is ready.
const FLEET_WAIT: Duration = Duration::from_secs(2);
/// Longest wait at the end for CloudFront to be told.
const CDN_WAIT: Duration = Duration::from_secs(5);
/// How long `tintype health` waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn serve(arguments: &ConfigArguments) -> Result<(), Failure> {
    let loaded = arguments.load_whole()?;
    let config = &loaded.config;
    let (spans, exporter) = otlp::open(&config.otlp, env!("CARGO_PKG_VERSION")).map_err(Failure::Failed)?.unzip();
    let _flushes_the_log_at_the_end =
        telemetry::init(&config.log, spans.flatten()).map_err(|error| Failure::Failed(error.to_string()))?;
    // Before any other thread: those that are started from here are within.
    sandbox::enter(&config.sandbox, config.places(loaded.effective(), arguments.config.as_deref()))
        .map_err(Failure::Failed)?;
    // For signals and the admin listener; the sockets have runtimes of their own, and go on when scrapes are slow.
    let control = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    control.block_on(run(arguments, loaded, exporter))
}

/// telemetry → config → build → serve → drain.
async fn run(arguments: &ConfigArguments, loaded: Loaded<Config>, exporter: Option<Exporter>) -> Result<(), Failure> {
    let drain = Drain::new();
    drain::on_signals(drain.clone())?;
    let readiness = Readiness::new(drain.clone());
    let mut registry = Registry::with_prefix("tintype");
    register_build(&mut registry, "edge", env!("CARGO_PKG_VERSION"));

    let app = App::build(&loaded.config, &mut registry, Clock::SYSTEM).map_err(Failure::Failed)?;
    let (again, file) = (arguments.clone(), arguments.config.clone());
    let reload = Reload::new(
        app.clone(),
        Arc::new(move || again.load_whole().map_err(|errors| errors.to_string())),
        file.as_deref(),
        &loaded,
    )?;
    tokio::spawn(reload.watch(file));
    let config = loaded.config;
    let registry = Arc::new(registry);
    let exporting = exporter.map(|exporter| exporter.start(Arc::clone(&registry)));
    let admin = app.administer(Admin::new(readiness.clone(), registry), &config.admin).map_err(Failure::Failed)?;
    let admin =
        admin.bind(config.server.admin).await.map_err(|error| taken("server.admin", config.server.admin, &error))?;
    let (admin_address, stop) = (admin.local_addr()?, Stop::new());
    tokio::spawn(admin.serve());

    let tls = Tls::open(&config.tls, (Clock::SYSTEM.wall)()).map_err(Failure::Failed)?;
    let listeners = Listeners::bind(&Arc::new(config.server), tls.clone())?;
    let places = listeners.places().to_vec();
    if let Some(tls) = tls {
        tokio::spawn(tls.keep_up(app.clone(), Clock::SYSTEM, reload::hangups()?));
    }
    app.work(&drain)?;
    app.served_on(&Handle::current());
    listeners.start(app.clone(), &stop, &drain)?;
    app.watch();
    if !app.fleet.heard(FLEET_WAIT).await {
        tracing::warn!("redis does not tell what has been purged; serving all the same");
    }
    readiness.ready();
    for Listening { address, secure } in &places {
        tracing::info!(%address, tls = secure, %admin_address, version = env!("CARGO_PKG_VERSION"), "listening");
    }
    let open = places.iter().find(|place| place.address.ip().is_some());
    if let (true, true, Some(place)) = (config.page.enabled, std::io::stderr().is_terminal(), open) {
        eprintln!("\n  Open {}://{}/\n", if place.secure { "https" } else { "http" }, place.address);
    }

    drain.draining().await;
    tracing::info!(notice = ?config.drain.notice, "draining: still accepting, no longer ready");
    stop.linger();
    tokio::time::sleep(config.drain.notice).await;
    stop.stop();
    match drain.finish(config.drain.deadline).await {
        Ok(()) => tracing::info!("drained"),
        Err(unfinished) => tracing::warn!(%unfinished, "the drain deadline passed"),
    }
    if let Some(cdn) = &app.fleet.cdn
        && !cdn.settle(CDN_WAIT).await
    {
        tracing::error!(waiting = cdn.waiting(), "CloudFront could not be told of all purges");
    }
    if let Some(exporting) = exporting {
        exporting.finish().await;
    }
    Ok(())
}

fn taken(key: &str, address: std::net::SocketAddr, error: &Error) -> Failure {
    Failure::Failed(format!("{key}: cannot listen on {address}: {error}"))
}

#[derive(Debug, Args)]
pub(super) struct HealthArguments {
    #[command(flatten)]
    config: ConfigArguments,
    #[command(flatten)]
    token: TokenArguments,
    #[command(flatten)]
    trust: TrustArguments,
}

pub(super) fn health(arguments: &HealthArguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    // Read where it is asked for only: a health check shall not depend on secrets that it does not need.
    let token = if config.admin.open_reads { None } else { arguments.token.token(&config)? };
    let Place { address, tls } = arguments.trust.place(None, &config)?;
    match health::ask(&Target { address, token, tls }, Probe::Ready, HEALTH_TIMEOUT) {
        Ok(answer) => {
            println!("{}", answer.trim_end());
            Ok(())
        }
        Err(unhealthy) => Err(Failure::NotReady(unhealthy.to_string())),
    }
}
