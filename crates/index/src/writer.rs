//! Writes of many jobs, gathered into batches: an engine makes each batch durable, and that is what takes the time.
//!
//! Knows no events. Invariants: whoever hands in a write hears what became of that write, once it is durable; what is
//! gathered is bounded, and whoever finds no room waits.

use finder::{Finder, Outcome, Write};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Largest batch.
const MOST: usize = 500;

/// The way to the index. Clones share it; the last one ends the task behind it.
#[derive(Clone, Debug)]
pub(crate) struct Writer(mpsc::Sender<Handed>);

/// A write and who waits for it.
struct Handed {
    write: Write,
    told: oneshot::Sender<Result<Outcome, Trouble>>,
}

/// Why a batch did not become durable, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble(pub(crate) String);

impl Writer {
    /// Starts the task that gathers.
    pub(crate) fn start(finder: Arc<dyn Finder>) -> Self {
        let (hand_in, handed) = mpsc::channel(MOST);
        tokio::spawn(gather(finder, handed));
        Self(hand_in)
    }

    /// Writes, and waits until that is durable.
    pub(crate) async fn write(&self, write: Write) -> Result<Outcome, Trouble> {
        let gone = || Trouble("the writer of the index has ended".to_owned());
        let (told, hear) = oneshot::channel();
        self.0.send(Handed { write, told }).await.map_err(|_| gone())?;
        hear.await.map_err(|_| gone())?
    }
}

/// While one batch becomes durable the next one gathers.
async fn gather(finder: Arc<dyn Finder>, mut handed: mpsc::Receiver<Handed>) {
    let mut batch = Vec::with_capacity(MOST);
    while handed.recv_many(&mut batch, MOST).await > 0 {
        let (writes, waiting): (Vec<Write>, Vec<_>) = batch.drain(..).map(|handed| (handed.write, handed.told)).unzip();
        let applied = finder.apply(writes).await;
        if let Err(error) = &applied {
            tracing::warn!(%error, writes = waiting.len(), "the index takes nothing");
        }
        for (at, told) in waiting.into_iter().enumerate() {
            let missing = || Trouble("the engine did not say what became of it".to_owned());
            let outcome = match &applied {
                Ok(applied) => applied.outcomes.get(at).cloned().ok_or_else(missing),
                Err(error) => Err(Trouble(error.to_string())),
            };
            // Whoever asked has gone: its job is done again.
            let _gone = told.send(outcome);
        }
    }
}
