//! A binary (`tintype-auth`), and part of `standalone`: users, sessions, tokens, API keys, grants, signed URLs, the audit log.
//!
//! Opened first, since its [`access::Door`] is what everybody in the process asks; then built into a companion:
//!
//! ```no_run
//! # async fn example(config: auth::Config, ground: companion::binary::Ground) -> Result<companion::Companion, String> {
//! let auth = auth::Auth::open(&config).await?;
//! if let Some(first) = auth.first_administrator("main").await? {
//!     println!("sign in as {} with {}", first.email, first.password);
//! }
//! auth::build(&config, auth::Parts { auth, base: ground.base() })
//! # }
//! ```
//! Knows no pictures but their names. Invariants: no secret is in a log or an error; every act that changes something is in the
//! audit log before it is answered.

pub mod audit;
pub mod config;
mod desk;
mod first;
mod http;
mod metric;
pub mod password;
mod ring;
pub mod seal;
pub mod signing;
pub mod store;

pub use config::Config;
pub use desk::Auth;
pub use first::{EMAIL, FirstAdministrator};
pub use metric::Metrics;

use companion::{Base, Companion, Task};
use service::drain::Drain;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at keys of other processes, and at what can be forgotten.
const ROUND: Duration = Duration::from_secs(60);
/// How long sessions are kept that are over, in milliseconds: to be told from unknown ones.
const KEPT: i64 = 7 * 24 * 3600 * 1000;

/// Where the binary listens unless it is told otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Place;

impl companion::Place for Place {
    const NAME: &'static str = "auth";
    const BINARY: &'static str = "tintype-auth";
    const LISTEN: &'static str = "127.0.0.1:8085";
    const ADMIN: &'static str = "127.0.0.1:8095";
}

/// What it is built of.
#[derive(Debug)]
pub struct Parts {
    /// Opened before.
    pub auth: Arc<Auth>,
    /// Its door will be that of `auth`.
    pub base: Base,
}

/// Makes the companion.
///
/// # Errors
/// None so far.
pub fn build(_config: &Config, parts: Parts) -> Result<Companion, String> {
    let Parts { auth, base } = parts;
    let about = "Who people are and what they may do: sign-in, tokens, API keys, grants, signed URLs, the audit log.";
    let companion = base.with_door(auth.door()).finish("auth", about, http::router(Arc::clone(&auth)));
    Ok(companion.with_task(Task::new("auth-upkeep", move |drain| upkeep(auth, drain))))
}

/// Keys that another process made, and what is over.
async fn upkeep(auth: Arc<Auth>, drain: Drain) {
    loop {
        tokio::select! {
            () = drain.draining() => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        let now = auth.millis();
        if let Err(error) = auth.ring.reload(now).await {
            tracing::warn!(error, "the signing keys cannot be read; those that are known stay in force");
        }
        let window = ring::millis(auth.config.lockout.window);
        for forgotten in
            [auth.store.forget_sessions(now - KEPT).await, auth.store.forget_old_failures(now - window).await]
        {
            if let Err(error) = forgotten {
                tracing::warn!(%error, "what is over cannot be removed");
            }
        }
    }
}
