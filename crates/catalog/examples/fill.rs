//! Fills a catalog with synthetic records through commits, as an import does, and tells how long that and questions take.
//!
//! `cargo run --release -p tintype-catalog --example fill -- RECORDS [TASKS] [key=value …]`, with keys of `[catalog]`, such as
//! `sqlite.path=/tmp/catalog.db` or `kind=postgres postgres.host=…`. The same number gives the same records, so that other
//! loads can count on them. What is there already is passed over: an interrupted run goes on.

use catalog::{
    Asset, AssetId, AssetPath, Catalog, CatalogConfig, Change, CommitError, Content, ContentHash, Facts, Filter,
    Listing, Order, TenantId, Visibility,
};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

type Failure = Box<dyn Error + Send + Sync>;

const SUBJECTS: [&str; 16] = [
    "harbour",
    "lighthouse",
    "market",
    "forest",
    "river",
    "bridge",
    "portrait",
    "wedding",
    "kitchen",
    "mountain",
    "street",
    "museum",
    "garden",
    "concert",
    "aeroplane",
    "barn",
];
const MOODS: [&str; 12] =
    ["quiet", "bright", "misty", "crowded", "golden", "old", "rainy", "blue", "early", "late", "wide", "empty"];
const CAMERAS: [(&str, &str); 6] = [
    ("Canon", "EOS R5"),
    ("NIKON", "Z 8"),
    ("SONY", "ILCE-7M4"),
    ("FUJIFILM", "X-T5"),
    ("Apple", "iPhone 15 Pro"),
    ("Google", "Pixel 9"),
];
const TENANTS: u64 = 4;

/// Numbers that look random, the same for the same seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        let index = usize::try_from(self.below(of.len() as u64)).expect("a small number");
        of[index]
    }
}

/// The record of that number.
fn record(number: u64, start: Timestamp) -> Result<Asset, Failure> {
    let mut dice = Dice(number.wrapping_mul(0x0100_0000_01b3));
    let (subject, mood, camera) = (dice.one_of(&SUBJECTS), dice.one_of(&MOODS), dice.one_of(&CAMERAS));
    let at = start.checked_add(SignedDuration::from_secs(i64::try_from(number)?))?;
    let taken = at.checked_sub(SignedDuration::from_hours(i64::try_from(dice.below(80_000))?))?;
    let tenant: TenantId = format!("load-{}", number % TENANTS).parse()?;
    let path: AssetPath = format!("{subject}/{:04}/{mood}-{number}.jpg", number / 1000).parse()?;
    let (width, height) = dice.one_of(&[(6000, 4000), (4000, 6000), (4032, 3024), (1920, 1080), (8192, 5464)]);
    let content = Content {
        hash: ContentHash::of(&number.to_be_bytes()),
        bytes: 200_000 + dice.below(12_000_000),
        media_type: "image/jpeg".parse()?,
        width,
        height,
        frames: 1,
    };
    let mut asset = Asset::new(tenant, path, content, at);
    // The same id each time: made of the moment and the number.
    let mut id = uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.as_millisecond())?, &[0; 10])
        .into_uuid()
        .into_bytes();
    id[8] = 0x80;
    id[9..16].copy_from_slice(&number.to_be_bytes()[1..]);
    asset.id = AssetId::try_from(uuid::Uuid::from_bytes(id))?;
    asset.title = Some(format!("A {mood} {subject}"));
    asset.description = Some(format!("The {subject} on a {mood} day, number {number} of a series that nobody took."));
    asset.tags = [subject, mood].into_iter().map(str::parse).collect::<Result<_, _>>()?;
    asset.visibility = if dice.below(10) == 0 { Visibility::Public } else { Visibility::Tenant };
    asset.owner = Some(format!("user:{}", dice.below(200)).parse()?);
    asset.facts = facts(&mut dice, camera, taken);
    Ok(asset)
}

