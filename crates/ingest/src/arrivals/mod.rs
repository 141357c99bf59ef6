//! What S3 tells of new objects, through SQS: direct uploads are completed without a word of the client.
//!
//! Long polls; at least once. Owns the queue's messages. Does not know what an upload is good for. Invariants: a message is
//! deleted once it was understood and done, or can never be; what names nothing of ours is passed over with a line in the log.

mod message;

use crate::config::ArrivalsConfig;
use crate::desk::Desk;
use aws::{Aws, Fault, Patience, Service};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::Message;
use jiff::Timestamp;
use service::drain::Drain;
use std::time::Duration;
use store::StageId;

/// The longest poll that SQS knows.
const POLL: i32 = 20;
/// Messages at once, by SQS' rules.
const MOST: i32 = 10;
/// How long others do not see a message that is being worked at.
const HIDDEN: i32 = 300;
/// After a failure.
const REST: Duration = Duration::from_secs(2);

/// A queue of arrivals.
#[derive(Clone, Debug)]
pub struct Arrivals {
    aws: Aws,
    service: Service<Client>,
    url: String,
    desk: Desk,
}

impl Arrivals {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(config: &ArrivalsConfig, aws: &Aws, desk: Desk) -> Result<Self, String> {
        aws.check(&config.access).map_err(|text| format!("ingest.arrivals: {text}"))?;
        let patience = Patience {
            connect: Duration::from_secs(3),
            response: Duration::from_secs(30),
            whole: Duration::from_secs(40),
            retries: 2,
        };
        let service = Service::new(aws, config.access.clone(), patience, Client::new);
        service.announce("ingest.arrivals");
        Ok(Self { aws: aws.clone(), service, url: config.queue_url.clone(), desk })
    }

    /// Works until the drain.
    pub async fn run(self, drain: Drain) {
        loop {
            let received = tokio::select! {
                () = drain.draining() => return,
                received = self.receive() => received,
            };
            let messages = match received {
                Ok(messages) => messages,
                Err(fault) => {
                    tracing::warn!("ingest.arrivals: {fault}");
                    tokio::select! {
                        () = drain.draining() => return,
                        () = tokio::time::sleep(REST) => continue,
                    }
                }
            };
            for message in messages {
                self.see_to(message).await;
            }
        }
    }

    /// What there is, after a while.
    async fn receive(&self) -> Result<Vec<Message>, Fault> {
        let (service, url) = (self.service.clone(), self.url.clone());
        let work = async move {
            let request = service.client().await?.receive_message().queue_url(url);
            let request = request.wait_time_seconds(POLL).max_number_of_messages(MOST).visibility_timeout(HIDDEN);
            let received = request.send().await.map_err(|error| Fault::of(&error))?;
            Ok(received.messages.unwrap_or_default())
        };
        self.aws.run(work).await?
    }

    async fn see_to(&self, message: Message) {
        let body = message.body.as_deref().unwrap_or_default();
        let mut done = true;
        for key in message::keys(body) {
            done &= self.arrived(&key).await;
        }
        if !done {
            // It comes again when it is no longer hidden; the queue's own rule sends it to the dead letters in the end.
            return;
        }
        let (service, url, receipt) = (self.service.clone(), self.url.clone(), message.receipt_handle);
        let work = async move {
            let request = service.client().await?.delete_message().queue_url(url).set_receipt_handle(receipt);
            request.send().await.map(drop).map_err(|error| Fault::of(&error))
        };
        if let Err(fault) = self.aws.run(work).await.and_then(|deleted| deleted) {
            tracing::warn!("ingest.arrivals: a message that is done could not be deleted: {fault}");
        }
    }

    /// Whether there is nothing more to do about it.
    async fn arrived(&self, key: &str) -> bool {
        let Some(stage) = stage(key) else {
            tracing::info!(key, "an object arrived that is no upload of ours");
            return true;
        };
        let session = match self.desk.recall(&stage, Timestamp::now()).await {
            Ok(Some(session)) if session.outcome.is_none() => session,
            Ok(_) => {
                tracing::debug!(%stage, "an upload arrived that is unknown, or done");
                return true;
            }
            Err(failure) => {
                tracing::warn!(%stage, %failure, "an upload arrived that cannot be looked up now");
                return false;
            }
        };
        match self.desk.store.length(&stage).await {
            Ok(length) if length == session.length => {}
            // A piece of one that comes through us.
            Ok(_) => return true,
            Err(_) => return false,
        }
        match self.desk.complete(&stage, &session).await {
            Ok(admitted) => {
                tracing::info!(%stage, asset = %admitted.asset.id, "an upload into the bucket is completed");
                true
            }
            Err(trouble) => {
                tracing::info!(%stage, %trouble, "an upload into the bucket is not taken");
                !trouble.passes()
            }
        }
    }
}

/// The upload whose whole an object is: `…staging/<id>/00000000000000000000`.
fn stage(key: &str) -> Option<StageId> {
    let (before, piece) = key.rsplit_once('/')?;
    let (folder, id) = before.rsplit_once('/')?;
    let whole = piece.len() == 20 && piece.bytes().all(|byte| byte == b'0');
    let ours = folder == "staging" || folder.ends_with("/staging");
    if whole && ours { id.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::stage;

    #[test]
    fn keys_of_uploads_are_known() {
        assert_eq!(stage("tintype/staging/ab-1/00000000000000000000"), "ab-1".parse().ok());
        assert_eq!(stage("staging/ab-1/00000000000000000000"), "ab-1".parse().ok());
        for key in
            ["staging/ab-1/note", "staging/ab-1/00000000000000000001", "staging/AB/00000000000000000000", "a.jpg", ""]
        {
            assert_eq!(stage(key), None, "{key}");
        }
    }
}
