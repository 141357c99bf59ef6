//! The keys that sign our tokens: one signs, and those before it verify until their last token is over.
//!
//! Invariants: a key is published before it signs, for as long as the configuration says; several processes on one database
//! have the same keys; private keys are in the database only sealed.

use crate::seal::Seals;
use crate::store::{Millis, SigningRecord, Store};
use access::token::keys::Jwks;
use access::token::{KeySet, Signer};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;

/// Most keys at once: sets of more than 64 are refused by whoever reads them, ourselves included.
const MOST: usize = 32;

/// How long keys are good, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Between publishing a key and signing with it.
    pub(crate) notice: Millis,
    /// Longest life of a token.
    pub(crate) token: Millis,
}

/// The keys in force.
#[derive(Debug)]
pub(crate) struct Ring {
    store: Store,
    seals: Arc<Seals>,
    terms: Terms,
    /// What the door verifies with.
    verifying: Arc<ArcSwap<KeySet>>,
    held: ArcSwap<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// With when each begins to sign, the oldest first.
    signers: Vec<(Millis, Arc<Signer>)>,
    published: Jwks,
}

/// Milliseconds of a time span.
pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

impl Ring {
    /// Reads the keys; makes the first one where there is none.
    ///
    /// # Errors
    /// The database, or keys that were sealed with another secret.
    pub(crate) async fn open(store: Store, seals: Arc<Seals>, terms: Terms, now: Millis) -> Result<Self, String> {
        let ring = Self { store, seals, terms, verifying: Arc::default(), held: ArcSwap::default() };
        ring.reload(now).await?;
        if ring.held.load().signers.is_empty() {
            // The first one signs at once: nobody has older keys that they could hold on to.
            ring.make(now, now, true).await?;
            ring.reload(now).await?;
        }
        Ok(ring)
    }

    /// Makes a new key, which signs after the notice; gives its name. Those before it end when their last tokens do.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn rotate(&self, now: Millis) -> Result<String, String> {
        if self.held.load().signers.len() >= MOST {
            return Err(format!("there are {MOST} signing keys that have not ended"));
        }
        let kid = self.make(now, now.saturating_add(self.terms.notice), false).await?;
        self.reload(now).await?;
        Ok(kid)
    }

    async fn make(&self, now: Millis, begins: Millis, first: bool) -> Result<String, String> {
        let signer = Signer::generate_eddsa().map_err(|error| error.to_string())?;
        let private = signer.expose_pkcs8().map_err(|error| error.to_string())?;
        let kid = signer.kid().to_owned();
        let sealed = self.seals.seal(&kid, &private).map_err(|error| error.to_string())?;
        let record = SigningRecord { kid: kid.clone(), sealed, created: now, begins, ends: None };
        // A minute more than the tokens: clocks differ.
        let others_end = begins.saturating_add(self.terms.token).saturating_add(60_000);
        self.store.add_signing_key(&record, others_end, first).await.map_err(|error| error.to_string())?;
        Ok(kid)
    }

    /// Reads the keys again: another process may have rotated them, and some may have ended.
    ///
    /// # Errors
    /// The database, or keys that were sealed with another secret; those in force stay.
    pub(crate) async fn reload(&self, now: Millis) -> Result<(), String> {
        let records = self.store.signing_keys(now).await.map_err(|error| error.to_string())?;
        let mut held = Held::default();
        for record in records {
            let private = self.seals.open(&record.kid, &record.sealed);
            let private = private.map_err(|error| format!("signing key {}: {error}", record.kid))?;
            let signer =
                Signer::from_pkcs8(&private).map_err(|error| format!("signing key {}: {error}", record.kid))?;
            held.published.keys.push(signer.jwk().clone());
            held.signers.push((record.begins, Arc::new(signer)));
        }
        if !held.signers.is_empty() {
            let keys = KeySet::of(&held.published).map_err(|error| error.to_string())?;
            self.verifying.store(Arc::new(keys));
        }
        self.held.store(Arc::new(held));
        Ok(())
    }

    /// The key that signs now: the newest that has begun.
    pub(crate) fn signer(&self, now: Millis) -> Option<Arc<Signer>> {
        let held = self.held.load();
        let begun = held.signers.iter().rev().find(|(begins, _)| *begins <= now);
        begun.or(held.signers.first()).map(|(_, signer)| Arc::clone(signer))
    }

    /// What is published.
    pub(crate) fn published(&self) -> Jwks {
        self.held.load().published.clone()
    }

    /// What the door of this process verifies with.
    pub(crate) fn verifying(&self) -> Arc<ArcSwap<KeySet>> {
        Arc::clone(&self.verifying)
    }
}
