//! Originals in a bucket of S3, or of a server that speaks like it: one GetObject, with conditions, repeats and limits.
//!
//! Owns keys and what S3's answers mean. Does not know what an answer allows, nor what is kept: it returns heads as an HTTP
//! server would have sent them. Invariants: every key begins with the prefix; every phase, and the whole, has an end; the
//! sockets' threads only wait for it.

mod answer;
pub mod config;
mod object;

use super::attempts::{Attempts, Progress};
use super::body;
use super::config::OriginConfig;
use super::http::config::Forbidden;
use super::{Asking, Cause, Found, Missing, Phase, Reply, Trouble};
use aws::bucket::Checks;
use aws::{Access, Aws, Bucket, BucketConfig, Fault, Patience};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use config::S3Config;
use object::{Conditions, Object};
use service::breaker::Breaker;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// When to come back to a bucket that is throttled, where it does not say.
const BREATH: Duration = Duration::from_secs(2);

/// User metadata of an empty object that stands for another one: its place below the prefix.
const LINK: &str = "tintype-content";

/// A bucket with originals.
pub struct S3Origin {
    aws: Aws,
    parts: Arc<Parts>,
}

struct Parts {
    bucket: Bucket,
    folder: String,
    versions: bool,
    links: bool,
    forbidden: Forbidden,
    max_bytes: u64,
    pause_timeout: Duration,
    attempts: Attempts,
    breaker: Breaker,
    wall: fn() -> SystemTime,
    tick: fn() -> Instant,
}

impl fmt::Debug for S3Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Origin").field("bucket", &self.parts.bucket).finish_non_exhaustive()
    }
}

impl S3Origin {
    /// Asks nothing yet; `wall` and `tick` are the clock.
    ///
    /// # Errors
    /// There is no bucket in the config, or a file of certificates that cannot be used.
    pub fn new(
        config: &OriginConfig,
        aws: &Aws,
        wall: fn() -> SystemTime,
        tick: fn() -> Instant,
    ) -> Result<Self, String> {
        let S3Config { identity, versions, links, forbidden, connect_timeout, pace } = config.s3.clone();
        let bucket = BucketConfig {
            bucket: config.bucket.clone().ok_or("no bucket")?,
            prefix: config.prefix.clone(),
            access: Access { endpoint: config.endpoint.clone(), region: config.region.clone(), identity },
            path_style: config.path_style,
        };
        // Repeats are ours: they are paid out of the origin's budget, and wait as long as the bucket says.
        let patience = Patience {
            connect: connect_timeout,
            response: pace.response_timeout,
            whole: connect_timeout + pace.response_timeout,
            retries: 0,
        };
        let parts = Parts {
            bucket: Bucket::new(aws, &bucket, patience, Checks::Compared, &format!("origin {}", config.name))?,
            folder: config.folder.as_str().to_owned(),
            versions,
            links,
            forbidden,
            max_bytes: config.max_bytes,
            pause_timeout: pace.pause_timeout,
            attempts: Attempts::new(&pace),
            breaker: Breaker::new(pace.limits()),
            wall,
            tick,
        };
        Ok(Self { aws: aws.clone(), parts: Arc::new(parts) })
    }

    /// Asks for an original.
    ///
    /// # Errors
    /// See [`Missing`]; a certain absence is no error but [`Found::Nothing`].
    pub async fn get(&self, asking: Asking<'_>) -> Result<Reply, Missing> {
        let object = Object::read(&self.parts.bucket, &self.parts.folder, asking.path, self.parts.versions)
            .ok_or(Missing::NotFound)?;
        let known =
            asking.known.filter(|(_, place)| **place == *object.place).map(|(known, _)| Conditions::read(known));
        let (parts, limit) = (Arc::clone(&self.parts), asking.timeout);
        let work = async move { parts.fetch(&object, &known.unwrap_or_default(), limit).await };
        self.aws.run(work).await.unwrap_or_else(|fault| Err(answer::trouble(&fault).into()))
    }

    /// Whether it is left alone for now.
    pub fn is_left_alone(&self) -> bool {
        self.parts.breaker.is_open()
    }
}

impl Parts {
    async fn fetch(&self, object: &Object, known: &Conditions, limit: Option<Duration>) -> Result<Reply, Missing> {
        let progress = Progress::default();
        let late = || {
            let _whether_it_opened = self.breaker.failed((self.tick)());
        };
        let attempt = || self.attempt(object, known, &progress);
        let result = self.attempts.make(limit, &progress, answer::may_be_repeated, late, attempt).await;
        result.map_err(|missing| match missing {
            Missing::Failed(trouble) if matches!(trouble.cause, Cause::Status(429 | 503)) => {
                Trouble { retry_after: trouble.retry_after.or(Some(BREATH)), ..trouble }.into()
            }
            missing => missing,
        })
    }

