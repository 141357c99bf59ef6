//! Every binary needs it: config loading, telemetry, the admin listener, drain. Knows nothing of pictures.
//!
//! The usual order in a `main`:
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use prometheus_client::registry::Registry;
//! use service::{admin::{Admin, Readiness, register_build}, drain::{self, Drain}, telemetry::{self, Log}};
//!
//! # async fn main_of_a_binary() -> Result<(), Box<dyn std::error::Error>> {
//! let log = service::config::load::<Log>(None, std::env::vars(), &[])?.config;
//! let _flushes_the_log_at_the_end = telemetry::init(&log, None)?;
//!
//! let drain = Drain::new();
//! drain::on_signals(drain.clone())?;
//!
//! let mut registry = Registry::with_prefix("tintype");
//! register_build(&mut registry, "edge", env!("CARGO_PKG_VERSION"));
//! let readiness = Readiness::new(drain.clone());
//! let admin = Admin::new(readiness.clone(), Arc::new(registry)).bind("127.0.0.1:8081".parse()?).await?;
//! tokio::spawn(admin.serve());
//!
//! readiness.ready();
//! drain.draining().await;
//! // … listeners close here; then the work that was accepted is waited for:
//! drain.finish(Duration::from_secs(30)).await?;
//! # Ok(())
//! # }
//! ```

pub mod admin;
pub mod breaker;
pub mod certificate;
pub mod config;
pub mod drain;
pub mod forwarded;
pub mod health;
pub mod network;
pub mod otlp;
pub mod peer;
pub mod rate;
pub mod telemetry;
pub mod tls;
