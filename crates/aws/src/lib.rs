//! Several binaries need it: AWS services and servers that speak like them. One HTTP client, one small runtime, one way to
//! credentials for all.
//!
//! Owns how a client is configured and how its errors are read. Does not know what is asked of it, but for S3's buckets.
//! Invariants: nothing here delays the start, and every wait has an end; sockets' threads neither sign nor look up names.
//!
//! A part that uses a service keeps a [`Service`] of the client that it needs; the client is made when it is first asked for:
//!
//! ```text
//! let cloudfront = Service::new(&aws, access, patience, aws_sdk_cloudfront::Client::new);
//! cloudfront.announce("purge.cloudfront");
//! let client = cloudfront.client().await?;
//! ```

pub mod bucket;
mod capped;
mod client;
pub mod config;
pub mod fault;

pub use bucket::{Bucket, BucketConfig};
pub use client::Service;
pub use config::{Access, Identity, Patience};
pub use fault::Fault;

use capped::Capped;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

/// Threads for all of it: signing and checksums cost a fraction of a millisecond for each request.
const THREADS: usize = 2;
/// Threads that look up names, which cannot be called off.
const LOOK_UPS: usize = 8;
/// Connections to one host that are kept while nobody uses them, …
const IDLE: usize = 64;
/// … and for how long. S3 closes them after some 20 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// For region and profile to be found. The machine's own metadata are asked at most a few times a second.
const LOAD: Duration = Duration::from_secs(10);
/// Also where the machine did not answer in time.
const NO_REGION: &str =
    "no AWS region: none in the config (region), in AWS_REGION, in the profile, or from the machine";
/// Where an endpoint is given, servers rarely care for the region; most clients then say this one.
const ANY_REGION: &str = "us-east-1";
/// Between the first and the second try; doubled for each further one, and up to twice as long by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What all clients share. Clones share it.
#[derive(Clone, Default)]
pub struct Aws(Arc<Parts>);

#[derive(Default)]
struct Parts {
    runtime: OnceLock<Result<Runtime, String>>,
    /// By the file of further certificate authorities: mostly one without.
    http: Mutex<HashMap<Option<PathBuf>, SharedHttpClient>>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("started", &self.0.runtime.get().is_some()).finish_non_exhaustive()
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Not joined: the last clone may go on a thread that must not block.
        if let Some(Ok(runtime)) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Aws {
    /// Starts nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The runtime of all that speaks to AWS; started when first asked for.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn handle(&self) -> Result<Handle, Fault> {
        let start = || {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(THREADS).max_blocking_threads(LOOK_UPS).thread_name("aws").enable_all().build()
        };
        let runtime = self.0.runtime.get_or_init(|| start().map_err(|error| format!("threads for AWS: {error}")));
        runtime.as_ref().map(|runtime| runtime.handle().clone()).map_err(|text| Fault::Broken(text.clone()))
    }

    /// Works on that runtime; called off when nobody waits for it any more.
    ///
    /// # Errors
    /// [`Fault::Broken`]: it did not come to its end, since the process ends.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Result<T, Fault> {
        let task = self.handle()?.spawn(work);
        let _guard = CallOff(task.abort_handle());
        task.await.map_err(|error| Fault::Broken(error.to_string()))
    }

    /// What of a config can be judged without asking anybody.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn check(&self, access: &Access) -> Result<(), String> {
        self.http(access.identity.ca_file.as_deref()).map(drop)
    }

    /// Everything that a client needs to know: region, credentials, times, and the shared HTTP client. Credentials themselves
    /// are looked for when a request is first signed, and renewed before they expire.
    ///
    /// # Errors
    /// No region, or a file of certificates that cannot be used; in words for the person who configures.
    pub async fn config(&self, access: &Access, patience: &Patience) -> Result<SdkConfig, Fault> {
        let http = self.http(access.identity.ca_file.as_deref()).map_err(Fault::Config)?;
        let loading = loader(access, patience, http).load();
        let config = tokio::time::timeout(LOAD, loading).await.ok().filter(|config| config.region().is_some());
        config.ok_or_else(|| Fault::Config(NO_REGION.to_owned()))
    }

    fn http(&self, authorities: Option<&Path>) -> Result<SharedHttpClient, String> {
        let mut clients = self.0.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&authorities.map(Path::to_owned)) {
            return Ok(client.clone());
        }
        let context = TlsContext::builder().with_trust_store(trusted(authorities)?).build();
        let context = context.map_err(|error| format!("TLS: {error}"))?;
        let builder = aws_smithy_http_client::Builder::new().pool_idle_timeout(KEEP_ALIVE).pool_max_idle_per_host(IDLE);
        let client = builder.tls_provider(Provider::rustls(CryptoMode::AwsLc)).tls_context(context).build_https();
        let client = SharedHttpClient::new(Capped(client));
        clients.insert(authorities.map(Path::to_owned), client.clone());
        Ok(client)
    }
}

