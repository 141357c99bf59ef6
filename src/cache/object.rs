//! The object tier: one object for each entry in a bucket of S3, or of a server that speaks like it.
//!
//! Knows bytes under names; deadlines, breaker and envelope are others'. An object says itself until when it holds, so that a
//! bucket without a lifecycle rule serves nothing that is too old. Invariant: at most `max_entry` bytes of an object are
//! read, whatever lengths it announces, and no more than `requests` are under way.

use super::config::ObjectConfig;
use super::envelope;
use super::tier::{Failure, Later, Name, Tier};
use aws::bucket::Checks;
use aws::{Aws, Bucket, Fault, Patience};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, StorageClass};
use bytes::{Bytes, BytesMut};
use service::config::Choice;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Semaphore;

/// `x-amz-meta-…`: until when the entry holds, in milliseconds since 1970.
const UNTIL: &str = "tintype-until";
/// Reserved before the first byte, at most: a length that is announced is not yet sent.
const FIRST_RESERVE: usize = 1 << 20;

/// Where objects lie: S3's own names for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The bucket's default.
    Standard,
    /// Infrequent access: cheaper to keep, dearer to read; billed for 30 days and 128 KiB at least.
    StandardIa,
    /// Likewise, in one zone only.
    OnezoneIa,
    /// Moves by itself between the two.
    IntelligentTiering,
    /// Archive with instant access: billed for 90 days at least.
    GlacierIr,
    /// One zone, single-digit milliseconds: for directory buckets.
    ExpressOnezone,
}

impl Choice for Class {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("STANDARD", Self::Standard),
        ("STANDARD_IA", Self::StandardIa),
        ("ONEZONE_IA", Self::OnezoneIa),
        ("INTELLIGENT_TIERING", Self::IntelligentTiering),
        ("GLACIER_IR", Self::GlacierIr),
        ("EXPRESS_ONEZONE", Self::ExpressOnezone),
    ];
}

impl Class {
    /// `None` where nothing is said: servers other than Amazon's know few classes or none.
    const fn header(self) -> Option<StorageClass> {
        match self {
            Self::Standard => None,
            Self::StandardIa => Some(StorageClass::StandardIa),
            Self::OnezoneIa => Some(StorageClass::OnezoneIa),
            Self::IntelligentTiering => Some(StorageClass::IntelligentTiering),
            Self::GlacierIr => Some(StorageClass::GlacierIr),
            Self::ExpressOnezone => Some(StorageClass::ExpressOnezone),
        }
    }
}

/// The tier.
#[derive(Debug)]
pub struct Object {
    bucket: Bucket,
    class: Class,
    max_entry: u64,
    requests: Semaphore,
    now: fn() -> SystemTime,
}

