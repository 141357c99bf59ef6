//! Listens to the fleet: purges of other instances, and results that somebody here waits for.
//!
//! Connects again with a growing pause, and then asks for what it has missed. Invariant: a purge is known here at the latest
//! [`CHECK`] after Redis could be reached, whatever happened to messages and connections.

use super::Sweeper;
use crate::cache::redis::{Message, Redis};
use crate::cache::tier::Failure;
use crate::cache::{Heard, Leases, Ledger};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::sync::watch;

/// Without a message for so long it is looked whether one was missed.
const CHECK: Duration = Duration::from_secs(5);
/// First pause before connecting again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What listens.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) redis: Redis,
    pub(crate) ledger: Ledger,
    pub(crate) leases: Option<Leases>,
    pub(crate) sweeper: Sweeper,
    /// Told when all purges are known, and when the connection is lost.
    pub(crate) known: watch::Sender<bool>,
}

impl Listener {
    /// Never ends but with its runtime.
    pub(crate) async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.listen(&mut pause).await {
                Ok(()) => tracing::debug!("the connection for messages of the fleet ended"),
                Err(failure) => tracing::debug!(%failure, "no connection for messages of the fleet"),
            }
            if self.known.send_replace(false) {
                tracing::warn!("messages of the fleet are not heard; purges of others come late until they are");
            }
            // Instances that lost the same server do not come back in step.
            let jitter = RandomState::new().hash_one(0) % 50;
            tokio::time::sleep(pause + pause * jitter as u32 / 100).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One connection's life.
    async fn listen(&self, pause: &mut Duration) -> Result<(), Failure> {
        let channels = self.leases.iter().map(Leases::channel).chain(self.ledger.channel()).collect();
        let mut subscription = self.redis.subscribe(channels).await?;
        // After the subscription: nothing comes between.
        self.catch_up().await?;
        *pause = FIRST_PAUSE;
        if !self.known.send_replace(true) {
            tracing::info!("listening to the fleet");
        }
        loop {
            tokio::select! {
                message = subscription.next() => match message {
                    Some(message) => self.heard(&message).await?,
                    None => return Ok(()),
                },
                () = tokio::time::sleep(CHECK) => {
                    if !subscription.is_alive(self.redis.patiently()).await {
                        return Ok(());
                    }
                    self.catch_up().await?;
                }
            }
        }
    }

    async fn heard(&self, message: &Message) -> Result<(), Failure> {
        if let Some(leases) = self.leases.as_ref().filter(|leases| leases.channel() == message.channel) {
            leases.heard(&message.payload);
            return Ok(());
        }
        match self.ledger.heard(message) {
            Heard::Nothing => {}
            Heard::Purge => self.sweeper.want(),
            Heard::Missed => {
                self.sweeper.want();
                self.catch_up().await?;
            }
        }
        Ok(())
    }

    async fn catch_up(&self) -> Result<(), Failure> {
        if self.ledger.catch_up().await? {
            self.sweeper.want();
        }
        Ok(())
    }
}