/// Ends a task with whoever waits for it.
struct CallOff(AbortHandle);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The system's authorities, with those of a file. It is read here first: the client would panic over a bad one.
fn trusted(authorities: Option<&Path>) -> Result<TrustStore, String> {
    let native = !rustls_native_certs::load_native_certs().certs.is_empty();
    let store = TrustStore::empty().with_native_roots(native);
    let Some(path) = authorities else { return Ok(store) };
    let place = |error: &dyn fmt::Display| format!("ca_file {}: {error}", path.display());
    let pem = std::fs::read(path).map_err(|error| place(&error))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|error| place(&error))?).map_err(|error| place(&error))?;
    }
    if roots.is_empty() {
        return Err(place(&"no certificate in it"));
    }
    Ok(store.with_pem_certificate(pem))
}

fn loader(access: &Access, patience: &Patience, http: SharedHttpClient) -> ConfigLoader {
    let Access { endpoint, region, identity } = access;
    let times = TimeoutConfig::builder()
        .connect_timeout(patience.connect)
        .read_timeout(patience.response)
        .operation_timeout(patience.whole);
    let retries = RetryConfig::standard()
        .with_max_attempts(patience.retries.saturating_add(1))
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(times.build())
        .retry_config(retries)
        // Whoever reads a body has a limit of his own for each pause.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    if let Ok(name) = AppName::new("tintype") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &identity.profile {
        loader = loader.profile_name(profile);
    }
    if identity.anonymous {
        loader = loader.no_credentials();
    }
    if let (Some(id), Some(secret)) = (&identity.access_key_id, &identity.secret_access_key) {
        loader = loader.credentials_provider(Credentials::new(id, secret.expose(), None, None, "config"));
    }
    match (region, endpoint) {
        (Some(region), _) => loader = loader.region(Region::new(region.as_str().to_owned())),
        // The machine's metadata are not asked: somebody's own server may stand where there are none.
        (None, Some(_)) => loader = loader.region(near(identity.profile.as_deref())),
        (None, None) => {}
    }
    match endpoint {
        Some(endpoint) => loader.endpoint_url(endpoint.as_str()),
        None => loader,
    }
}

/// The region by environment, else by profile, else any.
fn near(profile: Option<&str>) -> aws_config::meta::region::RegionProviderChain {
    use aws_config::environment::EnvironmentVariableRegionProvider;
    use aws_config::profile::ProfileFileRegionProvider;
    let mut of_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        of_profile = of_profile.profile_name(profile);
    }
    let chain = aws_config::meta::region::RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new());
    chain.or_else(of_profile.build()).or_else(Region::new(ANY_REGION))
}

#[cfg(test)]
mod tests {
    use super::bucket::Checks;
    use super::config::Identity;
    use super::*;
    use aws_credential_types::provider::error::CredentialsError;
    use aws_sdk_s3::primitives::ByteStream;
    use service::config::Secret;
    use testkit::{Act, Origin};

    const PATIENCE: Patience = Patience {
        connect: Duration::from_secs(30),
        response: Duration::from_secs(30),
        whole: Duration::from_secs(60),
        retries: 0,
    };

    fn access(endpoint: &str) -> Access {
        let identity = Identity {
            access_key_id: Some("tintype".to_owned()),
            secret_access_key: Some(Secret::new("a-secret-of-the-test")),
            ..Identity::default()
        };
        Access { endpoint: Some(endpoint.parse().expect("a URL")), region: None, identity }
    }

