//! A rendition to be made while it is quiet, in words that another process understands.
//!
//! Owns the written form. Knows no queue. Invariants: what is written holds no signature, so that whoever reads the queue
//! cannot use the URL; what cannot be read back is none.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::reading::{Client, Reading};
use cache_key::{FormatClass, Hinted};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Longest written form, bytes: a target at its limit, and little beside it.
pub(crate) const MAX_BYTES: usize = 32 << 10;

/// What to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    /// The host that was asked for, where routes differ by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// Path and query, without a signature.
    pub(crate) target: String,
    pub(crate) tenant: String,
    /// What clients read: avif, webp, baseline.
    pub(crate) class: String,
    /// What they hinted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) width: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) height: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) save_data: bool,
}

impl Job {
    /// The rendition that a request asks for.
    pub(crate) fn of(asked: &Asked) -> Self {
        let Client { class, hinted } = asked.client();
        let reading = &asked.reading;
        Self {
            host: reading.route.host().map(str::to_owned),
            target: without_signature(reading.target()),
            tenant: (**reading.tenant()).to_owned(),
            class: class.as_str().to_owned(),
            width: hinted.width,
            height: hinted.height,
            save_data: hinted.save_data,
        }
    }

    /// As a request that asks for it.
    ///
    /// # Errors
    /// No route has it any more, or what it says cannot be read by this release.
    pub(crate) fn asked(&self, app: &App) -> Result<Asked, Error> {
        let uri: http::Uri = self.target.parse().map_err(|_| Kind::Path("the target is no path".to_owned()))?;
        let (route, rest) = app.routes.find(self.host.as_deref(), uri.path()).ok_or(Kind::NoRoute)?;
        let tenant = if *self.tenant == *app.nobody { Arc::clone(&app.nobody) } else { self.tenant.as_str().into() };
        let reading = Reading::of(&uri, route, rest, &tenant, app.renderer.setup())?;
        let class = class(&self.class).ok_or_else(|| Kind::Path(format!("{} is no class of clients", self.class)))?;
        let hinted = Hinted { width: self.width, height: self.height, save_data: self.save_data };
        Ok(Asked::of(Arc::new(reading), Client { class, hinted }, app))
    }

    /// For the queue.
    pub(crate) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }

    /// Out of the queue.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes.get(..MAX_BYTES).map_or(bytes, |_| &[])).ok()
    }
}

/// By its name.
pub(crate) fn class(name: &str) -> Option<FormatClass> {
    [FormatClass::Avif, FormatClass::Webp, FormatClass::Baseline].into_iter().find(|class| class.as_str() == name)
}

/// A target without `s`, `kid` and `exp`: what makes a URL valid is no business of who makes its picture.
pub(crate) fn without_signature(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let signs = |pair: &&str| !["s=", "kid=", "exp="].iter().any(|name| pair.starts_with(name));
    let kept: Vec<&str> = query.split('&').filter(signs).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn job(target: &str) -> Job {
        Job {
            host: None,
            target: target.to_owned(),
            tenant: "default".to_owned(),
            class: "avif".to_owned(),
            width: NonZeroU32::new(640),
            height: None,
            save_data: false,
        }
    }

    #[test]
    fn signatures_stay_behind() {
        for (signed, bare) in [
            ("/img/a?w=1&s=abc&kid=k&exp=9", "/img/a?w=1"),
            ("/img/a?s=abc", "/img/a"),
            ("/img/a", "/img/a"),
            ("/img/s=1?expire=2", "/img/s=1?expire=2"),
        ] {
            assert_eq!(without_signature(signed), bare);
        }
    }

    #[test]
    fn the_written_form_is_pinned() {
        let text = br#"{"target":"/img/a?w=1","tenant":"default","class":"avif","width":640}"#;
        assert_eq!(job("/img/a?w=1").write(), text);
        assert_eq!(Job::read(text), Some(job("/img/a?w=1")));
        assert_eq!(Job::read(br#"{"target":"/a","tenant":"t","class":"avif","more":1}"#), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(target in "/[a-z?&=é\"]{0,40}", class in "[a-z]{0,8}", save_data: bool) {
            let job = Job { class, save_data, ..job(&target) };
            prop_assert_eq!(Job::read(&job.write()), Some(job));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Job::read(&bytes);
        }
    }

    #[test]
    fn what_is_too_long_is_none() {
        let long = job(&format!("/{}", "a".repeat(MAX_BYTES)));
        assert_eq!(Job::read(&long.write()), None);
    }
}
