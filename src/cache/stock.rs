//! Originals in Redis: envelopes under names, of a size and an age of their own, beside the renditions.
//!
//! Shares connections and breaker with the tier; knows neither what is in an envelope nor HTTP. Works on the tiers' runtime,
//! so that the sockets' threads check no sums. Invariant: what is found is intact, of that very name, and no purge has
//! made it void.

use super::envelope::Envelope;
use super::lease::Holding;
use super::level::{Event, Level};
use super::tier::Name;
use tokio::runtime::Handle;

/// The entries. Clones share them.
#[derive(Clone, Debug)]
pub struct Stock {
    level: Level,
    handle: Handle,
    largest: u64,
}

impl Stock {
    /// Over a level of Redis, on the current runtime. Bodies of up to `largest` bytes.
    pub fn new(level: Level, largest: u64) -> Self {
        Self { level, handle: Handle::current(), largest }
    }

    /// For counters.
    pub fn level(&self) -> &Level {
        &self.level
    }

    /// Largest body, bytes.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// The entry, of generation `since` at least.
    pub async fn find(&self, name: Name, since: u64) -> Option<Envelope> {
        let level = self.level.clone();
        let search = self.handle.spawn(async move {
            let stored = level.get(&name).await?;
            match Envelope::open(&stored, &name) {
                Ok(envelope) if envelope.generation >= since => {
                    level.happened(Event::Hit);
                    Some(envelope)
                }
                Ok(_purged) => {
                    level.happened(Event::Miss);
                    None
                }
                Err(damage) => {
                    level.happened(Event::Damaged);
                    tracing::warn!(damage = damage.as_str(), "a stored original is no use");
                    // Whether or not it can be removed now: it will be written over.
                    let _ = level.remove(&name).await;
                    None
                }
            }
        });
        search.await.ok().flatten()
    }

    /// Writes the entries one after the other, behind the caller's back, then gives back the lease.
    pub fn keep(&self, entries: &[(Name, Envelope)], holding: Holding) {
        let sealed: Vec<_> = entries.iter().map(|(name, envelope)| (*name, envelope.seal(name))).collect();
        let room: Option<Vec<_>> = sealed.iter().map(|(_, bytes)| self.level.reserve(bytes.len())).collect();
        let level = self.level.clone();
        self.handle.spawn(async move {
            let mut all = room.is_some();
            if let Some(_room) = room {
                for (name, bytes) in sealed {
                    // The last names the others: it is not written where they are not there.
                    all = all && level.write(&name, bytes, None).await == Event::Written;
                }
            }
            if all { holding.stored() } else { holding.nothing() }
        });
    }

    /// Takes an entry out, behind the caller's back.
    pub fn forget(&self, name: Name) {
        let level = self.level.clone();
        self.handle.spawn(async move {
            // What cannot be removed expires.
            let _ = level.remove(&name).await;
        });
    }
}

/// The name of a body, by what is in it: originals that are the same bytes share one entry.
pub fn body_name(hash: &[u8; 32]) -> Name {
    *blake3::Hasher::new_keyed(hash).update(b"tintype original body").finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_named_by_content_and_unlike_it() {
        assert_eq!(body_name(&[1; 32]), body_name(&[1; 32]));
        assert_ne!(body_name(&[1; 32]), body_name(&[2; 32]));
        assert_ne!(body_name(&[1; 32]), [1; 32]);
    }
}
