//! Who waits in this process for what, so that a message wakes them.
//!
//! Invariant: a name is known only while somebody listens for it.

use crate::cache::tier::Name;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// All that listen.
#[derive(Debug, Default)]
pub(super) struct Wakes(Mutex<HashMap<Name, watch::Sender<()>>>);

/// One that listens.
pub(super) struct Wake<'w> {
    wakes: &'w Wakes,
    name: Name,
    receiver: watch::Receiver<()>,
}

impl Wakes {
    pub(super) fn listen(&self, name: Name) -> Wake<'_> {
        let receiver = self.lock().entry(name).or_insert_with(|| watch::Sender::new(())).subscribe();
        Wake { wakes: self, name, receiver }
    }

    pub(super) fn wake(&self, name: &Name) {
        if let Some(sender) = self.lock().get(name) {
            sender.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake<'_> {
    /// Ends when somebody says that there is something to see.
    pub(super) async fn woken(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender lives as long as there are receivers.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Wake<'_> {
    fn drop(&mut self) {
        let mut wakes = self.wakes.lock();
        // Receivers come and go under this lock only; this one is still counted.
        if wakes.get(&self.name).is_some_and(|sender| sender.receiver_count() == 1) {
            wakes.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_known_while_somebody_listens() {
        let wakes = Wakes::default();
        let (mut one, mut two) = (wakes.listen([1; 32]), wakes.listen([1; 32]));
        let mut other = wakes.listen([2; 32]);
        wakes.wake(&[1; 32]);
        one.woken().await;
        two.woken().await;
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), other.woken()).await.is_err());
        drop((one, other));
        assert_eq!(wakes.lock().len(), 1);
        drop(two);
        assert_eq!(wakes.lock().len(), 0);
    }
}