    async fn attempt(&self, object: &Object, known: &Conditions, progress: &Progress) -> Result<Reply, Missing> {
        if let Err(left) = self.breaker.admit((self.tick)()) {
            let text = format!("bucket {} is left alone", self.bucket.name);
            return Err(Trouble::new(Phase::Connect, Cause::Paused(left), text).into());
        }
        let requested = (self.wall)();
        let result = self.follow(object, known, progress).await;
        let received = (self.wall)();
        match &result {
            Err(Missing::Failed(trouble)) if answer::speaks_against_it(trouble) => {
                let _whether_it_opened = self.breaker.failed((self.tick)());
            }
            _ => {
                let _whether_it_closed = self.breaker.succeeded();
            }
        }
        let reply = |found, headers| Reply { found, headers, place: object.place.clone(), requested, received };
        match result? {
            Head::Object(output) => {
                progress.set(Phase::Body);
                let headers = answer::head(&output);
                let body = self.body(*output).await?;
                Ok(reply(Found::Original(body.bytes, body.hash), headers))
            }
            Head::NotModified(headers) => Ok(reply(Found::NotModified, headers)),
            Head::Nothing(missing) => Ok(reply(Found::Nothing(missing), ::http::HeaderMap::new())),
        }
    }

    /// The object, or the one that it stands for. A name is asked for without conditions, since what is known is known of
    /// contents; what it leads to then with them: a content has other validators than the one before.
    async fn follow(&self, object: &Object, known: &Conditions, progress: &Progress) -> Result<Head, Missing> {
        if !self.links {
            return self.ask(object, known, progress).await;
        }
        let first = self.ask(object, &Conditions::default(), progress).await?;
        let Some(place) = first.link() else { return Ok(first) };
        let refused = |text: String| Missing::from(Trouble::new(Phase::Redirect, Cause::Refused, text));
        let target = Object::linked(&self.bucket, place);
        let target =
            target.ok_or_else(|| refused(format!("{} leads to {place:?}, which is no place", object.place)))?;
        // By its tag alone: one that the name led to earlier may be younger.
        let known = Conditions { tag: known.tag.clone(), since: None };
        let second = self.ask(&target, &known, progress).await?;
        match second.link() {
            Some(_) => Err(refused(format!("{} leads to another name, {}", object.place, target.place))),
            None => Ok(second),
        }
    }

    /// One request, up to the head of its response.
    async fn ask(&self, object: &Object, known: &Conditions, progress: &Progress) -> Result<Head, Missing> {
        progress.set(Phase::Credentials);
        let client = self.bucket.client().await.map_err(|fault| answer::trouble(&fault))?;
        progress.set(Phase::Response);
        let request = client
            .get_object()
            .bucket(&self.bucket.name)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .set_if_none_match(known.tag.clone())
            .set_if_modified_since(known.since.map(Into::into));
        match request.send().await {
            Ok(output) => Ok(Head::Object(Box::new(output))),
            Err(error) => match error.raw_response().filter(|response| response.status().as_u16() == 304) {
                Some(response) => Ok(Head::NotModified(answer::fields(response.headers().iter()))),
                None => answer::refused(&Fault::of(&error), object, self.forbidden).map(Head::Nothing),
            },
        }
    }

    async fn body(&self, output: GetObjectOutput) -> Result<body::Collected, Missing> {
        if let Some(encoding) = output.content_encoding.as_deref().filter(|encoding| answer::is_encoded(encoding)) {
            let text = format!("it is kept with Content-Encoding {encoding}");
            return Err(Trouble::new(Phase::Body, Cause::Refused, text).into());
        }
        let announced = output.content_length.and_then(|length| u64::try_from(length).ok());
        body::collect(output.body.into_inner(), announced, self.max_bytes, self.pause_timeout).await
    }
}

impl Head {
    /// The place that an empty object stands for.
    fn link(&self) -> Option<&str> {
        let Self::Object(output) = self else { return None };
        let place = output.metadata.as_ref()?.get(LINK)?;
        (output.content_length.unwrap_or_default() == 0).then_some(place)
    }
}

/// What a response's head says.
enum Head {
    Object(Box<GetObjectOutput>),
    NotModified(::http::HeaderMap),
    Nothing(Missing),
}

#[cfg(test)]
mod tests;
