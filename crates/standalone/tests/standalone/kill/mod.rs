//! Processes are killed (SIGKILL) at any moment while pictures are uploaded, replaced, deleted, restored and indexed and keys are
//! made; afterwards nothing that was acknowledged is lost, nothing is there twice, nothing leads nowhere.
//!
//! `TINTYPE_KILLS` is how many, in each of the two tests.

mod apart;
mod driver;

use crate::server::Server;
use driver::{Driver, Random, Seen};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Servers that live and die side by side.
const WORLDS: u64 = 4;
/// Kills in all, of each test.
const KILLS: u64 = 140;
/// Drivers of each world.
const DRIVERS: u64 = 2;
/// Longest wait for what was left over: leases of the dead run out after three seconds.
const SETTLE: Duration = Duration::from_secs(60);

/// Jobs rest for less than usual, and are begun more often: in life nobody dies as often.
const JOBS: [&str; 4] = ["jobs.lease=3s", "jobs.rest=100ms", "jobs.longest_rest=2s", "jobs.attempts=40"];
/// What a kill cuts off counts as under way until it has expired, a quarter of an hour later.
const UPLOADS: &str = "ingest.uploads=10000";
/// The two tests take turns: each has the machine's cores busy.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kills(usually: u64) -> u64 {
    std::env::var("TINTYPE_KILLS").ok().map_or(usually, |text| text.parse().expect("TINTYPE_KILLS: a number"))
}

/// Drives while `kill` is called so many times, and gives the drivers back.
fn hunted(drivers: Vec<Driver>, times: u64, random: &mut Random, mut kill: impl FnMut(&mut Random)) -> Vec<Driver> {
    let stop = Arc::new(AtomicBool::new(false));
    let driven = |driver: Driver| {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || driver.run(&stop))
    };
    let threads: Vec<_> = drivers.into_iter().map(driven).collect();
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(random.below(250)));
        kill(random);
    }
    std::thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().map(|thread| thread.join().expect("nothing was lost on the way")).collect()
}

/// Everything that is served is what was acknowledged.
fn is_whole(drivers: &mut [Driver]) {
    let began = Instant::now();
    loop {
        let (status, depth) = (drivers[0].told("/index/v1/status"), drivers[0].told("/index/v1/jobs/depth"));
        assert_eq!(depth["dead"], 0, "no job is given up: {}", drivers[0].told("/index/v1/jobs?state=dead"));
        if [&status["waiting"], &depth["ready"], &depth["leased"], &depth["delayed"]].iter().all(|count| **count == 0) {
            break;
        }
        assert!(began.elapsed() < SETTLE, "it does not come to rest: {status} {depth}");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut live: Vec<Seen> = drivers.iter_mut().flat_map(Driver::live).collect();
    live.sort_by(|one, other| one.id.cmp(&other.id));
    let ids: Vec<&str> = live.iter().map(|seen| &*seen.id).collect();
    let sorted = |target: &str, list: &str, place: &str| {
        let answer = drivers[0].told(target);
        let items = answer[list].as_array().unwrap_or_else(|| panic!("{list} in {answer}")).iter();
        let mut ids: Vec<String> =
            items.map(|item| item.pointer(place).and_then(|id| id.as_str()).expect("an id").to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(sorted("/ingest/v1/assets?limit=200", "items", "/asset/id"), ids, "listed");
    assert_eq!(sorted("/search/v1/assets?limit=200", "assets", "/id"), ids, "found");
    drivers.iter().for_each(Driver::has_its_keys);
    let done: u64 = drivers.iter().map(|driver| driver.done).sum();
    assert!(done > 0, "something was done between the kills");
    println!("{done} changes acknowledged, {} pictures live", live.len());
}

fn alone(world: u64, times: u64) {
    let mut sets = JOBS.to_vec();
    sets.extend(["requests.rate=0.0", "auth.access_token=1h", UPLOADS]);
    let sets: Vec<String> = sets.into_iter().map(str::to_owned).collect();
    let mut server = Server::start(&sets);
    let (address, password) = (server.address, server.password.clone());
    let drivers = (0..DRIVERS).map(|one| Driver::new(address, &password, world * DRIVERS + one)).collect();
    let mut drivers = hunted(drivers, times, &mut Random::new(world + 1000), |random| {
        server.kill();
        if random.below(4) == 0 {
            // On its way up.
            server.begin();
            std::thread::sleep(Duration::from_millis(random.below(300)));
        }
        server.again();
    });
    is_whole(&mut drivers);
    server.kill();
    let said = server.check().unwrap_or_else(|said| panic!("{said}"));
    assert!(said.contains("0 missing, 0 older, 0 extra"), "{said}");
}

#[test]
fn standalone_is_killed_and_nothing_is_lost_doubled_or_dangling() {
    let _alone = turn();
    let each = kills(KILLS).div_ceil(WORLDS);
    let worlds: Vec<_> = (0..WORLDS).map(|world| std::thread::spawn(move || alone(world, each))).collect();
    worlds.into_iter().for_each(|world| world.join().expect("this world is whole"));
}