fn facts(dice: &mut Dice, (make, model): (&str, &str), taken: Timestamp) -> Facts {
    let mut colour = || format!("#{:06x}", dice.below(1 << 24));
    let (average, dominant, palette) = (colour(), colour(), [colour(), colour(), colour()]);
    let palette: Vec<_> = palette.into_iter().map(|colour| json!({"colour": colour, "share": 0.3})).collect();
    let hashes = [dice.roll(), dice.roll()].map(|hash| format!("{hash:016x}"));
    let exif = json!({
        "Make": make, "Model": model, "LensModel": format!("{} mm", 20 + dice.below(180)),
        "DateTimeOriginal": taken.strftime("%Y:%m:%d %H:%M:%S").to_string(),
        "FNumber": 1.4 + dice.below(80) as f64 / 10.0, "ISOSpeedRatings": 100 << dice.below(7),
    });
    let looks = json!({
        "average": average, "dominant": dominant, "palette": palette, "dhash": hashes[0], "phash": hashes[1],
        "thumbhash": "3OcRJYB4d3h/iIeHeEh3eIhw+j2w",
    });
    let place = json!({"GPSLatitude": 47.0 + dice.below(1000) as f64 / 500.0, "GPSLongitude": 8.0 + dice.below(1000) as f64 / 500.0});
    Facts::from_iter([("exif".to_owned(), exif), ("looks".to_owned(), looks), ("private".to_owned(), place)])
}

/// One of several that share the numbers.
async fn work(
    catalog: Arc<dyn Catalog>,
    next: Arc<AtomicU64>,
    (count, start): (u64, Timestamp),
    bar: ProgressBar,
) -> Result<u64, Failure> {
    let mut there = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(there);
        }
        let change = Change::create(record(number, start)?, "service:fill".parse()?);
        loop {
            match catalog.commit(change.clone()).await {
                Ok(_) => break,
                Err(CommitError::Conflict(Some(_))) => {
                    there += 1;
                    break;
                }
                Err(CommitError::Store(error)) if error.passes() => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        bar.inc(1);
    }
}

/// The middle and the slow end of some timed questions, in milliseconds.
async fn timed<T, E: Error + Send + Sync + 'static>(
    what: &str,
    mut ask: impl AsyncFnMut(u64) -> Result<T, E>,
) -> Result<(), Failure> {
    let (mut times, mut dice) = (Vec::new(), Dice(7));
    for _ in 0..200 {
        let seed = dice.roll();
        let began = Instant::now();
        ask(seed).await?;
        times.push(began.elapsed());
    }
    times.sort();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1000.0;
    println!("| {what} | {:.2} | {:.2} |", at(50), at(99));
    Ok(())
}

async fn questions(catalog: &dyn Catalog, count: u64, start: Timestamp) -> Result<(), Failure> {
    println!("\n| question | p50 ms | p99 ms |\n|---|---:|---:|");
    let of = |seed: u64| record(seed % count, start).expect("it was made before");
    timed("get", async |seed| {
        let asset = of(seed);
        catalog.get(&asset.tenant, asset.id).await
    })
    .await?;
    timed("find", async |seed| {
        let asset = of(seed);
        catalog.find(&asset.tenant, &asset.path).await
    })
    .await?;
    for (what, order, prefix) in
        [("list, newest 50", Order::Newest, None), ("list, 50 by path below a folder", Order::Path, Some("river/"))]
    {
        let filter = Filter { prefix: prefix.map(str::parse).transpose()?, ..Filter::default() };
        let listing = Listing { order, filter, ..Listing::default() };
        timed(what, async |seed| catalog.list(&of(seed).tenant, &listing).await).await?;
    }
    timed("usage", async |seed| catalog.usage(&of(seed).tenant).await).await?;
    timed("lag", async |_| catalog.lag().await).await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (sets, numbers): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| argument.contains('='));
    let number = |index: usize, default: u64| numbers.get(index).map_or(Ok(default), |text| text.parse());
    let (count, tasks) = (number(0, 10_000)?.max(1), number(1, 8)?.max(1));
    let config = service::config::load::<CatalogConfig>(None, std::env::vars(), &sets)?.config;
    let catalog = catalog::open(&config, &aws::Aws::new()).await?;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let bar = ProgressBar::new(count);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} {per_sec} {eta}")?);
    let (began, next) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let workers: Vec<_> = (0..tasks)
        .map(|_| tokio::spawn(work(Arc::clone(&catalog), Arc::clone(&next), (count, start), bar.clone())))
        .collect();
    let mut there = 0;
    for worker in workers {
        there += worker.await??;
    }
    bar.finish_and_clear();
    let seconds = began.elapsed().as_secs_f64();
    let made = count - there;
    println!(
        "{made} records committed by {tasks} tasks in {seconds:.1} s, {:.0}/s; {there} were there",
        made as f64 / seconds
    );
    questions(&*catalog, count, start).await
}
