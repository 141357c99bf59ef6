//! Reads the configuration again while requests are served: on SIGHUP, and when it or a secret has changed.
//!
//! Owns when that happens and what is told of it; what can change is `App::renew`'s business. Invariant: what is in force is
//! one whole, sound configuration: where anything is wrong with the new one, the old one stays, and the log says why.

use crate::app::App;
use crate::config::Config;
use service::config::Loaded;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// Tables that take effect at once. A change of any other one is named in the log, and waits for the next start.
const RENEWED: [&str; 3] = ["signing", "admin", "proof"];

/// Parts of those that nevertheless wait for the next start: a socket's own, which only its files can change.
const BOUND: [&str; 1] = ["admin.tls"];

/// Reads all layers of the configuration; errors are for the log.
pub type Load = Arc<dyn Fn() -> Result<Loaded<Config>, String> + Send + Sync>;

/// What a file looks like from outside; `None` where it is not there.
type Stamp = Option<(u64, u64, SystemTime)>;

/// Waits for reasons to read the configuration again.
#[expect(missing_debug_implementations, reason = "it holds a function, and is only spawned")]
pub struct Reload {
    app: App,
    load: Load,
    hangup: Signal,
    check: Duration,
    refresh: Duration,
    seen: Seen,
}

/// Why files are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    Signal,
    /// It is time to look at files, …
    Files,
    /// … and into AWS Secrets Manager, and to try again what went wrong.
    All,
}

/// What was read last.
#[derive(Clone)]
struct Seen {
    /// The file of the configuration, and those of secrets.
    files: Vec<(PathBuf, Stamp)>,
    /// The tables that are not renewed, as text.
    rest: String,
    /// The last time something was wrong.
    refused: bool,
}

impl Reload {
    /// `loaded` is what `load` gave at the start, out of `file` and other layers.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn new(app: App, load: Load, file: Option<&Path>, loaded: &Loaded<Config>) -> std::io::Result<Self> {
        let hangup = signal(SignalKind::hangup())?;
        let times = &loaded.config.secrets;
        Ok(Self { app, load, hangup, check: times.check, refresh: times.refresh, seen: Seen::of(file, loaded) })
    }

    /// Goes on until it is dropped; spawn it.
    pub async fn watch(mut self, file: Option<PathBuf>) {
        let mut check = tokio::time::interval(self.check);
        let mut refresh = tokio::time::interval(self.refresh);
        // All has just been read.
        check.reset();
        refresh.reset();
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let cue = tokio::select! {
                Some(()) = self.hangup.recv() => Cue::Signal,
                _ = refresh.tick() => Cue::All,
                _ = check.tick() => Cue::Files,
            };
            let (app, load, seen, file) = (self.app.clone(), Arc::clone(&self.load), self.seen.clone(), file.clone());
            let looked = aside(move || look(&app, &load, seen, file.as_deref(), cue)).await;
            if let Ok(seen) = looked {
                self.seen = seen;
            }
        }
    }
}

/// Notified on each SIGHUP, for parts that wait to be told rather than for signals. Needs the runtime that it is called on.
///
/// # Errors
/// The system gives no signal handler.
pub(crate) fn hangups() -> std::io::Result<Arc<Notify>> {
    let (mut hangups, told) = (signal(SignalKind::hangup())?, Arc::new(Notify::new()));
    let tell = Arc::clone(&told);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tell.notify_one();
        }
    });
    Ok(told)
}

/// Files may hang; the admin listener, which shares the thread of the one who asks, shall not.
#[expect(
    clippy::disallowed_methods,
    reason = "one at a time, and on the runtime of the admin listener, not of sockets"
)]
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

/// Reads and renews where that was asked for or something has changed.
fn look(app: &App, load: &Load, mut seen: Seen, file: Option<&Path>, cue: Cue) -> Seen {
    let changed = seen.files.iter().find(|(path, stamp)| stamp_of(path) != *stamp).map(|(path, _)| path);
    let reason = match (changed, cue) {
        (_, Cue::Signal) => "SIGHUP".to_owned(),
        (Some(path), _) => format!("{} has changed", path.display()),
        (None, Cue::Files) => return seen,
        (None, Cue::All) => match app.vault.has_changed() {
            Ok(true) => "a secret in AWS Secrets Manager has changed".to_owned(),
            Ok(false) if seen.refused => "it could not be read before".to_owned(),
            Ok(false) => return seen,
            Err(error) => {
                tracing::warn!(%error, "secrets cannot be looked at again: those in force stay");
                return seen;
            }
        },
    };
    // Looked at before they are read: what changes meanwhile is seen the next time.
    for (path, stamp) in &mut seen.files {
        *stamp = stamp_of(path);
    }
    match load().and_then(|loaded| app.renew(&loaded.config).map(|()| loaded)) {
        Ok(loaded) => {
            let now = Seen::of(file, &loaded);
            app.metrics.reload("done");
            tracing::info!(reason, keys = loaded.config.signing.keys.len(), "configuration read again");
            if now.rest != seen.rest {
                tracing::warn!(
                    renewed = RENEWED.join(", "),
                    "the configuration has changed in other tables too: that takes effect at the next start"
                );
            }
            now
        }
        Err(error) => {
            app.metrics.reload("refused");
            seen.refused = true;
            tracing::error!(reason, %error, "the configuration cannot be read again: what was in force stays");
            seen
        }
    }
}

impl Seen {
    fn of(file: Option<&Path>, loaded: &Loaded<Config>) -> Self {
        let files = file.into_iter().chain(loaded.config.secret_files());
        let files = files.map(|path| (path.to_owned(), stamp_of(path))).collect();
        Self { files, rest: rest(loaded.effective()), refused: false }
    }
}

fn stamp_of(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.ino(), meta.len(), meta.modified().ok()?))
}

/// The lines of a printed configuration that do not belong to [`RENEWED`].
fn rest(effective: &str) -> String {
    let mut renewed = false;
    let mut rest = String::new();
    for line in effective.lines() {
        let bare = line.trim_start_matches("# ");
        if let Some(name) = bare.strip_prefix('[').map(|name| name.trim_matches(['[', ']'])) {
            let below =
                |table: &&str| name.strip_prefix(*table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            renewed = RENEWED.iter().any(below) && !BOUND.iter().any(below);
        }
        if !renewed && !line.starts_with('#') {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_renewed_tables_are_left_out() {
        let text = "# x\n[server]\na = 1\n\n# y\n[signing]\nmode = \"required\"\n\n# z\n[[signing.keys]]\nkid = \"k\"\n[signings]\nb = 2\n";
        assert_eq!(rest(text).replace('\n', ""), "[server]a = 1[signings]b = 2");
        let text = "[admin]\na = 1\n[[admin.tokens]]\nb = 2\n[admin.tls]\nc = 3\n[[admin.tls.certificates]]\nd = 4\n";
        assert_eq!(rest(text).replace('\n', ""), "[admin.tls]c = 3[[admin.tls.certificates]]d = 4");
    }

    #[test]
    fn a_file_that_is_replaced_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("key"), folder.path().join("new"));
        assert_eq!(stamp_of(&path), None);
        std::fs::write(&path, "one").unwrap();
        let before = stamp_of(&path);
        assert_eq!(before, stamp_of(&path));
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(before, stamp_of(&path));
    }
}