    fn bucket(endpoint: &str, patience: Patience) -> Bucket {
        let config = BucketConfig {
            bucket: "pictures".parse().expect("a name"),
            prefix: "a/".parse().expect("a prefix"),
            access: access(endpoint),
            path_style: None,
        };
        Bucket::new(&Aws::new(), &config, patience, Checks::Compared, "test").expect("no file to read")
    }

    async fn get(bucket: &Bucket, key: &str) -> Result<ByteStream, Fault> {
        let request = bucket.client().await?.get_object().bucket(&bucket.name).key(bucket.key(key));
        request.send().await.map(|output| output.body).map_err(|error| Fault::of(&error))
    }

    fn error(status: u16, code: &str, fields: &[(&str, &str)]) -> Act {
        Act::status(status, fields, format!("<Error><Code>{code}</Code><Message>words</Message></Error>"))
    }

    fn at(key: &str) -> String {
        format!("/pictures/a/{key}?x-id=GetObject")
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        let server = Origin::new();
        server.on(&at("none"), [error(404, "NoSuchKey", &[])]);
        server.on(&at("busy"), [error(503, "SlowDown", &[("retry-after", "7")])]);
        server.on(&at("far"), [error(301, "PermanentRedirect", &[("x-amz-bucket-region", "eu-west-1")])]);
        server.on(&at("cut"), [Act::Reset(Vec::new())]);
        server.on(&at("endless"), [error(500, &"x".repeat(100_000), &[])]);
        let bucket = bucket(&server.base(), PATIENCE);
        let answer = async |key| match get(&bucket, key).await {
            Err(Fault::Answered(answer)) => answer,
            other => panic!("{key}: {other:?}"),
        };
        assert_eq!((answer("none").await.status, answer("none").await.code.as_str()), (404, "NoSuchKey"));
        assert_eq!(answer("busy").await.retry_after, Some(Duration::from_secs(7)));
        assert!(answer("far").await.message.contains("eu-west-1"));
        assert!(matches!(get(&bucket, "cut").await, Err(Fault::Broken(_))));
        assert!(matches!(get(&bucket, "endless").await, Err(Fault::Broken(_))), "not read to its end");
        let asked = server.asked();
        let signed = asked[0].field("authorization").expect("signed");
        assert!(signed.contains("Credential=tintype/") && !signed.contains("a-secret"), "{signed}");
    }

    #[tokio::test]
    async fn a_try_that_may_pass_is_repeated_and_every_wait_ends() {
        let server = Origin::new();
        server.on(&at("busy"), [error(503, "SlowDown", &[]), Act::ok(&[], "here")]);
        server.on(&at("silent"), [Act::Hang(Vec::new())]);
        let twice = bucket(&server.base(), Patience { retries: 1, ..PATIENCE });
        let body = get(&twice, "busy").await.expect("the second try").collect().await.expect("a body");
        assert_eq!((&body.into_bytes()[..], server.count(&at("busy"))), (&b"here"[..], 2));
        let short = bucket(&server.base(), Patience { response: Duration::from_millis(100), ..PATIENCE });
        assert_eq!(get(&short, "silent").await.unwrap_err(), Fault::Late);
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        let aws = Aws::new();
        let with = |file: &str| {
            let mut access = access("https://127.0.0.1:1");
            access.identity.ca_file = Some(file.into());
            access
        };
        for (file, expected) in [("/nowhere/ca.pem", "/nowhere/ca.pem"), ("/dev/null", "no certificate")] {
            let Err(Fault::Config(text)) = aws.config(&with(file), &PATIENCE).await else { panic!("{file}") };
            assert!(text.contains(expected), "{text}");
        }
        let nobody = Fault::credentials(&CredentialsError::not_loaded("nothing of it"));
        assert!(nobody.to_string().contains("AWS_ACCESS_KEY_ID"), "{nobody}");
        let config = aws.config(&access("http://127.0.0.1:1"), &PATIENCE).await.expect("a config");
        assert!(config.region().is_some(), "an endpoint needs no region");
    }

    #[tokio::test]
    async fn work_ends_with_whoever_waits_for_it() {
        let aws = Aws::new();
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let waiting = aws.run(async move {
            let _held = sender;
            std::future::pending::<()>().await;
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err());
        assert!(receiver.await.is_err(), "dropped, and with it what it held");
        assert_eq!(aws.run(async { 1 }).await, Ok(1));
    }
}
