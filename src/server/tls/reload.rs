//! Takes up changed certificates while the server runs.
//!
//! Files are looked at every `reload`, and at once on SIGHUP. Invariant: certificates that cannot be used change
//! nothing, and are told of once.

use super::{Credentials, Parts, load, settings};
use crate::server::{Answer, Clock, Event};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

/// What a file was when it was last looked at; `None` where it could not be.
type Look = Option<(u64, u64, SystemTime)>;

impl Credentials {
    /// Looks at the files for ever; `now` makes it look at once.
    pub async fn keep_up<A: Answer>(self, app: A, clock: Clock, now: Arc<Notify>) {
        let mut tick = tokio::time::interval(self.0.terms.reload);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.0.look();
        self.tell_end(&app);
        loop {
            let asked = tokio::select! {
                _at = tick.tick() => false,
                () = now.notified() => true,
            };
            let (again, before) = (self.clone(), seen.clone());
            let looked = aside(move || {
                let found = again.0.look();
                let reloaded = (asked || found != before).then(|| again.reload((clock.wall)()));
                (found, reloaded)
            });
            let Ok((found, reloaded)) = looked.await else { continue };
            seen = found;
            if let Some(well) = reloaded {
                app.note(Event::Reloaded(well));
                self.tell_end(&app);
            }
        }
    }

    fn tell_end<A: Answer>(&self, app: &A) {
        if let Some(end) = self.settings().ends {
            app.note(Event::CertificatesEnd(self.0.listener, end));
        }
    }

    /// Reads all files again. Whether that went well.
    fn reload(&self, now: SystemTime) -> bool {
        let Parts { listener, terms, .. } = &*self.0;
        let loaded = load(terms).and_then(|loaded| Ok((settings(*listener, terms, &loaded)?, loaded)));
        match loaded {
            Ok((settings, loaded)) => {
                loaded.warn_of_ends(now);
                self.0.settings.send_replace(settings);
                let (certificates, listener) = (loaded.certificates.len(), listener.as_str());
                tracing::info!(certificates, listener, "certificates reloaded");
                true
            }
            Err(error) => {
                tracing::error!(%error, listener = listener.as_str(), "certificates were not reloaded: those that were loaded before stay");
                false
            }
        }
    }
}

/// Files may hang, and others share the thread of who asks.
#[expect(clippy::disallowed_methods, reason = "one at a time, and not on the sockets' runtimes")]
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::task::spawn_blocking(work)
}

impl Parts {
    fn look(&self) -> Vec<Look> {
        let of_certificates = self.terms.certificates.iter().flat_map(|one| [&*one.cert, &*one.key]);
        of_certificates.chain(self.terms.client_ca.as_deref()).map(look).collect()
    }
}

/// A file that was put in another's place has another inode; links are followed, as in mounted secrets.
fn look(path: &Path) -> Look {
    let seen = fs::metadata(path).ok()?;
    Some((seen.ino(), seen.len(), seen.modified().ok()?))
}
