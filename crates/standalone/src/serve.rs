//! The life of the process: parts are opened, served, drained.
//!
//! Knows the order and nothing of what parts do. Invariants: nothing is served before everything is open; on the way down
//! nothing new is accepted before what was accepted is finished.

use crate::config::Config;
use crate::console::{self, About};
use crate::edge;
use crate::platform::{self, Platform};
use crate::session;
use crate::welcome::{self, FirstImport};
use axum::Router;
use axum::extract::Request;
use companion::binary::wind_down;
use companion::{Base, Companion, Metrics, Mounted, serve};
use prometheus_client::registry::Registry;
use service::admin::{Admin, Readiness, register_build};
use service::config::Loaded;
use service::drain::{self, Drain};
use service::otlp::{self, Exporter};
use service::telemetry;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tintype::app::App;
use tintype::reload::{Load, Reload};
use tintype::sandbox;
use tintype::server::{Answer as _, Clock};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// telemetry → sandbox → open → serve → drain.
pub(crate) fn live(
    loaded: &Loaded<Config>,
    file: Option<&Path>,
    again: Load,
    first_import: Option<&Path>,
) -> Result<(), String> {
    let edge = &loaded.config.edge;
    let (spans, exporter) = otlp::open(&edge.otlp, env!("CARGO_PKG_VERSION"))?.unzip();
    let _flushes_the_log_at_the_end = telemetry::init(&edge.log, spans.flatten()).map_err(|error| error.to_string())?;
    let mut places = edge.places(loaded.effective(), file);
    for folder in loaded.config.written() {
        places.add_written(folder);
    }
    if let Some(folder) = first_import {
        places.read.push(folder.to_owned());
    }
    // SQLite sorts what is large in files.
    places.add_written(&std::env::temp_dir());
    // Before any other thread: those that are started from here are within.
    sandbox::enter(&edge.sandbox, places)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(run(loaded, file, again, exporter, first_import))
}

async fn run(
    loaded: &Loaded<Config>,
    file: Option<&Path>,
    again: Load,
    exporter: Option<Exporter>,
    first_import: Option<&Path>,
) -> Result<(), String> {
    let config = &loaded.config;
    let drain = Drain::new();
    drain::on_signals(drain.clone()).map_err(|error| error.to_string())?;
    let readiness = Readiness::new(drain.clone());
    let mut registry = Registry::with_prefix("tintype");
    register_build(&mut registry, "standalone", env!("CARGO_PKG_VERSION"));

    let listeners = listen(config).await?;
    let platform = Platform::open(config).await?;
    let app = App::build(&config.edge, &mut registry, Clock::SYSTEM)?;
    let reload = Reload::new(app.clone(), again, file, &loaded.part(|config| config.edge.clone()));
    tokio::spawn(reload.map_err(|error| error.to_string())?.watch(file.map(Path::to_owned)));
    let base = Base::new(&config.requests, &config.edge.otlp, Metrics::register(&mut registry));
    let companions = platform.companions(config, &app, &base, &mut registry)?;
    let registry = Arc::new(registry);
    let exporting = exporter.map(|exporter| exporter.start(Arc::clone(&registry)));
    let admin = app.administer(Admin::new(readiness.clone(), registry), &config.edge.admin)?;
    let address = config.edge.server.admin;
    let admin =
        admin.bind(address).await.map_err(|error| format!("server.admin: cannot listen on {address}: {error}"))?;
    let admin_address = admin.local_addr().map_err(|error| error.to_string())?;
    tokio::spawn(admin.serve());

    app.work(&drain).map_err(|error| error.to_string())?;
    app.served_on(&Handle::current());
    app.watch();
    let about = About { route: config.platform.route.clone(), signed: platform::signed(config) };
    let rest = rest(app.clone(), &about, &companions);
    let (mounted, tasks) = Mounted::new(companions, Some(rest));
    for task in tasks {
        task.start(&drain);
    }
    let stop = Drain::new();
    let mut serving = JoinSet::new();
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    for listener in listeners {
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        tracing::info!(%address, %admin_address, version = env!("CARGO_PKG_VERSION"), "listening");
        if std::io::stderr().is_terminal() {
            eprintln!("\n  Open http://{address}/\n");
        }
        let (mounted, stop, drain) = (mounted.clone(), stop.clone(), drain.clone());
        let (connections, head_timeout) = (config.platform.connections, config.platform.head_timeout);
        serving.spawn(async move { serve(listener, mounted, connections, head_timeout, &stop, &drain).await });
    }
    readiness.ready();
    if let Some(address) = address {
        welcome(&platform, config, first_import, address, &drain)?;
    }
    wind_down(&drain, &stop, &config.edge.drain).await;
    serving.join_all().await;
    if let Some(exporting) = exporting {
        exporting.finish().await;
    }
    Ok(())
}

/// What the first start does, and what is left of it.
fn welcome(
    platform: &Platform,
    config: &Config,
    folder: Option<&Path>,
    address: SocketAddr,
    drain: &Drain,
) -> Result<(), String> {
    if let Some(first) = &platform.first {
        welcome::tell(first, address);
    }
    if let Some(import) = FirstImport::due(folder, &config.platform.data, platform.first.is_some())? {
        tokio::spawn(import.run(Arc::clone(&platform.auth), address, drain.clone()));
    }
    Ok(())
}

/// Binds every address before anything else: a port that is taken is known before a database is opened.
async fn listen(config: &Config) -> Result<Vec<TcpListener>, String> {
    let mut listeners = Vec::new();
    for address in config.edge.server.listen.iter().filter_map(tintype::server::Address::ip) {
        let listener = TcpListener::bind(address).await;
        listeners.push(listener.map_err(|error| format!("server.listen: cannot listen on {address}: {error}"))?);
    }
    Ok(listeners)
}

/// What belongs to no companion: the console's files, the samples' page, and pictures.
fn rest(app: App, about: &About, companions: &[Companion]) -> Router {
    let mut console = console::router(about);
    if let Some(auth) = companions.iter().find(|companion| companion.name == "auth") {
        console = console.merge(session::router(auth.router.clone()));
    }
    Router::new().fallback(move |request: Request| {
        let (app, console) = (app.clone(), console.clone());
        async move {
            if console::owns(request.uri()) {
                return console.oneshot(request).await.unwrap_or_else(|never| match never {});
            }
            edge::picture(app, request).await
        }
    })
}