impl Object {
    /// Nothing is asked yet: a bucket that cannot be reached delays nobody.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub fn new(config: &ObjectConfig, aws: &Aws, now: fn() -> SystemTime) -> Result<Self, String> {
        // What a level gives a write is the longest that anybody waits.
        let longest = config.guards.timeout * super::level::PATIENCE;
        let patience =
            Patience { connect: config.connect_timeout, response: longest, whole: longest, retries: config.retries };
        Ok(Self {
            bucket: Bucket::new(aws, &config.bucket, patience, Checks::Own, "cache.s3")
                .map_err(|text| format!("cache.s3: {text}"))?,
            class: config.storage_class,
            max_entry: config.max_entry,
            requests: Semaphore::new(config.requests),
            now,
        })
    }

    /// `r{layout of envelopes}/{two digits}/{all digits}` below the prefix. A new layout begins a new folder, so that a
    /// lifecycle rule can clear the old one; the two digits spread requests over S3's partitions.
    fn key(&self, name: &Name) -> String {
        let mut hex = String::with_capacity(64);
        for byte in name {
            // Writing to a string does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        self.bucket.key(&format!("r{}/{}/{hex}", envelope::LAYOUT, &hex[..2]))
    }

    async fn read(&self, name: &Name) -> Result<Option<Bytes>, Failure> {
        let _turn = self.requests.acquire().await;
        let client = self.bucket.client().await.map_err(|fault| failure(&fault))?;
        let request = client.get_object().bucket(&self.bucket.name).key(self.key(name));
        let found = match request.send().await.map_err(|error| Fault::of(&error)) {
            Err(fault) if is_absence(&fault) => return Ok(None),
            found => found.map_err(|fault| failure(&fault))?,
        };
        if !self.holds(found.metadata.as_ref()) {
            return Ok(None);
        }
        let announced = found.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
        self.collect(found.body, announced).await.map(Some)
    }

    /// Whether the object's time has not come. One that does not say is not ours.
    fn holds(&self, metadata: Option<&HashMap<String, String>>) -> bool {
        let until = metadata.and_then(|metadata| metadata.get(UNTIL)).and_then(|text| text.parse().ok());
        let until = until.and_then(|millis| UNIX_EPOCH.checked_add(Duration::from_millis(millis)));
        until.is_some_and(|until| (self.now)() < until)
    }

    async fn collect(&self, mut body: ByteStream, announced: u64) -> Result<Bytes, Failure> {
        if announced > self.max_entry {
            return Err(Failure::TooLarge);
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(usize::MAX).min(FIRST_RESERVE));
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Failure::Refused(format!("the body broke off: {error}")))?;
            if bytes.len() as u64 + chunk.len() as u64 > self.max_entry {
                return Err(Failure::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.freeze())
    }

    async fn write(&self, name: &Name, bytes: Bytes, keep: Duration) -> Result<(), Failure> {
        if bytes.len() as u64 > self.max_entry {
            return Err(Failure::TooLarge);
        }
        let _turn = self.requests.acquire().await;
        let client = self.bucket.client().await.map_err(|fault| failure(&fault))?;
        let now = (self.now)().duration_since(UNIX_EPOCH).unwrap_or_default();
        let request = client
            .put_object()
            .bucket(&self.bucket.name)
            .key(self.key(name))
            .metadata(UNTIL, now.saturating_add(keep).as_millis().to_string())
            .content_type("application/octet-stream")
            .checksum_algorithm(ChecksumAlgorithm::Crc32C)
            .set_storage_class(self.class.header())
            .body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| failure(&Fault::of(&error)))
    }

    async fn delete(&self, name: &Name) -> Result<(), Failure> {
        let _turn = self.requests.acquire().await;
        let client = self.bucket.client().await.map_err(|fault| failure(&fault))?;
        let request = client.delete_object().bucket(&self.bucket.name).key(self.key(name));
        match request.send().await.map_err(|error| Fault::of(&error)) {
            Err(fault) if is_absence(&fault) => Ok(()),
            result => result.map(drop).map_err(|fault| failure(&fault)),
        }
    }
}

/// Of the object, not of the bucket. Some servers give no code.
fn is_absence(fault: &Fault) -> bool {
    matches!(fault, Fault::Answered(answer) if answer.status == 404 && matches!(answer.code.as_str(), "NoSuchKey" | ""))
}

fn failure(fault: &Fault) -> Failure {
    match fault {
        Fault::Late => Failure::Timeout,
        Fault::Answered(answer) => match (answer.status, answer.code.as_str()) {
            (507, _) | (_, "QuotaExceeded" | "XMinioStorageFull") => Failure::Full,
            (413, _) | (_, "EntityTooLarge") => Failure::TooLarge,
            (403, "AccessDenied" | "") => Failure::Refused(format!(
                "{fault}; needed are s3:GetObject, s3:PutObject and s3:DeleteObject, and s3:ListBucket: without it S3 says \
                 403 of what is not there"
            )),
            _ => Failure::Refused(fault.to_string()),
        },
        fault => Failure::Refused(fault.to_string()),
    }
}

impl Tier for Object {
    fn get<'a>(&'a self, name: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>> {
        Box::pin(self.read(name))
    }

