//! Secrets in AWS Secrets Manager: the current version of one, and the one before, which is still in use while it rotates.
//!
//! The only file that names its client. Knows no use of a secret. Invariant: each question has an end, and nothing that the
//! service answers gets into an error but its own name for what went wrong.

use super::Value;
use super::config::SecretsConfig;
use ::aws::{Aws, Fault, Patience, Service};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use std::time::Duration;

/// How long is waited: secrets are read at the start and behind requests, never within one.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(3),
    response: Duration::from_secs(5),
    whole: Duration::from_secs(15),
    retries: 2,
};
/// What the service calls versions.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    aws: Aws,
    service: Service<Client>,
}

impl Manager {
    /// Asks nothing yet.
    pub(super) fn new(config: &SecretsConfig, aws: &Aws) -> Self {
        let service = Service::new(aws, config.access.clone(), PATIENCE, Client::new);
        Self { aws: aws.clone(), service }
    }

    /// The current value and, where there is one, that before it. `field` is the one of a JSON object; without it the whole
    /// is the secret. Holds up its thread.
    ///
    /// # Errors
    /// Why it cannot be had; the secret is no part of it.
    pub(super) fn open(&self, name: &str, field: Option<&str>) -> Result<Vec<Value>, String> {
        let handle = self.aws.handle().map_err(|fault| fault.to_string())?;
        let (current, previous) = std::thread::scope(|scope| {
            // A thread of its own: whoever asks may be one that drives a runtime and must not wait in it.
            let asked = scope
                .spawn(|| handle.block_on(async { (self.ask(name, CURRENT).await, self.ask(name, PREVIOUS).await) }));
            asked.join().map_err(|_| "the question was not answered".to_owned())
        })?;
        let current = current.map_err(|fault| fault.to_string())?;
        let mut values = vec![value(&current, field)?];
        match previous {
            // One that has no such field, or is no text, cannot be in use.
            Ok(previous) => values.extend(value(&previous, field).ok().filter(|value| *value != values[0])),
            Err(fault) if fault.code() == "ResourceNotFoundException" => {}
            Err(fault) => return Err(fault.to_string()),
        }
        Ok(values)
    }

    async fn ask(&self, name: &str, stage: &str) -> Result<GetSecretValueOutput, Fault> {
        let client = self.service.client().await?;
        let asked = client.get_secret_value().secret_id(name).version_stage(stage).send();
        asked.await.map_err(|error| Fault::of(&error))
    }
}

fn value(found: &GetSecretValueOutput, field: Option<&str>) -> Result<Value, String> {
    let whole = match (found.secret_string(), found.secret_binary()) {
        (Some(text), _) => text.as_bytes(),
        (None, Some(bytes)) => bytes.as_ref(),
        (None, None) => return Err("it has no value".to_owned()),
    };
    let Some(field) = field else { return Ok(Value(whole.to_vec())) };
    let object: serde_json::Value = serde_json::from_slice(whole).map_err(|_| "it is no JSON".to_owned())?;
    let text = object.get(field).and_then(serde_json::Value::as_str);
    text.map(|text| Value(text.as_bytes().to_vec())).ok_or_else(|| format!("its JSON has no text called {field}"))
}
