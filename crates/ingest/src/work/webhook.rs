//! Subscribers that are told of events by signed requests.
//!
//! `Tintype-Signature: t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<body>", hex>`. Invariants: a request is signed with the
//! time of its sending, so that it cannot be replayed for long; an event may come twice, and says by its id that it does.

use crate::config::WebhookConfig;
use aws_lc_rs::hmac;
use bytes::Bytes;
use catalog::Event;
use http::{HeaderName, HeaderValue, header};
use jiff::Timestamp;
use jobs::{Ended, Failure, Work};
use origin::http::errand::{Bounds, Errands};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

const SIGNATURE: HeaderName = HeaderName::from_static("tintype-signature");

/// Subscribers.
#[derive(Debug)]
pub(super) struct Hooks(Vec<Hook>);

#[derive(Debug)]
struct Hook {
    config: WebhookConfig,
    key: hmac::Key,
    errands: Errands,
}

impl Hooks {
    pub(super) fn new(configs: &[WebhookConfig]) -> Result<Self, String> {
        let hook = |config: &WebhookConfig| {
            let secret =
                config.secret.as_ref().ok_or_else(|| format!("ingest.webhooks: {} has no secret", config.url))?;
            let bounds = Bounds {
                allow_private: config.allow_private.clone(),
                allow: Vec::new(),
                redirects: 0,
                connect: Duration::from_secs(3),
                response: Duration::from_secs(10),
                pause: Duration::from_secs(5),
            };
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
            Ok(Hook { config: config.clone(), key, errands: Errands::new(bounds, None)? })
        };
        configs.iter().map(hook).collect::<Result<_, String>>().map(Self)
    }

    /// What is to be told of an event, by the numbers of the subscribers.
    pub(super) fn of<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = (usize, Value)> + 'a {
        let wanted = |hook: &Hook| {
            let (tenants, events) = (&hook.config.tenants, &hook.config.events);
            (tenants.is_empty() || tenants.contains(&event.tenant))
                && (events.is_empty() || events.iter().any(|name| name.0 == event.kind))
        };
        let told = self.0.iter().enumerate().filter(move |(_, hook)| wanted(hook));
        told.map(move |(number, hook)| (number, json!({ "url": hook.config.url, "event": event })))
    }
}

/// Tells a subscriber; the runner tries again where it does not take it.
pub(super) async fn tell(hooks: Arc<Hooks>, work: Work) -> Result<Ended, Failure> {
    let payload = &work.job.payload;
    let url = payload["url"].as_str().unwrap_or_default();
    let Some(hook) = hooks.0.iter().find(|hook| hook.config.url == url) else {
        return Err(Failure::never("its subscriber is no longer in the config"));
    };
    let body = Bytes::from(payload["event"].to_string());
    let signature = signature(&hook.key, Timestamp::now().as_second(), &body);
    let signature = HeaderValue::try_from(signature).map_err(Failure::never)?;
    let fields = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (SIGNATURE, signature)];
    match hook.errands.post(url, &fields, body).await {
        Ok(200..=299) => Ok(Ended::Done),
        Ok(410) => Err(Failure::never("the subscriber says that it is gone (410)")),
        Ok(status) => Err(Failure::later(format!("the subscriber answered {status}"))),
        Err(trouble) => Err(Failure::later(trouble.to_string().replace("the origin", "the subscriber"))),
    }
}

fn signature(key: &hmac::Key, seconds: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let mut text = format!("t={seconds},v1=");
    for byte in context.sign().as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '1700000000.{}' | openssl dgst -sha256 -hmac 'a secret of 16 bytes'`.
    #[test]
    fn signatures_are_those_of_openssl() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of 16 bytes");
        assert_eq!(
            signature(&key, 1_700_000_000, b"{}"),
            "t=1700000000,v1=be6c8db43050f8312cbbf22fdde34a49242627e04211fb556f9e9c5866500a29"
        );
    }
}