    fn put<'a>(&'a self, name: &'a Name, bytes: Bytes, keep: Duration) -> Later<'a, Result<(), Failure>> {
        Box::pin(self.write(name, bytes, keep))
    }

    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>> {
        Box::pin(self.delete(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::config::CacheConfig;
    use crate::cache::contract;
    use std::net::SocketAddr;
    use testkit::s3::{Inside, Moto, sets};
    use testkit::{Fault as Harm, Proxy};

    const LONG: Duration = Duration::from_secs(600);

    /// As the config makes it, with time for a busy machine.
    fn tier(address: SocketAddr, more: &[&str]) -> Object {
        let mut all = sets("s3", "s3", address, "renditions");
        let own = ["s3.prefix=edge/", "s3.timeout=30s", "s3.connect_timeout=30s", "s3.max_entry=300000"];
        all.extend(own.iter().chain(more).map(|set| (*set).to_owned()));
        let loaded = service::config::load::<CacheConfig>(None, [], &all).unwrap_or_else(|errors| panic!("{errors}"));
        Object::new(&loaded.config.s3.expect("given"), &Aws::new(), SystemTime::now).expect("no file to read")
    }

    #[tokio::test]
    async fn the_contract_holds_where_signatures_are_checked() {
        let server = Inside::start(&["renditions"]);
        contract::holds(&tier(server.address, &[]), 300_000).await;
        let keys = server.keys("renditions");
        let hex = "01".repeat(32);
        assert!(keys.contains(&format!("edge/r{}/01/{hex}", envelope::LAYOUT)), "{keys:?}");
    }

    #[tokio::test]
    async fn what_is_altered_on_the_way_is_not_taken() {
        let server = testkit::Origin::new();
        let tier = tier(server.address, &[]);
        let target = format!("/renditions/{}?x-id=PutObject", tier.key(&[1; 32]));
        server.on(&target, [testkit::Act::ok(&[], "")]);
        tier.put(&[1; 32], Bytes::from_static(b"123456789"), LONG).await.expect("put");
        // The check value of CRC-32/ISCSI, 0xe3069283.
        assert_eq!(server.asked()[0].field("x-amz-checksum-crc32c"), Some("4waSgw=="));
    }

    #[tokio::test]
    async fn the_contract_holds_with_moto() {
        let Some(server) = Moto::start(&["renditions"]) else { return };
        contract::holds(&tier(server.address, &["s3.storage_class=STANDARD_IA"]), 300_000).await;
        let listed = server.ask("GET", "/renditions?list-type=2&prefix=edge/", &[], b"").text();
        assert!(listed.contains("<StorageClass>STANDARD_IA</StorageClass>"), "{listed}");
    }

    #[tokio::test]
    async fn nobody_reads_or_writes_with_a_wrong_key() {
        let server = Inside::start(&["renditions"]);
        let wrong = tier(server.address, &["s3.secret_access_key=guessed"]);
        let Err(Failure::Refused(why)) = wrong.put(&[1; 32], Bytes::from_static(b"x"), LONG).await else {
            panic!("no")
        };
        assert!(why.contains("403") && !why.contains("guessed"), "{why}");
        assert!(wrong.get(&[1; 32]).await.is_err());
        assert_eq!(tier(server.address, &[]).get(&[1; 32]).await, Ok(None), "nothing was written");
    }

    #[tokio::test]
    async fn a_bucket_that_is_gone_is_a_failure_and_no_miss() {
        let Some(server) = Moto::start(&[]) else { return };
        let tier = tier(server.address, &[]);
        let Err(Failure::Refused(why)) = tier.get(&[1; 32]).await else { panic!("refused") };
        assert!(why.contains("NoSuchBucket"), "{why}");
        assert!(tier.put(&[1; 32], Bytes::from_static(b"x"), LONG).await.is_err());
    }

    #[tokio::test]
    async fn objects_of_others_and_those_too_large_are_not_taken() {
        let server = Inside::start(&["renditions"]);
        let (large, small) = (tier(server.address, &[]), tier(server.address, &["s3.max_entry=1KiB"]));
        large.put(&[1; 32], vec![1; 2000].into(), LONG).await.expect("put");
        assert_eq!(small.get(&[1; 32]).await, Err(Failure::TooLarge));
        server.put("renditions", &large.key(&[2; 32]), "somebody's own");
        assert_eq!(large.get(&[2; 32]).await, Ok(None));
    }

    #[tokio::test]
    async fn every_harm_is_an_answer_and_passes() {
        let server = Inside::start(&["renditions"]);
        let proxy = Proxy::new(server.address);
        let tier = tier(proxy.address, &["s3.retries=0", "s3.timeout=50ms"]);
        let bytes = Bytes::from(vec![7; 200_000]);
        tier.put(&[1; 32], bytes.clone(), LONG).await.expect("put");
        for harm in
            [Harm::Refuse, Harm::Reset(0), Harm::Reset(50_000), Harm::Truncate(50_000), Harm::Silent, Harm::Garbage(1)]
        {
            proxy.set(harm);
            assert!(tier.get(&[1; 32]).await.is_err(), "{harm:?}");
        }
        proxy.set(Harm::Pass);
        let began = std::time::Instant::now();
        while tier.get(&[1; 32]).await != Ok(Some(bytes.clone())) {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
