//! A server whose Redis hangs holds no more memory than its budgets say, however much is made meanwhile.

use crate::server::sets;
use std::path::Path;
use std::thread;
use testkit::{Connection, Fault, Folder, Process, Proxy, Redis};

/// Bytes of one original.
const LARGE: usize = 400_000;
/// Threads that ask, so many originals each.
const ASKERS: usize = 8;
const EACH: usize = 25;

fn ask(process: &Process, folder: &Folder, round: usize) {
    thread::scope(|scope| {
        for asker in 0..ASKERS {
            scope.spawn(move || {
                let mut connection = Connection::open(process.address).expect("it listens");
                for number in 0..EACH {
                    let name = format!("{round}-{asker}-{number}");
                    let mut content = name.clone().into_bytes();
                    content.resize(LARGE, asker as u8);
                    folder.put(&name, &content);
                    let reply = connection.ask("GET", &format!("/raw/{name}"), &[]).expect("a reply");
                    assert!(reply.status == 200 && reply.body == content, "{name}: {}", reply.status);
                }
            });
        }
    });
}

/// In a process of its own, whose memory is that of these requests.
#[test]
fn what_cannot_be_written_is_not_kept() {
    let Some(redis) = Redis::start(&[]) else { return };
    let (proxy, folder) = (Proxy::new(redis.address), Folder::new());
    let url = format!("cache.redis.urls=redis://{}", proxy.address);
    let own = ["routes.1.prefix=/raw/", "routes.1.origin=folder", "routes.1.originals=true", "cache.memory.bytes=4MiB"];
    // The breaker would spare it the trouble: it stays closed here.
    let tier = ["cache.redis.timeout=50ms", "cache.redis.failures=1000", "cache.redis.queue=2MiB", &url];
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &[&own[..], &tier].concat()));
    ask(&process, &folder, 0);
    let before = process.resident();
    proxy.set(Fault::Silent);
    ask(&process, &folder, 1);
    let during = process.resident();
    let made = ASKERS * EACH * LARGE;
    let growth = during.saturating_sub(before);
    assert!(growth < 24 << 20, "{growth} bytes more than the {before} before, while {made} were made");
}
