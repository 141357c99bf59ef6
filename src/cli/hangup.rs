//! SIGHUP for parts that wait to be told rather than for signals.

use std::io;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Notified on each SIGHUP. Needs the runtime that it is called on.
///
/// # Errors
/// The system gives no signal handler.
pub(super) fn watch() -> io::Result<Arc<Notify>> {
    let (mut hangups, told) = (signal(SignalKind::hangup())?, Arc::new(Notify::new()));
    let tell = Arc::clone(&told);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tell.notify_one();
        }
    });
    Ok(told)
}
