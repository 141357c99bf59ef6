//! What lies below memory fails in every way, while the server runs: hits stay as quick as they were, nothing wrong is
//! ever served, memory stays bounded, and what is well again is used again.
//!
//! Originals are served untouched here, so that what is right is known byte for byte.

mod bucket;
mod cluster;
mod disk;
mod memory;
mod origin;
mod redis;

use crate::server::{Server, cache};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Connection, Reply};

/// Bytes of each original.
const SIZE: usize = 20_000;
/// For what has to happen within seconds, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// The content of original `number`, unlike that of all others from its first bytes on.
fn content(number: u32) -> Vec<u8> {
    let mut state = number.wrapping_mul(2_654_435_761) | 1;
    let noise = std::iter::from_fn(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        Some(state.to_le_bytes())
    });
    [number.to_le_bytes()].into_iter().chain(noise.take(SIZE / 4 - 1)).flatten().collect()
}

fn target(number: u32) -> String {
    format!("/raw/{number}")
}

/// A server whose originals are made when they are first asked for.
struct Edge {
    server: Server,
    sets: Vec<String>,
    next: AtomicU32,
}

impl Edge {
    fn start(sets: &[&str]) -> Self {
        let own = ["routes.1.prefix=/raw/", "routes.1.origin=folder", "routes.1.originals=true"];
        let sets: Vec<_> = own.iter().chain(sets).map(|set| (*set).to_owned()).collect();
        Self { server: serve(&sets, &[]), sets, next: AtomicU32::new(0) }
    }

    /// Another instance over the same originals and tiers, with nothing in memory.
    fn other(&self, more: &[&str]) -> Server {
        let root = format!("origins.0.root={}", self.server.folder.root().display());
        serve(&self.sets, &[&[root.as_str()], more].concat())
    }

    /// Asks for an original that nobody has asked for, and holds the answer against it.
    fn miss(&self) -> (u32, Reply) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.server.folder.put(&number.to_string(), content(number));
        (number, right(&self.server, number))
    }

    /// Median time of a hit in memory, while others miss.
    fn median(&self, target: &str, expected: &[u8]) -> Duration {
        const HITS: usize = 150;
        meanwhile(
            || drop(self.miss()),
            || {
                let mut connection = self.server.connect();
                let mut times: Vec<_> = (0..HITS)
                    .map(|_| {
                        let began = Instant::now();
                        let reply = hit(&mut connection, target);
                        let took = began.elapsed();
                        assert!(reply.body == expected, "not what was asked for");
                        took
                    })
                    .collect();
                times.sort_unstable();
                times[HITS / 2]
            },
        )
    }

    /// Compares the medians of hits with the fault and without, in turns. A machine that is busy may spoil one
    /// comparison, not all; the fault is there when this returns.
    fn hits_hold(&self, what: &str, fault: impl FnMut(bool)) {
        let (number, _) = self.miss();
        self.hits_of_hold(&target(number), &content(number), what, fault);
    }

    fn hits_of_hold(&self, target: &str, expected: &[u8], what: &str, mut fault: impl FnMut(bool)) {
        let mut seen = Vec::new();
        for _ in 0..20 {
            fault(false);
            let without = self.median(target, expected);
            fault(true);
            let with = self.median(target, expected);
            if with <= 2 * without {
                return;
            }
            seen.push((without, with));
        }
        panic!("hits are slower with {what}: {seen:?}");
    }

    /// Waits until what is made is written to the tier again.
    fn recovers(&self, tier: &str) {
        let written = format!("tintype_tier_events_total{{tier=\"{tier}\",event=\"written\"}}");
        let (before, began) = (self.server.metric(&written), Instant::now());
        while self.server.metric(&written) <= before {
            assert!(began.elapsed() < PATIENCE, "{tier} is not taken up again: {}", self.events(tier));
            self.miss();
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that has happened at a tier.
    fn events(&self, tier: &str) -> String {
        let names =
            ["hit", "miss", "damaged", "read-failed", "written", "write-failed", "write-dropped", "write-outdated"];
        let count = |name| {
            let count = self.server.metric(&format!("tintype_tier_events_total{{tier=\"{tier}\",event=\"{name}\"}}"));
            format!("{name} {count}, ")
        };
        names.into_iter().map(count).chain([format!("open {}", self.server.metric("tintype_tier_open"))]).collect()
    }

    /// Waits until another instance finds there what this one makes: writing and reading are well.
    fn is_shared(&self, tier: &str) {
        let began = Instant::now();
        let other = self.other(&[]);
        loop {
            let (number, _) = self.miss();
            // It is written behind the answer.
            thread::sleep(Duration::from_millis(20));
            let found = cache(&right(&other, number));
            if found == format!("tintype; hit; detail={tier}") {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{tier}: {found}");
        }
    }
}

/// Does `other` again and again on a thread of its own while `work` is done.
fn meanwhile<T>(other: impl Fn() + Sync, work: impl FnOnce() -> T) -> T {
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                other();
                thread::sleep(Duration::from_millis(5));
            }
        });
        // Also where the work panics: the scope waits for the thread.
        let _over = Over(&over);
        work()
    })
}

fn serve(sets: &[String], more: &[&str]) -> Server {
    Server::start(&sets.iter().map(String::as_str).chain(more.iter().copied()).collect::<Vec<_>>())
}

/// The answer for the original, which has to be right.
fn right(server: &Server, number: u32) -> Reply {
    let reply = server.get(&target(number));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.body == content(number), "{number} is not what was asked for: {}", cache(&reply));
    reply
}

fn hit(connection: &mut Connection, target: &str) -> Reply {
    let reply = connection.ask("GET", target, &[]).expect("a reply");
    assert_eq!((reply.status, cache(&reply).as_str()), (200, "tintype; hit; detail=memory"));
    reply
}
