//! Dead jobs in SQS: put there, looked at, replayed.
//!
//! Looking is receiving: what was looked at hides for a few seconds, and shows itself again. Invariant: a dead job leaves
//! its queue only once it was sent anew.

use super::message::{Dead, Envelope};
use super::{BATCH, SqsQueue, failed, seconds};
use crate::job::{JobId, JobKind};
use crate::queue::{MOST, QueueError, Seen, State};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For so long dead jobs hide from others who look; they are shown again as soon as the look is over.
const LOOK: Duration = Duration::from_secs(30);

impl SqsQueue {
    /// Puts a message's body among the dead.
    pub(super) async fn bury_text(
        &self,
        kind: &JobKind,
        body: &str,
        why: &str,
        attempts: u32,
    ) -> Result<(), QueueError> {
        let client = self.client().await?;
        let url = self.places.dead(client, kind).await?;
        let dead = Dead { body: body.to_owned(), reason: why.to_owned(), ended: Timestamp::now(), attempts };
        let text = serde_json::to_string(&dead).expect("texts and numbers are JSON");
        let sending = client.send_message().queue_url(&url).message_body(text).send().await;
        sending.map(drop).map_err(|error| failed("burying", aws::Fault::of(&error)))
    }

    /// Dead jobs of these kinds (none named: of all that this process has used), [`MOST`] of each at most.
    pub(super) async fn buried(&self, kinds: &[JobKind]) -> Result<Vec<Seen>, QueueError> {
        let mut all = Vec::new();
        for (kind, url) in self.graves(kinds).await? {
            let looked = self.look(&url).await?;
            for message in &looked {
                self.show(&url, message).await?;
            }
            let seen: BTreeMap<JobId, Seen> =
                looked.iter().map(|message| seen(&kind, message)).map(|seen| (seen.id, seen)).collect();
            all.extend(seen.into_values());
        }
        Ok(all)
    }

    /// Sends these dead jobs anew.
    pub(super) async fn revive(&self, ids: &[JobId]) -> Result<u64, QueueError> {
        let wanted: BTreeSet<JobId> = ids.iter().copied().collect();
        let mut revived = BTreeSet::new();
        for (kind, url) in self.graves(&[]).await? {
            for message in self.look(&url).await? {
                let job = seen(&kind, &message);
                let again = wanted.contains(&job.id) && !revived.contains(&job.id);
                match envelope(&message).filter(|_| again) {
                    Some(envelope) => {
                        let fresh = Envelope { begun: 0, not_before: Timestamp::now(), ..envelope };
                        self.put(&kind, fresh.priority, std::slice::from_ref(&fresh)).await?;
                        let client = self.client().await?;
                        let handle = message.receipt_handle.unwrap_or_default();
                        let deleting = client.delete_message().queue_url(&url).receipt_handle(handle).send().await;
                        deleting.map_err(|error| failed("deleting", aws::Fault::of(&error)))?;
                        revived.insert(job.id);
                    }
                    None => self.show(&url, &message).await?,
                }
            }
        }
        Ok(revived.len() as u64)
    }

    async fn graves(&self, kinds: &[JobKind]) -> Result<Vec<(JobKind, String)>, QueueError> {
        let client = self.client().await?;
        let known: BTreeSet<JobKind> = match kinds {
            [] => self.places.known().into_iter().map(|(kind, ..)| kind).collect(),
            named => named.iter().cloned().collect(),
        };
        let mut graves = Vec::new();
        for kind in known {
            let url = self.places.dead(client, &kind).await?;
            graves.push((kind, url));
        }
        Ok(graves)
    }

    /// What a queue of the dead has, hidden from others meanwhile.
    async fn look(&self, url: &str) -> Result<Vec<Message>, QueueError> {
        let client = self.client().await?;
        let mut all: Vec<Message> = Vec::new();
        let mut empty = 0;
        while all.len() < MOST && empty < 2 {
            let receiving = client
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(BATCH as i32)
                .visibility_timeout(seconds(LOOK))
                .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
                .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
            let received = receiving.send().await.map_err(|error| failed("looking", aws::Fault::of(&error)))?;
            let some = received.messages.unwrap_or_default();
            empty = if some.is_empty() { empty + 1 } else { 0 };
            all.extend(some);
        }
        Ok(all)
    }

    async fn show(&self, url: &str, message: &Message) -> Result<(), QueueError> {
        let client = self.client().await?;
        let handle = message.receipt_handle.as_deref().unwrap_or_default();
        let showing = client.change_message_visibility().queue_url(url).receipt_handle(handle).visibility_timeout(0);
        showing.send().await.map(drop).map_err(|error| failed("looking", aws::Fault::of(&error)))
    }
}

fn dead(message: &Message) -> Option<Dead> {
    serde_json::from_str(message.body.as_deref()?).ok()
}

fn envelope(message: &Message) -> Option<Envelope> {
    let body = message.body.as_deref()?;
    Envelope::read(&dead(message).map_or_else(|| body.to_owned(), |dead| dead.body)).ok()
}

/// A dead job as people see it, also one that cannot be read.
fn seen(kind: &JobKind, message: &Message) -> Seen {
    let attribute = |name| message.attributes.as_ref().and_then(|all| all.get(&name));
    let sent = attribute(MessageSystemAttributeName::SentTimestamp).and_then(|text| text.parse().ok());
    let sent = crate::queue::moment(sent.unwrap_or(0));
    let dead = dead(message);
    let envelope = envelope(message);
    // What cannot be read has the name of its message.
    let id = message.message_id.as_deref().and_then(|id| id.parse().ok()).unwrap_or_default();
    let moved = || "received too often, and whoever received it was gone before its end".to_owned();
    let created = envelope.as_ref().map_or(sent, |envelope| envelope.created);
    Seen {
        id: envelope.as_ref().map_or(id, |envelope| envelope.id),
        kind: kind.clone(),
        tenant: envelope.as_ref().and_then(|envelope| envelope.tenant.clone()),
        state: State::Dead,
        priority: envelope.as_ref().map_or_else(Default::default, |envelope| envelope.priority),
        payload: match (&envelope, &dead) {
            (Some(envelope), _) => envelope.payload.clone(),
            (None, Some(dead)) => dead.body.clone().into(),
            (None, None) => message.body.clone().into(),
        },
        attempts: dead.as_ref().map_or(0, |dead| dead.attempts),
        created,
        due: created,
        ended: Some(dead.as_ref().map_or(sent, |dead| dead.ended)),
        reason: Some(dead.map_or_else(moved, |dead| dead.reason)),
        progress: None,
        stopping: false,
        trace: envelope.and_then(|envelope| envelope.trace),
    }
}
