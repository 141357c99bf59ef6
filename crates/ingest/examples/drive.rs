//! Uploads, replaces, deletes and restores at random, for tests that kill it: `drive DATA COUNT SEED`.
//!
//! Says on standard output what it begins (`try …`) and what was acknowledged (`done …`), a line each; `check` holds that
//! against what is there.

use bytes::Bytes;
use catalog::config::CatalogConfig;
use catalog::{AssetPath, Change, ContentHash, TenantId};
use ingest::{Condition, Desk, Intake, Metrics, Parts};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Pictures that it changes.
const PATHS: u64 = 12;
/// Contents that they have.
const CONTENTS: u64 = 20;

#[tokio::main]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().ok_or("drive DATA [COUNT [SEED]]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse()).map_err(|_| "no number");
    let (count, seed) = (number(100)?, number(1)?);
    let desk = desk(Path::new(&data)).await?;
    // What a kill left over.
    ingest::work::settle(&desk).await?;
    ingest::work::sweep(&desk).await?;
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for _ in 0..count {
        step(&desk, &mut state).await?;
        if random(&mut state).is_multiple_of(10) {
            ingest::work::settle(&desk).await?;
            ingest::work::sweep(&desk).await?;
        }
    }
    Ok(())
}

/// xorshift64*.
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
}

/// The parts of `data`, with no time for undoing and no grace, so that everything happens.
async fn desk(data: &Path) -> Result<Desk, String> {
    let mut config =
        service::config::load::<ingest::IngestConfig>(None, [], &[]).map_err(|error| error.to_string())?.config;
    (config.undo, config.grace) = (Duration::from_millis(50), Duration::from_millis(50));
    let aws = aws::Aws::new();
    let sets = [format!("sqlite.path={}", data.join("catalog.db").display())];
    let of = service::config::load::<CatalogConfig>(None, [], &sets).map_err(|error| error.to_string())?.config;
    let catalog = catalog::open(&of, &aws).await.map_err(|error| error.to_string())?;
    let store = store::FolderStore::open(&data.join("store")).map_err(|error| error.to_string())?;
    let queue = jobs::SqliteQueue::open(&data.join("jobs.db")).await.map_err(|error| error.to_string())?;
    let jobs = service::config::load(None, [], &[]).map_err(|error| error.to_string())?.config;
    let policies = access::Policies::builtin().map_err(|error| error.to_string())?;
    let door = Arc::new(access::Door::new(policies));
    let parts = Parts {
        catalog,
        store: Arc::new(store),
        queue: Arc::new(queue),
        door,
        edge: None,
        aws,
        replica: None,
        jobs,
        runners: Default::default(),
    };
    Ok(Desk::new(&config, &parts, Metrics::default()))
}

async fn step(desk: &Desk, state: &mut u64) -> Result<(), String> {
    let tenant: TenantId = "main".parse().map_err(|_| "a tenant")?;
    let path: AssetPath = format!("p{}/x.png", random(state) % PATHS).parse().map_err(|_| "a path")?;
    let there = desk.catalog().find(&tenant, &path).await.map_err(|error| error.to_string())?;
    let actor = "drive".parse().map_err(|_| "a subject")?;
    match there {
        Some(asset) if random(state).is_multiple_of(4) => {
            println!("try delete {path}");
            let now = Timestamp::now();
            let until = now + Duration::from_millis(50);
            desk.make(Change::delete(&asset, until, actor, now)).await.map_err(|trouble| trouble.to_string())?;
            println!("done delete {path}");
        }
        _ => {
            let bytes = testkit::picture::noise(8, 8, random(state) % CONTENTS);
            let hash = ContentHash::of(&bytes);
            println!("try put {path} {hash}");
            let stage = desk.stage(&tenant);
            let appended = desk.store().append(&stage, 0, Bytes::from(bytes)).await;
            appended.map_err(|failure| failure.to_string())?;
            let intake = Intake {
                tenant,
                path: path.clone(),
                title: None,
                description: None,
                tags: None,
                visibility: None,
                media_type: None,
                hash: Some(hash),
                actor,
                condition: Condition::Any,
                may_create: true,
                may_replace: true,
                idempotency: None,
                trace: None,
            };
            desk.admit(&stage, &intake).await.map_err(|trouble| trouble.to_string())?;
            println!("done put {path} {hash}");
        }
    }
    Ok(())
}
