//! Commits that arrive together share one transaction, and so one wait for the disk: SQLite has one writer.
//!
//! Knows no table. Invariant: each commit is whole or was not, for itself (a savepoint); none is answered before the
//! transaction that it is in is on the disk, not even one that is refused for what another one of them has done.

use super::Sql;
use super::commit::Stop;
use super::session::{Session, Trouble, cells};
use crate::change::{Change, Committed};
use crate::error::{CommitError, StoreError};
use crate::terms::bounded;
use tokio::sync::{mpsc, oneshot};

/// Commits that wait; whoever comes then waits to be one of them.
const WAITING: usize = 1024;
/// Commits of one transaction.
const TOGETHER: usize = 64;

type Outcome = Result<Committed, CommitError>;

/// A commit that somebody waits for.
#[derive(Debug)]
pub(super) struct Request {
    change: Change,
    answer: oneshot::Sender<Outcome>,
}

/// Where commits wait.
pub(super) type Queue = mpsc::Sender<Request>;

/// Why a transaction of several did not come to its end.
enum Halt {
    /// Nothing of it was: each is tried for itself.
    Apart,
    /// Nobody can say more than this.
    Store(StoreError),
}

impl From<Trouble> for Halt {
    fn from(_: Trouble) -> Self {
        Self::Apart
    }
}

impl Sql {
    /// The same with a queue. Its worker ends with the last clone.
    pub(super) fn queued(self) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::spawn(work(self.clone(), receiver));
        Self { queue: Some(sender), ..self }
    }

    async fn together(&self, batch: &[Request]) -> Result<Vec<Outcome>, Halt> {
        let mut transaction = self.database.begin().await?;
        let mut outcomes = Vec::with_capacity(batch.len());
        for request in batch {
            let session: &mut dyn Session = &mut *transaction;
            session.run("SAVEPOINT one", cells![]).await?;
            let outcome = match self.attempt(session, &request.change).await {
                Ok(committed) => Ok(committed),
                Err(Stop::Refused(error)) => {
                    session.run("ROLLBACK TO one", cells![]).await?;
                    Err(error)
                }
                Err(Stop::Trouble(trouble)) => return Err(trouble.into()),
            };
            session.run("RELEASE one", cells![]).await?;
            outcomes.push(outcome);
        }
        transaction.commit().await.map_err(|trouble| Halt::Store(trouble.into()))?;
        Ok(outcomes)
    }
}

/// Leaves a commit to the queue, and waits for its outcome.
pub(super) async fn leave(queue: &Queue, change: Change) -> Outcome {
    let ended = || CommitError::Store(StoreError::Unreachable("the catalog's writer has ended".to_owned()));
    let (answer, answered) = oneshot::channel();
    queue.send(Request { change, answer }).await.map_err(|_| ended())?;
    answered.await.map_err(|_| ended())?
}

async fn work(sql: Sql, mut receiver: mpsc::Receiver<Request>) {
    let mut batch: Vec<Request> = Vec::with_capacity(TOGETHER);
    while receiver.recv_many(&mut batch, TOGETHER).await > 0 {
        // Whoever has gone has been told that nobody knows.
        batch.retain(|request| !request.answer.is_closed());
        if batch.is_empty() {
            continue;
        }
        let late = |_| Err(Halt::Store(StoreError::Late));
        let done = tokio::time::timeout(sql.terms.patience, sql.together(&batch)).await.unwrap_or_else(late);
        match done {
            Ok(outcomes) => batch.drain(..).zip(outcomes).for_each(|(request, outcome)| tell(request, outcome)),
            Err(Halt::Store(error)) => batch.drain(..).for_each(|request| tell(request, Err(error.clone().into()))),
            Err(Halt::Apart) => {
                // Asked of each when its turn comes: others may have taken all of its time.
                for request in batch.drain(..).filter(|request| !request.answer.is_closed()) {
                    let outcome = bounded(sql.terms.patience, sql.committed(&request.change)).await;
                    tell(request, outcome);
                }
            }
        }
    }
}

fn tell(request: Request, outcome: Outcome) {
    // Whoever asked may have gone meanwhile.
    let _gone = request.answer.send(outcome);
}
