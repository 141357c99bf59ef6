//! Which queue of SQS holds what: their names, their addresses, and how they are made.
//!
//! `PREFIX KIND - PRIORITY` and `PREFIX KIND -dead`. Invariant: a queue is made or looked for once in a process.

use super::failed;
use crate::config::SqsConfig;
use crate::job::{JobKind, Priority};
use crate::queue::QueueError;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// How long dead jobs are kept: the longest that SQS allows.
const KEEP: &str = "1209600";

/// Kind and priority; without one it is the queue of the dead.
type Place = (JobKind, Option<Priority>);

/// The queues that were used so far.
#[derive(Debug)]
pub(super) struct Places {
    prefix: String,
    create: bool,
    receives: u32,
    known: Mutex<BTreeMap<Place, String>>,
}

impl Places {
    pub(super) fn new(config: &SqsConfig) -> Self {
        let SqsConfig { prefix, create, receives, .. } = config;
        Self { prefix: prefix.clone(), create: *create, receives: *receives, known: Mutex::default() }
    }

    /// The address of the queue for jobs of a kind and priority.
    pub(super) async fn queue(
        &self,
        client: &Client,
        kind: &JobKind,
        priority: Priority,
    ) -> Result<String, QueueError> {
        self.url(client, (kind.clone(), Some(priority))).await
    }

    /// The address of the queue for a kind's dead jobs.
    pub(super) async fn dead(&self, client: &Client, kind: &JobKind) -> Result<String, QueueError> {
        self.url(client, (kind.clone(), None)).await
    }

    /// All that were used so far.
    pub(super) fn known(&self) -> Vec<(JobKind, Option<Priority>, String)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|((kind, priority), url)| (kind.clone(), *priority, url.clone())).collect()
    }

    fn name(&self, (kind, priority): &Place) -> String {
        format!("{}{kind}-{}", self.prefix, priority.map_or("dead", Priority::as_str))
    }

    async fn url(&self, client: &Client, place: Place) -> Result<String, QueueError> {
        let found = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
        if let Some(url) = found {
            return Ok(url);
        }
        let dead = (place.0.clone(), None);
        let url = match place.1 {
            // With the queue of the dead, whose numbers are told too.
            Some(_) => {
                let grave = Box::pin(self.url(client, dead)).await?;
                self.find(client, &place, Some(&grave)).await?
            }
            None => self.find(client, &place, None).await?,
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place, url.clone());
        Ok(url)
    }

    async fn find(&self, client: &Client, place: &Place, grave: Option<&str>) -> Result<String, QueueError> {
        let name = self.name(place);
        match client.get_queue_url().queue_name(&name).send().await {
            Ok(found) => found.queue_url.ok_or_else(|| failed(&name, "it has no address")),
            Err(error) => match aws::Fault::of(&error) {
                fault if !fault.code().contains("NonExistentQueue") && !fault.code().contains("QueueDoesNotExist") => {
                    Err(failed(&name, fault))
                }
                _ if !self.create => Err(QueueError::Refused(format!(
                    "there is no queue {name} in SQS; make it, or set jobs.sqs.create = true"
                ))),
                _ => self.make(client, &name, grave).await,
            },
        }
    }

    async fn make(&self, client: &Client, name: &str, grave: Option<&str>) -> Result<String, QueueError> {
        let mut attributes = HashMap::from([(QueueAttributeName::MessageRetentionPeriod, KEEP.to_owned())]);
        if let Some(grave) = grave {
            let told = client.get_queue_attributes().queue_url(grave).attribute_names(QueueAttributeName::QueueArn);
            let told = told.send().await.map_err(|error| failed(name, aws::Fault::of(&error)))?;
            let arn = told.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn));
            let arn = arn.ok_or_else(|| failed(name, "the queue of the dead has no ARN"))?;
            let policy = json!({"deadLetterTargetArn": arn, "maxReceiveCount": self.receives});
            attributes.insert(QueueAttributeName::RedrivePolicy, policy.to_string());
        }
        let making = client.create_queue().queue_name(name).set_attributes(Some(attributes)).send().await;
        let made = making.map_err(|error| failed(name, aws::Fault::of(&error)))?;
        tracing::info!(name, "queue made in SQS");
        made.queue_url.ok_or_else(|| failed(name, "it has no address"))
    }
}

/// How many messages a queue has, about.
pub(super) struct Counts {
    pub(super) visible: u64,
    pub(super) in_flight: u64,
    pub(super) delayed: u64,
}

pub(super) async fn counts(client: &Client, url: &str) -> Result<Counts, QueueError> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let asking = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let told = asking.send().await.map_err(|error| failed("counting", aws::Fault::of(&error)))?;
    let told = told.attributes.unwrap_or_default();
    let [visible, in_flight, delayed] =
        names.map(|name| told.get(&name).and_then(|count| count.parse().ok()).unwrap_or(0));
    Ok(Counts { visible, in_flight, delayed })
}
