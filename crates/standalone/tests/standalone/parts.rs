//! The production parts, as servers of this machine, and the keys of a configuration that lead to them.
//!
//! Redis and PostgreSQL are the real ones; moto stands in for S3, SQS and DynamoDB, `osmem-server` for OpenSearch. Invariant:
//! what a function gives is one section's keys, the same for the process that holds everything and for those that hold a part.

use std::net::SocketAddr;
use testkit::s3::{self, KEY_ID, Moto, SECRET};
use testkit::{OpenSearch, Postgres, Redis};

/// Where originals are.
const ORIGINALS: &str = "originals";
/// Where renditions are kept.
const RENDITIONS: &str = "renditions";

/// Running servers. Ended when dropped.
pub(crate) struct Production {
    pub(crate) redis: Redis,
    postgres: Postgres,
    opensearch: OpenSearch,
    /// S3 and SQS.
    pub(crate) moto: Moto,
}

fn owned<const N: usize>(sets: [&str; N]) -> Vec<String> {
    sets.iter().map(|set| (*set).to_owned()).collect()
}

/// The endpoint of one of moto's services, and any key pair.
fn service(table: &str, moto: &Moto) -> Vec<String> {
    vec![
        format!("{table}.endpoint=http://{}", moto.address),
        format!("{table}.access_key_id={KEY_ID}"),
        format!("{table}.secret_access_key={SECRET}"),
    ]
}

impl Production {
    /// `None` where one of them is not installed; see [`Redis::start`].
    pub(crate) fn start() -> Option<Self> {
        Some(Self {
            redis: Redis::start(&[])?,
            postgres: Postgres::start()?,
            opensearch: OpenSearch::start()?,
            moto: Moto::start(&[ORIGINALS, RENDITIONS])?,
        })
    }

    /// The edge's file.
    pub(crate) fn file(&self) -> String {
        bucket(self.moto.address)
    }

    /// The edge: renditions in Redis, and in a bucket of their own.
    pub(crate) fn edge(&self) -> Vec<String> {
        let mut sets = s3::sets("cache.s3", "cache.s3", self.moto.address, RENDITIONS);
        sets.push(format!("cache.redis.urls={}", self.redis.url()));
        sets
    }

    /// Originals in the bucket.
    pub(crate) fn store(&self) -> Vec<String> {
        store(self.moto.address)
    }

    /// Users in PostgreSQL, in the same database as the catalog and the queue.
    pub(crate) fn auth(&self) -> Vec<String> {
        vec![format!("auth.database={}", self.postgres.url(Postgres::DATABASE))]
    }

    /// Records in PostgreSQL.
    pub(crate) fn catalog(&self) -> Vec<String> {
        let mut sets = owned(["catalog.kind=postgres", "catalog.postgres.tls=disable"]);
        sets.push(format!("catalog.postgres.port={}", self.postgres.address.port()));
        sets.push(format!("catalog.postgres.user={}", Postgres::USER));
        sets.push(format!("catalog.postgres.database={}", Postgres::DATABASE));
        sets
    }

    /// Jobs in PostgreSQL.
    pub(crate) fn jobs(&self) -> Vec<String> {
        vec!["jobs.queue=postgres".to_owned(), format!("jobs.postgres.url={}", self.postgres.url(Postgres::DATABASE))]
    }

    /// Jobs in SQS.
    pub(crate) fn sqs(&self) -> Vec<String> {
        let mut sets = owned(["jobs.queue=sqs", "jobs.sqs.create=true"]);
        sets.extend(service("jobs.sqs", &self.moto));
        sets
    }

    /// A queue that the bucket tells of uploads into it.
    pub(crate) fn arrivals(&self) -> Vec<String> {
        let url = self.moto.queue("arrivals");
        self.moto.notify(ORIGINALS, "tintype/staging/", "arrivals");
        let mut sets = service("ingest.arrivals", &self.moto);
        sets.push(format!("ingest.arrivals.queue_url={url}"));
        sets
    }

    /// Searches; long waits, since tests share the machine.
    pub(crate) fn search() -> Vec<String> {
        owned(["search.edge=/a/", "search.deadline=30s"])
    }

    /// The index in a server, and Redis, which tells of changes.
    pub(crate) fn finder(&self) -> Vec<String> {
        let mut sets =
            owned(["finder.engine=opensearch", "finder.replicas=0", "finder.refresh=now", "finder.timeout=30s"]);
        sets.push(format!("finder.server={}", self.opensearch.url()));
        sets.push(format!("finder.redis={}", self.redis.url()));
        sets
    }

    /// Keys of renditions that the edge keeps in its bucket.
    pub(crate) fn renditions(&self) -> usize {
        self.moto.ask("GET", &format!("/{RENDITIONS}?list-type=2"), &[], b"").text().matches("<Key>").count()
    }
}

/// A file of configuration for the edge: originals from the bucket at `address`, which count as fresh until a purge.
pub(crate) fn bucket(address: SocketAddr) -> String {
    format!(
        "[[origins]]\nname = \"store\"\nkind = \"s3\"\nbucket = \"{ORIGINALS}\"\nprefix = \"tintype/\"\nfolder = \"names/\"\n\
         endpoint = \"http://{address}\"\n\
         [origins.s3]\nlinks = true\naccess_key_id = \"{KEY_ID}\"\nsecret_access_key = \"{SECRET}\"\n\
         [[routes]]\nprefix = \"/a/\"\norigin = \"store\"\n[routes.fetch]\nmin_fresh = \"1h\"\n"
    )
}

/// Originals in the bucket at `address`.
pub(crate) fn store(address: SocketAddr) -> Vec<String> {
    let mut sets = s3::sets("store.s3", "store.s3", address, ORIGINALS);
    sets.push("store.s3.prefix=tintype/".to_owned());
    sets
}

/// Records in DynamoDB. Of a moto of their own: see [`Moto::start_ordered`].
pub(crate) fn dynamodb(moto: &Moto) -> Vec<String> {
    let mut sets = owned(["catalog.kind=dynamodb", "catalog.dynamodb.create=true"]);
    sets.extend(service("catalog.dynamodb", moto));
    sets
}
